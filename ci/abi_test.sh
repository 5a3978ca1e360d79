#!/bin/sh
# abi_test.sh - the libraries still fit programs that were linked to them: nothing gone, no type, size or number
# changed. Run from the root with $B set.
set -u
B=${B:-build}
command -v abidiff >/dev/null || { echo "no abidiff (package abigail-tools)"; exit 77; }
case ${SAN-}$B in *asan*|*address*|*thread*|*undefined*|*clang*) echo "held for the plain gcc build"; exit 77 ;; esac
[ "${CACHE:-all}" = all ] || { echo "a library with caches left out has another interface"; exit 77; }
T=$(mktemp -d) || exit 99
trap 'rm -rf "$T"' EXIT
bad=0
held() { # library, its file, kept interface
    B=$B sh ci/abi.sh "$1" >"$T/$1.abi" || exit 1
    if ! abidiff "$3" "$T/$1.abi" >"$T/difference" 2>&1; then
        cat "$T/difference"
        echo "The interface of $2 is another one. Where that is meant: a new SONAME, if programs"
        echo "that are linked to the old one would break; then make abi, and commit $3."
        bad=1
    fi
    readelf -d "$B/${2%.so.0}.so"* | grep -q "SONAME.*\[$2\]" || { echo "another SONAME than $2"; bad=1; }
}
held registry libtidemark-registry.so.0 registry/libregistry.abi
held preload libtidemark.so.0 harness/boundary/libtidemark.abi
# What would break a program is found: a function gone, a struct that grew, a parameter of another type.
refused() { # library, what, sed expression
    sed "$3" "$T/$1.abi" >"$T/broken.abi"
    cmp -s "$T/$1.abi" "$T/broken.abi" && { echo "$2: the expression changes nothing"; bad=1; }
    abidiff "$T/$1.abi" "$T/broken.abi" >"$T/difference" 2>&1
    case $? in
    4 | 12) ;;
    *) echo "$2: abidiff did not find it: $(cat "$T/difference")"; bad=1 ;;
    esac
}
refused registry "a function that is gone" "s/registry_find_batch/registry_find_gone/g"
refused registry "a struct that grew" "/class-decl name='registry_text'/ s/size-in-bits='[0-9]*'/size-in-bits='256'/"
refused preload "a function that is gone" "s/tidemark_test_end/tidemark_test_gone/g"
refused preload "a parameter of another type" "s/parameter type-id='9c313c2d' name='amount'/parameter type-id='80f4b756' name='amount'/"
exit $bad
