#!/bin/sh
# The binary interface of libtidemark-registry.so.0, as a program that links to it sees it: functions, variables and
# the types of the installed headers. Written to standard output as libabigail's XML, without anything of
# the machine; make abi keeps it in registry/libregistry.abi, and ci/abi_test.sh holds every build against it.
# Run from the root with $B set.
set -eu
B=${B:-build}
headers=$(mktemp -d)
trap 'rm -rf "$headers"' EXIT
cp registry/registry.h registry/strategy.h registry/registry_inline.h registry/registry_hash.h registry/image.h "$headers"
abidw --exported-interfaces-only --drop-private-types --headers-dir "$headers" --type-id-style hash \
    --no-show-locs --no-corpus-path --no-comp-dir-path --no-elf-needed --no-write-default-sizes \
    "$B/libtidemark-registry.so.0" |
    # An array without a bound, ended by NULL: a strategy more is no change of the interface.
    sed "s/\\(elf-symbol name='strategies'\\) size='[0-9]*'/\\1 size='8'/"
