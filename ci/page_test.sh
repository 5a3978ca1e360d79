#!/bin/sh
# The HTML report in headless Chromium: by keyboard alone, as a screen reader is told it, contrast in light and
# dark, on a narrow screen, without scripts; nothing is fetched. See ci/page.py. Run from the root with $B set.
case ${SAN-}${B-} in *asan*|*address*|*thread*|*undefined*) echo "the page is that of a plain build"; exit 77 ;; esac
command -v python3 >/dev/null || { echo "no python3"; exit 77; }
exec timeout 120 python3 ci/page.py check
