#!/bin/sh
# A catalogue of something else than models, built, searched, filtered, benchmarked and run in a scenario: the
# airports of docs/example/airports. Its mistakes, with their places. Run from the root with $B.
set -u
export NO_COLOR=1 COLUMNS=100
: "${B:=build}"
case $B in /*) ;; *) B=$PWD/$B ;; esac
case ${SAN-} in ?*) echo "linked by hand, for the plain build"; exit 77 ;; esac
T=$(mktemp -d "${TMPDIR:-/tmp}/tidemark-catalogue.XXXXXX")
trap 'rm -rf "$T"' EXIT INT TERM
failed=0
fail() {
    echo "FAILED: $1"
    [ -s "$T/out" ] && head -30 "$T/out" | sed 's/^/  out: /'
    [ -s "$T/err" ] && head -10 "$T/err" | sed 's/^/  err: /'
    failed=1
}
dir=docs/example/airports
CC=${CC:-cc}
"$B/registry-generate" --schema $dir/schema.yaml --symbol airport_tables $dir/catalogue.yaml "$T/airports.c" || fail "generate"
# The header's struct, in a program of its own.
# shellcheck disable=SC2046
$CC -std=c11 -O2 -Wall -Wextra -Werror -Iinclude -I"$T" -o "$T/find" $dir/find.c "$T/airports.c" "$B/libregistry.a" -lm 2>"$T/err" || fail "find.c does not compile"
"$T/find" LHR AMS LPB XXX >"$T/out" 2>"$T/err"
cat >"$T/want" <<'OUT'
LHR: Heathrow, London, 83 ft, a hub
AMS: Schiphol, Amsterdam, -11 ft, a hub
LPB: El Alto, La Paz, 13325 ft
XXX: none of 72
OUT
cmp -s "$T/want" "$T/out" || fail "find.c"

# As `make CATALOGUE=... SCHEMA=...` links it: the same objects, other tables.
"$B/registry-generate" --schema $dir/schema.yaml $dir/catalogue.yaml "$T/registry_tables.c" &&
    $CC -O1 -Iinclude -c "$T/registry_tables.c" -o "$T/tables.o" || fail "tables"
make -n B="$T/other" CATALOGUE=$dir/catalogue.yaml SCHEMA=$dir/schema.yaml "$T/other/gen/registry_tables.c" 2>/dev/null |
    grep -q -- "--schema $dir/schema.yaml  *$dir/catalogue.yaml" || fail "make does not hand the schema on"
libs="$(pkg-config --libs libcyaml yaml-0.1 jansson expat libdw libelf liblzma libzstd zlib sqlite3) -ldl -lm -lpthread"
mkdir "$T/suites"
# shellcheck disable=SC2086
$CC -o "$T/tidemark" "$B/obj/harness/cli/main.o" "$T/tables.o" "$B/libcore.a" "$B/libtiered.a" "$B/libregistry.a" $libs 2>"$T/err" || fail "tidemark with airports does not link"
# shellcheck disable=SC2046
$CC -std=gnu11 -D_GNU_SOURCE -O2 -g -I. -Iinclude -I"$B/gen" -o "$T/suites/registry" scenarios/registry/*.c "$T/tables.o" "$B/libregistry.a" \
    $(pkg-config --cflags --libs check) -lm -lpthread 2>"$T/err" || fail "the suite with airports does not link"
cp -P "$B"/libtidemark.so* "$T/"

# run STATUS ARGUMENT...
run() {
    want=$1
    shift
    timeout 300 "$T/tidemark" "$@" >"$T/out" 2>"$T/err"
    got=$?
    [ $got -eq "$want" ] || fail "status $got, not $want: $*"
}
says() { grep -qF -- "$1" "$T/out" || fail "stdout does not say: $1"; }
complains() { grep -qF -- "$1" "$T/err" || fail "stderr does not say: $1"; }
# Every fact of every airport, as the catalogue has it.
run 0 models list --json "$T/all"
says "72 airports"
python3 - "$T/all" $dir/catalogue.yaml <<'PY' || fail "a fact is another than in the catalogue"
import json, sys
wanted = [json.loads(line[2:]) for line in open(sys.argv[2]) if line.startswith("- ")]
found = {r.pop("key"): r for r in map(json.loads, open(sys.argv[1]))}
assert len(found) == len(wanted) == 72
for w in wanted:
    f = found[w.pop("iata")]
    assert f.pop("type") == "airport" and f.pop("v") == 1
    assert sorted(w.get("reached_by", [])) == sorted(f.pop("reached_by", [])), (w, f)
    w.pop("reached_by", None)
    assert w == f, (w, f)
PY
run 0 models find AMS
says "elevation      -11 ft"
says "latitude       52.31 deg"
run 1 models find AMX
complains "no airport 'AMX'; nearest:"
complains "  AMS"
filter() { # COUNT CONDITION...
    count=$1
    shift
    for c in "$@"; do set -- "$@" -w "$c"; shift; done
    run 0 models filter "$@"
    says "$count airport"
}
filter 6 'elevation>=5000'
filter 1 'elevation<=-1'
filter 2 reached_by=ferry 'latitude<=40' 'longitude>=0'
filter 3 country=DE kind=international
filter 1 'latitude>=63.99'
run 1 models filter -w 'latitude>=64'
complains "no airport matches"
run 2 models filter -w 'name=Heathrow'; complains "no field 'name' to filter by"
run 2 models filter -w 'elevtion>=1'; complains "did you mean 'elevation'?"
run 2 models filter -w 'kind=hubb'; complains "kind is never 'hubb'; did you mean 'hub'?"
run 2 models filter -w 'reached_by=boat'; complains "reached_by has no 'boat'"
run 2 models filter -w 'kind>=hub'; complains "kind has no order"
run 2 models filter -w 'latitude>=1.234'; complains "is no number of 2 digits"
run 2 models filter -w 'elevation'; complains "is no condition"
run 2 models filter --cap tools; complains "--cap is about models"
run 2 models list DE; complains "have one part"

# The benchmark, and a scenario: the suite with a cache and without.
run 0 bench -q -s direct -s lru -w zipf --rounds 7 --no-count --no-break-even --json "$T/bench" --beyond 10
says "72 keys"
python3 -c "import json; r=[json.loads(l) for l in open('$T/bench')]; l=[x for x in r if x.get('variant')=='lru' and x.get('type')=='bench']; assert l and l[0]['lookup_ns']>1 and l[0]['hit_rate']>0.9, r" 2>"$T/err" || fail "the benchmark's figures"
cat >"$T/airports.yaml" <<'YAML'
scenario: airports
suite: {program: registry, tests: 120, lookups: 500}
teardown: never
variants: [direct, {lru: {entries: 32}}, unbounded]
limits: {memory: 256 MiB, timeout: 60 s}
expect:
  direct: {failed: 0, live_bytes_end: 0}
  lru: {failed: 0}
  unbounded: {failed: 0}
YAML
run 0 run -q "$T/airports.yaml"
says ", 0 failed, "
"$T/suites/registry" >"$T/out" 2>&1 || fail "a test of the suite takes airports for models"

# Mistakes: all counted, the first twenty shown.
{ for i in $(seq 1 50); do echo "- {\"iata\": \"A$i\", \"elevation\": 1.5}"; done; echo '- {"iata": "B"}'; } >"$T/bad.yaml"
"$B/registry-generate" --schema $dir/schema.yaml "$T/bad.yaml" "$T/bad.c" >"$T/out" 2>"$T/err"
[ $? -eq 2 ] || fail "bad.yaml is taken"
[ "$(grep -c "'elevation' must be a whole number" "$T/err")" = 20 ] || fail "not twenty of the mistakes are shown"
tail -1 "$T/err" | grep -qx "$T/bad.yaml: and 30 more" || fail "and how many more?"
[ -e "$T/bad.c" ] && fail "tables of a bad catalogue"
for row in '{"iata": "A", "kind": "hubb"}|unknown kind .hubb.; did you mean .hub.' '{"iata": "A", "latitude": 1.234}|more than 2 digits' \
    '{"name": "A"}|an airport needs .iata.' '{"iata": "A", "reached_by": ["trian"]}|did you mean .train.' '{"iata": "A", "elevaton": 1}|did you mean .elevation.'; do
    echo "- ${row%|*}" >"$T/bad.yaml"
    "$B/registry-generate" --schema $dir/schema.yaml "$T/bad.yaml" "$T/bad.c" >"$T/out" 2>"$T/err" && fail "taken: $row"
    grep -q "${row#*|}" "$T/err" || fail "no '${row#*|}'"
done
"$B/registry-generate" --schema $dir/schema.yaml --fill 10 $dir/catalogue.yaml "$T/bad.c" 2>"$T/err" && fail "made-up airports"
grep -q "makes up models, and no airports" "$T/err" || fail "--fill"

# A key of two parts, HTTP status codes: groups, another name of each.
cat >"$T/schema.yaml" <<'YAML'
record: status
key: [class, code]
fields:
  phrase: {type: text}
  cacheable: {type: flag, filter: true}
YAML
cat >"$T/codes.yaml" <<'YAML'
- {"class": "success", "code": "200", "phrase": "OK", "cacheable": true}
- {"class": "success", "code": "204", "phrase": "No Content", "cacheable": true}
- {"class": "client", "code": "404", "phrase": "Not Found", "cacheable": true}
- {"class": "client", "code": "403", "phrase": "Forbidden"}
- {"class": "server", "code": "503", "phrase": "Service Unavailable"}
YAML
"$B/registry-generate" --schema "$T/schema.yaml" "$T/codes.yaml" "$T/registry_tables.c" 2>"$T/err" &&
    $CC -O1 -Iinclude -c "$T/registry_tables.c" -o "$T/tables.o" || fail "codes"
# shellcheck disable=SC2086
$CC -o "$T/tidemark" "$B/obj/harness/cli/main.o" "$T/tables.o" "$B/libcore.a" "$B/libtiered.a" "$B/libregistry.a" $libs 2>"$T/err" || fail "codes do not link"
run 0 models find 404
says "client:404"
says "phrase         Not Found"
run 0 models list client
says "2 statuses"
run 0 models filter -w cacheable=yes -p success
says "success:204"
exit $failed
