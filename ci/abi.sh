#!/bin/sh
# ci/abi.sh registry|preload: the binary interface of libtidemark-registry.so.0 or libtidemark.so.0, as a program that is
# linked to it sees it: functions, variables and the types of the installed headers. (Of the preload: what tidemark.h
# declares; the rest of its names are libc's and the test frameworks' own.) Written to standard output as libabigail's
# XML, without anything of the machine; make abi keeps both, and ci/abi_test.sh holds every build against them.
# Run from the root with $B set.
set -eu
B=${B:-build}
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
mkdir "$T/headers"
: >"$T/suppressions"
if [ "$1" = registry ]; then
    library=$B/libtidemark-registry.so.0
    cp include/registry/*.h "$T/headers"
else
    library=$B/libtidemark.so
    cp include/tidemark.h "$T/headers"
    for kind in function variable; do
        printf '[suppress_%s]\n  symbol_name_not_regexp = ^tidemark_\n  drop = yes\n' $kind
    done >"$T/suppressions"
fi
abidw --exported-interfaces-only --drop-private-types --headers-dir "$T/headers" --type-id-style hash \
    --suppressions "$T/suppressions" --no-show-locs --no-corpus-path --no-comp-dir-path --no-elf-needed \
    --no-write-default-sizes "$library" |
    # An array without a bound, ended by NULL: a strategy more is no change of the interface.
    sed "s/\\(elf-symbol name='strategies'\\) size='[0-9]*'/\\1 size='8'/"
