#!/usr/bin/env python3
"""How long a hunt through a clean suite of 500 short tests takes, beside one plain run of it: in libcheck's default
fork mode, and with CK_FORK=no. Rounds are interleaved; medians. Exit 1 when a hunt takes more than 12 plain runs.
Usage: bench-suite.py [ROUNDS]"""
import os, statistics, subprocess, sys, time

build = os.environ.get("B", "build")
rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 9
program = f"{build}/fixtures/check_hundreds"
ways = {
    "plain run": ([program], {}),
    "plain run, CK_FORK=no": ([program], {"CK_FORK": "no"}),
    "hunt": ([f"{build}/tidemark", "hunt", "-q", "--", program], {}),
    "hunt --quick": ([f"{build}/tidemark", "hunt", "-q", "--quick", "--", program], {}),
}
wall, cpu = {way: [] for way in ways}, {way: [] for way in ways}
for _ in range(rounds):
    for way, (command, env) in ways.items():
        before, started = os.times(), time.monotonic()
        subprocess.run(command, env={**os.environ, "TESTS": "500", **env}, stdout=subprocess.DEVNULL, check=True)
        after = os.times()
        wall[way].append(time.monotonic() - started)
        cpu[way].append(after.children_user + after.children_system - before.children_user - before.children_system)
plain = {name: statistics.median(of["plain run"]) for name, of in (("wall", wall), ("cpu", cpu))}
print(f"{'':24} {'wall s':>7} {'x plain':>8} {'CPU s':>7} {'x plain':>8}")
for way in ways:
    w, c = statistics.median(wall[way]), statistics.median(cpu[way])
    print(f"{way:24} {w:7.3f} {w / plain['wall']:8.1f} {c:7.3f} {c / plain['cpu']:8.1f}")
sys.exit(0 if statistics.median(wall["hunt"]) <= 12 * plain["wall"] else 1)
