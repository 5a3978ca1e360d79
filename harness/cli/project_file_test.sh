#!/bin/sh
# tidemark hunt without a program: those that .tidemark.yaml names, with what each needs and what is expected.
set -u
B=$(cd "${B:-build}" && pwd)
T=$(mktemp -d) || exit 99
trap 'rm -rf "$T"' EXIT
failed=0
fail() { echo "FAIL: $*"; cat "$T/said"; failed=1; }
hunt() { "$B/tidemark" hunt --quick "$@" >"$T/said" 2>&1; status=$?; }
has() { for text; do grep -qF -- "$text" "$T/said" || fail "no '$text' in:"; done; }
is() { [ "$status" = "$1" ] || fail "status $status and not $1:"; }
cd "$T" || exit 99

hunt
is 2
has '.tidemark.yaml'

mkdir -p tests data
cat >t.c <<'END'
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
void *kept[100000];
int count;
static const char *mode = "";
START_TEST(works)
{
    if (strcmp(mode, "grow") == 0) {
        kept[count++] = malloc(64);
    }
    if (strcmp(mode, "data") == 0) {
        FILE *file = fopen("here", "r"); /* in its folder, and only with its environment */
        ck_assert_ptr_nonnull(file);
        fclose(file);
        ck_assert_str_eq(getenv("COLOUR"), "red");
    }
}
END_TEST
int main(int argc, char **argv)
{
    mode = argc > 1 ? argv[1] : "";
    Suite *s = suite_create("s");
    TCase *c = tcase_create("c");
    tcase_add_test(c, works);
    suite_add_tcase(s, c);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_SILENT);
    return srunner_ntests_failed(r) > 0;
}
END
gcc -g t.c -o tests/check_one $(pkg-config --cflags --libs check) || exit 99
for name in check_two check_grow check_net; do cp tests/check_one "tests/$name"; done
: >data/here
echo 'no program' >tests/check_text
echo 'leak:works_fn' >mine.supp
cat >.tidemark.yaml <<'END'
programs:
  - tests/check_*
  - {path: tests/check_two, name: two, args: [data], env: {COLOUR: red}, folder: data}
  - {path: tests/check_grow, args: [grow], suppressions: mine.supp}
  - {path: tests/check_net, skip: needs a network}
END
hunt --json r.jsonl
is 0
has 'hunt of 4 test programs; named by .tidemark.yaml' 'not hunted: needs a network' '    tests/check_net'
[ "$(jq -r 'select(.type=="test")|"\(.id) \(.status)"' r.jsonl | sort | tr '\n' ',')" = \
    'tests/check_grow/s/c/works pass,tests/check_net skip,tests/check_one/s/c/works pass,two/s/c/works pass,' ] ||
    fail "other tests: $(jq -r 'select(.type=="test")|"\(.id) \(.status)"' r.jsonl)"

# Expectations: one that is met, one that is not, with file and line; the same from the result file.
cat >expect.yaml <<'END'
programs:
  - path: tests/check_one
    expect: {verdict: clean, peak_rss: "< 500 MB"}
  - path: tests/check_two
    expect: {peak_rss: "< 1 KB"}
END
hunt --programs expect.yaml --json r.jsonl
is 1
has 'expect.yaml:5: peak_rss_bytes of tests/check_two is'
"$B/tidemark" report r.jsonl >"$T/said" 2>&1; status=$?
is 1
has 'expect.yaml:5: peak_rss_bytes of tests/check_two is'
"$B/tidemark" report tidemark-results >"$T/said" 2>&1; status=$?
is 1
sed -i 's/1 KB/500 MB/' expect.yaml
hunt --programs expect.yaml
is 0

# Mistakes: all of them, and nothing runs.
cat >bad.yaml <<'END'
programs:
  - tests/none_*
  - {path: tests/check_text}
  - {path: tests/gone}
END
hunt --programs bad.yaml
is 2
has "bad.yaml:2:5: 'tests/none_*': no program is like that" "bad.yaml:3:5: 'tests/check_text': it is no program" \
    "bad.yaml:4:5: 'tests/gone': No such file or directory"
printf 'programs:\n  - {path: a, argz: [b]}\n' >bad.yaml
hunt --programs bad.yaml
is 2
has "bad.yaml:2:15: unknown key 'argz'; did you mean 'args'?"
exit $failed
