#!/bin/sh
# Every command that README.md and docs/ show is run, and prints what is shown: see ci/docs_run.py, which also
# says how a page marks what is not to be run. Run from the root with $B set.
#   ci/docs_test.sh [PAGE...]
command -v python3 >/dev/null || { echo "no python3"; exit 77; }
case ${SAN-}${B-} in *asan*|*address*|*thread*|*undefined*) echo "the screens are those of a plain build"; exit 77 ;; esac

# The runner itself: what is not as shown is found.
sample=$(mktemp) || exit 99
trap 'rm -f "$sample"' EXIT
for wrong in '$ echo one\ntwo' '$ echo one 1 two\none 1 three' '$ exit_is_127' '$ sh -c "exit 2"' '$ true\n$ echo $?\n...\nmore'; do
    printf '```\n%b\n```\n' "$wrong" >"$sample"
    python3 ci/docs_run.py "$sample" >/dev/null && { echo "this passes, and should not: $wrong"; exit 1; }
done
printf '```\n$ echo 12 MB  and\n> echo 3\n9 KB and 4\n# not run by the tests: it would fail\n$ false_command\n```\n' >"$sample"
python3 ci/docs_run.py "$sample" || exit 1

# Links within the project lead somewhere, and the page of the architecture knows every folder.
bad=0
for page in README.md docs/*.md; do
    for link in $(grep -o ']([^)#]*[)#]' "$page" | sed 's/^](//; s/[)#]$//' | grep -v '^https*:'); do
        [ -e "$(dirname "$page")/$link" ] || { echo "$page: no $link"; bad=1; }
    done
done
for folder in harness/*/; do
    grep -q "\`$folder\`" docs/architecture.md || { echo "docs/architecture.md: nothing of $folder"; bad=1; }
done
[ $bad -eq 0 ] || exit 1
python3 ci/docs_run.py "$@"
