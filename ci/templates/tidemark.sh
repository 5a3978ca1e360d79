#!/bin/sh
# Memory gate for libcheck, cmocka, CUnit and GLib test programs, for any CI that has a shell, and for none.
# Copy it into your project, build your tests as usual, then:
#
#     sh ci/tidemark.sh build/tests/check_one build/tests/check_two ...
#
# Each program is hunted for leaks and growth, of its tests and of its suite as a whole. A committed baseline,
# tidemark-baselines/NAME.jsonl, makes it fail only on what is worse than that; without one, every leak and
# growth fails. What fails is shown once more as FILE:LINE: error: ..., which editors and CI systems turn into
# links (and in the words of GitHub, there). Reports for people and machines are left in tidemark-out/.
#
#     sh ci/tidemark.sh --save build/tests/check_one ...     writes the baselines: commit them
#
# TIDEMARK_FLAGS has more options for `tidemark hunt`: --only, --exclude, --memory, --fail-on, --suppressions ...
# Several jobs at a time: schedulers that say which part is whose (GitLab's and CircleCI's `parallel`, Slurm
# arrays ...) are understood; give such a job no gate but `tidemark hunt --json`, and merge in a last one.
# Exit: 0 all well, 1 worse than the baseline; 2, 77 or 99 it could not be judged, with the reason.
set -u
out=${TIDEMARK_OUT:-tidemark-out}
baselines=${TIDEMARK_BASELINES:-tidemark-baselines}
save=
[ "${1-}" = --save ] && save=1 && shift
[ $# -gt 0 ] || { echo "usage: $0 [--save] PROGRAM..." >&2; exit 2; }
command -v tidemark >/dev/null || { echo "$0: tidemark is not installed" >&2; exit 99; }
mkdir -p "$out" || exit 99

# hunt PROGRAM RESULT: 0 and 1 are findings, which the gate judges; anything else measured nothing, or not all.
# A status that is no word of tidemark's is that of a signal: whatever ended it, the result is not whole.
hunt() {
    rm -f "$2" "${2%.jsonl}.gate.md"
    # shellcheck disable=SC2086
    tidemark hunt -q ${TIDEMARK_FLAGS-} --json "$2" -- "$1" >"${2%.jsonl}.txt"
    hunted=$?
    case $hunted in
    0 | 1 | 2 | 77 | 99) return $hunted ;;
    *) echo "$0: tidemark hunt ended with status $hunted" >&2; return 99 ;;
    esac
}

# gate PROGRAM NAME STATUS: what the hunt ended with, or whether it is worse than the baseline.
gate() {
    if [ "$3" -gt 1 ] || [ ! -f "$baselines/$2.jsonl" ]; then
        cat "$out/$2.txt"
        return "$3"
    fi
    tidemark baseline check -f "$baselines/$2.jsonl" --markdown "$out/$2.gate.md" "$out/$2.jsonl" >"$out/$2.gate.txt"
    red=$?
    if [ $red -eq 1 ]; then # a second run tells what differs from run to run from what is worse
        hunt "$1" "$out/$2.again.jsonl"
        [ $? -le 1 ] || return 99
        tidemark baseline check -f "$baselines/$2.jsonl" --again "$out/$2.again.jsonl" --markdown "$out/$2.gate.md" \
            "$out/$2.jsonl" >"$out/$2.gate.txt"
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
            -e 's/^::\([a-z]*\) file=\([^,]*\),line=\([0-9]*\),title=\([^:]*: [^:]*\)::/\2:\3: \1: \4: /p' \
            -e 's/^::\([a-z]*\) title=\([^:]*: [^:]*\)::/\1: \2: /p' "$out/$1.annotations"
    fi
}

# summarize FILE: GitHub drops a summary of more than 1 MiB as a whole.
summarize() {
    [ -n "${GITHUB_STEP_SUMMARY-}" ] || return 0
    touch "$GITHUB_STEP_SUMMARY"
    [ "$(cat "$GITHUB_STEP_SUMMARY" "$1" | wc -c)" -gt 1000000 ] || cat "$1" >>"$GITHUB_STEP_SUMMARY"
}

# reports NAME: of whatever the hunt left; the reason why it is not whole is in each of them.
reports() {
    rm -f "$out/$1.summary.md"
    [ ! -s "$out/$1.gate.md" ] || cat "$out/$1.gate.md" >"$out/$1.summary.md" # what is worse comes first
    tidemark report -q "$out/$1.jsonl" --junit "$out/$1.xml" --html "$out/$1.html" \
        --codequality "$out/$1.codequality.json" --openmetrics "$out/$1.metrics.txt" \
        --github "$out/$1.summary.md" >"$out/$1.annotations"
}

# name PROGRAM ALL...: what its files are called: as the program, or as its path if another one is called the same.
name() {
    one=$1 same=0
    shift
    for other; do
        [ "${other##*/}" != "${one##*/}" ] || same=$((same + 1))
    done
    if [ $same -gt 1 ]; then echo "${one#./}" | tr / _; else echo "${one##*/}"; fi
}

worst=0
for program; do
    name=$(name "$program" "$@")
    echo "== $name"
    hunt "$program" "$out/$name.jsonl"
    status=$?
    if [ -n "$save" ] && [ $status -le 1 ]; then
        mkdir -p "$baselines"
        tidemark baseline save -f "$baselines/$name.jsonl" "$out/$name.jsonl" || worst=99
        continue
    fi
    gate "$program" "$name" $status
    status=$?
    if [ -s "$out/$name.jsonl" ]; then
        reports "$name"
        reported=$?
        [ $status -gt 0 ] || [ $reported -le 1 ] || status=$reported # never greener than its result is whole
        summarize "$out/$name.summary.md"
        [ $status -eq 0 ] || annotate "$name"
    fi
    [ $status -gt $worst ] && worst=$status
done
exit $worst
