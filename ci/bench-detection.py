#!/usr/bin/env python3
"""The detection benchmark: which specimens are accused, by tidemark and by its peers.

One `tidemark hunt` a specimen program; peers run every specimen in a process of its own (they do not
know tests). A peer that is not installed is a dash. Prints precision, recall and F1 with 95 % Wilson
intervals, repetitions and time to the verdict, and the smallest growth found; lists every mistake.
The same for programs made at random: ci/bench-shapes.py.
Usage: bench-detection.py [--quick]   (--quick: tidemark only, all programs at once)
"""
import collections, concurrent.futures, glob, json, math, os, shutil, statistics, subprocess, sys, tempfile, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures", "shapes"))
from check import ACCUSED, wilson

build = os.environ.get("B", "build")
quick = "--quick" in sys.argv


def labels(program):
    rows = subprocess.run([program, "--labels"], capture_output=True, text=True, check=True).stdout
    return [line.split("\t") for line in rows.splitlines()]


def hunt(program):
    with tempfile.NamedTemporaryFile(suffix=".jsonl") as out:
        started = time.monotonic()
        subprocess.run([f"{build}/tidemark", "hunt", "-q", "--budget", "2min", "--json", out.name, "--", program],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        took = time.monotonic() - started
        tests, suite = {}, None
        for line in open(out.name):
            row = json.loads(line)
            if row["type"] == "test":
                tests[row["id"]] = row
            elif row["type"] == "variant":
                suite = row.get("verdict")
        return tests, suite, took


def alone(program, case, prefix=(), env=None):
    return subprocess.run([*prefix, program], env={**os.environ, "CK_RUN_CASE": case, "CK_FORK": "no", **(env or {})},
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False)


def lsan(program, case):
    twin = program.replace("/specimens/", "/specimens-lsan/")
    return alone(twin, case, env={"LSAN_OPTIONS": "exitcode=23"}).returncode == 23


def memcheck(program, case):
    done = alone(program, case, ["valgrind", "-q", "--leak-check=full", "--errors-for-leak-kinds=definite,indirect",
                                 "--error-exitcode=9"])
    return done.returncode == 9


def heaptrack_leaked(program, case):
    with tempfile.TemporaryDirectory() as folder:
        alone(program, case, ["heaptrack", "-o", folder + "/h"])
        found = glob.glob(folder + "/h*")
        if not found:
            return None
        text = subprocess.run(["heaptrack_print", found[0]], capture_output=True, text=True, check=False).stdout
        for line in text.splitlines():
            if line.startswith("total memory leaked:"):
                return line.split(":")[1].strip()
    return None


programs = sorted(p for p in glob.glob(f"{build}/specimens/*") if os.access(p, os.X_OK) and "." not in os.path.basename(p))
tools = ["tidemark"]
if not quick:
    tools.append("LeakSanitizer")
    tools += [t for t, c in (("memcheck", "valgrind"), ("heaptrack", "heaptrack")) if shutil.which(c)]
score = {t: collections.Counter() for t in tools}
mistakes = {t: [] for t in tools}
seconds = collections.Counter()
repetitions, smallest = [], math.inf


def timed(tool, ask, *arguments):
    started = time.monotonic()
    answer = ask(*arguments)
    seconds[tool] += time.monotonic() - started
    return answer


# One after the other where times are compared with those of others.
with concurrent.futures.ThreadPoolExecutor(len(programs) if quick else 1) as pool:
    hunts = dict(zip(programs, pool.map(hunt, programs)))
for program in programs:
    name = os.path.basename(program)
    found, suite, took = hunts[program]
    seconds["tidemark"] += took
    calm = heaptrack_leaked(f"{build}/specimens/innocent_heap", "allocates_nothing") if "heaptrack" in tools else None
    if name == "accumulates":  # axis B: the program as a whole is the finding, no single test is
        kind = "tp" if suite in ACCUSED else "fn"
        score["tidemark"][kind] += 1
        if kind == "fn":
            mistakes["tidemark"].append(f"{name}: {suite}")
        continue
    for identity, expected, unit in labels(program):
        if expected == "none":
            continue
        guilty = expected != "innocent"
        case = identity.split("/")[1]
        accused = {}
        row = found.get(identity, {})
        verdict = row.get("verdict", "missing")
        accused["tidemark"] = verdict in ACCUSED
        if row.get("repetitions"):
            repetitions.append(row["repetitions"])
        growth = row.get("growth_bytes_per_rep")
        if guilty and accused["tidemark"] and growth and growth > 0:
            smallest = min(smallest, growth)
        if not quick:
            accused["LeakSanitizer"] = timed("LeakSanitizer", lsan, program, case)
            if "memcheck" in tools:
                accused["memcheck"] = timed("memcheck", memcheck, program, case)
            if "heaptrack" in tools:
                accused["heaptrack"] = timed("heaptrack", heaptrack_leaked, program, case) not in (None, calm)
        for tool, says in accused.items():
            kind = ("tp" if says else "fn") if guilty else ("fp" if says else "tn")
            score[tool][kind] += 1
            if kind in ("fn", "fp") or (tool == "tidemark" and guilty and verdict != expected and unit == "heap"):
                mistakes[tool].append(f"{identity} ({expected}, {unit}){': ' + verdict if tool == 'tidemark' else ''}")

print(f"{'tool':<14} {'found':>9} {'false':>9}  {'precision':<24} {'recall':<24} {'F1':<6} seconds")
for tool in tools:
    s = score[tool]
    f1 = 2 * s["tp"] / max(1, 2 * s["tp"] + s["fp"] + s["fn"])
    print(f"{tool:<14} {s['tp']:>4}/{s['tp'] + s['fn']:<4} {s['fp']:>4}/{s['fp'] + s['tn']:<4} "
          f" {wilson(s['tp'], s['tp'] + s['fp']):<24} {wilson(s['tp'], s['tp'] + s['fn']):<24} {f1:<6.3f} {seconds[tool]:.1f}")
if repetitions:
    print(f"tidemark: repetitions to the verdict median {statistics.median(repetitions):.0f}, "
          f"most {max(repetitions)}; {seconds['tidemark'] / max(1, score['tidemark'].total()):.2f} s each; "
          f"smallest growth found {'-' if smallest == math.inf else f'{smallest:.3g}'} B a repetition")
for tool in tools if not quick else ["tidemark"]:
    shown = mistakes[tool] if tool == "tidemark" else mistakes[tool][:5]
    for m in shown:
        print(f"  {tool}: {m}")
    if len(mistakes[tool]) > len(shown):
        print(f"  {tool}: and {len(mistakes[tool]) - len(shown)} more")
t = score["tidemark"]
sys.exit(0 if t["fp"] == 0 and t["fn"] == 0 else 1)
