#!/usr/bin/env python3
"""Mutants: in real C libraries with libcheck suites, delete one release call at a time; who notices?

    bench-mutants.py --sources DIR [--only NAME,...] [--limit N] [--stride N] [--out FILE.jsonl]
    bench-mutants.py --report FILE.jsonl...      the table of what earlier runs wrote with --out

DIR holds checkouts of the libraries of ci/mutants.ini (they are no part of this project), each in a folder of its
section's name. A mutant is one statement that releases something, replaced by an empty one; only statements that
gcov saw executed by a test program are taken, and only programs that execute it are run (the two fastest).

Label, without tidemark: the test program is linked once more with each test looped LOOPS times (libcheck's own
tcase_add_loop_test), run unforked, and glibc's count of used heap (mallinfo2) and the number of open descriptors
at exit are taken after n/4, n/2 and n loops, n up to 4,096, minus the same of the unmutated library. Guilty is what
still grows between the last two at half the first two's pace or more; less is unclear, and dropped, as is a mutant
that does not compile or fails its tests.

Where: a preload of its own (backtrace() of every block that is alive at exit after 8 and after 24 loops) knows the
allocations that pile up. One of tidemark's first three stacks has to begin with one of them. And the function that the
call was deleted from: is it in one of these stacks, or in one of the release sites that are told with them?
"""
import argparse, collections, configparser, glob, json, math, os, re, shlex, shutil, subprocess, sys, tempfile, time

RELEASE = re.compile(r"^\s*(?:if\s*\([^;{}]*\)\s*)?(?:[A-Za-z_][A-Za-z0-9_]*_)?(?:free|cfree|decref|delete|done|unref|evict|"
                     r"release|destroy|clear|close|fclose|closedir|dispose|fini|strfree|remove|drop|reset|cleanup|"
                     r"deinit|clean|bdestroy|Destroy)\s*\([^;{}]*\);\s*$")
ACCUSED = {"leak", "growth", "accumulates"}
MOST_LOOPS, LEAST_LOOPS, LOOP_SECONDS, PROGRAMS_EACH, HUNT_SECONDS = 4096, 32, 1.5, 2, 150
RELEASES_EACH = 3  # release sites of a stack that are told
LOOP = r"""#include <check.h>
#include <dirent.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#undef tcase_add_test
#define tcase_add_test(tc, tf) tcase_add_loop_test((tc), (tf), 0, atoi(getenv("LOOPS")))
static __attribute__((destructor)) void loop_report(void)
{
    struct mallinfo2 info = mallinfo2();
    long fds = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (readdir(dir) != NULL) fds++;
    FILE *out = fopen(getenv("LOOP_REPORT"), "w");
    if (out != NULL) { fprintf(out, "%zu %ld\n", info.uordblks + info.hblkhd, fds); fclose(out); }
}
"""
# Every live block's stack, written down at exit: "count bytes offset offset offset" (offsets in the program).
TRACER = r"""#define _GNU_SOURCE
#include <dlfcn.h>
#include <execinfo.h>
#include <link.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define ROOM (1u << 20)
static struct { void *block; size_t bytes; void *frames[8]; } table[ROOM];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static __thread int inside;
extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
extern void __libc_free(void *);
static void add(void *block, size_t bytes)
{
    if (block == NULL || inside) return;
    inside = 1;
    void *frames[12];
    int count = backtrace(frames, 12);
    pthread_mutex_lock(&lock);
    for (size_t i = ((size_t)block >> 4) % ROOM, n = 0; n < ROOM; n++, i = (i + 1) % ROOM)
        if (table[i].block == NULL || table[i].block == (void *)-1L) {
            table[i].block = block, table[i].bytes = bytes;
            memset(table[i].frames, 0, sizeof table[i].frames);
            for (int f = 2; f < count && f < 10; f++) table[i].frames[f - 2] = frames[f];
            break;
        }
    pthread_mutex_unlock(&lock);
    inside = 0;
}
static void drop(void *block)
{
    if (block == NULL || inside) return;
    pthread_mutex_lock(&lock);
    for (size_t i = ((size_t)block >> 4) % ROOM, n = 0; n < ROOM && table[i].block != NULL; n++, i = (i + 1) % ROOM)
        if (table[i].block == block) { table[i].block = (void *)-1L; break; }
    pthread_mutex_unlock(&lock);
}
void *malloc(size_t n) { void *b = __libc_malloc(n); add(b, n); return b; }
void *calloc(size_t c, size_t n) { void *b = __libc_calloc(c, n); add(b, c * n); return b; }
void *realloc(void *o, size_t n) { drop(o); void *b = __libc_realloc(o, n); add(b, n); return b; }
void free(void *b) { drop(b); __libc_free(b); }
static unsigned long base;
static int first(struct dl_phdr_info *i, size_t s, void *c) { (void)s, (void)c; base = i->dlpi_addr; return 1; }
static __attribute__((destructor)) void report(void)
{
    inside = 1;
    dl_iterate_phdr(first, NULL);
    FILE *out = fopen(getenv("TRACE_REPORT"), "w");
    for (size_t i = 0; out && i < ROOM; i++)
        if (table[i].block != NULL && table[i].block != (void *)-1L) {
            fprintf(out, "%zu", table[i].bytes);
            for (int f = 0; f < 8 && table[i].frames[f]; f++) fprintf(out, " %lx", (unsigned long)table[i].frames[f] - base);
            fputc('\n', out);
        }
    if (out) fclose(out);
}
"""


def wilson(hits, of):
    if of == 0:
        return "-"
    z, p = 1.96, hits / of
    mid, half, scale = p + z * z / (2 * of), z * math.sqrt(p * (1 - p) / of + z * z / (4 * of * of)), 1 + z * z / of
    return f"{hits}/{of} = {p:.3f} [{max(0, (mid - half) / scale):.3f}, {min(1, (mid + half) / scale):.3f}]"


def run(command, cwd=None, env=None, timeout=60):
    try:
        return subprocess.run(command, cwd=cwd, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, errors="replace", timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        return None


class Library:
    """One library built in four forms: plain, looped tests, with coverage, and a mutant at a time."""

    def __init__(self, name, section, sources, work, tidemark):
        self.name, self.tidemark = name, tidemark
        self.root = os.path.join(work, name)
        shutil.copytree(os.path.join(sources, name), self.root, symlinks=True)
        self.out = self.root + ".out"
        os.makedirs(self.out)
        self.flags = ["-g", "-O1", "-w", "-D_GNU_SOURCE", *shlex.split(section.get("cflags", "").replace("{sources}", sources))]
        self.libs = shlex.split(section.get("libs", "")) + shlex.split(
            subprocess.run(["pkg-config", "--libs", "check"], capture_output=True, text=True, check=True).stdout)
        self.cwd = os.path.join(self.root, section.get("run-in", "."))
        if section.get("prepare"):
            subprocess.run(section["prepare"].replace("{sources}", sources), shell=True, cwd=self.root, check=True, capture_output=True)
        expand = lambda globs: sorted({p for g in globs.split() for p in glob.glob(os.path.join(self.root, g))} -
                                      {os.path.join(self.root, p) for p in section.get("except", "").split()})
        # what of other libraries is compiled along, and not mutated
        self.beside = [p for g in section.get("beside", "").split() for p in sorted(glob.glob(os.path.join(sources, g)))]
        self.tests = expand(section["tests"])
        self.files = [f for f in expand(section["files"]) if f not in self.tests]
        self.loop, self.tracer = os.path.join(self.out, "loop.h"), os.path.join(self.out, "tracer.so")
        open(self.loop, "w").write(LOOP)
        open(self.out + "/tracer.c", "w").write(TRACER)
        subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-w", "-o", self.tracer, self.out + "/tracer.c"], check=True)

    def compile(self, source, tag, extra=()):
        place = os.path.relpath(source, self.root).replace("/", "_").replace("..", "up")
        target = os.path.join(self.out, f"{place}.{tag}.o")
        done = run(["gcc", *self.flags, *extra, "-c", source, "-o", target], cwd=self.root)
        if os.environ.get("V") and done and done.returncode != 0:
            print(done.stderr)
        return target if done and done.returncode == 0 else None

    def link(self, test_object, objects, tag, extra=()):
        target = test_object[:-2] + "." + tag
        done = run(["gcc", "-o", target, test_object, *objects, *self.libs, *extra])
        if os.environ.get("V") and done and done.returncode != 0:
            print(done.stderr)
        return target if done and done.returncode == 0 else None

    def build(self):
        self.objects = {f: self.compile(f, "plain") for f in self.files + self.beside}
        self.objects = {f: o for f, o in self.objects.items() if o}
        objects = list(self.objects.values())
        covered = [self.compile(f, "cov", ["--coverage"]) for f in self.files if f in self.objects]
        covered += [self.objects[f] for f in self.beside if f in self.objects]
        self.programs = {}
        for test in self.tests:
            if "tcase_add_test" not in open(test, encoding="utf-8", errors="replace").read():
                print(f"  {self.name}: {os.path.basename(test)} left out: it adds no test that could be looped", flush=True)
                continue
            plain, looped = self.compile(test, "plain"), self.compile(test, "loop", ["-include", self.loop])
            program = plain and self.link(plain, objects, "base")
            if not program or not looped:
                print(f"  {self.name}: {os.path.basename(test)} left out: it does not build", flush=True)
                continue
            started = time.monotonic()
            done = run([program], cwd=self.cwd, env={"CK_FORK": "no"})
            took = time.monotonic() - started
            if not done or done.returncode != 0:
                print(f"  {self.name}: {os.path.basename(test)} left out: it fails as it is", flush=True)
                continue
            entry = {"plain": plain, "looped": looped, "seconds": took, "program": program,
                     "base": self.link(looped, objects, "base")}
            entry["lines"] = self.coverage(self.link(plain, covered, "cov", ["--coverage"]))
            entry["loops"] = self.loops_of(entry["base"])
            entry["left"] = entry["loops"] and [self.left(entry["base"], n) for n in self.steps(entry["loops"])]
            if not entry["left"] or None in entry["left"]:
                print(f"  {self.name}: {os.path.basename(test)} left out: it cannot be looped", flush=True)
                continue
            entry["hunt"] = self.hunt(program)
            accused = [t for t, g in entry["hunt"]["accused"].items()]
            print(f"  {self.name}: {os.path.basename(test)}: {took:.2f} s, {entry['loops']} loops, "
                  f"hunt {entry['hunt']['seconds']:.1f} s"
                  f"{', accused as it is: ' + ' '.join(accused) if accused else ''}", flush=True)
            self.programs[test] = entry

    @staticmethod
    def steps(loops):
        return loops // 4, loops // 2, loops

    def coverage(self, program):
        """{(source, line): function} of what this program executes."""
        for old in glob.glob(self.out + "/*.gcda"):
            os.remove(old)
        run([program], cwd=self.cwd, env={"CK_FORK": "no"})
        lines = {}
        for data in glob.glob(self.out + "/*.cov.gcda"):
            done = run(["gcov", "--json-format", "--stdout", data], cwd=self.out)
            for document in done.stdout.splitlines() if done else ():
                document = json.loads(document)
                for source in document["files"]:
                    path = os.path.normpath(os.path.join(document["current_working_directory"], source["file"]))
                    for line in source["lines"]:
                        if line["count"] > 0:
                            lines[path, line["line_number"]] = line.get("function_name", "")
        return lines

    def left(self, program, loops, timeout=120):
        report = program + ".report"
        if os.path.exists(report):
            os.remove(report)
        run([program], cwd=self.cwd, timeout=timeout, env={"CK_FORK": "no", "LOOPS": str(loops), "LOOP_REPORT": report,
                                          "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"})
        return tuple(int(x) for x in open(report).read().split()) if os.path.exists(report) else None

    def loops_of(self, program):
        loops = LEAST_LOOPS
        while True:
            started = time.monotonic()
            if self.left(program, loops) is None:
                return None
            took = time.monotonic() - started
            if took * 4 > LOOP_SECONDS or loops >= MOST_LOOPS:
                return loops
            loops *= 4 if took * 8 < LOOP_SECONDS and loops * 4 <= MOST_LOOPS else 2

    def hunt(self, program):
        out = program + ".jsonl"
        started = time.monotonic()
        done = run([self.tidemark, "hunt", "-q", "--json", out, "--", program], cwd=self.cwd, timeout=HUNT_SECONDS)
        result = {"accused": {}, "sites": [], "seconds": time.monotonic() - started, "late": done is None}
        for line in open(out) if os.path.exists(out) else ():
            row = json.loads(line)
            if row["type"] == "test" and row.get("verdict") in ACCUSED:
                result["accused"][row["id"]] = row.get("growth_bytes_per_rep") or 0
            elif row["type"] == "variant" and row.get("verdict") in ACCUSED:
                result["accused"]["(suite)"] = 0
            elif row["type"] == "site":
                result["sites"].append(row)
        return result

    def guilty(self, program, entry):
        """True, False, or None: unclear."""
        grown = []
        for loops, base in zip(self.steps(entry["loops"]), entry["left"]):
            now = self.left(program, loops)
            if now is None:
                return None
            grown.append((now[0] - base[0], now[1] - base[1]))
        early, late = ([b[k] - a[k] for k in (0, 1)] for a, b in zip(grown, grown[1:]))
        if late[1] > 0:
            return True
        if late[0] <= 256 and early[0] <= 256:
            return False
        return True if late[0] > 256 and late[0] >= 1.5 * early[0] else None

    def growing_stacks(self, program):
        """What piles up between 8 and 24 loops: [[(function, line), ...]], innermost first."""
        counts = []
        for loops in (8, 24):
            report = program + ".trace"
            run([program], cwd=self.cwd, env={"CK_FORK": "no", "LOOPS": str(loops), "LOOP_REPORT": "/dev/null",
                                              "TRACE_REPORT": report, "LD_PRELOAD": self.tracer})
            stacks = collections.Counter()
            for line in open(report) if os.path.exists(report) else ():
                offsets = tuple(int(x, 16) for x in line.split()[1:])
                stacks[tuple(o for o in offsets if o < 1 << 40)] += 1
            counts.append(stacks)
        grown = [s for s, n in counts[1].items() if s and n - counts[0][s] >= 8]
        return [frames for s in grown if (frames := self.named(program, s[:3]))]

    @staticmethod
    def named(program, offsets):
        done = run(["addr2line", "-f", "-i", "-e", program, *(hex(o - 1) for o in offsets)])
        lines = done.stdout.splitlines() if done else []
        pairs = zip(lines[::2], lines[1::2])
        return [(f.split(".")[0], p.split(":")[-1].split(" ")[0]) for f, p in pairs if not p.startswith("??")]

    @staticmethod
    def stack(stack):
        return [(f["function"].split(".")[0], str(f["line"])) for f in stack["frames"]]

    def mutants(self):
        for path in self.files:
            if path not in self.objects:
                continue
            text = open(path, encoding="utf-8", errors="surrogateescape").read().split("\n")
            for number, line in enumerate(text, 1):
                if RELEASE.match(line) and not line.lstrip().startswith(("return", "static", "#")):
                    users = [t for t, e in self.programs.items() if (path, number) in e["lines"]]
                    if users:
                        yield path, number, line.strip(), text, sorted(users, key=lambda t: self.programs[t]["hunt"]["seconds"])

    def try_mutant(self, path, number, text, users):
        mutated = path[:-2] + ".mutant.c"
        open(mutated, "w", encoding="utf-8", errors="surrogateescape").write(
            "\n".join([*text[:number - 1], ";", *text[number:]]))
        try:
            changed = self.compile(mutated, "mutant")
        finally:
            os.remove(mutated)
        if not changed:
            return "does not compile", []
        objects = [changed if f == path else o for f, o in self.objects.items()]
        rows, why = [], "fails its tests"
        for test in users[:PROGRAMS_EACH]:
            entry = self.programs[test]
            plain, looped = self.link(entry["plain"], objects, "m"), self.link(entry["looped"], objects, "m")
            done = run([plain], cwd=self.cwd, env={"CK_FORK": "no"}) if plain and looped else None
            if not done or done.returncode != 0:
                continue
            guilty = self.guilty(looped, entry)
            if guilty is None:
                why = "unclear to the oracle"
                continue
            found = self.hunt(plain)
            known = entry["hunt"]["accused"]
            accused = [t for t, grows in found["accused"].items() if t not in known or grows > known[t] + 0.5]
            row = {"program": os.path.basename(test), "guilty": guilty, "accused": accused, "seconds": found["seconds"],
                   "late": found["late"]}
            if guilty and accused:
                truth = self.growing_stacks(looped)
                first = [s for s in found["sites"] if s["test"] in accused and s["rank"] <= 3]
                top = [self.stack(s) for s in first]
                function = entry["lines"].get((path, number), "")
                row["right"] = any(t[0] in s and (len(t) < 2 or t[1] in s) for t in truth for s in top) if truth else None
                row["function"] = any(f == function for s in top for f, _ in s)
                releases = [[r["relation"], any(f == function for f, _ in self.stack(r))]
                            for s in first for r in s.get("released_by", [])[:RELEASES_EACH]]
                row["released"] = next((relation for relation, hit in releases if hit), "")
                row["leading"] = any(any(f == function for f, _ in self.stack(r))
                                     for s in first for r in s.get("released_by", [])[:1])
                row["stacks"] = len(top) + len(releases)
            rows.append(row)
        return ("ran" if rows else why), rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sources")
    parser.add_argument("--report", nargs="+")
    parser.add_argument("--only", default="")
    parser.add_argument("--limit", type=int, default=10 ** 9, help="mutants of each library")
    parser.add_argument("--stride", type=int, default=1)
    parser.add_argument("--out", help="each mutant as a line of JSON")
    parser.add_argument("--tidemark", default=os.path.join(os.environ.get("B", "build"), "tidemark"))
    args = parser.parse_args()
    if args.report:
        total = {}
        for path in args.report:
            for row in map(json.loads, open(path)):
                total.setdefault(row["library"], {})[row["place"]] = (row["state"], row["rows"])  # the last run of a mutant counts
        report({name: list(rows.values()) for name, rows in total.items()})
        return
    if not args.sources:
        parser.error("--sources or --report")
    recipes = configparser.ConfigParser(interpolation=None)
    recipes.read(os.path.join(os.path.dirname(os.path.abspath(__file__)), "mutants.ini"))
    sources, tidemark = os.path.abspath(args.sources), os.path.abspath(args.tidemark)
    work = tempfile.mkdtemp(prefix="mutants.")
    total = {}
    try:
        for name in recipes.sections():
            if args.only and name not in args.only.split(",") or not os.path.isdir(os.path.join(sources, name)):
                continue
            library = Library(name, recipes[name], sources, work, tidemark)
            library.build()
            chosen = list(library.mutants())[::args.stride][:args.limit]
            print(f"{name}: {len(library.programs)} programs, {len(chosen)} mutants", flush=True)
            total[name] = []
            for path, number, line, text, users in chosen:
                state, rows = library.try_mutant(path, number, text, users)
                total[name].append((state, rows))
                place = f"{os.path.relpath(path, library.root)}:{number}"
                if args.out:
                    with open(args.out, "a") as out:
                        out.write(json.dumps({"library": name, "place": place, "line": line, "state": state, "rows": rows}) + "\n")
                for row in rows:
                    if row["guilty"] != bool(row["accused"]) or row.get("right") is False:
                        kind = "missed" if row["guilty"] and not row["accused"] else "false" if not row["guilty"] else "elsewhere"
                        print(f"  {kind}: {place}: {line}  in {row['program']} {row['accused'][:2]}", flush=True)
        report(total)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def report(total):
    print(f"\n{'library':<14} {'mutants':>8} {'judged':>7} {'guilty':>7} {'found':>6} {'false':>6}")
    pairs, mutants, states, seconds = collections.Counter(), collections.Counter(), collections.Counter(), []
    right, function, named, leading, relations = (collections.Counter() for _ in range(5))
    for name, rows in total.items():
        own = collections.Counter()
        for state, programs in rows:
            states[state] += 1
            if not programs:
                continue
            guilty = any(r["guilty"] for r in programs)
            accused = any(r["accused"] for r in programs if r["guilty"] == guilty)
            kind = ("tp" if accused else "fn") if guilty else ("fp" if accused else "tn")
            own[kind] += 1
            for r in programs:
                pairs[("tp" if r["accused"] else "fn") if r["guilty"] else ("fp" if r["accused"] else "tn")] += 1
                seconds.append(r["seconds"])
                if r.get("right") is not None:
                    right[r["right"]] += 1
                if "function" in r:
                    function[r["function"]] += 1
                    if "released" in r:
                        named[r["function"] or bool(r["released"])] += 1
                        leading[r["function"] or r.get("leading", False)] += "leading" in r
                        relations["allocation" if r["function"] else r["released"] or "none"] += 1
        mutants += own
        print(f"{name:<14} {len(rows):>8} {sum(own.values()):>7} {own['tp'] + own['fn']:>7} {own['tp']:>6} {own['fp']:>6}")
    print("mutants: " + ", ".join(f"{n} {s}" for s, n in states.most_common()))
    for word, score in (("mutants", mutants), ("mutants x programs", pairs)):
        tp, fp, fn = score["tp"], score["fp"], score["fn"]
        print(f"{word}: precision {wilson(tp, tp + fp)}, recall {wilson(tp, tp + fn)}, F1 {2 * tp / max(1, 2 * tp + fp + fn):.3f}")
    print(f"an allocation that piles up begins one of the first three stacks: {wilson(right[True], sum(right.values()))}")
    print(f"the mutated function is in one of the first three stacks: {wilson(function[True], sum(function.values()))}")
    print(f"in one of these or of their release sites: {wilson(named[True], sum(named.values()))}; "
          + ", ".join(f"{n} by {w}" for w, n in relations.most_common()))
    print(f"in one of these or of the first release site of each: {wilson(leading[True], sum(leading.values()))}")
    late = sum(bool(r.get("late")) for rows in total.values() for _, programs in rows for r in programs)
    if late:
        print(f"hunts cut off after {HUNT_SECONDS} s: {late}; what they had not told by then counts as missed")
    if seconds:
        seconds.sort()
        print(f"time of a hunt: median {seconds[len(seconds) // 2]:.2f} s, 95th percentile {seconds[len(seconds) * 95 // 100]:.2f} s")


main()
