#!/bin/sh
# registry-generate as a command: exit status and message for every kind of bad input, and that a
# failure leaves no output behind.
set -eu
fail() { echo "$*" >&2; exit 1; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
tool=$PWD/$B/registry-generate
catalogue=$PWD/fixtures/catalogue/catalogue.yaml.xz
traps=$PWD/fixtures/catalogue/traps.yaml
cd "$dir"
# expect STATUS PATTERN ARGUMENT...
expect() {
    status=$1 pattern=$2
    shift 2
    got=0
    "$tool" "$@" >out.txt 2>err.txt || got=$?
    [ "$got" = "$status" ] || fail "$*: status $got, not $status: $(cat err.txt)"
    [ -z "$pattern" ] || grep -q -- "$pattern" err.txt || fail "$*: no '$pattern' in: $(cat err.txt)"
    [ ! -s out.txt ] || fail "$*: wrote to stdout"
    if [ "$status" != 0 ] && [ -e t.c ]; then fail "$*: left t.c behind"; fi
    rm -f t.c t.image
}
: >empty.yaml
head -c 20000 "$catalogue" >cut.xz
{ head -c 5000 "$catalogue"; printf 'damage'; tail -c +5007 "$catalogue"; } >damaged.xz
printf -- '- {"provider": "a", "id": "b"}\n- {"provider": "a", "id": "b"}\n' >twice.yaml
printf -- '- {"provider": "a", "id": "b"}\n- {"provider": "a" "id": "c"}\n' >syntax.yaml
expect 2 'usage: registry-generate'
expect 2 'usage: registry-generate' "$traps"
expect 2 "'many' is no whole number" --fill many "$traps" t.c
expect 2 "unrecognized option" --file "$traps" t.c
expect 2 'absent.yaml: No such file' absent.yaml t.c
expect 2 'cannot be read: Is a directory' "$dir" t.c
expect 2 'empty.yaml: no models' empty.yaml t.c
expect 2 'empty.yaml: no models' --fill 10 empty.yaml t.c
expect 2 'cut.xz: xz data ends too early' cut.xz t.c
expect 2 'damaged.xz: damaged xz data' damaged.xz t.c
expect 2 "twice.yaml:2:3: 'a:b' is already in line 1" twice.yaml t.c
expect 2 'syntax.yaml:2:2[0-9]: ' syntax.yaml t.c
expect 99 'No such file' "$traps" nowhere/t.c
expect 99 'Invalid argument' "$traps" t.txt
expect 0 '' "$traps" t.c
expect 0 '' --fill 100 --seed 3 - t.c
# Plain and xz give the same bytes.
xz -k -c "$traps" >traps.xz
"$tool" "$traps" a.image
"$tool" traps.xz b.image
cmp a.image b.image
# The shipped catalogue: its real models, and the made-up ones beside them.
"$tool" "$catalogue" real.image
"$tool" --fill 27000 "$catalogue" filled.image
count() { od -An -tu4 -j120 -N4 "$1" | tr -d ' '; }
[ "$(count real.image)" = 10696 ] || fail "real models: $(count real.image)"
[ "$(count filled.image)" = 27000 ] || fail "filled: $(count filled.image)"
# A catalogue of many megabytes begins a huge page, in the file and in memory; a small one does not.
for row in 1000:64 150000:2097152; do
    "$tool" --fill "${row%:*}" - t.c
    ${CC:-cc} -shared -o t.so t.c
    aligned=$(readelf -SW t.so | awk '/ \.rodata / {print $NF}')
    [ "$aligned" = "${row#*:}" ] || fail "${row%:*} models: aligned to $aligned bytes"
    rm t.c t.image t.so
done
for row in minimal:5 standard:15 comprehensive:50; do
    "$tool" "$OLDPWD/fixtures/tiers/${row%:*}.yaml" tier.image
    [ "$(count tier.image)" = "${row#*:}" ] || fail "$row: $(count tier.image)"
done
echo "registry-generate: messages, statuses, repeatable output"
