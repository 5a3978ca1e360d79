#!/usr/bin/env python3
"""What a hunt costs, beside a plain run of the same suite and beside memcheck, heaptrack and LeakSanitizer where they are
installed (all three unforked, or they would not see what tests do). Suites of fixtures/programs/check_cost.c; the tools
take turns, ROUNDS times (3); medians of wall and processor time, the most memory of any round. Memory of a hunt is that of
its worker, looked at every 10 ms. Exit 1 when a bar is missed:
  500 short tests: clean 2 plain runs, a fifth guilty 5, all guilty 15; 10,000 tests 20 times what 500 take;
  ten tests of 0.25 s of which three lose a block 30 s; worker 3 times the suite's own memory; 3 KB of result file a test.
Usage: bench-suite.py [ROUNDS]      B=build; ONLY=NAME: one suite; a machine that is busy shows in `busy`."""
import json, os, shutil, statistics, subprocess, sys, tempfile, threading, time

build = os.environ.get("B", "build")
rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
program = f"{build}/fixtures/check_cost"
suites = {  # name: environment, bar in plain runs, guilty tests
    "500 clean": ({"TESTS": "500", "GUILTY": "0"}, 2, 0),
    "500, a fifth guilty": ({"TESTS": "500", "GUILTY": "20"}, 5, 100),
    "500, all guilty": ({"TESTS": "500", "GUILTY": "100"}, 15, 500),
    "10,000 clean": ({"TESTS": "10000", "GUILTY": "0"}, None, 0),
    "10 of 0.25 s, 3 guilty": ({"TESTS": "10", "GUILTY": "30", "SLEEP_MS": "250"}, None, 3),
}
bad = []


def children(pid):
    try:
        return [int(one) for one in open(f"/proc/{pid}/task/{pid}/children").read().split()]
    except OSError:
        return []


def peak_kb(pid):
    try:
        return next(int(line.split()[1]) for line in open(f"/proc/{pid}/status") if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        return 0


def run(command, env, of_children):
    """Wall and processor time in s, the most resident memory in KB."""
    before, started, peak = os.times(), time.monotonic(), 0
    process = subprocess.Popen(command, env={**os.environ, **env}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    over = threading.Event()

    def look():
        nonlocal peak
        while not over.wait(0.01):
            for pid in children(process.pid) if of_children else [process.pid]:
                peak = max(peak, peak_kb(pid))

    looker = threading.Thread(target=look)
    looker.start()
    process.wait()
    wall = time.monotonic() - started
    over.set()
    looker.join()
    after = os.times()
    return wall, after.children_user + after.children_system - before.children_user - before.children_system, peak


with tempfile.TemporaryDirectory() as folder:
    result = f"{folder}/result.json"
    unforked = {"CK_FORK": "no"}
    tools = {
        "plain run": ([program], {}, False),
        "plain run, CK_FORK=no": ([program], unforked, False),
        "hunt": ([f"{build}/tidemark", "hunt", "-q", "--json", result, "--", program], {}, True),
        "hunt --jobs 2": ([f"{build}/tidemark", "hunt", "-q", "--jobs", "2", "--", program], {}, True),
    }
    if shutil.which("valgrind"):
        tools["memcheck"] = (["valgrind", "--leak-check=full", program], unforked, False)
    if shutil.which("heaptrack"):
        tools["heaptrack"] = (["heaptrack", "-o", f"{folder}/heaptrack", program], unforked, True)
    libraries = subprocess.run(["pkg-config", "--cflags", "--libs", "check"], capture_output=True, text=True).stdout.split()
    sanitized = f"{folder}/check_cost"
    if subprocess.run(["cc", "-g", "-O1", "-fsanitize=address", "-std=gnu11", "fixtures/programs/check_cost.c", "-o", sanitized,
                       *libraries], capture_output=True).returncode == 0:
        tools["LeakSanitizer"] = ([sanitized], unforked, False)
    short_hunt = None
    print(f"{'':24} {'wall s':>8} {'x plain':>8} {'CPU s':>8} {'x plain':>8} {'peak MB':>8} {'told':>5} {'KB/test':>8}")
    for name, (env, bar, guilty) in suites.items():
        if os.environ.get("ONLY", name) != name:
            continue
        wall, cpu, peak = ({tool: [] for tool in tools} for _ in range(3))
        for _ in range(rounds):
            for tool, (command, more, of_children) in tools.items():
                took = run(command, {**env, **more}, of_children)
                for column, value in zip((wall, cpu, peak), took):
                    column[tool].append(value)
        lines = [json.loads(line) for line in open(result)]
        tests = {line["id"]: line for line in lines if line["type"] == "test"}
        told = sum(test["verdict"] == "leak" for test in tests.values())
        kb = os.path.getsize(result) / 1000 / len(tests)
        load = " ".join(open("/proc/loadavg").read().split()[:1])
        print(f"{name} (busy: a load of {load})")
        for tool in tools:
            w, c = statistics.median(wall[tool]), statistics.median(cpu[tool])
            ratio, cpu_ratio = w / statistics.median(wall["plain run"]), c / statistics.median(cpu["plain run"])
            told_text = str(told) if tool == "hunt" else "-"
            kb_text = f"{kb:.2f}" if tool == "hunt" else "-"
            mb = f"{max(peak[tool]) / 1000:.1f}" if max(peak[tool]) else "-"
            print(f"  {tool:22} {w:8.2f} {ratio:8.1f} {c:8.2f} {cpu_ratio:8.1f} {mb:>8} {told_text:>5} {kb_text:>8}", flush=True)
        hunt, plain = statistics.median(wall["hunt"]), statistics.median(wall["plain run"])
        own = max(peak["plain run, CK_FORK=no"])
        short_hunt = hunt if name == "500 clean" else short_hunt
        checks = [
            (bar and hunt > bar * plain, f"{hunt / plain:.1f} plain runs, not {bar}"),
            (name == "10,000 clean" and short_hunt and hunt > 20 * short_hunt, "more than 20 times what 500 tests take"),
            ("0.25" in name and hunt > 30, f"{hunt:.1f} s, not 30"),
            (told != guilty, f"{told} told, not {guilty}"),
            (own and max(peak["hunt"]) > 3 * own, f"a worker of {max(peak['hunt']) / 1000:.1f} MB, the suite has {own / 1000:.1f}"),
            (kb > 3, f"{kb:.1f} KB of result a test"),
        ]
        bad += [f"{name}: {what}" for missed, what in checks if missed]
for line in bad:
    print(f"missed: {line}")
sys.exit(1 if bad else 0)
