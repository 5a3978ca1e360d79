#!/bin/sh
# The compiled-in catalogue costs a process nothing: read-only, no relocation, no start-up code, no
# heap, no writable byte. Looked at in the objects with readelf and nm, and in a running program.
set -eu
fail() { echo "$*" >&2; exit 1; }
for object in "$B"/gen/registry_tables.o "$B"/gen/registry_tier_*.o; do
    readelf -rW "$object" | grep -q 'There are no relocations' || fail "$object has relocations"
    # Sections that hold bytes at run time: .rodata alone.
    sections=$(readelf -SW "$object" | awk '$2 ~ /^\./ {name=$2; size=$6} $3 ~ /^\./ {name=$3; size=$7}
        name && size !~ /^0+$/ {print name; name=""}' | grep -E '^\.(data|bss|rodata|init|fini|ctors|text|tdata|tbss)' | sort -u | tr '\n' ' ')
    [ "$sections" = ".rodata " ] || fail "$object holds: $sections"
    nm "$object" | grep -E ' [DdBbCTtU] ' && fail "$object has more than read-only symbols"
    nm "$object" | grep -q ' R registry_t' || fail "$object has no table"
done
# Look-up code: no writable data, no constructor, nothing called that could allocate.
for name in registry registry_field registry_huge registry_suggest registry_words tier; do
    object=$B/obj/registry/catalogue/$name.o
    [ -n "${SAN-}" ] && continue # sanitizers add their own
    nm "$object" | grep -E ' [DdBbC] ' && fail "$object has writable data"
    readelf -SW "$object" | grep -qE '\.(init|fini)_array|\.ctors' && fail "$object has start-up code"
    readelf -SW "$object" | grep -qE ' \.data\.rel' && fail "$object has relocated data"
    calls=$(nm -u "$object" | awk '{print $2}' | grep -vE '^(memcmp|bcmp|memcpy|memset|memchr|memmove|strcmp|strlen|madvise|__errno_location|__assert_fail|_GLOBAL_OFFSET_TABLE_|__stack_chk_fail|registry_.*)$' || true)
    [ -z "$calls" ] || fail "$object calls: $calls"
done
echo "tables and look-up: .rodata only, no relocation, no start-up code, no allocation"
