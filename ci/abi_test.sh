#!/bin/sh
# abi_test.sh - the library still fits programs that were linked to it: nothing gone, no type, size or number
# changed. Run from the root with $B set.
set -u
B=${B:-build}
command -v abidiff >/dev/null || { echo "no abidiff (package abigail-tools)"; exit 77; }
case ${SAN-}$B in *asan*|*address*|*thread*|*undefined*|*clang*) echo "held for the plain gcc build"; exit 77 ;; esac
[ "${CACHE:-all}" = all ] || { echo "a library with caches left out has another interface"; exit 77; }
T=$(mktemp -d) || exit 99
trap 'rm -rf "$T"' EXIT
B=$B sh ci/abi.sh >"$T/now.abi" || exit 1
if ! abidiff registry/libregistry.abi "$T/now.abi" >"$T/difference" 2>&1; then
    cat "$T/difference"
    echo "The interface of libtidemark-registry.so.0 is another one. Where that is meant: a new SONAME, if programs"
    echo "that are linked to the old one would break; then make abi, and commit registry/libregistry.abi."
    exit 1
fi
# What would break a program is found: a function gone, a struct that grew.
bad=0
refused() { # what, sed expression
    sed "$2" "$T/now.abi" >"$T/broken.abi"
    abidiff "$T/now.abi" "$T/broken.abi" >"$T/difference" 2>&1
    case $? in
    4 | 12) ;;
    *) echo "$1: abidiff did not find it: $(cat "$T/difference")"; bad=1 ;;
    esac
}
refused "a function that is gone" "s/registry_find_batch/registry_find_gone/g"
refused "a struct that grew" "/class-decl name='registry_text'/ s/size-in-bits='[0-9]*'/size-in-bits='256'/"
readelf -d "$B/libtidemark-registry.so.0" | grep -q 'SONAME.*\[libtidemark-registry\.so\.0\]' || { echo "another SONAME"; bad=1; }
exit $bad
