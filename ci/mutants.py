#!/usr/bin/env python3
"""make mutants: are the tests any good? One small fault at a time in the code of registry/, scenarios/
and harness/judge, and the tests that should see it, nearest first, until one does.

    ci/mutants.py [--count N] [--seed N] [--only PART] [--build FOLDER]

Works in a copy of the tree, with the build folder copied, so that a mutant costs one compilation and a
link. Writes a line for each mutant that lived, and how many were killed; status 0 whatever they are."""
import argparse, glob, os, random, re, shutil, subprocess, sys, tempfile

# What is mutated, and the programs that should see it besides the test of the same name.
PLACES = [
    ("registry/catalogue/registry_field.c", ["test/registry/catalogue/generate/build_test"]),
    ("registry/catalogue/*.c", ["test/registry/catalogue/registry_test", "test/registry/catalogue/registry_huge_test", "suites/registry"]),
    ("registry/catalogue/generate/*.c", ["test/registry/catalogue/generate/build_test"]),
    ("registry/cache/*.c", ["test/registry/cache/strategy_test", "test/registry/cache/strategy_registry_test", "suites/registry"]),
    ("registry/cache/policy*.h", ["test/registry/cache/strategy_test", "test/harness/trace/curve_test"]),
    ("registry/file/*.c", ["test/registry/file/file_store_test", "test/registry/file/file_cache_test", "suites/provider-file"]),
    ("registry/ttl/*.c", ["test/registry/ttl/ttl_cache_test", "test/registry/ttl/cache_memory_test", "suites/stats-ttl"]),
    ("registry/admin/*.c", ["test/registry/admin/cache_admin_test"]),
    ("registry/tiered/*postgres*.c", ["test/registry/tiered/store_postgres_test", "test/registry/tiered/tiered_cache_test"]),
    ("registry/tiered/*redis*.c", ["test/registry/tiered/store_redis_test", "test/registry/tiered/tiered_cache_test"]),
    ("registry/tiered/*.c", ["test/registry/tiered/tiered_cache_test", "suites/serverless"]),
    ("scenarios/serverless/endpoints.c", ["suites/serverless"]),
    ("scenarios/collector-plugin/fetch.c", ["suites/collector-plugin"]),
    ("scenarios/collector-plugin/plugin.c", ["suites/collector-plugin"]),
    ("harness/judge/*.c", []),
]
# No code of the product: fixtures of tests, programs' main functions, benchmarks.
LEFT_OUT = re.compile(r"_(test|bench|fuzz)\.c$|/main\.c$")

OPERATORS = [("==", "!="), ("!=", "=="), ("<=", "<"), (">=", ">"), (" < ", " <= "), (" > ", " >= "),
             ("&&", "||"), ("||", "&&"), (" + ", " - "), (" - ", " + "), ("++", "--"), ("return true", "return false"),
             ("return false", "return true"), (" / ", " * ")]


def code_lines(text):
    """Line numbers that are code: no comment, no preprocessor, no table of strings."""
    inside = False
    for number, line in enumerate(text.split("\n")):
        bare = re.sub(r'"(\\.|[^"\\])*"', '""', line)
        if inside:
            inside = "*/" not in bare
            continue
        if bare.lstrip().startswith(("/*", "*", "#", "//")):
            inside = "/*" in bare and "*/" not in bare
            continue
        yield number, line, re.sub(r"/\*.*?\*/", lambda m: " " * len(m.group()), bare)


def mutants_of(path):
    """(line, old, new, what) for every place."""
    found = []
    for number, line, bare in code_lines(open(path).read()):
        if '""' in bare or not line.startswith((" ", "\t")):
            continue # positions differ in a line with strings; outside of functions there are declarations
        for old, new in OPERATORS:
            for m in re.finditer(re.escape(old), bare):
                at = m.start()
                if old in ("<=", ">=") and bare[max(0, at - 1):at] in ("<", ">"):
                    continue
                found.append((number, line, line[:at] + new + line[at + len(old):], f"{old.strip()} becomes {new.strip()}"))
        if re.match(r"^\s+if \(.*\) \{$", bare):
            inner = re.sub(r"if \((.*)\) \{$", r"if (!(\1)) {", line)
            found.append((number, line, inner, "the condition is turned around"))
        if re.match(r"^\s+[\w>.\[\]()*&-]+ (=|\+=|-=|\|=) [^{]*;$", bare) or re.match(r"^\s+\w+\([^{}]*\);$", bare):
            if not re.match(r"^\s+(return|assert|va_|\(void\))", bare):
                found.append((number, line, re.match(r"^\s*", line).group() + ";", "the statement is left out"))
    return found


def tests_of(path, others):
    base = path[:-2]
    near = [t for t in (f"test/{base}_test",) if os.path.exists(f"{base}_test.c")]
    folder = [f"test/{t[:-2]}" for t in sorted(glob.glob(os.path.dirname(path) + "/*_test.c"))] if not others else []
    return list(dict.fromkeys(near + others + folder))


def run(command, where, seconds):
    try:
        return subprocess.run(command, cwd=where, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=seconds).returncode
    except subprocess.TimeoutExpired:
        return 124


def one(tree, build, path, mutant, tests):
    """killed by NAME, 'lived', or None where it does not compile."""
    number, _, new, _ = mutant
    whole = os.path.join(tree, path)
    before = open(whole).read()
    lines = before.split("\n")
    lines[number] = new
    try:
        open(whole, "w").write("\n".join(lines))
        for test in tests:
            # A warning is an error there, and no test sees it.
            if run(["make", "-s", f"B={build}", "CFLAGS=-Wno-error", f"{build}/{test}"], tree, 300) != 0:
                return None
            if run([f"{build}/{test}"], tree, 120) != 0:
                return test
        return "lived"
    finally:
        open(whole, "w").write(before)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--count", type=int, default=240)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--only", default="", help="a part of the path")
    arguments.add_argument("--build", default=os.environ.get("B", "build"))
    a = arguments.parse_args()
    chosen, seen = [], set()
    for pattern, others in PLACES:
        for path in sorted(glob.glob(pattern)):
            if path in seen or LEFT_OUT.search(path) or a.only not in path:
                continue
            seen.add(path)
            tests = tests_of(path, others)
            if tests:
                chosen += [(path, m, tests) for m in mutants_of(path)]
    random.Random(a.seed).shuffle(chosen)
    tree = tempfile.mkdtemp(prefix="tidemark-mutants-")
    killed = lived = broken = 0
    try:
        subprocess.run(["cp", "-a", ".", tree], check=True)
        os.environ["CK_DEFAULT_TIMEOUT"] = "60"
        # The flags differ from those of the build: everything once.
        needed = sorted({f"{a.build}/{t}" for _, _, ts in chosen[:3 * a.count] for t in ts})
        subprocess.run(["make", "-s", f"-j{os.cpu_count()}", f"B={a.build}", "CFLAGS=-Wno-error"] + needed, cwd=tree,
                       check=True, stdout=subprocess.DEVNULL)
        for path, mutant, tests in chosen:
            if killed + lived >= a.count:
                break
            by = one(tree, a.build, path, mutant, tests)
            broken += by is None
            lived += by == "lived"
            killed += by not in (None, "lived")
            if by == "lived":
                print(f"lived   {path}:{mutant[0] + 1}: {mutant[3]}: {mutant[1].strip()}", flush=True)
            elif by:
                print(f"killed  {path}:{mutant[0] + 1}: {mutant[3]} ({by})", file=sys.stderr, flush=True)
    finally:
        shutil.rmtree(tree, ignore_errors=True)
    print(f"{killed + lived} mutants of {len(chosen)} places, {killed} killed, {lived} lived, "
          f"{broken} more did not compile")


if __name__ == "__main__":
    main()
