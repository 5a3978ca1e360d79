#!/bin/sh
# tidemark whatif: traces, clients, JSON, and mistakes. Run from the repository root with $B.
set -u
export NO_COLOR=1 COLUMNS=80
: "${B:=build}"
T=$(mktemp -d "${TMPDIR:-/tmp}/tidemark-whatif.XXXXXX")
trap 'rm -rf "$T"' EXIT INT TERM
failed=0
fail() {
    echo "FAILED: $1"
    [ -s "$T/out" ] && sed 's/^/  out: /' "$T/out"
    [ -s "$T/err" ] && sed 's/^/  err: /' "$T/err"
    failed=1
}
# run STATUS ARGS...
run() {
    want=$1
    shift
    "$B/tidemark" whatif "$@" >"$T/out" 2>"$T/err"
    got=$?
    [ $got -eq "$want" ] || fail "status $got, not $want: whatif $*"
}
says() { grep -qF -- "$1" "$T/out" || fail "stdout does not say: $1"; }
complains() {
    grep -qF -- "$1" "$T/err" || fail "stderr does not say: $1"
    [ "$(wc -l <"$T/err")" -eq 1 ] || fail "stderr is not one line"
    [ ! -s "$T/out" ] || fail "something on stdout besides the complaint: $1"
}

# A loop of 100 keys, ten times: the textbook case that LRU cannot hold.
awk 'BEGIN { for (r = 0; r < 10; r++) for (k = 0; k < 100; k++) print "key" k, 10 }' >"$T/loop.txt"
run 0 --size 50 --size 99 --size 100 "$T/loop.txt"
says "loop.txt: 1,000 requests, 100 keys"
grep -Eq '^lru +0\.0 % +0\.0 % +90\.0 %$' "$T/out" || fail "lru over the loop"
grep -Eq '^optimal +4[0-9]\.[0-9] % +8[0-9]\.[0-9] % +90\.0 %$' "$T/out" || fail "optimum over the loop"
awk 'length($0) > 100 { bad = 1 } END { exit bad }' "$T/out" || fail "wider than 100 columns"

run 0 --size 99 -p fifo "$T/loop.txt"
grep -q 'nine tenths' "$T/out" && fail "one size is compared with itself"
says "A cache of everything would have 90.0 %."
head -n 1 "$T/out" | grep -q '^Take ' || fail "the advice is not the first line"

run 0 --size 500B --size 1000B -p lru -p fifo "$T/loop.txt"
says "Hit rate by policy and size in bytes"
grep -Eq '^lru +0\.0 % +90\.0 %$' "$T/out" || fail "bytes: 100 keys of 10 fit in 1000"

run 0 --reach 45% --points 2 "$T/loop.txt"
says "Smallest cache with a hit rate of 45"
grep -Eq '^lru +100$' "$T/out" || fail "lru needs all 100"
# What was asked for is answered first, by the table's best; no other advice beside it.
best=$(awk '/^Smallest/ { on = 1; next } on && $1 != "policy" && $1 != "optimal" && $2 != "-" { gsub(",", "", $2); if (!n || $2 < n) n = $2 } END { print n }' "$T/out")
tr '\n' ' ' <"$T/out" | grep -Eq "^A hit rate of 45.0 % takes $best entries with [a-z0-9-]+; with lru it takes 100 entries" || fail "no answer to --reach"
grep -q '^Take' "$T/out" && fail "advice that nobody asked for"
run 0 --reach 95% -p lru "$T/loop.txt"
says "No cache of any size reaches 95"

seq 1 500 >"$T/once.txt"
run 0 "$T/once.txt"
says "Do without a cache"

for pack in gzip xz zstd; do
    command -v $pack >/dev/null || continue
    $pack -c "$T/loop.txt" >"$T/packed.$pack" 2>/dev/null
    run 0 --format text --size 100 -p lru "$T/packed.$pack"
    says "1,000 requests"
done
run 0 --size 100 -p lru - <"$T/loop.txt"
says "1,000 requests"
run 0 -n 150 --size 100 -p lru "$T/loop.txt"
says "150 requests"

# JSON: with '-' nothing else is on stdout.
run 0 --json - --size 50 --reach 50% "$T/loop.txt"
if command -v jq >/dev/null; then
    jq -es 'all(.v == 1) and (map(.type) | unique) == ["advice", "curve", "smallest", "trace"]' \
        "$T/out" >/dev/null || fail "JSON lines of a trace"
    jq -es 'map(select(.type == "curve" and .policy == "lru"))[0] | .misses == 1000 and .entries == 50' \
        "$T/out" >/dev/null || fail "JSON: misses of lru"
    run 0 --json "$T/json" --ttl 3s --poll 5s
    jq -e '.type == "clients" and .never_hits == true and .hit_rate == 0 and .ttl_ns == 3000000000' \
        "$T/json" >/dev/null || fail "JSON of clients"
fi

# Sampling: stated, and near the exact figure.
awk 'BEGIN { srand(1); for (i = 0; i < 60000; i++) print int(exp(rand() * log(20000))) }' >"$T/zipf.txt"
run 0 --size 500 -p lru --sample 20% "$T/zipf.txt"
says "estimated from samples"
says "at 95 % confidence"

# Clients that poll.
run 0 --ttl 3s --poll 5s --clients 3
grep -Eq '^ +3 +6[4-6]\.[0-9] %' "$T/out" || fail "3 clients, TTL 3 s, poll 5 s: about 65.5 %"
run 0 --ttl 2s --ttl 10s --poll 5s --clients 1 --clients 15
says "A TTL of 2 s can never hit with one client that polls every 5 s"
cp "$T/out" "$T/first"
run 0 --ttl 2s --ttl 10s --poll 5s --clients 1 --clients 15
cmp -s "$T/out" "$T/first" || fail "two runs differ"

# Mistakes: one line, status 2, nothing on stdout.
run 2
complains "needs a trace file, or --ttl and --poll"
run 2 --ttl 3s
complains "needs --poll"
run 2 --poll 5s
complains "needs --ttl"
run 2 --ttl 3 --poll 5s
complains "--ttl '3'"
run 2 --ttl 3s --poll 5s --clients 0
complains "--clients '0' is not between 1 and 10,000"
run 2 --ttl 3s --poll 5s "$T/loop.txt"
complains "either about a trace or about polling clients"
run 2 "$T/none"
complains "none: cannot be opened: No such file or directory"
run 2 -p lrv "$T/loop.txt"
complains "did you mean 'lru'?"
run 2 --size 0 "$T/loop.txt"
complains "--size '0' holds nothing"
run 2 --size many "$T/loop.txt"
complains "--size 'many'"
run 2 --size 10 --size 10KiB "$T/loop.txt"
complains "either all sizes are entries or all are bytes"
run 2 --points 0 "$T/loop.txt"
complains "--points is not between 1 and 64"
run 2 --reach 200% "$T/loop.txt"
complains "--reach '200%'"
run 2 --sample 50% "$T/loop.txt"
complains "--sample '50%'"
run 2 --sample 1% "$T/loop.txt"
complains "less than 100 keys"
run 2 --sample 10% --exact "$T/loop.txt"
complains "do not go together"
printf '1 x\n' >"$T/bad.txt"
run 2 "$T/bad.txt"
complains "bad.txt:1:3: 'x' is not a size"
: >"$T/empty.txt"
run 2 "$T/empty.txt"
complains "empty.txt: holds no request"
run 2 --json "$T/never.jsonl" "$T/bad.txt"
[ ! -e "$T/never.jsonl" ] || { echo "a broken trace leaves a result behind"; failed=1; }
run 99 --json /dev/full "$T/loop.txt"
grep -qx "tidemark whatif: /dev/full: No space left on device" "$T/err" || fail "a full disk is not told in one line"
run 99 --json /no/such/folder/file "$T/loop.txt"
complains "tidemark whatif: /no/such/folder/file: No such file or directory"
exit $failed
