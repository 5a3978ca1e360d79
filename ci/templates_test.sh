#!/bin/sh
# templates_test.sh - the templates for users' CI: the YAML parses and has what its system wants; the shell parts
# of each, and the plain shell one, run for real in a project of a minute's age. Red with a planted growth,
# the annotation on its line; green with a baseline, and after the fix; the tutorial's suite, which only grows
# as a whole, likewise; and red, with the reason, whenever nothing was measured. Run from the root with $B set.
set -u
B=$(cd "${B:-build}" && pwd)
here=$PWD
case ${SAN-}$B in *asan*|*address*|*thread*|*undefined*) echo "the templates are for a plain build"; exit 77 ;; esac
for tool in git python3; do
    command -v $tool >/dev/null || { echo "no $tool"; exit 77; }
done
T=$(mktemp -d "${TMPDIR:-/tmp}/tidemark-templates.XXXXXX") || exit 99
trap 'rm -rf "$T"' EXIT
unset GITHUB_ACTIONS GITHUB_STEP_SUMMARY CI_NODE_INDEX CI_NODE_TOTAL
bad=0
fail() { echo "FAIL: $*"; bad=1; }
has() { grep -q -e "$2" "$1" || { fail "no '$2' in:"; cat "$1"; }; }

# A project: the example, under git, with a build.
mkdir -p "$T/project/ci" "$T/bin"
ln -s "$B/tidemark" "$T/bin/tidemark"
export TIDEMARK_LIBEXEC="$B/suites" PATH="$B:$PATH"
cd "$T/project" || exit 99
cp "$here/docs/example/check_mine.c" .
cp "$here/ci/templates/tidemark.sh" ci/
cat >Makefile <<'END'
tests: build/tests/check_mine
build/tests/check_mine: check_mine.c
	mkdir -p $(@D)
	$(CC) -g -o $@ $< $$(pkg-config --cflags --libs check)
END
git init -q . && git -c user.name=t -c user.email=t@t add . &&
    git -c user.name=t -c user.email=t@t commit -qm begin || exit 99
line=$(grep -n 'calloc' check_mine.c | cut -d: -f1)

gate() { # expected status, arguments...
    expected=$1
    shift
    make -s tests >"$T/out" 2>&1 || fail "make: $(cat "$T/out")"
    sh ci/tidemark.sh "$@" >"$T/out" 2>"$T/err"
    status=$?
    [ $status -eq "$expected" ] || { fail "$* ended with $status instead of $expected"; cat "$T/out" "$T/err"; }
}

# Red, with the line; green with the old growth in a baseline; red when something new grows; green when mended.
gate 1 build/tests/check_mine
has "$T/out" "^check_mine.c:$line: error: tidemark: mine/session/opens_a_session growth: grows 56 B a repetition"
for file in jsonl txt xml html codequality.json summary.md; do
    [ -s "tidemark-out/check_mine.$file" ] || fail "no tidemark-out/check_mine.$file"
done
gate 0 --save build/tests/check_mine
[ -s tidemark-baselines/check_mine.jsonl ] || fail "no baseline"
gate 0 build/tests/check_mine
has "$T/out" "no difference"
grep -q 'error:' "$T/out" && fail "a known growth is told as an error"
sed -i 's/ck_assert_int_eq(atoi("42"), 42);/static char *last[1000000]; static int n; last[n++] = strdup("42"); ck_assert_int_eq(atoi(last[n - 1]), 42);/' check_mine.c
planted=$(grep -n 'strdup("42")' check_mine.c | cut -d: -f1)
gate 1 build/tests/check_mine
has "$T/out" "WORSE *mine/session/parses_a_number"
has "$T/out" "^check_mine.c:$planted: error: .*parses_a_number"
git checkout -q check_mine.c
sed -i 's/    ck_assert_str_eq(session_open("alice")->name, "alice");/&\n    free(g_sessions);\n    g_sessions = NULL;/' check_mine.c
gate 0 build/tests/check_mine
has "$T/out" "BETTER *mine/session/opens_a_session"
gate 2
has "$T/err" "usage:"

# GitHub: the annotation in its words, the summary in its file.
git checkout -q check_mine.c
rm -rf tidemark-baselines
GITHUB_ACTIONS=true GITHUB_STEP_SUMMARY="$T/summary" gate 1 build/tests/check_mine
has "$T/out" "^::error file=check_mine.c,line=$line,"
has "$T/summary" "opens"

# Two programs of one name: the green one does not stand in for the red one, in no file.
mkdir -p build/other
sed 's/    ck_assert_str_eq(session_open("alice")->name, "alice");/&\n    free(g_sessions);\n    g_sessions = NULL;/' check_mine.c >fixed.c
gcc -g fixed.c -o build/other/check_mine $(pkg-config --cflags --libs check) || fail "the second program does not build"
rm -rf tidemark-out fixed.c
gate 1 build/tests/check_mine build/other/check_mine
grep -q '<failure' tidemark-out/build_tests_check_mine.xml || fail "the red program's JUnit is gone"
grep -q '<failure' tidemark-out/build_other_check_mine.xml && fail "the green program's JUnit is red"
gate 0 --save build/tests/check_mine build/other/check_mine
grep -q '"verdict":"growth"' tidemark-baselines/build_tests_check_mine.jsonl || fail "the red program has no baseline of its own"
gate 0 build/tests/check_mine build/other/check_mine
rm -rf tidemark-baselines tidemark-out build/other

# The tutorial's suite: each test is clean, and the suite as a whole accumulates. Red without a baseline, on the
# line that allocates; green when it is fixed; red again against that baseline.
cp "$here/docs/example/check_catalogue.c" .
cat >>Makefile <<'END'
tests: build/tests/check_catalogue
build/tests/check_catalogue: check_catalogue.c
	mkdir -p $(@D)
	$(CC) -g $(CFLAGS) -o $@ $< $$(pkg-config --cflags --libs check)
END
git add . && git -c user.name=t -c user.email=t@t commit -qm catalogue || exit 99
grows=$(grep -n 'malloc(sizeof \*record\|calloc(1, sizeof \*record\|alloc(' check_catalogue.c | head -1 | cut -d: -f1)
TIDEMARK_FLAGS=--quick
export TIDEMARK_FLAGS
gate 1 build/tests/check_catalogue
has "$T/out" "^check_catalogue.c:$grows: error: tidemark: the whole suite accumulates: "
has "$T/out" "error: .*1.05 MB a test, 210 MB in 200 tests; .*record_load.*g_cache"
[ "$(tail -n 1 tidemark-out/check_catalogue.txt)" = "200 passed, 1 failed, 0 skipped" ] || fail "the suite is not in the counts"
grep -q 'tests="201" failures="1"' tidemark-out/check_catalogue.xml || fail "the suite is not in JUnit's counts"
GITHUB_ACTIONS=true gate 1 build/tests/check_catalogue
has "$T/out" "^::error file=check_catalogue.c,line=$grows,title=tidemark%3A the whole suite accumulates::"
cp check_catalogue.c unfixed.c
sed -i 's|/\* the next test may.*|cache_trim(0);|' check_catalogue.c
gate 0 build/tests/check_catalogue
grep -q 'error:' "$T/out" && fail "fixed, and told as an error"
gate 0 --save build/tests/check_catalogue
sleep 1 # make looks at seconds
cp unfixed.c check_catalogue.c
gate 1 build/tests/check_catalogue
has "$T/out" "WORSE *the whole suite"
has "$T/out" "200 tests allocate less: served from what the suite keeps"
has "$T/out" "^check_catalogue.c:$grows: error: "
[ "$(wc -l <tidemark-out/check_catalogue.gate.txt)" -le 40 ] || fail "one cause in more than 40 lines"

# Nothing measured is red, with the reason on the screen and in the reports; with a baseline as without one.
reason() { # text: in the output, in JUnit, in the page
    for file in "$T/out" tidemark-out/check_mine.xml tidemark-out/check_mine.html tidemark-out/check_mine.summary.md; do
        grep -q -e "$1" "$file" || { fail "no '$1' in $file:"; cat "$file"; }
    done
    grep -q '<failure' tidemark-out/check_mine.xml || fail "JUnit without a failed case: $1"
}
for saved in no yes; do
    rm -rf build tidemark-baselines
    [ $saved = no ] || gate 0 --save build/tests/check_mine
    TIDEMARK_FLAGS="--only no/such/test" gate 2 build/tests/check_mine
    reason "none of its 2 tests is like"
    gcc -g -fsanitize=address check_mine.c -o build/tests/check_mine $(pkg-config --cflags --libs check) || fail "no address sanitizer"
    gate 99 build/tests/check_mine
    reason "cannot be watched: it is built with -fsanitize=address"
done
gcc -shared -fPIC -o build/libgone.so -x c /dev/null
gcc -g check_mine.c -o build/tests/check_mine -Wl,--no-as-needed -Lbuild -lgone $(pkg-config --cflags --libs check) || fail "no program with a library"
rm build/libgone.so
gate 99 build/tests/check_mine
reason "before its first test"
# The hunt is killed in the middle: what it left is no result.
mkdir -p "$T/kill"
cat >"$T/kill/tidemark" <<END
#!/bin/sh
[ "\$1" = hunt ] || exec "$B/tidemark" "\$@"
"$B/tidemark" "\$@" &
hunting=\$!
tries=0
until grep -q '"type":"test"' tidemark-out/check_mine.jsonl 2>/dev/null || [ \$tries -gt 200 ]; do
    sleep 0.05
    tries=\$((tries + 1))
done
kill -9 \$hunting
wait \$hunting
END
chmod +x "$T/kill/tidemark"
sed 's/int main(void)/START_TEST(hangs) { for (;;) sleep(1); } END_TEST\n&/; s/srunner_run_all/tcase_add_test(tcase, hangs);\n    &/; 1i #include <unistd.h>' check_mine.c >slow.c
grep -q 'tcase_add_test(tcase, hangs)' slow.c || fail "no test that hangs"
gcc -g slow.c -o build/tests/check_mine $(pkg-config --cflags --libs check) || fail "slow.c does not build"
PATH="$T/kill:$PATH" gate 99 build/tests/check_mine
reason "without a result\|was cut short"
rm -rf build slow.c tidemark-baselines
unset TIDEMARK_FLAGS

# The YAML: what is run in it, run here (but for the packages and the download).
python3 -c 'import yaml' 2>/dev/null || { echo "no python3-yaml: the YAML was not parsed"; exit $bad; }
steps() { # file, expression of the list of shell texts
    python3 - "$1" "$2" <<'END'
import sys, yaml
whole = yaml.safe_load(open(sys.argv[1], encoding="utf-8"))
texts = eval(sys.argv[2], {"y": whole})
print("\n".join(t for t in texts if "apt-get" not in t and "curl" not in t))
END
}
github=$here/ci/templates/github-actions.yml
steps "$github" '[s["run"] for s in y["jobs"]["memory"]["steps"] if "run" in s]' >"$T/github.sh" || fail "github-actions.yml does not parse"
steps "$github" '[s["uses"] for s in y["jobs"]["memory"]["steps"] if "uses" in s] + [str(y["jobs"]["memory"]["runs-on"]), str(sorted(map(str, y)))]' >"$T/out"
has "$T/out" '^actions/checkout@v'
has "$T/out" "^\['True', 'jobs', 'name', 'permissions'\]" # YAML 1.1 reads on: as true, and so do GitHub's readers
PROGRAMS="build/tests/check_mine build/tests/check_catalogue" GITHUB_ACTIONS=true GITHUB_STEP_SUMMARY="$T/summary" sh -e "$T/github.sh" >"$T/out" 2>&1
[ $? -eq 1 ] || fail "GitHub's steps: $(cat "$T/out")"
has "$T/out" "^::error file=check_mine.c,line=$line,"
has "$T/out" "^::error file=check_catalogue.c,line=$grows,"

gitlab=$here/ci/templates/gitlab-ci.yml
steps "$gitlab" 'y["memory"]["before_script"] + y["memory"]["script"]' >"$T/gitlab.sh" || fail "gitlab-ci.yml does not parse"
PROGRAMS=build/tests/check_mine sh -e "$T/gitlab.sh" >"$T/out" 2>&1
[ $? -eq 1 ] || fail "GitLab's script: $(cat "$T/out")"
has "$T/out" "^check_mine.c:$line: error:"
rm -rf build
sed -i 's|/\* the next test may.*|cache_trim(0);|' check_catalogue.c # fixed: green, with the same steps
PROGRAMS=build/tests/check_catalogue TIDEMARK_FLAGS=--quick sh -e "$T/gitlab.sh" >"$T/out" 2>&1 || fail "GitLab's script, fixed: $(cat "$T/out")"
PROGRAMS=build/tests/check_catalogue TIDEMARK_FLAGS=--quick GITHUB_ACTIONS=true sh -e "$T/github.sh" >"$T/out" 2>&1 || fail "GitHub's steps, fixed: $(cat "$T/out")"
rm -rf tidemark-out
steps "$gitlab" 'y[".memory-shards"]["script"]' >"$T/shards.sh"
steps "$gitlab" 'y[".memory-merge"]["script"]' >"$T/merge.sh"
parallel=$(python3 -c 'import sys, yaml; print(yaml.safe_load(open(sys.argv[1]))[".memory-shards"]["parallel"])' "$gitlab")
for n in $(seq "$parallel"); do
    PROGRAM=build/tests/check_mine CI_NODE_INDEX=$n CI_NODE_TOTAL=$parallel sh -e "$T/shards.sh" >"$T/out" 2>&1 ||
        fail "GitLab's shard $n: $(cat "$T/out")"
done
sh -e "$T/merge.sh" >"$T/out" 2>&1
[ $? -eq 1 ] || fail "GitLab's merge: $(cat "$T/out")"
[ "$(tail -n 1 "$T/out")" = "2 passed, 1 failed, 0 skipped" ] || fail "GitLab's merge: $(tail -n 3 "$T/out")"
# A shard whose file is missing: red, whatever the others say, though one file is left.
rm tidemark-out/shard-[2-9].jsonl
sh -e "$T/merge.sh" >"$T/out" 2>&1
[ $? -eq 99 ] || fail "GitLab's merge without shards: $(tail -n 3 "$T/out")"
has "$T/out" "missing shard of $parallel: 2"
exit $bad
