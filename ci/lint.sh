#!/bin/sh
# make lint: format, each header alone, layers, exported symbols, cppcheck, clang-tidy. One line per
# finding, exit 1 when there is any. LINT="format headers" runs only those.
set -u
B=${B:-build}
steps=${LINT:-format headers layers exports hardening cppcheck tidy}
bad=0
sources() { git ls-files "$@" | grep -v '^fixtures/bad/'; }
flags="-std=gnu11 -D_GNU_SOURCE -I. -Iinclude -I$B/gen $(pkg-config --cflags libcyaml jansson check 2>/dev/null)"

format() {
    # shellcheck disable=SC2046
    clang-format --dry-run -Werror $(sources '*.c' '*.h')
}
headers() {
    status=0
    for h in $(sources '*.h'); do
        # shellcheck disable=SC2086
        gcc $flags -Wall -Wextra -Wno-unused -fsyntax-only -x c "$h" || { echo "$h: does not compile alone"; status=1; }
    done
    return $status
}
# Low to high: an include may only point to its own folder or to one that stands before it.
layers() {
    order="base result scenario plan meter ledger boundary symbol worker judge bench trace campaign report record cli"
    rank() { echo "$order" | tr ' ' '\n' | grep -nx "$1" | cut -d: -f1; }
    status=0
    for f in $(sources 'harness/*.c' 'harness/*.h'); do
        case $f in *_test.c|*_fuzz.c) continue ;; esac
        own=$(echo "$f" | cut -d/ -f2)
        for to in $(sed -n 's|^#include "harness/\([a-z]*\)/.*|\1|p' "$f" | sort -u); do
            a=$(rank "$own"); b=$(rank "$to")
            if [ -z "$a" ] || [ -z "$b" ] || [ "$b" -gt "$a" ]; then
                echo "$f: layer $own includes the higher layer $to"; status=1
            fi
        done
    done
    # The rooms of registry/, low to high; catalogue/generate is a program of the build.
    order="catalogue cache file ttl tiered admin bench"
    for f in $(sources 'registry/*/*.c' 'registry/*/*.h'); do
        case $f in *_test.c) continue ;; esac
        own=$(echo "$f" | cut -d/ -f2)
        for to in $(sed -n 's|^#include "registry/\([a-z]*\)/.*|\1|p' "$f" | sort -u); do
            if [ -z "$(rank "$own")" ] || [ -z "$(rank "$to")" ] || [ "$(rank "$to")" -gt "$(rank "$own")" ]; then
                echo "$f: room $own includes the higher room $to"; status=1
            fi
        done
    done
    for f in $(sources 'registry/*.c' 'registry/*.h' 'scenarios/*.c' 'scenarios/*.h'); do
        case $f in registry/catalogue/generate/*) continue ;; esac
        if grep -n '#include "harness/' "$f" | grep -v 'harness/base/suite.h'; then
            echo "$f: registry and suites know nothing of the harness"; status=1
        fi
    done
    return $status
}
# What libtidemark.so exports: tidemark_*, the libc and framework calls it stands in for, nothing else.
exports() {
    [ -f "$B/libtidemark.so" ] || { echo "exports: build first (make)"; return 1; }
    nm -D --defined-only "$B/libtidemark.so" | awk '{print $3}' | sed 's/@.*//' | sort -u >"$B/exports.now"
    sed -n '/global:/,/local:/p' harness/boundary/libtidemark.map | grep -o '[A-Za-z_][A-Za-z0-9_]*\*\{0,1\};' | tr -d ';' >"$B/exports.map"
    status=0
    while read -r symbol; do
        case $symbol in tidemark_*|TIDEMARK_*) continue ;; esac
        grep -qx "$symbol" "$B/exports.map" || { echo "libtidemark.so exports $symbol, which no one asked for"; status=1; }
    done <"$B/exports.now"
    return $status
}
# Built as distributions build: position-independent, read-only after relocation, bound at once, no executable stack,
# with canaries and checked functions.
hardening() {
    status=0
    for f in "$B/tidemark" "$B/libtidemark.so"; do
        [ -f "$f" ] || { echo "hardening: build first (make)"; return 1; }
        lacks() { echo "$f: $1"; status=1; }
        file=$(readelf -W -h -l -d --dyn-syms "$f")
        has() { echo "$file" | grep -Eq "$1"; }
        has 'Type: +DYN' || lacks 'not position-independent'
        has '^ +GNU_RELRO' || lacks 'no RELRO'
        has 'FLAGS.*(BIND_NOW|NOW)' || lacks 'not bound at once'
        has '^ +GNU_STACK .* RW +0x' || lacks 'an executable stack'
        has 'UND __stack_chk_fail' || lacks 'no stack protector'
        has 'UND __[a-z]+_chk' || lacks 'no FORTIFY'
        has "\\(TEXTREL\\)" && lacks 'relocations in its code'
    done
    return $status
}
cppcheck_() {
    # shellcheck disable=SC2046
    cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,portability --inline-suppr \
        --suppress=missingIncludeSystem --suppress=unknownMacro -I. -Iinclude -j "$(nproc)" \
        $(sources 'harness/*.c' 'registry/*.c' 'scenarios/*.c' | grep -v _test.c)
}
# One file a call: in a second file of one call clang-tidy 14 takes every va_list for uninitialized.
tidy() {
    sources 'harness/*.c' 'registry/*.c' 'scenarios/*.c' | grep -v -E '_test\.c|_fuzz\.c|_bench\.c|^registry/bench/peers/' |
        xargs -P "$(nproc)" -n 1 sh -c 'clang-tidy --quiet "$@" -- '"$flags"' 2>/dev/null' sh
}
for step in $steps; do
    name=$step
    [ "$step" = cppcheck ] && step=cppcheck_
    if $step >"${TMPDIR:-/tmp}/tidemark-lint.$$" 2>&1; then
        echo "ok      $name"
    else
        echo "FAILED  $name"; cat "${TMPDIR:-/tmp}/tidemark-lint.$$"; bad=1
    fi
done
rm -f "${TMPDIR:-/tmp}/tidemark-lint.$$"
exit $bad
