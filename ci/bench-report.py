#!/usr/bin/env python3
"""make bench-report: reports and merging at scale. Writes the result files of 50 shards with 100,000 tests
and 1,000,100 lines (TESTS, SHARDS to change them), then measures time and peak memory of each command, and
again with a quarter of the lines: linear time is four times as much. Ends with 1 beyond 200 MB.
"""
import json, os, subprocess, sys, tempfile, time

build = os.environ.get("B", "build")
TESTS, SHARDS = int(os.environ.get("TESTS", 100000)), int(os.environ.get("SHARDS", 50))
SITES_A_TEST = 9
MOST_BYTES = 200e6
FORMATS = ("html", "junit", "tap", "markdown", "openmetrics", "sarif", "codequality")


def frames(test, site):
    return [{"function": f"alloc_{site}", "file": f"src/part{site}.c", "line": 10 + test % 400,
             "module": "/usr/bin/check_all", "offset": 4096 + 16 * test},
            {"function": f"test_{test}_fn", "file": f"tests/check_{test % 500}.c", "line": 30,
             "module": "/usr/bin/check_all", "offset": 8192 + 16 * test}]


def test_line(test):
    failed, grows = test % 1000 == 7, test % 100 == 13
    return {"v": 1, "type": "test", "id": f"suite{test % 50}/case{test % 500}/test_{test}", "variant": "",
            "status": "fail" if failed else "pass", "signal": 0,
            "verdict": "none" if failed else "growth" if grows else "clean", "repetitions": 64,
            "allocs": test % 977, "frees": test % 977, "bytes": 48 * (test % 977), "retained_bytes": 64 * grows,
            "retained_blocks": int(grows), "peak_live_bytes": 1000 + test % 7919, "peak_rss_bytes": 9000000 + test,
            "growth_bytes_per_rep": 64.0 * grows, "fds": 0, "threads": 0, "wall_ns": 1000 * (1 + test % 5000),
            "message": "Assertion 'a == b' failed" if failed else "", "file": f"tests/check_{test % 500}.c",
            "line": 30, "live_bytes": 5000 + test % 3000}


def shard_write(folder, shard, tests):
    path = f"{folder}/shard-{shard}.jsonl"
    mine = range(shard - 1, tests, SHARDS)
    failed = sum(t % 1000 == 7 for t in mine)
    with open(path, "w") as out:
        put = lambda line: out.write(json.dumps(line, separators=(",", ":")) + "\n")
        put({"v": 1, "type": "run", "tool": "tidemark", "version": "0", "command": "hunt", "suite": "all",
             "shard": f"{shard}/{SHARDS}"})
        for test in mine:
            put(test_line(test))
            for site in range(SITES_A_TEST):
                put({"v": 1, "type": "site", "test": test_line(test)["id"], "variant": "", "rank": site + 1,
                     "bytes": 64 * (SITES_A_TEST - site), "blocks": 1, "bytes_per_rep": 64.0,
                     "reachability": "held", "kind": "heap", "share": 0.1, "verdict": "growth",
                     "frames": frames(test, site), "held_by": []})
        put({"v": 1, "type": "summary", "passed": len(mine) - failed, "failed": failed, "skipped": 0,
             "incomplete": 0})
    return path


def measure(arguments):
    with open(os.devnull, "w") as null:
        begun = time.monotonic()
        child = subprocess.Popen([f"{build}/tidemark", *arguments], stdout=null, stderr=null)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in (0, 1):
        sys.exit(f"bench-report: tidemark {arguments[0]} ends with {child.returncode}")
    return time.monotonic() - begun, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def round_measure(folder, tests):
    paths = [shard_write(folder, shard, tests) for shard in range(1, SHARDS + 1)]
    lines = sum(sum(1 for _ in open(path)) for path in paths)
    size = sum(os.path.getsize(path) for path in paths)
    every = [part for name in FORMATS for part in (f"--{name}", f"{folder}/o.{name}")]
    whole = f"{folder}/whole.jsonl"
    rows = [("terminal", ["report", *paths]),
            ("7 formats and the merged result", ["report", *paths, *every, "--json", whole]),
            ("baseline save", ["baseline", "save", "-f", f"{folder}/base.jsonl", *paths]),
            ("baseline check", ["baseline", "check", "-f", f"{folder}/base.jsonl", *paths]),
            ("compare, file with file", ["compare", whole, whole])]
    print(f"{tests:,} tests, {lines:,} lines, {size / 1e6:.0f} MB in {SHARDS} files")
    return [(name, *measure(arguments)) for name, arguments in rows]


with tempfile.TemporaryDirectory(prefix="tidemark-report.") as folder:
    small, full = round_measure(folder, TESTS // 4), round_measure(folder, TESTS)
print(f"\n{'':34}{'wall':>9}{'CPU':>9}{'a quarter':>11}{'ratio':>8}{'peak RSS':>10}")
for (name, wall, cpu, peak), (_, _, quarter, _) in zip(full, small):
    print(f"{name:34}{wall:7.1f} s{cpu:7.2f} s{quarter:9.2f} s{cpu / quarter:8.1f}{peak / 1e6:7.0f} MB")
print("load", *os.getloadavg())
sys.exit(1 if max(row[3] for row in full) > MOST_BYTES else 0)
