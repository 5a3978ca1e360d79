#!/usr/bin/env python3
"""The detection benchmark on programs made at random (fixtures/shapes): tidemark and its peers.

    bench-shapes.py [--seeds N] [--peers M] [--base WORD] [--kinds KIND,...] [--jobs N]

N programs of each kind, with fresh seeds WORD-1 .. WORD-N; WORD is drawn and printed unless it is given. The first M of
each kind are run by the peers, too. They do not know tests: each program runs there once, in one process, with
256 calls of each test of a repeat program, and one of each test of a suite; a test or a shared thing is accused where a
leak is reported whose stack has its function. LeakSanitizer and memcheck report what nothing points to,
heaptrack what is left at the end. A peer that is not installed is left out. Prints each mistake of tidemark's, and a
table with 95 % Wilson intervals. Exit 1 if tidemark made a mistake.
"""
import argparse, glob, os, re, shutil, sys, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures", "shapes"))
from check import KINDS, Program, Score, compiler, fresh, hunt_one, over

CALLS = {"suite": 1}
CALLS_USUAL = 256


def calls(program):
    return [program.binary, "--calls", str(CALLS.get(program.kind, CALLS_USUAL))]


def lsan(program):
    """The stacks of all leaks, a text each."""
    twin = Program(program.kind, program.seed, flags=["-fsanitize=leak"])
    try:
        said = twin.run(calls(twin), env={"LSAN_OPTIONS": "fast_unwind_on_malloc=0:malloc_context_size=40"}).stderr
    finally:
        twin.remove()
    return re.split(r"(?=(?:Direct|Indirect) leak of)", said)[1:]


def memcheck(program):
    said = program.run(["valgrind", "--leak-check=full", "--show-leak-kinds=definite,indirect", "--num-callers=40",
                        *calls(program)]).stderr
    return [block for block in re.split(r"\n==\d+== \n", said) if " lost in loss record " in block]


def heaptrack(program):
    program.run(["heaptrack", "-o", os.path.join(program.folder, "trace"), *calls(program)])
    stacks, traces = os.path.join(program.folder, "stacks"), glob.glob(os.path.join(program.folder, "trace*"))
    if traces:
        program.run(["heaptrack_print", "-f", traces[0], "--flamegraph-cost-type", "leaked", "-F", stacks])
    return [line.rsplit(" ", 1)[0] for line in open(stacks, encoding="utf-8", errors="replace")
            if not line.endswith(" 0\n")] if os.path.exists(stacks) else []


PEERS = {"LeakSanitizer": (lsan, "gcc"), "memcheck": (memcheck, "valgrind"), "heaptrack": (heaptrack, "heaptrack_print")}


def peer_one(ask):
    def one(kind, seed, count, keep):
        program, score = Program(kind, seed, count), Score()
        try:
            started = time.monotonic()
            named = {word for stack in ask(program) for word in re.findall(r"\w+", stack)}
            score.of["ms"] = int(1000 * (time.monotonic() - started))
        finally:
            program.remove()
        for row in program.tests + program.things:
            name, what = row.get("test") or row["thing"], f"{program.repeat}"
            if row["want"] == ["any"]:
                continue
            function = row["site"] if row["site"].endswith(("_run", "_touch")) else f"{name}_fn"
            accused = function in named
            if row["want"] == "levels" or row["want"][0] == "clean":
                score.innocent(what, "leak" if accused else "clean", accused)
            else:
                score.guilty(what, "leak" if accused else "clean", row, accused, accused)
        score.wrong = []
        return score
    return one


def own_one(kind, seed, count, keep):
    started = time.monotonic()
    score = hunt_one(kind, seed, count, keep)
    score.of["ms"] = int(1000 * (time.monotonic() - started))
    return score


def report(scores, seeds, peers):
    print(f"\n{'kind':<12} {'tool':<14} {'found':>9} {'false':>9}  {'recall':<21} {'precision':<21} s each")
    for (kind, tool), score in scores.items():
        t, c, programs = score.of, score.columns(), seeds if tool == "tidemark" else min(peers, seeds)
        print(f"{kind:<12} {tool:<14} {t['found']:>4}/{t['guilty']:<4} {t['accused']:>4}/{t['innocent']:<4}  "
              f"{c['recall']:<21} {c['precision']:<21} {t['ms'] / 1000 / max(1, programs):.1f}")
    print(f"\n{'tidemark':<12} {'right function':<21} {'right word':<21} {'inconclusive':<21}")
    total = Score()
    for (kind, tool), score in scores.items():
        if tool == "tidemark":
            total.add(score)
            print(f"{kind:<12} " + " ".join(f"{score.columns()[c]:<21}" for c in ("right function", "right word", "inconclusive")))
    c = total.columns()
    print(f"{'all':<12} " + " ".join(f"{c[x]:<21}" for x in ("right function", "right word", "inconclusive")))
    print(f"all: recall {c['recall']}, precision {c['precision']}, {len(total.wrong)} wrong rows")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--peers", type=int, default=5)
    parser.add_argument("--base")
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    args = parser.parse_args()
    base, scores, wrong = args.base or fresh(), {}, 0
    print(f"seeds {base}-1 .. {base}-{args.seeds} (repeat all of it with --base {base})", flush=True)
    kinds = [k for k in args.kinds.split(",") if compiler(k)]
    for kind in kinds:
        seeds = [f"{base}-{i}" for i in range(1, args.seeds + 1)]
        scores[kind, "tidemark"] = over(own_one, kind, seeds, None, args.jobs)
        wrong += len(scores[kind, "tidemark"].wrong)
        for peer, (ask, command) in PEERS.items():
            if shutil.which(command) and args.peers > 0:
                scores[kind, peer] = over(peer_one(ask), kind, seeds[:args.peers], None, args.jobs)
    report(scores, args.seeds, args.peers)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
