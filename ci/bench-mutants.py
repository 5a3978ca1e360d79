#!/usr/bin/env python3
"""Mutants: in a real C library with libcheck suites, delete one release call at a time; who notices?

    bench-mutants.py --source DIR --build 'sh build.sh {src} {out} {flags}' --tests 'test-*' [--limit N]

DIR is a checkout of the library (not part of this project). The build command compiles the copy at {src}
into {out}, handing {flags} to every compilation. --tests are the test programs in {out}; --run-in names
the folder they start in, below {src}.

Label, without tidemark: every program is built twice more with each test looped 8 and 24 times (libcheck's
own tcase_add_loop_test), run unforked, and glibc's own count of used heap (mallinfo2) and the number of
open descriptors at exit are compared with those of the unmutated library. A mutant whose 16 further loops
left more behind is guilty; a mutant that fails its tests or does not compile is dropped.
Where: memcheck (all leak kinds) names the allocation stacks that the unmutated program does not have;
one of tidemark's first three stacks must be one of them.
"""
import argparse, collections, concurrent.futures, glob, json, math, os, re, shutil, subprocess, sys, tempfile, time
import xml.etree.ElementTree as xml

RELEASE = re.compile(r"^\s*(?:[A-Za-z_][A-Za-z0-9_]*_)?(?:free|cfree|delete|done|unref|evict|release|destroy|clear|"
                     r"close|fclose|closedir|dispose|fini|strfree|remove|drop|reset)\s*\([^;{}]*\);\s*$")
ACCUSED = {"leak", "growth", "accumulates"}
LOOP = """#include <check.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <dirent.h>
#undef tcase_add_test
#define tcase_add_test(tc, tf) tcase_add_loop_test((tc), (tf), 0, LOOPS)
static __attribute__((destructor)) void loop_report(void)
{
    struct mallinfo2 info = mallinfo2();
    long fds = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (readdir(dir) != NULL) fds++;
    FILE *out = fopen(getenv("LOOP_REPORT"), "a");
    if (out != NULL) { fprintf(out, "%zu %ld\\n", info.uordblks + info.hblkhd, fds); fclose(out); }
}
"""


def wilson(hits, of):
    if of == 0:
        return "-"
    z, p = 1.96, hits / of
    mid, half, scale = p + z * z / (2 * of), z * math.sqrt(p * (1 - p) / of + z * z / (4 * of * of)), 1 + z * z / of
    return f"{hits}/{of} = {p:.3f} [{max(0, (mid - half) / scale):.3f}, {min(1, (mid + half) / scale):.3f}]"


class Bench:
    def __init__(self, args):
        self.args = args
        self.work = tempfile.mkdtemp(prefix="mutants.")
        self.header = os.path.join(self.work, "loop.h")
        open(self.header, "w").write(LOOP)
        self.names = None

    def build(self, src, out, loops=None):
        flags = "" if loops is None else f"-DLOOPS={loops} -include {self.header}"
        command = self.args.build.format(src=src, out=out, flags=flags)
        done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
        programs = sorted(p for p in glob.glob(os.path.join(out, self.args.tests)) if os.access(p, os.X_OK))
        return programs if done.returncode == 0 else []

    def cwd(self, src):
        return os.path.join(src, self.args.run_in)

    def run(self, program, src, env):
        try:
            return subprocess.run([program], cwd=self.cwd(src), env={**os.environ, **env}, stdin=subprocess.DEVNULL,
                                  capture_output=True, timeout=60, check=False).returncode
        except subprocess.TimeoutExpired:
            return -1

    def left(self, program, src):
        report = program + ".loops"
        if os.path.exists(report):
            os.remove(report)
        self.run(program, src, {"CK_FORK": "no", "LOOP_REPORT": report,
                                "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"})
        if not os.path.exists(report):
            return None
        return tuple(int(x) for x in open(report).read().splitlines()[-1].split())

    def growth(self, src, out):
        """{program name: (heap, fds) left by 16 further loops}, or None where a program did not end."""
        found = {}
        for loops in (8, 24):
            for program in self.build(src, f"{out}-{loops}", loops):
                found.setdefault(os.path.basename(program), []).append(self.left(program, src))
        return {name: (b[0] - a[0], b[1] - a[1]) if a and b else None for name, (a, b) in found.items() if True}

    def hunt(self, program, src):
        out = program + ".jsonl"
        started = time.monotonic()
        try:
            subprocess.run([os.path.abspath(f"{self.args.tidemark}"), "hunt", "-q", "--json", out, "--", program],
                           cwd=self.cwd(src), stdin=subprocess.DEVNULL, capture_output=True, timeout=300, check=False)
        except subprocess.TimeoutExpired:
            pass
        tests, sites = {}, []
        for line in open(out) if os.path.exists(out) else ():
            row = json.loads(line)
            if row["type"] == "test":
                tests[row["id"]] = row.get("verdict")
            elif row["type"] == "site":
                sites.append(row)
        return tests, sites, time.monotonic() - started

    def memcheck(self, program, src):
        """Allocation stacks of everything not freed: sets of (function, line) of the program's own frames."""
        out = program + ".xml"
        subprocess.run(["valgrind", "--leak-check=full", "--show-leak-kinds=all", "--xml=yes", f"--xml-file={out}", program],
                       cwd=self.cwd(src), env={**os.environ, "CK_FORK": "no"}, stdin=subprocess.DEVNULL,
                       capture_output=True, timeout=300, check=False)
        stacks = collections.Counter()
        try:
            tree = xml.parse(out)
        except (xml.ParseError, FileNotFoundError):
            return stacks
        for error in tree.iter("error"):
            if not error.findtext("kind", "").startswith("Leak_"):
                continue
            frames = [(f.findtext("fn"), f.findtext("line")) for f in error.find("stack").iter("frame")
                      if f.findtext("line") and "vg_replace" not in (f.findtext("file") or "")]
            blocks = int(error.findtext("xwhat/leakedblocks") or 0)
            stacks[tuple(frames[:3])] += blocks
        return stacks


def mutants(source, patterns):
    for pattern in patterns:
        for path in sorted(glob.glob(os.path.join(source, pattern), recursive=True)):
            for number, line in enumerate(open(path, encoding="utf-8", errors="replace").read().split("\n"), 1):
                if RELEASE.match(line) and not line.lstrip().startswith(("return", "static", "#")):
                    yield os.path.relpath(path, source), number, line.strip()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", required=True)
    parser.add_argument("--build", required=True)
    parser.add_argument("--tests", required=True)
    parser.add_argument("--files", action="append", help="glob below the source; may be given again")
    parser.add_argument("--run-in", default=".")
    parser.add_argument("--limit", type=int, default=10 ** 9)
    parser.add_argument("--stride", type=int, default=1)
    parser.add_argument("--tidemark", default=os.path.join(os.environ.get("B", "build"), "tidemark"))
    args = parser.parse_args()
    bench = Bench(args)
    source = os.path.abspath(args.source)
    base = os.path.join(bench.work, "base")
    shutil.copytree(source, base, symlinks=True)
    programs = bench.build(base, base + "-out")
    if not programs:
        sys.exit("the unmutated library does not build")
    base_growth = bench.growth(base, base + "-loop")
    base_hunt = {os.path.basename(p): bench.hunt(p, base) for p in programs}
    base_stacks = {os.path.basename(p): bench.memcheck(p, base) for p in programs}
    for name, (tests, _, _) in base_hunt.items():
        for test, verdict in tests.items():
            if verdict in ACCUSED:
                print(f"unmutated: {name}: {test}: {verdict}")
    score, located, times, counted = collections.Counter(), collections.Counter(), [], collections.Counter()
    chosen = list(mutants(source, args.files or ["**/*.c"]))[::args.stride][:args.limit]
    print(f"{len(chosen)} mutants, {len(programs)} test programs", flush=True)

    def one(job):
        index, (path, number, text) = job
        src = os.path.join(bench.work, f"m{index}")
        shutil.copytree(source, src, symlinks=True)
        lines = open(os.path.join(src, path), encoding="utf-8", errors="surrogateescape").read().split("\n")
        lines[number - 1] = ";"
        open(os.path.join(src, path), "w", encoding="utf-8", errors="surrogateescape").write("\n".join(lines))
        rows = []
        try:
            built = bench.build(src, src + "-out")
            if len(built) != len(programs):
                return path, number, text, "does not compile", rows
            grown = bench.growth(src, src + "-loop")
            for program in built:
                name = os.path.basename(program)
                before, now = base_growth.get(name), grown.get(name)
                if before is None or now is None or bench.run(program, src, {}) != 0:
                    continue
                guilty = now[0] > before[0] or now[1] > before[1]
                # an innocent program that the mutated file is not even part of tells nothing
                if not guilty and index % 5 != 0:
                    continue
                tests, sites, took = bench.hunt(program, src)
                accused = {t for t, v in tests.items() if v in ACCUSED and base_hunt[name][0].get(t) not in ACCUSED}
                where = None
                if guilty and accused and now[0] > before[0]:
                    truth = {s for s in bench.memcheck(program, src)
                             if s and bench_blocks(s, base_stacks[name])}
                    top = [s for s in sites if s["test"] in accused and s["rank"] <= 3]
                    where = any(matches(t, s) for t in truth for s in top)
                rows.append((name, guilty, accused, where, took))
            return path, number, text, "ran", rows
        finally:
            for folder in glob.glob(src + "*"):
                shutil.rmtree(folder, ignore_errors=True)

    def bench_blocks(stack, known):
        return stack not in known

    def matches(truth, site):
        ours = [(f["function"], str(f["line"])) for f in site["frames"]]
        return truth[0] in ours

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for path, number, text, state, rows in pool.map(one, enumerate(chosen)):
            counted[state if rows or state != "ran" else "no test tells"] += 1
            if any(r[1] for r in rows):
                counted["guilty"] += 1
            for name, guilty, accused, where, took in rows:
                times.append(took)
                kind = ("tp" if accused else "fn") if guilty else ("fp" if accused else "tn")
                score[kind] += 1
                if where is not None:
                    located["yes" if where else "no"] += 1
                if kind in ("fn", "fp") or where is False:
                    print(f"  {kind}{'' if where is not False else ' (elsewhere)'}: {path}:{number}: {text}  in {name} {sorted(accused)[:2]}", flush=True)
    shutil.rmtree(bench.work, ignore_errors=True)
    print("mutants: " + ", ".join(f"{n} {k}" for k, n in counted.items()))
    print(f"precision {wilson(score['tp'], score['tp'] + score['fp'])}")
    print(f"recall    {wilson(score['tp'], score['tp'] + score['fn'])}")
    print(f"innocent programs not accused {wilson(score['tn'], score['tn'] + score['fp'])}")
    print(f"the right allocation among the first three stacks {wilson(located['yes'], located['yes'] + located['no'])}")
    if times:
        print(f"time to the verdict: median {sorted(times)[len(times) // 2]:.2f} s, most {max(times):.2f} s")


main()
