#!/bin/sh
# A strategy of one's own, built outside the source tree with the installed header and .pc file alone,
# asked by `tidemark bench` and by `tidemark run`; and every way in which a plug-in can be no good.
# Run from the repository root with $B.
set -u
B=${B:-build}
case ${SAN-}$B in *asan*|*address*|*thread*|*undefined*) echo "a sanitized build is not for installing"; exit 77 ;; esac
out=$(mktemp -d "${TMPDIR:-/tmp}/tidemark-plugin.XXXXXX")
trap 'rm -rf "$out"' EXIT
failed=0
fail() { echo "FAIL: $*" >&2; failed=1; }

B=$B PREFIX=/opt/mark DESTDIR=$out ci/install.sh || exit 1
cp -r docs/example/strategy "$out/outside"
cd "$out/outside" || exit 1
PATH=$out/opt/mark/bin:$PATH
PKG_CONFIG_PATH=$out/opt/mark/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$out
export PATH PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR
make -s CC="${CC:-cc}" mine.so || { fail "the example does not build"; exit 1; }
[ "$(nm -D --defined-only mine.so | awk '{print $3}')" = tidemark_strategy ] || fail "the example exports $(nm -D --defined-only mine.so)"

[ "${CACHE:-all}" = all ] || sed -i '/lru/d' mine.yaml

# Beside the compiled-in ones. The A/A control may find a busy machine (status 1).
tidemark bench --rounds 6 --time 100ms -w zipf --no-break-even -s ./mine.so >"$out/text" 2>"$out/err"
[ $? -le 1 ] || fail "bench: $(cat "$out/err")"
grep -q '^mine  *[0-9]' "$out/text" || fail "no row of the plug-in: $(cat "$out/text")"
# As one of the peers, which lie beside the binary.
got=$(tidemark bench --peers -s direct 2>&1)
case $?:$got in 2:*"--peers: none in "*"make bench-peers"*) ;; *) fail "peers where there are none: $got" ;; esac
mkdir "$out/opt/mark/bin/peers"
cp mine.so "$out/opt/mark/bin/peers"
echo "no object" >"$out/opt/mark/bin/peers/text.so"
tidemark bench --rounds 6 --time 1ms -w zipf --no-break-even --no-count --peers -s direct >"$out/text" 2>"$out/err"
[ $? -le 1 ] || fail "bench --peers: $(cat "$out/err")"
grep -q '^mine  *[0-9]' "$out/text" || fail "no row of the peer: $(cat "$out/text")"
grep -q 'text.so' "$out/err" || fail "nothing said of a peer that is none"
# As a variant, found beside the scenario whatever the current folder is.
(cd / && tidemark run --json "$out/x.jsonl" "$out/outside/mine.yaml") >"$out/text" 2>"$out/err" || fail "run: $(cat "$out/text" "$out/err")"
grep '"type":"variant"' "$out/x.jsonl" | grep '"name":"mine"' | grep -q '"evictions":[1-9]' || fail "the plug-in was not asked: $(cat "$out/x.jsonl")"
sed 's/^suite.*/suite: {program: registry, tests: 2, lookups: 10}/' mine.yaml >small.yaml
tidemark bench --rounds 6 --time 100ms -w zipf --no-break-even small.yaml >"$out/text" 2>"$out/err"
[ $? -le 1 ] || fail "bench of a scenario: $(cat "$out/err")"
grep -q '^mine  *[0-9]' "$out/text" || fail "no row of the plug-in from a scenario"

# shellcheck disable=SC2046
broken() { # TEXT NAME, C on stdin
    text=$1 name=$2
    ${CC:-cc} $(pkg-config --cflags tidemark-registry) -shared -fPIC -x c - -o "$name.so" || fail "$name does not build"
    refused "$text" "$name"
}
refused() { # TEXT NAME
    text=$1 name=$2
    got=$(tidemark bench -s "./$name.so" 2>&1)
    status=$?
    case $status:$got in 2:*"$text"*) ;; *) fail "bench of $name gave $status: $got" ;; esac
    [ "$(echo "$got" | grep -c "$name.so")" = 1 ] || fail "not one line of $name: $got"
    sed "s/mine.so/$name.so/" small.yaml >bad.yaml
    got=$(tidemark run bad.yaml 2>&1)
    status=$?
    case $status:$got in 2:*"bad.yaml:"*"$text"*) ;; *) fail "run of $name gave $status: $got" ;; esac
}
broken "no symbol 'tidemark_strategy'" nameless </dev/null
broken "built for version 9 of the strategy interface, this is version 1" newer <<'C'
#include <registry/strategy.h>
const struct strategy_plugin tidemark_strategy = {.abi = 9};
C
broken "its structs differ in size" other <<'C'
#include <registry/strategy.h>
const struct strategy_plugin tidemark_strategy = {.abi = STRATEGY_ABI, .strategy_bytes = 8};
C
broken "strategy 'half' leaves a function out" half <<'C'
#include <registry/strategy.h>
static const struct strategy half = {.name = "half", .about = "nothing works"};
STRATEGY_PLUGIN(half);
C
broken "has no name" unnamed <<'C'
#include <registry/strategy.h>
static const struct strategy unnamed;
STRATEGY_PLUGIN(unnamed);
C
broken "undefined symbol: not_there" loose <<'C'
#include <registry/strategy.h>
int not_there(void);
static const struct strategy loose;
int calls(void) { return not_there(); }
STRATEGY_PLUGIN(loose);
C
refused "No such file or directory" absent
echo "no object" >text.so
refused "text.so: " text

# Built as it should be, and wrong: it forgets the source's values.
sed 's/memcpy(room, value->data, value->bytes);/(void)room;/' mine.c >wrong.c
# shellcheck disable=SC2046
${CC:-cc} -O2 $(pkg-config --cflags tidemark-registry) -shared -fPIC -o wrong.so wrong.c
got=$(tidemark bench -s ./wrong.so 2>&1)
case $?:$got in 1:*"mine: for '"*"it does not give what the source gives"*) ;; *) fail "wrong answers: $got" ;; esac
exit $failed
