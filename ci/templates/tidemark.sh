#!/bin/sh
# Memory gate for libcheck, cmocka, CUnit and GLib test programs, for any CI that has a shell, and for none.
# Copy it into your project, build your tests as usual, then:
#
#     sh ci/tidemark.sh build/tests/check_one build/tests/check_two ...
#
# Each program is hunted for leaks and growth. A committed baseline, tidemark-baselines/NAME.jsonl, makes it
# fail only on what is worse than that; without one, every leak and growth fails. What fails is told once
# more as FILE:LINE: error: ..., which editors and CI systems turn into links (and in the words of GitHub,
# there). Reports for people and machines are left in tidemark-out/.
#
#     sh ci/tidemark.sh --save build/tests/check_one ...     writes the baselines: commit them
#
# Several jobs at a time: schedulers that say which part is whose (GitLab's and CircleCI's `parallel`, Slurm
# arrays ...) are understood; give such a job no gate but `tidemark hunt --json`, and merge in a last one.
# Exit: 0 all well, 1 worse than the baseline, 2 or 99 it could not be judged.
set -u
out=${TIDEMARK_OUT:-tidemark-out}
baselines=${TIDEMARK_BASELINES:-tidemark-baselines}
save=
[ "${1-}" = --save ] && save=1 && shift
[ $# -gt 0 ] || { echo "usage: $0 [--save] PROGRAM..." >&2; exit 2; }
command -v tidemark >/dev/null || { echo "$0: tidemark is not installed" >&2; exit 99; }
mkdir -p "$out" || exit 99

# hunt PROGRAM RESULT: 0 and 1 are findings, which the gate judges; anything else is no result.
hunt() {
    tidemark hunt -q --json "$2" -- "$1" >"${2%.jsonl}.txt"
    [ $? -le 1 ]
}

# gate PROGRAM NAME
gate() {
    if [ ! -f "$baselines/$2.jsonl" ]; then
        cat "$out/$2.txt"
        tidemark report -q "$out/$2.jsonl" >/dev/null
        return
    fi
    tidemark baseline check -f "$baselines/$2.jsonl" "$out/$2.jsonl" >"$out/$2.gate.txt"
    red=$?
    if [ $red -eq 1 ]; then # a second run tells what differs from run to run from what is worse
        hunt "$1" "$out/$2.again.jsonl" || return 99
        tidemark baseline check -f "$baselines/$2.jsonl" --again "$out/$2.again.jsonl" "$out/$2.jsonl" >"$out/$2.gate.txt"
        red=$?
    fi
    cat "$out/$2.gate.txt"
    return $red
}

# annotate NAME: ::error file=F,line=N,title=T::TEXT, in the words of compilers where GitHub does not listen.
annotate() {
    if [ -n "${GITHUB_ACTIONS-}" ]; then
        cat "$out/$1.annotations"
    else
        sed -n -e 's/%3A/:/g' -e 's/%2C/,/g' \
            -e 's/^::\([a-z]*\) file=\([^,]*\),line=\([0-9]*\),title=\([^:]*: [^:]*\)::/\2:\3: \1: \4: /p' "$out/$1.annotations"
    fi
}

# summarize FILE: GitHub drops a summary of more than 1 MiB as a whole.
summarize() {
    [ -n "${GITHUB_STEP_SUMMARY-}" ] || return 0
    touch "$GITHUB_STEP_SUMMARY"
    [ "$(cat "$GITHUB_STEP_SUMMARY" "$1" | wc -c)" -gt 1000000 ] || cat "$1" >>"$GITHUB_STEP_SUMMARY"
}

worst=0
for program; do
    name=$(basename "$program")
    echo "== $name"
    status=0
    hunt "$program" "$out/$name.jsonl" || { cat "$out/$name.txt"; worst=99; continue; }
    if [ -n "$save" ]; then
        mkdir -p "$baselines"
        tidemark baseline save -f "$baselines/$name.jsonl" "$out/$name.jsonl" || worst=99
        continue
    fi
    gate "$program" "$name" || status=$?
    rm -f "$out/$name.summary.md"
    tidemark report -q "$out/$name.jsonl" --junit "$out/$name.xml" --html "$out/$name.html" \
        --codequality "$out/$name.codequality.json" --openmetrics "$out/$name.metrics.txt" \
        --github "$out/$name.summary.md" >"$out/$name.annotations"
    summarize "$out/$name.summary.md"
    [ $status -eq 0 ] || annotate "$name"
    [ $status -gt $worst ] && worst=$status
done
exit $worst
