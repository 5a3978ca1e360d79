#!/bin/sh
# tidemark hunt -- COMMAND: the test programs that a command runs, each hunted where and as it was run.
set -u
B=$(cd "${B:-build}" && pwd)
T=$(mktemp -d) || exit 99
trap 'rm -rf "$T"' EXIT
failed=0
expect() { # STATUS TEXT... : of the last run, in $T/out
    [ "$status" = "$1" ] || { echo "FAIL: status $status and not $1:"; cat "$T/out"; failed=1; }
    shift
    for text; do
        grep -qF -- "$text" "$T/out" || { echo "FAIL: no '$text' in:"; cat "$T/out"; failed=1; }
    done
}
cat >"$T/run.sh" <<EOF
#!/bin/sh
echo begin
env TESTS=3 nice "$B/fixtures/check_hundreds" >/dev/null
mkdir -p sub; cd sub; TESTS=5 "$B/fixtures/check_hundreds"
"$B/fixtures/plain_main" one
EOF
chmod +x "$T/run.sh"
cd "$T" || exit 99

"$B/tidemark" hunt --quick --json all.jsonl -- ./run.sh >"$T/out" 2>&1
status=$?
expect 0 begin 'hunt of 2 test programs' 'No test leaks, none of 8 grows' 'libcheck: 4 passed, 0 failed' 'libcheck: 6 passed, 0 failed' \
    '10 passed, 0 failed, 0 skipped'
[ "$(grep -c '"type":"run"' all.jsonl)" = 1 ] || { echo "FAIL: not one run in --json"; failed=1; }

# Named by a glob: a program without a framework is a test program, too.
"$B/tidemark" hunt --quick --tests 'plain_*' --out there -- ./run.sh >"$T/out" 2>&1
status=$?
expect 1 'hunt of 3 test programs' 'plain_main/program/main/plain_main grows' 'no framework: '
[ "$(find there -name '*.txt' | wc -l)" = 3 ] || { echo "FAIL: no three reports in --out"; failed=1; }

# Programs of the project without a framework: listed, counted as skipped, and a majority of them is not green.
for name in one two three; do cp "$B/fixtures/plain_main" "sub/$name"; done
cat >plain.sh <<EOF
#!/bin/sh
for name in one two three; do sub/\$name; done
sub/one
EOF
chmod +x plain.sh
"$B/tidemark" hunt --quick -- ./plain.sh >"$T/out" 2>&1
status=$?
expect 77 'hunt of 0 test programs' 'not hunted: no test framework is in it' '    sub/two' \
    'Nothing was judged' '0 passed, 0 failed, 3 skipped'
echo 'TESTS=3 "$CHECK" >/dev/null' >>plain.sh
CHECK="$B/fixtures/check_hundreds" "$B/tidemark" hunt --quick -- ./plain.sh >"$T/out" 2>&1
status=$?
expect 77 'hunt of 1 test program;' 'Not enough was judged: 3 of 4 programs were not.' '4 passed, 0 failed, 3 skipped'
CHECK="$B/fixtures/check_hundreds" "$B/tidemark" hunt --quick --tests two -- ./plain.sh >"$T/out" 2>&1
status=$?
expect 1 "hunt of 2 test programs" "    sub/one" "5 passed, 1 failed, 2 skipped"

# One of them, in a child: the command is not hunted in its place.
printf '#!/bin/sh\nsub/one\nexit 0\n' >plain.sh
"$B/tidemark" hunt --quick -- ./plain.sh >"$T/out" 2>&1
status=$?
expect 77 '    sub/one' 'Nothing was judged' '0 passed, 0 failed, 1 skipped'
"$B/tidemark" hunt --quick --tests one -- ./plain.sh >"$T/out" 2>&1
status=$?
expect 1 'hunt of 1 test program;' 'no framework: 1 passed, 1 failed'

# A test program that has the name of a launcher is none.
cp "$B/fixtures/plain_main" sub/env
"$B/tidemark" hunt --quick -- sub/env >"$T/out" 2>&1
status=$?
expect 1 '1 passed, 1 failed, 0 skipped'

# A program that passes only once in a process is not judged, and that is no breakdown of tidemark.
cat >once.c <<EOF
int main(void) { static int calls; return calls++ > 0; }
EOF
gcc -o sub/once once.c && printf '#!/bin/sh\n$CHECK >/dev/null\nsub/once\n' >once.sh && chmod +x once.sh
CHECK="$B/fixtures/check_hundreds" TESTS=3 "$B/tidemark" hunt --quick --tests once -- ./once.sh >"$T/out" 2>&1
status=$?
expect 0 'hunt of 2 test programs' 'no framework: 0 passed, 0 failed, 2 skipped' '4 passed, 0 failed, 2 skipped'
grep -q 'they leave' tidemark-results/sub_once-*.txt && { echo "FAIL: alone, and blamed on others"; failed=1; }

# The command's own failure is not lost.
echo 'exit 3' >>run.sh
"$B/tidemark" hunt --quick -- ./run.sh >"$T/out" 2>&1
status=$?
expect 1 'FAIL  ./run.sh' 'it ended with status 3 by itself' '10 passed, 1 failed, 0 skipped'

# One test program: hunted as if it had been given itself.
"$B/tidemark" hunt --quick -- env TESTS=3 "$B/fixtures/check_hundreds" >"$T/out" 2>&1
status=$?
expect 0 'repeat: tidemark hunt --quick -- env TESTS=3' '4 passed, 0 failed, 0 skipped'

# A program without a framework that ends with a status by itself, which its runner may want: not held against it.
printf 'int main(void) { return 3; }\n' >three.c && gcc three.c -o sub/three || exit 99
printf '#!/bin/sh\nTESTS=3 $CHECK >/dev/null\nsub/three\n[ $? = 3 ]\n' >wants.sh && chmod +x wants.sh
CHECK="$B/fixtures/check_hundreds" "$B/tidemark" hunt --quick --tests three -- ./wants.sh >"$T/out" 2>&1
status=$?
expect 0 'not hunted: it ended with status 3 by itself' '    sub/three' '4 passed, 0 failed, 1 skipped'

# One program that the command runs is one of a project, too: its ids are the same when there are more.
printf '#!/bin/sh\nTESTS=3 $CHECK >/dev/null\ntrue\n' >single.sh && chmod +x single.sh
CHECK="$B/fixtures/check_hundreds" "$B/tidemark" hunt --quick --json single.jsonl -- ./single.sh >"$T/out" 2>&1
status=$?
expect 0 'hunt of 1 test program;' '4 passed, 0 failed, 0 skipped'
grep -q '"id":"check_hundreds/hundreds/all/one_of_many' single.jsonl || { echo "FAIL: no program in the ids"; failed=1; }

# A command that runs no program of a project: said so, and not run again.
printf '#!/bin/sh\necho run >>runs\nenv true\nenv false\nexit 0\n' >none.sh && chmod +x none.sh
"$B/tidemark" hunt --quick -- ./none.sh >"$T/out" 2>&1
status=$?
expect 77 'nothing was judged: none of the' '0 passed, 0 failed, 0 skipped'
[ "$(wc -l <runs)" = 1 ] || { echo "FAIL: the command ran $(wc -l <runs) times"; failed=1; }
echo 'exit 4' >>none.sh && sed -i s/^exit.0// none.sh
"$B/tidemark" hunt --quick -- ./none.sh >"$T/out" 2>&1
status=$?
expect 1 'it ended with status 4 by itself'

"$B/tidemark" hunt --json - -- ./run.sh >"$T/out" 2>&1
status=$?
expect 2 '--json -: a file, where several programs are hunted'
exit $failed
