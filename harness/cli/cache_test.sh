#!/bin/sh
# tidemark cache: every verb on a file cache and on SQLite, PostgreSQL and Redis stores that processes of a
# service filled; the server, with the curl lines of the incidents' reports; mistakes. Run from the root with $B.
set -u
export NO_COLOR=1 COLUMNS=80
: "${B:=build}"
case $B in /*) ;; *) B=$PWD/$B ;; esac
T=$(mktemp -d "${TMPDIR:-/tmp}/tidemark-cache.XXXXXX")
chmod 755 "$T"
servers=
end() {
    for pid in $servers; do kill -TERM "$pid" 2>/dev/null; done
    for pid in $servers; do wait "$pid" 2>/dev/null; done
    rm -rf "$T"
}
trap end EXIT
trap 'exit 130' INT TERM
failed=0
fail() {
    echo "FAILED: $1"
    [ -s "$T/out" ] && sed 's/^/  out: /' "$T/out"
    [ -s "$T/err" ] && sed 's/^/  err: /' "$T/err"
    failed=1
}
# run STATUS VERB STORE...
run() {
    want=$1
    shift
    timeout 60 "$B/tidemark" cache "$@" >"$T/out" 2>"$T/err"
    got=$?
    [ $got -eq "$want" ] || fail "status $got, not $want: cache $*"
}
says() { grep -qF -- "$1" "$T/out" || fail "stdout does not say: $1"; }
matches() { grep -Eq -- "$1" "$T/out" || fail "stdout has no line like: $1"; }
complains() {
    grep -qF -- "$1" "$T/err" || fail "stderr does not say: $1"
    [ "$(wc -l <"$T/err")" -eq 1 ] || fail "stderr is not one line"
}
service() { timeout 60 "$B/fixtures/cache_service" "$@"; }
json() { python3 -c "import json,sys; d=json.load(open('$T/out')); assert $1, d" 2>"$T/err" || fail "JSON: $1"; }

# What all stores with keys have in common. store, name of its kind, level of a service that uses it, has a log
all_verbs() {
    store=$1 kind=$2 level=$3 log=$4
    shift 4
    service 600 "$@" "$level" -- alpha beta "a key with spaces" >"$T/first" || fail "$kind: the service"
    run 0 stats "$store"
    says "store     $kind"
    says "entries   3, and 0 that have expired"
    run 0 stats --json - "$store"
    json "d['size'] == 3 and d['store'] == '$kind' and sorted(e['key'] for e in d['entries']) == ['a key with spaces', 'alpha', 'beta']"
    json "all(0 <= e['age'] < 60 and 540 < e['ttl_remaining'] <= 600 for e in d['entries'])"
    run 0 list "$store"
    matches '^a key with spaces +[0-9.]+ B +[0-9.]+ [mu]?s +(9 min|10 min|5[0-9][0-9])'
    run 0 get "$store" alpha
    printf '%s\n' "$(sed -n 's/^miss alpha: //p' "$T/first")" >"$T/want"
    printf '\n' >>"$T/out"
    cmp -s "$T/want" "$T/out" || fail "$kind: get is not what the service loaded"
    run 0 get --json - "$store" beta
    json "json.loads(d['value'])['key'] == 'beta'"
    run 1 get "$store" gamma
    complains "there is no such entry"
    run 0 verify "$store"
    says "3 checked, 0 damaged"

    # A value that the service did not load, served by the service; its time is what the entry had.
    run 0 refresh -s 'printf "{\"from\": \"%s\"}" "$TIDEMARK_CACHE_KEY"' "$store" alpha
    says "1 refreshed"
    service 600 "$@" "$level" -- alpha >"$T/again"
    grep -q '^hit alpha: {"from": "alpha"}$' "$T/again" || fail "$kind: refreshed, and served: $(cat "$T/again")"
    run 0 list "$store"
    matches '^alpha +[0-9.]+ B +[0-9.]+ [mu]?s +(9 min|10 min|5[0-9][0-9])'
    run 0 refresh -s 'printf "{\"all\": \"%s\"}" "$TIDEMARK_CACHE_KEY"' "$store"
    says "3 refreshed"
    run 0 get "$store" "a key with spaces"
    says '{"all": "a key with spaces"}'
    run 1 refresh -s 'echo no; exit 3' "$store" alpha
    grep -q 'the source ended with status 3' "$T/err" || fail "$kind: the source's status"
    run 1 refresh -s 'true' "$store" alpha
    grep -q 'the source prints nothing' "$T/err" || fail "$kind: an empty answer"
    run 0 get "$store" alpha
    says '{"all": "alpha"}'

    run 0 invalidate "$store" alpha beta
    says "2 invalidated"
    run 1 get "$store" alpha
    [ "$log" = log ] || { run 1 invalidate "$store" alpha; complains "there is no such entry"; }
    service 600 "$@" "$level" -- alpha "a key with spaces" >"$T/again"
    # Under a Redis server alone the level below it still has the value.
    [ "$log" = log ] && then=miss || then=hit
    grep -q "^$then alpha" "$T/again" || fail "$kind: invalidated: $(cat "$T/again")"
    grep -q '^hit a key with spaces' "$T/again" || fail "$kind: another key went too"

    run 0 clear "$store"
    says "2 removed"
    run 0 stats --json - "$store"
    json "d['size'] == 0 and d['entries'] == []"
    run 2 rollback "$store"
    complains "keeps one version"
}

# --- SQLite
all_verbs "$T/app.db" sqlite "sqlite=$T/app.db" log
run 0 stats --json - "$T/app.db"
json "d['hits'] == 2 and d['misses'] == 4 and d['hit_rate'] == 33.33"
run 1 advise "$T/app.db"
says "Raise the TTL"
run 1 advise --json - "$T/app.db"
json "d['lookups'] == 6 and d['hits'] == 2 and len(d['recommendations']) == 1"
for i in 1 2 3 4 5 6; do service 600 "sqlite=$T/app.db" -- one one one one one >/dev/null; done
run 0 advise "$T/app.db"
says "nothing to recommend"
# Memory of a process that goes on, and what an event does to it, is in registry/admin/cache_admin_test.c.
service 0.05 "sqlite=$T/app.db" -- short >/dev/null
sleep 0.1
run 0 stats "$T/app.db"
says "and 1 that have expired"
run 0 list "$T/app.db"
matches '^short .* expired$'
long=$(printf 'k%.0s' $(seq 1 700))
service 600 "sqlite=$T/app.db" -- "$long" >/dev/null
run 0 get "$T/app.db" "$long"
says "kkkkkk"
run 0 list --json "$T/list" "$T/app.db"
name=$(python3 -c "import json; print([k for k in (json.loads(l)['key'] for l in open('$T/list')) if k.startswith('~sha256:')][0])")
run 0 get "$T/app.db" "$name"
says "kkkkkk"
python3 - "$T/app.db" <<'PY' || fail "damaging an entry"
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("UPDATE entry SET data = replace(data, 'o', 'x') WHERE key = 'one'")
db.commit()
PY
run 1 verify "$T/app.db"
says "one: its checksum, or its head, is wrong"
says "3 checked, 1 damaged"
run 1 verify --json - "$T/app.db"
json "d['checked'] == 3 and [x['key'] for x in d['damaged']] == ['one']"

# A file that is no store, one that is not there, one that is damaged: one line, nothing made, nothing lost.
run 2 stats "$T/none.db"
complains "No such file or directory"
[ -e "$T/none.db" ] && fail "a store was made"
echo hello >"$T/hello"
run 2 clear "$T/hello"
complains "neither a file cache nor a SQLite file"
grep -q hello "$T/hello" || fail "somebody's file was changed"
run 2 stats "$T"
complains "not a file"
python3 -c "import sqlite3,sys; d=sqlite3.connect(sys.argv[1]); d.execute('create table customer(name)'); d.commit()" "$T/alien.db"
sha256sum "$T/alien.db" >"$T/sum"
for verb in stats list clear verify advise; do
    run 2 $verb "$T/alien.db"
done
complains "no cache of this kind"
sha256sum -c --quiet "$T/sum" >/dev/null 2>&1 || fail "a database of somebody else's was changed"
cp "$T/app.db" "$T/torn.db"
dd if=/dev/urandom of="$T/torn.db" bs=32768 seek=1 count=1 conv=notrunc 2>/dev/null
sha256sum "$T/torn.db" >"$T/sum"
timeout 60 "$B/tidemark" cache verify "$T/torn.db" >"$T/out" 2>"$T/err"
[ $? -eq 1 ] || fail "a torn file is verified as good"
sha256sum -c --quiet "$T/sum" >/dev/null 2>&1 || fail "a torn file was changed by looking at it"

# --- a file cache
service 3600 "file=$T/list.json" 2 >"$T/first"
service 3600 "file=$T/list.json" 2 >/dev/null
run 0 stats "$T/list.json"
says "store     file"
says "2: 1 hits, 1 misses, hit rate 50.00 %"
run 0 get "$T/list.json"
grep -qF "$(sed 's/^miss: //' "$T/first")" "$T/out" || fail "file: get"
run 0 refresh --versions 2 -s 'echo "{\"second\": 2}"' "$T/list.json"
service 3600 "file=$T/list.json" 2 >"$T/again"
grep -q '^hit: {"second": 2}' "$T/again" || fail "file: refreshed, and served"
run 0 list "$T/list.json"
matches '^0 +14 B'
matches '^1 '
run 0 rollback "$T/list.json"
run 0 get "$T/list.json"
grep -qF "$(sed 's/^miss: //' "$T/first")" "$T/out" || fail "file: rolled back"
run 1 rollback "$T/list.json"
complains "no good older version"
run 0 invalidate "$T/list.json"
run 0 stats "$T/list.json"
says "entries   0, and 1 that have expired"
service 3600 "file=$T/list.json" 2 >"$T/again"
grep -q '^miss' "$T/again" || fail "file: invalidated, and served all the same"
run 2 invalidate "$T/list.json" key
complains "has no keys"
run 1 get "$T/list.json" 7
complains "version 7 is not there"
run 0 verify "$T/list.json"
printf x | dd of="$T/list.json" bs=1 seek=330 conv=notrunc 2>/dev/null
run 1 verify "$T/list.json"
says "0: damaged"
run 0 clear "$T/list.json"
[ -e "$T/list.json" ] && fail "file: cleared, and there"
run 2 stats "$T/list.json"

# --- Redis above SQLite
if [ -x /usr/bin/redis-server ]; then
    /usr/bin/redis-server --port 0 --save '' --appendonly no --dir "$T" --unixsocket "$T/redis.sock" >/dev/null 2>&1 &
    servers="$servers $!"
    for i in $(seq 1 200); do [ -S "$T/redis.sock" ] && break; sleep 0.05; done
    redis=unix://$T/redis.sock
    run 1 refresh -s 'echo 1' "$redis" alpha
    complains "no process of the cache has used this server"
    all_verbs "$redis" redis "sqlite=$T/under.db" none "redis=$T/redis.sock"
    run 77 advise "$redis"
    complains "nobody counts"
    # What is not of this prefix stays.
    printf 'SET foreign:v:x 1\r\n' | python3 -c "
import socket,sys
s = socket.socket(socket.AF_UNIX); s.connect('$T/redis.sock')
s.sendall(b'SET foreign 1\r\nSET tidemark:v:torn abc\r\n'); s.recv(100)"
    run 1 verify "$redis"
    says "torn: its checksum, or its head, is wrong"
    run 0 clear "$redis"
    says "1 removed"
    python3 -c "
import socket
s = socket.socket(socket.AF_UNIX); s.connect('$T/redis.sock')
s.sendall(b'GET foreign\r\n'); assert b'1' in s.recv(100).split(b'\r\n')[1]" || fail "redis: another service's key went"
    # A prefix is a text, and no pattern: another service's keys are neither listed nor removed.
    service 600 "redis=$redis?prefix=a[b]" "sqlite=$T/star.db" -- mine >/dev/null
    service 600 "redis=$redis?prefix=ab" "sqlite=$T/star.db" -- theirs >/dev/null
    run 0 list --json - "$redis?prefix=a[b]"
    json "d['key'] == 'mine'"
    run 0 clear "$redis?prefix=a[b]"
    says "1 removed"
    run 0 stats "$redis?prefix=ab"
    says "entries   1,"
    # An event in the log reaches Redis by itself.
    service 600 "redis=$T/redis.sock" "sqlite=$T/under.db" -- alpha >/dev/null
    run 0 invalidate "$T/under.db" alpha
    sleep 0.5
    service 600 "redis=$T/redis.sock" "sqlite=$T/under.db" -- alpha >"$T/again"
    grep -q '^miss alpha' "$T/again" || fail "redis: an event of the log did not reach it"
    run 0 clear "$T/under.db"
    sleep 0.5
    service 600 "redis=$T/redis.sock" "sqlite=$T/under.db" -- alpha >"$T/again"
    grep -q '^miss alpha' "$T/again" || fail "redis: the log was cleared, and it serves all the same"
else
    echo "skipped: redis-server is not installed"
fi
run 99 stats "unix://$T/nobody.sock"
complains "redis:"

# --- PostgreSQL, both tables
bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -1)
if [ -n "$bin" ] && [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
    mkdir "$T/pg" && chown nobody "$T/pg"
    as_nobody() { (cd / && exec setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"); }
    as_nobody "$bin/initdb" -D "$T/pg/data" -A trust -U tidemark --no-sync --locale=C -E UTF8 >"$T/out" 2>&1 || fail "initdb"
    (cd / && exec setpriv --reuid=nobody --regid=nogroup --clear-groups "$bin/postgres" -D "$T/pg/data" \
        -k "$T/pg" -c listen_addresses= -c fsync=off) >"$T/pg.log" 2>&1 &
    servers="$servers $!"
    for i in $(seq 1 200); do grep -q ready "$T/pg/data/postmaster.pid" 2>/dev/null && break; sleep 0.05; done
    url="postgresql://tidemark@/postgres?host=$T/pg"
    run 2 stats "$url"
    complains "no cache in the table"
    all_verbs "$url" postgres "postgres=$url" log
    run 1 advise "$url"
    says "Raise the TTL"
    service 600 "postgres-json=$url" -- x >/dev/null
    run 2 stats "$url"
    complains "two caches"
    run 0 stats -t tidemark_entry "$url"
    says "store     postgres"
    run 0 get -t cache_entries "$url" x
    says '"key": "x"'
    run 2 stats -t entries "$url"
    complains "no table 'entries'"
    "$bin/psql" -qtA -h "$T/pg" -U tidemark postgres -c "drop table tidemark_entry; truncate cache_entries, tidemark_total" >"$T/out" 2>&1 || fail "psql"
    all_verbs "$url" postgres-json "postgres-json=$url" log
else
    echo "skipped: no PostgreSQL server that can be started here as another user"
fi
run 2 stats "postgresql://nobody@127.0.0.1:1/none"
complains "postgres:"

# --- mistakes of the command line
run 2 sats "$T/app.db"; complains "did you mean 'stats'"
run 2 stats; complains "needs a store"
run 2 stats "$T/app.db" key; complains "not 'key' as well"
run 2 stats --source true "$T/app.db"; complains "--source does not belong to 'stats'"
run 2 refresh "$T/app.db"; complains "needs --source"
run 2 invalidate "$T/app.db"; complains "needs the keys"
run 2 stats -t cache_entries "$T/app.db"; complains "no tables"
run 2 stats "mysql://x/y"; complains "no store is called 'mysql://'"
run 2 serve --listen 0.0.0.0:0 "$T/app.db"; complains "set a key first"
run 2 serve --listen localhost:1 "$T/app.db"; complains "is no address"
run 2 serve --listen x "$T/app.db"; complains "is not HOST:PORT"
start=$(date +%s)
run 1 refresh --timeout 300ms -s 'sleep 30; echo late' "$T/app.db" slow
grep -q 'takes too long' "$T/err" || fail "the source's deadline"
[ $(($(date +%s) - start)) -lt 10 ] || fail "the source's deadline is not kept"

# --- the server
serve() { # ARGUMENTS...: $url is where it serves
    : >"$T/serve"
    "$B/tidemark" cache serve --listen 127.0.0.1:0 "$@" 2>"$T/serve" &
    server=$!
    servers="$servers $server"
    for i in $(seq 1 200); do
        url=$(sed -n 's|.* at \(http://[^/]*\)/.*|\1|p' "$T/serve")
        [ -n "$url" ] && return
        sleep 0.05
    done
    fail "the server does not begin: $(cat "$T/serve")"
}
if command -v curl >/dev/null; then
    rm -f "$T/app.db"*
    service 600 "sqlite=$T/app.db" -- stats:total orchestrator:status vpn:status >/dev/null
    service 600 "sqlite=$T/app.db" -- stats:total stats:total >/dev/null
    TIDEMARK_API_KEY=your_api_key serve --rate 1000 -s 'printf "{\"n\": \"%s\"}" "$TIDEMARK_CACHE_KEY"' "$T/app.db"
    # The reports' lines, with our port.
    curl -sS "$url/cache/stats" >"$T/out" 2>"$T/err" || fail "curl stats"
    json "d['size'] == 3 and d['hits'] == 2 and d['misses'] == 3 and d['hit_rate'] == 40.0"
    json "{'key', 'age', 'ttl_remaining'} <= set(d['entries'][0]) and 'recommendations' in d"
    cp "$T/out" "$T/document"
    code() { curl -sS -o "$T/out" -w '%{http_code}' "$@" 2>"$T/err"; }
    [ "$(code -X POST "$url/cache/clear")" = 401 ] || fail "clear without a key"
    [ "$(code -X POST "$url/cache/clear" -H 'X-API-KEY: your_api_kez')" = 401 ] || fail "clear with a wrong key"
    [ "$(code -X POST "$url/cache/clear" -H 'X-API-KEY: ')" = 401 ] || fail "clear with an empty key"
    run 0 stats "$T/app.db"
    says "entries   3,"
    [ "$(code -X POST "$url/cache/refresh?key=stats:total" -H 'X-API-KEY: your_api_key')" = 200 ] || fail "refresh one"
    json "d['done'] == 'refresh' and d['refreshed'] == 1"
    run 0 get "$T/app.db" stats:total
    says '{"n": "stats:total"}'
    [ "$(code -X POST "$url/cache/refresh" -H 'X-API-KEY: your_api_key' -d 'a body that nobody reads')" = 200 ] || fail "refresh all"
    json "d['refreshed'] == 3"
    [ "$(code -X POST "$url/cache/clear" -H 'X-API-KEY: your_api_key')" = 200 ] || fail "clear"
    json "d == {'store': 'sqlite', 'done': 'clear', 'removed': 3}"
    run 0 stats "$T/app.db"
    says "entries   0,"
    [ "$(code "$url/cache/clear")" = 405 ] || fail "GET clear"
    [ "$(code "$url/")" = 404 ] || fail "another path"
    [ "$(code -I "$url/cache/stats")" = 200 ] || fail "HEAD"
    kill -TERM "$server"
    wait "$server"
    [ $? -eq 143 ] || fail "the server does not end by the signal"

    serve --rate 2 "$T/app.db"
    limited=0
    for i in $(seq 1 12); do [ "$(code "$url/cache/stats")" = 429 ] && limited=$((limited + 1)); done
    [ $limited -ge 4 ] && [ $limited -le 9 ] || fail "of 12 requests at 2 a second $limited were refused"
    sleep 1.2
    [ "$(code "$url/cache/stats")" = 200 ] || fail "refused after a pause"
    sleep 0.6
    [ "$(code -X POST "$url/cache/clear" -H 'X-API-KEY: ')" = 403 ] || fail "clear on a server without a key"
    kill -TERM "$server"; wait "$server"

    # Others can connect: nothing without the key.
    printf 'from-a-file\n' >"$T/key"
    "$B/tidemark" cache serve --listen 0.0.0.0:0 --key-file "$T/key" --rate 100 "$T/app.db" 2>"$T/serve" &
    server=$!; servers="$servers $server"
    for i in $(seq 1 200); do url=$(sed -n 's|.*:\([0-9]*\)/cache.*|http://127.0.0.1:\1|p' "$T/serve"); [ -n "$url" ] && break; sleep 0.05; done
    [ "$(code "$url/cache/stats")" = 401 ] || fail "statistics for everybody"
    [ "$(code "$url/cache/stats" -H 'X-API-KEY: from-a-file')" = 200 ] || fail "the key of a file"
    kill -TERM "$server"; wait "$server"

    if python3 -c 'import jsonschema' 2>/dev/null; then
        python3 -c "import json,jsonschema; jsonschema.validate(json.load(open('$T/document')), json.load(open('docs/statistics.schema.json')))" || fail "the document does not fit its schema"
    else
        echo "not checked, no python3-jsonschema: docs/statistics.schema.json"
    fi
else
    echo "skipped: curl is not installed, for the server"
fi
exit $failed
