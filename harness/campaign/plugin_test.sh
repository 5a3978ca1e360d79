#!/bin/sh
# plugin_test.sh - the stack of a block leads through a plugin that is long gone, and names it; what a shared mapping
# holds is held. Run from the root with $B set. fixtures/programs/check_plugin.c is the program.
set -u
B=${B:-build}
T=$(mktemp -d) || exit 99
trap 'rm -rf "$T"' EXIT
bad=0
fail() { echo "plugin_test: $*"; cat "$T/said"; bad=1; }
cat >"$T/plugin.c" <<'C'
#include <stdlib.h>
static __attribute__((noinline)) void *remember(void *next, size_t bytes)
{
    void **made = malloc(bytes + sizeof next);
    made[0] = next;
    return made;
}
void plugin_run(void **kept, size_t bytes) { *kept = remember(*kept, bytes); }
C
${CC:-cc} -g -O0 -shared -fPIC -o "$T/plugin.so" "$T/plugin.c" 2>/dev/null || { echo "no compiler"; exit 77; }
PLUGIN=$T/plugin.so "$B/tidemark" hunt -q --quick --no-color -- "$B/fixtures/check_plugin" >"$T/out" 2>&1
[ $? -eq 1 ] || fail "not 1"
tr -s '\n ' '  ' <"$T/out" >"$T/said"
grep -q "GROWTH plugin/all/keeps_what_a_plugin_made .* allocated by remember ([^ ]*plugin.c:4) plugin_run ([^ ]*plugin.c:8).* held by g_host" "$T/said" ||
    fail "what is kept has no name"
grep -q "LEAK plugin/all/loses_what_a_plugin_made .* allocated by remember ([^ ]*plugin.c:4) plugin_run ([^ ]*plugin.c:8)" "$T/said" ||
    fail "what is lost has no name"
grep -q "GROWTH plugin/all/holds_in_a_shared_mapping .* held by g_shared" "$T/said" || fail "the shared mapping holds nothing"
exit $bad
