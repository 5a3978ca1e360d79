#!/usr/bin/env python3
"""Mutation testing of C files: changes one thing at a time, rebuilds what depends on it, and runs tests that should fail.

    mutate.py [options] FILE.c...       default: what judges, and the campaigns that ask it (see JUDGES)
      --lines A-B        only mutants of these lines
      --sample N         only N mutants, drawn with --seed WORD (drawn and printed unless it is given)
      --tests TARGET,..  test programs, as make names them; default: all *_test.c in the folders of the files
      --then COMMAND,..  shell commands that are run when the test programs pass, with $B set, after $B/tidemark is
                         built again; default: sh fixtures/shapes/shapes_test.sh; --then "" for none
      --state FILE       results so far; a mutant that is in it is not run again (default $B/mutants.jsonl)
      --again            runs those again that survived
      --jobs N           copies of the tree that work side by side (2)
      --list             prints the mutants, runs nothing

A mutant is one of: a number doubled, halved, one more, one less; a comparison swapped for its neighbour (< and <=, > and
>=, == and !=), or reversed where it decides a ?:; && for || and back; an if's condition negated; a returned or assigned
constant of an enum replaced by the next one of that enum; a returned true, false or bool expression negated. Of x.def the
numbers are changed, and x.c is compiled. The commands are make's own (make -n), but for what they repeat without need. Tests beside a file (x_test for x.c) are
built and run first. Mutants that no test can tell from the code are listed in ci/mutants-equivalent.txt with the reason,
and are not run; one that is listed and not there any more is told. A mutant is killed when a test fails or takes ten times as long; one that does not compile, or
that compiles to the same code, is none. Tests that fail without a mutant are left out, and it is said. Prints each
survivor with its line; exit 1 if there is any.
"""
import argparse, collections, concurrent.futures, glob, hashlib, json, os, queue, random, re, secrets
import shutil, subprocess, sys, tempfile, time

B = os.environ.get("B", "build")
TOKEN = re.compile(r"""(?P<space>\s+|//[^\n]*|/\*.*?\*/)|(?P<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+')|
                       (?P<number>\d(?:[\w.]|(?<=[eEpP])[+-])*|\.\d[\w.]*)|(?P<word>[A-Za-z_]\w*)|
                       (?P<operator><<=|>>=|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||.)""", re.S | re.X)
JUDGES = ("harness/judge/*.c", "harness/judge/*.def", "harness/campaign/repeat*.c", "harness/campaign/observed.c",
          "harness/campaign/pass_log.c", "harness/campaign/place*.c", "harness/campaign/growers.c",
          "harness/campaign/accused.c", "harness/campaign/suite.c")
EQUIVALENT = "ci/mutants-equivalent.txt"
NEIGHBOURS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "&&": "||", "||": "&&"}
REVERSED = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}

Token = collections.namedtuple("Token", "kind text start")
Mutant = collections.namedtuple("Mutant", "file line column start end text what")


def tokens_of(text):
    """The tokens of a file without comments and without lines of the preprocessor, but for what is defined."""
    blank = lambda m: m.group(0) if m.group(0).lstrip().startswith("#define") else re.sub(r"[^\n]", " ", m.group(0))
    text = re.sub(r"^[ \t]*#(?:[^\n\\]|\\.)*$", blank, text, flags=re.M | re.S)
    return [Token(m.lastgroup, m.group(0), m.start()) for m in TOKEN.finditer(text) if m.lastgroup != "space"]


def enums_of(paths):
    """{constant: the next one of its enum}. Counts, and enums of one, are left out."""
    following = {}
    for path in paths:
        text = re.sub(r"/\*.*?\*/|//[^\n]*", "", open(path, encoding="utf-8").read(), flags=re.S)
        for body in re.findall(r"\benum\s*\w*\s*\{([^{}]*)\}", text):
            names = [part.split("=")[0].strip() for part in body.split(",")]
            names = [n for n in names if re.fullmatch(r"[A-Z][A-Z0-9_]+", n) and not n.endswith(("COUNT", "MAX", "MIN"))]
            if len(names) > 1 and "=" not in body:
                following.update(zip(names, names[1:] + names[:1]))
    return following


def numbers(text):
    match = re.fullmatch(r"(0[xX][0-9a-fA-F]+|\d+)([uUlL]*)", text)
    if match:
        value, suffix = int(match.group(1), 0) if not re.fullmatch(r"0\d+", match.group(1)) else int(match.group(1), 8), match.group(2)
        return [f"{v}{suffix}" for v in dict.fromkeys((value * 2, value // 2, value + 1, value - 1)) if v >= 0 and v != value]
    match = re.fullmatch(r"(\d*\.?\d*(?:[eE][+-]?\d+)?)([fFlL]?)", text)
    if match and match.group(1):
        value, suffix = float(match.group(1)), match.group(2)
        return [f"{v!r}{suffix}" for v in dict.fromkeys((value * 2, value / 2, value + 1, value - 1)) if v >= 0 and v != value]
    return []


def closing(tokens, at):
    """The index of the parenthesis that closes the one at `at`."""
    depth = 0
    for i in range(at, len(tokens)):
        depth += {"(": 1, ")": -1}.get(tokens[i].text, 0)
        if depth == 0:
            return i
    return None


def statement_end(tokens, at):
    while at < len(tokens) and tokens[at].text not in (";", "{", "}"):
        at += 1
    return at


def decides(tokens, at):
    """Whether the comparison at `at` stands before a ? of its own statement and level."""
    depth = 0
    for token in tokens[at + 1:]:
        if token.text in "([":
            depth += 1
        elif token.text in ")]":
            if depth == 0:
                return False
            depth -= 1
        elif token.text == "?" and depth == 0:
            return True
        elif token.text in (";", "{", "}", ",", ":") and depth == 0:
            return False
    return False


def returns_bool(tokens):
    """For each index: is it within a function that returns bool?"""
    depth, within, flags = 0, False, []
    for i, token in enumerate(tokens):
        if token.text == "{" and depth == 0:
            head = []
            for before in reversed(tokens[:i]):
                if before.text in (";", "}"):
                    break
                head.append(before.text)
            head.reverse()
            within = "(" in head and "bool" in head[:head.index("(")]
        depth += {"{": 1, "}": -1}.get(token.text, 0)
        flags.append(within and depth > 0)
    return flags


def mutants_of(path, following):
    text = open(path, encoding="utf-8").read()
    tokens = tokens_of(text)
    in_bool = returns_bool(tokens)
    starts = [0] + [m.end() for m in re.finditer("\n", text)]
    seen = set()

    def made(start, end, new, what):
        line = next(i for i in range(len(starts) - 1, -1, -1) if starts[i] <= start)
        if (start, end, new) not in seen:
            seen.add((start, end, new))
            yield Mutant(path, line + 1, start - starts[line] + 1, start, end, new, what)

    for i, token in enumerate(tokens):
        start, end = token.start, token.start + len(token.text)
        before, after = tokens[i - 1].text if i else "", tokens[i + 1].text if i + 1 < len(tokens) else ""
        if token.kind == "number":
            for new in numbers(token.text):
                yield from made(start, end, new, "number")
        elif token.kind == "operator" and token.text in NEIGHBOURS:
            yield from made(start, end, NEIGHBOURS[token.text], "operator")
            if token.text in REVERSED and decides(tokens, i):
                yield from made(start, end, REVERSED[token.text], "reversed")
        elif token.text == "if" and after == "(" and (close := closing(tokens, i + 1)):
            first, last = tokens[i + 1].start, tokens[close].start + 1
            yield from made(first, last, f"(!{text[first:last]})", "negated")
        elif token.text == "return" and in_bool[i] and after != ";":
            first, last = tokens[i + 1].start, tokens[statement_end(tokens, i)].start
            value = text[first:last]
            yield from made(first, last, {"true": "false", "false": "true"}.get(value, f"!({value})"), "return")
        elif token.kind == "word" and token.text in following and before in ("return", "=", "?", ":") and after in (";", ":", ",", "}", "?"):
            if not (before in (":", "?") and after == "?"):
                yield from made(start, end, following[token.text], "constant")


def kill_session(leader):
    """All processes of the session: libcheck's children have process groups of their own, and would go on for ever."""
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            fields = open(path, encoding="utf-8", errors="replace").read().rpartition(")")[2].split()
            if int(fields[3]) == leader:
                os.kill(int(path.split("/")[2]), 9)
        except (OSError, IndexError, ValueError):
            pass


def run(command, cwd, timeout, env=None):
    """True when it succeeds; None when it is too late."""
    process = subprocess.Popen(["sh", "-c", command], cwd=cwd, env={**os.environ, "V": "1", **(env or {})}, text=True,
                               errors="replace", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, start_new_session=True)
    try:
        said = process.communicate(timeout=timeout)[0]
        return process.returncode == 0, said
    except subprocess.TimeoutExpired:
        kill_session(process.pid)
        process.communicate()
        return None, ""


def compiled(path):
    """The C file that a table is compiled in."""
    return path[:-len(".def")] + ".c" if path.endswith(".def") else path


class Tree:
    """A copy of the tree in which one mutant at a time is built and tested."""

    def __init__(self, options):
        self.root, self.options = tempfile.mkdtemp(prefix="mutate."), options
        files = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                               capture_output=True, text=True, check=True).stdout
        for name in filter(None, files.split("\0")):
            if os.path.isfile(name):
                os.makedirs(os.path.dirname(os.path.join(self.root, name)), exist_ok=True)
                shutil.copy2(name, os.path.join(self.root, name))
        if os.path.isdir(B):
            shutil.copytree(B, os.path.join(self.root, B), symlinks=True, dirs_exist_ok=True)
        self.commands, self.mutated = {}, None

    def make(self, targets):
        good, said = run(f"make {' '.join(targets)}", self.root, 1800)
        if not good:
            sys.exit(f"{said[-3000:]}\nmutate: the tree does not build as it is")

    def commands_for(self, path, targets):
        """What make would run: the commands that compile the file, and those that come after. Without -Werror."""
        key, path = (path, tuple(targets)), compiled(path)
        if key not in self.commands:
            said = subprocess.run(["make", "-n", "V=1", "-W", path, *targets], cwd=self.root, capture_output=True, text=True,
                                  check=True).stdout.replace("-Werror", "-Wno-error")
            lines = [line for line in said.splitlines() if line.strip() and not line.startswith("make")]
            compiles = [line for line in lines if f"-c {path} " in line + " "]
            self.commands[key] = compiles, [self.cheaper(line) for line in lines if line not in compiles]
        return self.commands[key]

    def cheaper(self, line):
        """The same for a mutant: a thin archive, and the source of a test program, which no mutant changes, compiled once."""
        if test := re.search(r"-o (\S+) (\S+_test\.c)(?= )", line):
            target, source = test.groups()
            run(line.replace(test.group(0), f"-c -o {target}.o {source}"), self.root, 300)
            return line.replace(test.group(0), f"-o {target} {target}.o")
        return line.replace("; ar rcs ", "; ar rcsT ")

    def code_of(self, path, targets):
        """The instructions and data of the objects that the file is compiled to."""
        code = []
        for line in self.commands_for(path, targets)[0]:
            target = os.path.join(self.root, re.search(r"-o (\S+)", line).group(1))
            stripped = target + ".stripped"
            subprocess.run(["objcopy", "-g", "-R", ".comment", "-R", ".note.gnu.build-id", target, stripped], check=True)
            code.append(open(stripped, "rb").read())
        return code


class Runner:
    """Builds and tests mutants in trees of its own, a few side by side."""

    def __init__(self, options, files):
        self.options, self.files = options, files
        self.tests = [f"{B}/test/{t}" if not t.startswith(B) else t for t in options.tests]
        self.then = [c for c in options.then.split(",") if c.strip()]
        self.all_targets = self.tests + ([f"{B}/tidemark", f"{B}/libtidemark.so", f"{B}/shapes", f"{B}/shapes-program.o"] if self.then else [])
        self.trees, self.seconds, self.plain = queue.Queue(), {}, {}

    def prepare(self):
        first = Tree(self.options)
        first.make(self.all_targets)
        for name in list(self.tests) + self.then:
            started = time.monotonic()
            good, said = run(name, first.root, 900, {"B": B})
            if not good:
                print(f"left out, it fails without a mutant: {name}", flush=True)
                (self.tests if name in self.tests else self.then).remove(name)
            else:
                self.seconds[name] = time.monotonic() - started
        if not self.tests and not self.then:
            sys.exit("mutate: no test passes without a mutant")
        self.trees.put(first)
        for _ in range(self.options.jobs - 1):
            more = Tree(self.options)
            more.make(self.all_targets)
            self.trees.put(more)
        for path in self.files:
            self.plain[path] = first.code_of(path, self.tests or [f"{B}/tidemark"])

    def passes(self, tree, name):
        return run(name, tree.root, 10 * self.seconds[name] + 5, {"B": B})[0]

    def stages(self, tree, mutant):
        """(state, by whom)."""
        targets = self.tests or [f"{B}/tidemark"]
        if tree.mutated not in (None, mutant.file):  # the object is of its last mutant still
            for line in tree.commands_for(tree.mutated, targets)[0]:
                run(line, tree.root, 300)
        tree.mutated = mutant.file
        compiles = tree.commands_for(mutant.file, targets)[0]
        for line in compiles:
            if not run(line, tree.root, 300)[0]:
                return "does not compile", ""
        if tree.code_of(mutant.file, targets) == self.plain[mutant.file]:
            return "same code", ""
        beside = [t for t in self.tests if t == f"{B}/test/{os.path.splitext(mutant.file)[0]}_test"]
        for tests in filter(None, (beside, [t for t in self.tests if t not in beside])):
            for line in tree.commands_for(mutant.file, tests)[1]:
                if not run(line, tree.root, 300)[0]:
                    return "does not compile", ""
            for name in tests:
                if not self.passes(tree, name):
                    return "killed", name
        if self.then:
            for line in tree.commands_for(mutant.file, [f"{B}/tidemark"])[1]:
                run(line, tree.root, 300)
        for name in self.then:
            if not self.passes(tree, name):
                return "killed", name
        return "survived", ""

    def one(self, mutant):
        tree = self.trees.get()
        path = os.path.join(tree.root, mutant.file)
        was = open(path, encoding="utf-8").read()
        times = os.stat(path)
        try:
            with open(path, "w", encoding="utf-8") as out:
                out.write(was[:mutant.start] + mutant.text + was[mutant.end:])
            return self.stages(tree, mutant)
        finally:
            with open(path, "w", encoding="utf-8") as out:
                out.write(was)
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
            self.trees.put(tree)

    def remove(self):
        while not self.trees.empty():
            shutil.rmtree(self.trees.get().root, ignore_errors=True)


def key_of(mutant):
    digest = hashlib.sha256(open(mutant.file, "rb").read()).hexdigest()[:16]
    return f"{mutant.file} {digest} {mutant.start} {mutant.end} {mutant.text}"


def shown(mutant):
    text = open(mutant.file, encoding="utf-8").read()
    first, last = text.rfind("\n", 0, mutant.start) + 1, text.find("\n", mutant.end)
    line = text[first:mutant.start] + mutant.text + text[mutant.end:last]
    return f"{mutant.file}:{mutant.line}:{mutant.column}: {' '.join(line.split())}"


def equivalents():
    """{(file, line as it is shown without its place)} of the list: FILE | LINE | why no test can tell."""
    listed = set()
    if os.path.exists(EQUIVALENT):
        for line in open(EQUIVALENT, encoding="utf-8"):
            if line.strip() and not line.startswith("#"):
                path, rest = line.split(" | ", 1)
                listed.add((path, rest.rsplit(" | ", 1)[0]))
    return listed


def without_equivalents(options, files, mutants):
    listed = equivalents()
    named = {m: (m.file, shown(m).split(": ", 1)[1]) for m in mutants}
    missing = {row for row in listed if row[0] in files} - set(named.values())
    if missing and not options.lines and not options.sample:
        for path, line in sorted(missing):
            print(f"{EQUIVALENT}: not there any more: {path} | {line}", flush=True)
    left = [m for m in mutants if named[m] not in listed]
    print(f"{len(mutants) - len(left)} mutants are equivalent ({EQUIVALENT})", flush=True)
    return left


def chosen_mutants(options, files):
    following = enums_of(glob.glob("harness/**/*.h", recursive=True) + glob.glob("*.h") + files)
    mutants = [m for path in files for m in mutants_of(path, following)]
    if options.lines:
        first, _, last = options.lines.partition("-")
        mutants = [m for m in mutants if int(first) <= m.line <= int(last or first)]
    if options.sample and options.sample < len(mutants):
        seed = options.seed or secrets.token_hex(4)
        print(f"{options.sample} of {len(mutants)} mutants, --seed {seed}", flush=True)
        mutants = sorted(random.Random(seed).sample(mutants, options.sample), key=lambda m: (m.file, m.start))
    return mutants


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", metavar="FILE.c")
    parser.add_argument("--lines")
    parser.add_argument("--sample", type=int)
    parser.add_argument("--seed")
    parser.add_argument("--tests")
    parser.add_argument("--then", default="sh fixtures/shapes/shapes_test.sh")
    parser.add_argument("--state", default=f"{B}/mutants.jsonl")
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    named = options.files or sorted(path for pattern in JUDGES for path in glob.glob(pattern))
    files = [f for f in named if not f.endswith("_test.c")]
    for path in files:
        if not os.path.isfile(path):
            parser.error(f"{path}: no such file")
    tests = sorted({t[:-2] for f in files for t in glob.glob(os.path.join(os.path.dirname(f), "*_test.c"))})
    options.tests = options.tests.split(",") if options.tests else tests
    mutants = chosen_mutants(options, files)
    if options.list:
        for mutant in mutants:
            print(f"{shown(mutant)}  [{mutant.what}]")
        print(f"{len(mutants)} mutants")
        return 0
    mutants = without_equivalents(options, files, mutants)
    named = {m: (key_of(m), shown(m)) for m in mutants} # of the files as they are now
    known = {}
    if os.path.exists(options.state):
        for row in map(json.loads, open(options.state, encoding="utf-8")):
            known[row["key"]] = row
    ask = [m for m in mutants if named[m][0] not in known or options.again and known[named[m][0]]["state"] == "survived"]
    if ask:
        hunt(options, sorted({m.file for m in ask}), ask, named, known)
    return report(named, known)


def hunt(options, files, ask, named, known):
    runner = Runner(options, files)
    os.makedirs(os.path.dirname(options.state) or ".", exist_ok=True)
    try:
        runner.prepare()
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool, open(options.state, "a", encoding="utf-8") as out:
            waiting = {pool.submit(runner.one, m): m for m in ask}
            for done in concurrent.futures.as_completed(waiting):
                mutant = waiting[done]
                (key, line), (state, by) = named[mutant], done.result()
                known[key] = row = {"key": key, "state": state, "by": by, "line": line}
                out.write(json.dumps(row) + "\n")
                out.flush()
                if state == "survived":
                    print(f"survived {line}", flush=True)
    finally:
        runner.remove()


def report(named, known):
    states, by, survivors, files = collections.Counter(), collections.Counter(), [], collections.Counter()
    for mutant, (key, line) in named.items():
        row = known[key]
        files[mutant.file, row["state"]] += 1
        states[row["state"]] += 1
        by[row["by"]] += row["state"] == "killed"
        if row["state"] == "survived":
            survivors.append(line)
    print(f"\n{len(named)} mutants: {states['killed']} killed, {states['survived']} survived; "
          f"{states['same code']} are the same code, {states['does not compile']} do not compile")
    for name, count in by.most_common():
        if name:
            print(f"    {count:5} killed by {name}")
    for path in dict.fromkeys(path for path, _ in files):
        tried = files[path, "killed"] + files[path, "survived"]
        print(f"    {path}: {files[path, 'killed']} of {tried} killed")
    for line in survivors:
        print(f"  {line}")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
