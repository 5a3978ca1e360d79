#!/usr/bin/env python3
"""What watching costs in real test suites, per repetition: plain under jemalloc, count depth, trace depth, heaptrack's
preload and memcheck, one after the other in rounds, CPU time, medians of the ratios of the same round.

    bench-overhead.py [--rounds N] [--sources DIR] [PROGRAM...]

Each program is a libcheck suite; it runs with CK_FORK=no in its own folder, its main called again and again in one
process (harness/ledger/repeat_bench.c), so often that the plain one takes 0.15 s. What a single call takes is subtracted:
start and end of the process do not count (a program that takes as long by itself is taken as it is).
DIR holds checkouts of the libraries of ci/mutants.ini, whose suites are built with -O2 and taken as well; each of their
tests is looped, as a hunt repeats it: one test after the other.
`make bench-overhead SUITES="PROGRAM..." SOURCES=DIR`.
Prints figures and the bars beside them; never fails by noise."""
import argparse, configparser, glob, math, os, shlex, statistics, subprocess, sys, tempfile

BUILD = os.path.abspath(os.environ.get("B", "build"))
JEMALLOC, REPEAT, LEDGER = "libjemalloc.so.2", f"{BUILD}/bench/librepeat.so", f"{BUILD}/bench/libledger.so"
HEAPTRACK = "/usr/lib/heaptrack/libheaptrack_preload.so"
WAYS = {  # name: (preloaded, environment, before the command, in every so many rounds)
    "plain": ([JEMALLOC], {}, [], 1),
    "A/A": ([JEMALLOC], {}, [], 1),
    "count": ([LEDGER, JEMALLOC], {"TIDEMARK_BENCH_DEPTH": "count"}, [], 1),
    "trace": ([LEDGER, JEMALLOC], {"TIDEMARK_BENCH_DEPTH": "trace"}, [], 1),
    "heaptrack": ([HEAPTRACK, JEMALLOC], {"DUMP_HEAPTRACK_OUTPUT": "/dev/null"}, [], 2),
    "memcheck": ([], {}, ["valgrind", "-q", "--log-file=/dev/null"], 5),
}
LOOP = """#include <check.h>
#include <stdlib.h>
#undef tcase_add_test
#define tcase_add_test(tc, tf) tcase_add_loop_test((tc), (tf), 0, atoi(getenv("LOOPS")))
"""
LOOPED = set()  # programs that take LOOPS
ENOUGH, SECONDS_MOST, REPEATS_MOST = 0.15, 2.0, 1 << 16


def run(program, way, repeats, report=None):
    """(CPU seconds, status)"""
    preloads, env, before, _ = WAYS[way]
    env = {**os.environ, **env, "CK_FORK": "no", "LD_PRELOAD": " ".join([REPEAT, *preloads]),
           "TIDEMARK_BENCH_REPEAT": "1" if program in LOOPED else str(repeats), "LOOPS": str(repeats)}
    if report:
        env["TIDEMARK_BENCH_REPORT"] = report
    child = subprocess.Popen([*before, program], env=env, cwd=os.path.dirname(program), stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = status
    return used.ru_utime + used.ru_stime, status


def repeats_for(program):
    """So many that it takes long enough; 0 when that cannot be had."""
    repeats, (seconds, status) = 1, run(program, "plain", 1)
    while seconds < ENOUGH and repeats < REPEATS_MOST:
        repeats = min(REPEATS_MOST, max(2 * repeats, int(repeats * ENOUGH / max(seconds, 0.002) / 2)))
        seconds, again = run(program, "plain", repeats)
        if again != status or seconds > SECONDS_MOST:
            return 0
    return repeats


def blocks_of(program, repeats):
    """Allocations of a repetition; NaN when the program ended without a report."""
    counts = []
    for times in (1, repeats):
        with tempfile.NamedTemporaryFile("r") as report:
            run(program, "count", times, report.name)
            line = report.read().split()
            counts.append(int(line[1]) if len(line) > 1 else math.nan)
    return (counts[1] - counts[0]) / (repeats - 1) if repeats > 1 else counts[0]


def measure(program, ways, rounds):
    """(repetitions, us of a plain one, {way: ratio}); None when it cannot be repeated."""
    repeats = repeats_for(program)
    if repeats == 0:
        return None
    once = {way: statistics.median(run(program, way, 1)[0] for _ in range(3)) for way in ways} if repeats >= 8 else {}
    if not once:  # a long one: the whole of it
        rounds = min(rounds, 5)
    ratios, micros = {way: [] for way in ways}, []
    for turn in range(rounds):
        now = {}
        for way in list(ways)[:: 1 if turn % 2 else -1]:
            if turn % WAYS[way][3] == 0:
                took = run(program, way, repeats)[0]
                now[way] = (took - once[way]) / (repeats - 1) if once else took / repeats
        micros.append(now["plain"] * 1e6)
        for way in now:
            ratios[way].append(now[way] / now["plain"])
    return repeats, statistics.median(micros), {way: statistics.median(r) for way, r in ratios.items()}


def built(sources, work):
    """The suites of ci/mutants.ini's libraries, as a release would be built."""
    config = configparser.ConfigParser(interpolation=None)
    config.read(os.path.join(os.path.dirname(os.path.abspath(__file__)), "mutants.ini"))
    check = subprocess.run(["pkg-config", "--libs", "check"], capture_output=True, text=True, check=True).stdout
    programs, loop = [], os.path.join(work, "loop.h")
    with open(loop, "w", encoding="utf-8") as header:
        header.write(LOOP)
    for name in config.sections():
        if not os.path.isdir(os.path.join(sources, name)):
            print(f"{name}: not in {sources}", file=sys.stderr)
            continue
        section, root = config[name], os.path.join(work, name)
        subprocess.run(["cp", "-a", os.path.join(sources, name), root], check=True)
        word = lambda key: section.get(key, "").replace("{sources}", sources)
        subprocess.run(word("prepare") or "true", shell=True, cwd=root, check=True, capture_output=True)
        expand = lambda key, top: sorted({p for g in section.get(key, "").split() for p in glob.glob(os.path.join(top, g))})
        tests = [t for t in expand("tests", root) if t not in expand("except", root)]
        files = [f for f in expand("files", root) if f not in tests and f not in expand("except", root)]
        objects = []
        for source in files + expand("beside", sources):
            target = os.path.join(work, f"{name}-{len(objects)}.o")
            if subprocess.run(["gcc", "-O2", "-g", "-w", "-D_GNU_SOURCE", *shlex.split(word("cflags")), "-c", source, "-o", target],
                              cwd=root, capture_output=True).returncode == 0:
                objects.append(target)
        for test in tests:
            target = os.path.join(root, section.get("run-in", "."), "suite-" + os.path.basename(test)[:-2])
            if subprocess.run(["gcc", "-O2", "-g", "-w", "-D_GNU_SOURCE", "-include", loop, *shlex.split(word("cflags")), test, *objects,
                               "-o", target, *shlex.split(word("libs")), *shlex.split(check)], cwd=root, capture_output=True).returncode == 0:
                LOOPED.add(target)
                programs.append((f"{name}/{os.path.basename(test)[:-2]}", target))
    return programs


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--sources")
    parser.add_argument("programs", nargs="*")
    args = parser.parse_args()
    ways = [way for way in WAYS if way != "heaptrack" or os.path.exists(HEAPTRACK)]
    ways = [way for way in ways if way != "memcheck" or subprocess.run(["sh", "-c", "command -v valgrind"], capture_output=True).returncode == 0]
    with tempfile.TemporaryDirectory() as work:
        programs = [(os.path.basename(os.path.dirname(os.path.abspath(p))) + "/" + os.path.basename(p), os.path.abspath(p))
                    for p in args.programs]
        programs += built(os.path.abspath(args.sources), work) if args.sources else []
        print(f"Suites, per repetition; {args.rounds} rounds (memcheck each fifth), ratios of the same round. Bars: count 1.03x, trace\n"
              "1.15x; what trace adds at least 3 times less than what heaptrack adds, 10 times less than memcheck.\n")
        print(f"{'suite':32} {'blocks':>7} {'plain us':>9} " + " ".join(f"{way:>9}" for way in ways[1:]) + "  over: heaptrack memcheck")
        all_of = {way: [] for way in ways}
        for name, program in programs:
            seen = measure(program, ways, args.rounds)
            if seen is None:
                print(f"{name[:32]:32} cannot be repeated, or takes long", flush=True)
                continue
            repeats, micros, ratios = seen
            beyond = lambda way: (f"{(ratios[way] - 1) / (ratios['trace'] - 1):8.1f}x"
                                  if way in ratios and ratios["trace"] > 1.005 else f"{'-':>9}")
            print(f"{name[-32:]:32} {blocks_of(program, repeats):7.0f} {micros:9.1f} " +
                  " ".join(f"{ratios[way]:8.3f}x" for way in ways[1:]) + f" {beyond('heaptrack'):>15} {beyond('memcheck')}", flush=True)
            for way in ways:
                all_of[way].append(ratios[way])
        if all_of["plain"]:
            print(f"{'median of ' + str(len(all_of['plain'])):32} {'':7} {'':9} " +
                  " ".join(f"{statistics.median(all_of[way]):8.3f}x" for way in ways[1:]))


main()
