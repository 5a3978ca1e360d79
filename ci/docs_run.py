"""Runs the commands that README.md and docs/*.md show, and compares what they print with what is shown.

A command is a line of a code block that begins with "$ " ("> " continues it); what follows, to the next
one or the end of the block, is its output. Each page has a shell and a folder of its own. That of a page in
docs/ begins as a copy of docs/example with links to scenarios/, fixtures/ and ci/, and tidemark is that of the
build. That of README.md is a fresh copy of the source tree with what `make` has built in it, and no tidemark is
known but by what the page says: it is read by somebody who has nothing else.

  # not run by the tests: REASON      in a block: the commands below it in that block are not run
  ...                                 as a line of output: anything may stand here

Output is compared without what differs from machine to machine: numbers, their units, line breaks and
blanks. Where no output is shown, none is compared; a command must end with 0 or 1, or whatever a
following "$ echo $?" shows.
"""
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile

SKIP = "# not run by the tests:"


def blocks(lines):
    """(line number, line) of each code block, fenced or indented."""
    block, fence, blank_before = [], False, True
    for number, line in enumerate(lines, 1):
        if line.startswith("```"):
            if block:
                yield block
            block, fence = [], not fence
        elif fence:
            block.append((number, line))
        elif line.startswith("    ") and (block or blank_before):
            block.append((number, line[4:]))
        elif line == "" and block:
            block.append((number, ""))
        else:
            if block:
                yield block
            block = []
        blank_before = line == ""
    if block:
        yield block


def commands(path):
    """(line number, command, shown output or None), and how many are not run."""
    found, left_out = [], 0
    with open(path, encoding="utf-8") as file:
        lines = file.read().split("\n")
    for block in blocks(lines):
        skipping, command, output = False, None, []

        def close():
            nonlocal command, output
            if command:
                shown = "\n".join(output).strip("\n")
                found.append((command[0], command[1], shown or None))
            command, output = None, []

        for number, line in block:
            if line.startswith(SKIP):
                skipping = True
            elif line.startswith("$ "):
                close()
                if skipping:
                    left_out += 1
                else:
                    command = (number, line[2:])
            elif command and line.startswith("> ") and not output:
                command = (command[0], command[1] + "\n" + line[2:])
            elif command:
                output.append(line)
        close()
    return found, left_out


UNIT = r"(?: ?(?:B|KB|MB|GB|KiB|MiB|GiB|ns|us|µs|ms|s|h|min)\b| ?%)?"


def plain(text):
    """What may be compared."""
    text = text.replace("by cgroup v2", "by cgroup v1")
    text = re.sub(r"0x[0-9a-f]+", "#", text)
    text = re.sub(r"[-+±]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?" + UNIT, "#", text)
    return " ".join(text.split())


def matches(shown, printed):
    parts = re.split(r"(?m)^\.\.\.$", shown)
    pattern = ".*".join(re.escape(plain(part)) for part in parts)
    return re.fullmatch(r"\s*" + pattern + r"\s*", plain(printed), re.S) is not None


def copy_tree(root, build, home):
    """The files that the project consists of, and what `make` leaves, with their times: make has nothing to do."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, check=False)
    names = listed.stdout.decode().split("\0") if listed.returncode == 0 else [
        os.path.relpath(os.path.join(folder, name), root)
        for folder, _, files in os.walk(root) for name in files
        if not os.path.relpath(folder, root).startswith("build")]
    for name in names:
        if name and os.path.isfile(os.path.join(root, name)):
            os.makedirs(os.path.dirname(os.path.join(home, name)), exist_ok=True)
            shutil.copy2(os.path.join(root, name), os.path.join(home, name))
    shutil.copytree(build, os.path.join(home, "build"), symlinks=True,
                    ignore=lambda folder, _: ["test", "fixtures", "specimens", "frameworks", "deb", "page"]
                    if folder == build else [])


def copy_example(root, home):
    shutil.copytree(os.path.join(root, "docs/example"), home)
    for name in ("scenarios", "fixtures", "ci"):
        os.symlink(os.path.join(root, name), os.path.join(home, name))


def run(path, found, root, build):
    failed = 0
    fresh = os.path.dirname(path) == ""
    if fresh and os.path.basename(build) != "build":
        print(f"{path}: not checked, in a build of another kind what `make` does would be built again")
        return 0
    with tempfile.TemporaryDirectory(prefix="tidemark-docs.") as folder:
        home = os.path.join(folder, "tidemark" if fresh else "example")
        if fresh:
            copy_tree(root, build, home)
        else:
            copy_example(root, home)
        script = []
        for at, (_, command, _) in enumerate(found):
            name = os.path.join(folder, f"command.{at}")
            with open(name, "w", encoding="utf-8") as file:
                file.write(command + "\n")
            script.append(f'(exit $status); . {name} >{folder}/out.{at} 2>&1 </dev/null; status=$?; '
                          f'echo $status >{folder}/status.{at}')
        environment = dict(os.environ, NO_COLOR="1", COLUMNS="80")
        for name in ("CK_FORK", "MAKEFLAGS", "MFLAGS", "MAKELEVEL", "B", "SAN", "CACHE", "TRACES"):
            environment.pop(name, None)
        paths = [part for part in os.environ["PATH"].split(":") if not os.path.exists(part + "/tidemark")]
        environment["PATH"] = ":".join(paths if fresh else [build] + paths)
        subprocess.run(["bash", "-c", "status=0\n" + "\n".join(script)], cwd=home, env=environment, timeout=600,
                       check=False)
        for at, (number, command, shown) in enumerate(found):
            with open(f"{folder}/out.{at}", encoding="utf-8", errors="replace") as file:
                printed = file.read()
            with open(f"{folder}/status.{at}", encoding="utf-8") as file:
                status = int(file.read())
            asked = at + 1 < len(found) and found[at + 1][1].startswith("echo $?")
            if status > 1 and not asked:
                print(f"{path}:{number}: $ {command}\n    ended with {status}:\n{printed}")
                failed += 1
            elif shown and "by cgroup v1" in shown and "by rlimit" in printed:
                print(f"{path}:{number}: not compared: this machine gives no memory cgroup")
            elif command.startswith("tidemark demo") and "is not compiled in" in printed:
                print(f"{path}:{number}: not compared: this build leaves the strategy out")
            elif shown is not None and not matches(shown, printed):
                print(f"{path}:{number}: $ {command}\n--- shown\n{shown}\n--- printed\n{printed}")
                failed += 1
    return failed


def main():
    root = os.getcwd()
    build = os.path.abspath(os.environ.get("B", "build"))
    pages = sys.argv[1:] or ["README.md"] + sorted(
        os.path.join("docs", name) for name in os.listdir("docs") if name.endswith(".md"))
    read = [(page, *commands(page)) for page in pages]
    total = sum(len(found) for _, found, _ in read)
    left_out = sum(skipped for _, _, skipped in read)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        failed = sum(pool.map(lambda page: run(page[0], page[1], root, build) if page[1] else 0, read))
    print(f"{total - failed} commands of the docs do what is shown, {failed} do not, {left_out} are not run")
    return 1 if failed or total == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
