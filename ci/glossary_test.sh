#!/bin/sh
# The words: those of `tidemark --manual words` are in docs/glossary.md to the letter, and in tidemark-verdicts(7);
# every verdict and status of the result format, every label of a finding and every column of a table in the source
# is among them; and what was replaced because nobody understood it does not come back. Run from the root with $B set.
command -v python3 >/dev/null || { echo "no python3"; exit 77; }
exec python3 - "${B:-build}" <<'PY'
import glob
import json
import re
import subprocess
import sys

tidemark = sys.argv[1] + "/tidemark"
failed = 0


def fail(text):
    global failed
    failed = 1
    print("glossary_test: " + text)


def said(*words):
    return subprocess.run([tidemark, *words], capture_output=True, text=True, check=True).stdout


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


rows = [line.split("\t") for line in said("--manual", "words").splitlines()]
words = {}
for kind, word, *_ in rows:
    words.setdefault(kind, set()).add(word)

# The page has each row; the man page each word.
glossary = read("docs/glossary.md")
man = said("--manual", "man", "verdicts").replace("\\-", "-")
for kind, word, means, action in rows:
    has_action = any(row[3] for row in rows if row[0] == kind)
    line = f"| {word} | {means} | {action or '-'} |" if has_action else f"| {word} | {means} |"
    if line not in glossary:
        fail(f"docs/glossary.md has no line: {line}")
    if f"\\fB{word}\\fR" not in man:
        fail(f"tidemark-verdicts(7) has no '{word}'")
shown = re.findall(r"^\| ([^|]+) \|", glossary.split("## Verdicts")[1], re.M)
for word in shown:
    if word not in ("word", "---") and not any(word in some for some in words.values()):
        fail(f"docs/glossary.md explains '{word}', which is no word of the program")

# README.md names every command.
for page in said("--manual", "pages").splitlines():
    if page.endswith(" 1") and f"`tidemark {page[:-2]}" not in read("README.md"):
        fail(f"README.md has no `tidemark {page[:-2]}`")

# The result format.
test = json.loads(read("docs/result.schema.json"))["$defs"]["test"]["properties"]
for field, kind, plain in (("verdict", "verdict", {"none": "not judged"}), ("status", "status", {}),
                           ("order", "order", {"free": None})):
    for word in test[field]["enum"]:
        word = plain.get(word, word)
        if word and word not in words[kind]:
            fail(f"the {field} '{word}' is not among the words")

# Labels and columns, as the source has them.
sources = {path: read(path) for path in sorted(glob.glob("harness/report/*.c") + glob.glob("harness/cli/*.c"))
           if not path.endswith("_test.c")}
labels = set()
for text in sources.values():
    labels |= set(re.findall(r'terminal_(?:label|stack)\((?:i == 0 \? )?"([^"]+)"', text))
    for pair in re.findall(r'\? "(allocated by)"\s*: "(made by)"', text):
        labels |= set(pair)
if len(labels) < 8:
    fail(f"only {len(labels)} labels found in the source: this test looks at the wrong place")
for label in labels - words["in a finding"]:
    fail(f"the label '{label}' is not among the words")

columns = {"harness/report": ("column", "metric", "in a finding"), "bench_report.c": ("column of bench", "metric"),
           "whatif_clients.c": ("column of whatif",), "study_print.c": ("column of whatif",)}
found = 0
for path, text in sources.items():
    kinds = next((kinds for part, kinds in columns.items() if part in path), None)
    titles = re.findall(r'table_column\([a-z]+, "([^"]*)"', text)
    if "run_columns[] = {" in text:
        titles += re.findall(r'\{METRIC_\w+, "([^"]*)"', text)
    if "html_columns[] = {" in text:
        titles += re.findall(r'\{"\w+", "([^"]*)", "\w+"\}', text)
    titles += re.findall(r'<th scope=\\"col\\"[^>]*>([^<%]+)</th>', re.sub(r'"\s*"', "", text))
    for title in titles if kinds else []:
        title = title.replace("\\n", " ").strip()
        known = set().union(*(words[kind] for kind in kinds))
        close = {word.replace("/ ", "/") for word in known}
        found += 1
        if title and title.replace("/ ", "/") not in close and not any(
                word.endswith(" ...") and title.startswith(word[:-4]) for word in known):
            fail(f"{path}: the column '{title}' is not among the words")
if found < 30:
    fail(f"only {found} columns found in the source: this test looks at the wrong place")

# What new readers stumbled over.
gone = ["most time of one", "what stands below the ledger", "part the tests", "least repetitions", "release sites",
        "as many as there are distinct inputs", "static, replaced", "a shorter horizon", "short horizon",
        r"\d [KMG]?B a run\b", "let alone", r"nothing could run\b", "skip-missing"]
places = {path: read(path) for path in ["README.md", *glob.glob("docs/*.md"), *glob.glob("fixtures/report/*.txt")]
          if not path.endswith("CHANGELOG.md")}
places["tidemark --help"] = said("--help")
for page in [line.split()[0] for line in said("--manual", "pages").splitlines()]:
    places[f"tidemark-{page}"] = said("--manual", "man", page).replace("\\-", "-")
    if page not in ("scenario", "verdicts"):
        places[f"tidemark {page} --help"] = said(page, "--help")
for place, text in places.items():
    for phrase in gone:
        hit = re.search(phrase, " ".join(text.split()))
        if hit:
            fail(f"{place}: '{hit.group()}' is a phrase that was replaced")
sys.exit(failed)
PY
