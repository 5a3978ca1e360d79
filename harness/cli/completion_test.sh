#!/bin/sh
# The completions in real shells: bash and zsh on a terminal of their own, with TAB pressed; fish asked by its
# `complete -C`. Run from the root with $B set.
set -u
B=${B:-build}
command -v python3 >/dev/null || { echo "no python3"; exit 77; }
t=$(mktemp -d "${TMPDIR:-/tmp}/tidemark-complete.XXXXXX") || exit 99
trap 'rm -rf "$t"' EXIT
for shell in bash zsh fish; do
    "$B/tidemark" --manual $shell >"$t/$shell" || exit 1
done
mkdir "$t/work" "$t/site"
mv "$t/zsh" "$t/site/_tidemark" # where zsh finds it by itself
touch "$t/work/shard-one.jsonl" "$t/work/with blank.jsonl" "$t/work/check_thing"
cat >"$t/press.py" <<'END'
import os, pty, select, signal, subprocess, sys, time

folder, only = sys.argv[1], sys.argv[2:]
# What is typed, and the command that TAB makes of it; a list: what is offered (after a second TAB).
ROWS = [
    ("tidemark hun", "tidemark hunt "),
    ("tidemark bas", "tidemark baseline "),
    ("tidemark baseline che", "tidemark baseline check "),
    ("tidemark baseline ", ["check", "save", "update"]),
    ("tidemark help comp", "tidemark help compare "),
    ("tidemark report --codeq", "tidemark report --codequality"),
    ("tidemark report shard", "tidemark report shard-one.jsonl "),
    ("tidemark report --json shard", "tidemark report --json shard-one.jsonl "),
    ("tidemark report --json=shard", "tidemark report --json=shard-one.jsonl "),
    ("tidemark report with", "tidemark report with\\ blank.jsonl "),
    ("tidemark hunt --allocator sys", "tidemark hunt --allocator system "),
    ("tidemark hunt --allocator=sys", "tidemark hunt --allocator=system "),
    ("tidemark hunt --al", "tidemark hunt --allocator"),
    ("tidemark hunt --quiet -- ./chec", "tidemark hunt --quiet -- ./check_thing "),
    ("tidemark demo coll", "tidemark demo collector-plugin "),
    ("tidemark whatif --policy ", ["lru", "sieve", "w-tinylfu"]),
]
START = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], f"bind 'set bell-style none'; bind 'set enable-bracketed-paste off'; source {folder}/bash"),
    "zsh": (["zsh", "-f", "-i"], f"fpath=({folder}/site $fpath); autoload -Uz compinit; compinit -D -u; unsetopt zle_bracketed_paste beep; setopt list_ambiguous"),
}


class Shell:
    def __init__(self, arguments, setup):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(folder + "/work")
            os.environ.update(PS1="> ", TERM="dumb", COLUMNS="200", LINES="50", ZDOTDIR=folder, HOME=folder)
            os.execvp(arguments[0], arguments)
        self.send("stty cols 200; " + setup + "; PS1='> '; tidemark() { printf 'GOT<%s>' \"$*\"; }; echo rea''dy\n")
        self.until("ready")

    def send(self, text):
        os.write(self.fd, text.encode())

    def until(self, wanted, most=10):
        """All that came until `wanted` stood there, or nothing more came."""
        seen, end = "", time.monotonic() + most
        while not all(w in seen for w in ([wanted] if isinstance(wanted, str) else wanted)):
            if not select.select([self.fd], [], [], max(0, end - time.monotonic()))[0]:
                return False, seen
            seen += os.read(self.fd, 4096).decode(errors="replace")
        return True, seen

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def press(name):
    shell, bad = Shell(*START[name]), 0
    for typed, wanted in ROWS:
        shell.send(typed)
        shell.until(typed)
        if isinstance(wanted, str):
            shell.send("\t\n")
            found, seen = shell.until("GOT<" + wanted.removeprefix("tidemark ").strip().replace("\\", "") + ">", 3)
        else:
            shell.send("\t\t")
            found, seen = shell.until(wanted, 3)
        if not found:
            print(f"{name}: {typed!r} TAB: {wanted!r} does not come, but {seen!r}")
            bad = 1
        shell.send("\x15")  # the line is cleared, and the next one begins at a known place
        shell.send("echo ne''xt\n")
        shell.until("next")
    shell.end()
    return bad


def ask_fish():
    bad = 0
    for typed, wanted in ROWS:
        got = subprocess.run(["fish", "--no-config", "-c", f"source {folder}/fish; complete -C {typed!r}"],
                             cwd=folder + "/work", env={**os.environ, "HOME": folder}, capture_output=True, text=True)
        words = [line.split("\t")[0] for line in got.stdout.splitlines()]
        last = [typed.split(" ")[-1].split("=")[0] + "=" + w if "=" in typed and "=" not in w else w for w in words]
        want = wanted if isinstance(wanted, list) else [wanted[len(typed) - len(typed.split(" ")[-1]):].strip().replace("\\ ", " ")]
        if not all(w in last or w in words for w in want) or (isinstance(wanted, str) and len(words) != 1):
            print(f"fish: {typed!r}: {want} is not all of {words[:8]} {got.stderr[:200]}")
            bad = 1
    return bad


sys.exit(max([ask_fish() if name == "fish" else press(name) for name in only], default=0))
END
shells=
for shell in bash zsh fish; do
    if command -v $shell >/dev/null; then shells="$shells $shell"; else echo "not tried: $shell is not installed"; fi
done
# shellcheck disable=SC2086
exec timeout 120 python3 "$t/press.py" "$t" $shells
