#!/usr/bin/env python3
"""page.py - the HTML report in headless Chromium, used by mouse and by keyboard.

  ci/page.py check              what must hold: keyboard, names, contrast, scripts off; ends with 1 if it does not
  ci/page.py accessibility AXE  what axe-core (its axe.min.js) has to say of the pages, light and dark, 400 to 2,560 pixels;
                                ends with 1 if that is anything
  ci/page.py measure [FOLDER]   make bench-page: how long each interaction takes with 500 and with 10,000 tests, and
                                pictures of both in light and dark, in FOLDER. Ends with 1 if one of them
                                keeps the page's thread busy for 100 ms; a busy machine adds to the times.
"""
import json, os, random, statistics, subprocess, sys, tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import browser

tidemark = os.environ.get("B", "build") + "/tidemark"
LAG_MS = 100


def frame(function, file, line):
    return {"function": function, "file": file, "line": line, "module": "/usr/bin/check_all", "offset": 64 * line}


def test_lines(i, chance, live):
    test = f"store/{('index', 'query', 'import', 'export', 'session')[i % 5]}/handles_{i}_records_of_a_provider"
    verdict = "growth" if i % 90 == 13 else "leak" if i % 210 == 57 else "saturating" if i % 17 == 3 else "clean"
    status = "crash" if i % 800 == 77 else "fail" if i % 400 == 131 else "skip" if i % 300 == 9 else "pass"
    line = {"v": 1, "type": "test", "id": test, "variant": "", "status": status,
            "verdict": verdict if status == "pass" else "none", "repetitions": 64, "allocs": chance.randrange(4000),
            "frees": 1, "bytes": 10, "retained_bytes": chance.randrange(90000) if verdict != "clean" else 0,
            "retained_blocks": 0, "peak_live_bytes": chance.randrange(4 << 20), "wall_ns": chance.randrange(40000000),
            "peak_rss_bytes": 9000000 + live + chance.randrange(900000), "live_bytes": live,
            "file": f"tests/check_{i % 40}.c", "line": 10 + i % 300}
    if status in ("crash", "fail"):
        line |= {"message": "Assertion 'record != NULL' failed", "frames": [frame("record_get", "src/record.c", 41)]}
    lines = [line]
    if status == "pass" and verdict in ("growth", "leak"):
        line |= {"repetitions": 496, "growth_bytes_per_rep": 64.0 + i % 7 * 48,
                 "live_by_rep": [200000 + (64 + i % 7 * 48) * k for k in range(4400)],
                 "rss_by_rep": [9000000 + live + 4096 * ((64 + i % 7 * 48) * k // 4096) for k in range(496)],
                 "horizon": "grew through 496 repetitions; a cache with more free slots than that looks the same"}
        held = [{"symbol": "g_index", "field": "", "module": "/usr/bin/check_all", "offset": 24, "bytes": 0}]
        lines.append({"v": 1, "type": "site", "test": test, "variant": "", "rank": 1, "bytes": 31744 + i, "blocks": 496,
                      "bytes_per_rep": 64.0, "reachability": "held" if verdict == "growth" else "unreachable",
                      "kind": "heap", "share": 1.0, "verdict": verdict,
                      "frames": [frame(f"entry_new_{i % 9}", "src/index.c", 80 + i % 9),
                                 frame(f"index_add_{i % 3}", "src/index.c", 200), frame("main", "tests/main.c", 12)],
                      "held_by": held if verdict == "growth" else []})
    return lines


def page(folder, tests):
    """A result with so many tests, of all kinds; the path of its page."""
    path, chance, live = f"{folder}/{tests}.jsonl", random.Random(1), 800000
    with open(path, "w") as out:
        put = lambda line: out.write(json.dumps(line) + "\n")
        put({"v": 1, "type": "run", "tool": "tidemark", "version": "0", "command": "hunt", "suite": "/home/user/projects/a_library/build/tests/check_all_of_it",
             "argv": "tidemark hunt -- ./check_all", "host": "ci", "allocator": "jemalloc 5.3.0", "cap": 512 << 20,
             "cap_kind": "cgroup v2", "way_in": "libcheck, static"})
        for i in range(tests):
            live += chance.randrange(3000) if i % 3 else 0
            for line in test_lines(i, chance, live):
                put(line)
        put({"v": 1, "type": "summary", "passed": tests, "failed": 0, "skipped": 0, "incomplete": 0})
    subprocess.run([tidemark, "report", "-q", path, "--html", path[:-5] + "html"], stdout=subprocess.DEVNULL)
    return path[:-5] + "html"


# Text against what is behind it, by WCAG 2: 4.5 to 1, or 3 to 1 where it is large; lines of charts 3 to 1.
CONTRAST = """(() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgba = (c) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = c; canvas.fillRect(0, 0, 1, 1);
    return Array.from(canvas.getImageData(0, 0, 1, 1).data); };
  const light = (c) => { const f = (v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
    return 0.2126 * f(c[0]) + 0.7152 * f(c[1]) + 0.0722 * f(c[2]); };
  const behind = (e) => { for (; e; e = e.parentElement) { const c = rgba(getComputedStyle(e).backgroundColor);
    if (c[3] === 255) { return c; } } return [255, 255, 255, 255]; };
  const ratio = (a, b) => { const x = light(a), y = light(b); return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05); };
  const bad = new Set(), seen = new Set(); let count = 0;
  const test = (e, colour, least) => { count++; const r = ratio(rgba(colour), behind(e));
    if (r < least) { bad.add(e.tagName + "." + (e.getAttribute("class") || "") + " " + r.toFixed(2)); } };
  document.querySelectorAll("details").forEach((d) => { d.open = true; });
  for (const e of document.querySelectorAll("body *")) {
    const style = getComputedStyle(e);
    if (e.closest("script, title") || e.disabled || !e.getClientRects().length) { continue; }
    const svg = e.closest("svg");
    if (svg && e.classList.contains("l")) { test(svg, style.stroke, 3); }
    if (svg && /^b[0-5]$/.test(e.getAttribute("class"))) { test(svg, style.fill, 3); }
    if (!Array.from(e.childNodes).some((n) => n.nodeType === 3 && n.textContent.trim())) { continue; }
    const large = parseFloat(style.fontSize) >= 24 || parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700;
    test(svg || e, svg ? style.fill : style.color, large ? 3 : 4.5);
  }
  return {bad: Array.from(bad), count};
})()"""
WHERE = """(() => { const e = document.activeElement, s = getComputedStyle(e), r = e.getBoundingClientRect();
  return {tag: e.tagName, id: e.id, text: e.textContent.trim().slice(0, 60), href: e.getAttribute("href"),
    ring: s.outlineStyle !== "none" && parseFloat(s.outlineWidth) > 0,
    seen: r.right > 0 && r.bottom > 0 && r.top < innerHeight && r.left < innerWidth && r.width > 0}; })()"""
ROWS = "Array.from(document.querySelectorAll('#tests tbody tr')).length"


class Checks:
    def __init__(self):
        self.bad = 0

    def __call__(self, holds, what):
        if not holds:
            print("FAILED:", what)
            self.bad = 1


def tab(b, check, until, most=60):
    """Presses Tab until the focus is where it should be; each stop on the way has to be seen."""
    for _ in range(most):
        b.key("Tab")
        at = b.ask(WHERE)
        check(at["ring"] and at["seen"], f"the focus is not to be seen: {at}")
        if until(at):
            return True
    return False


def check_answer(b, check, *pages):
    """The answer stands in a tile before everything but the page's name, in the words of the terminal; the cap is a line
    in the pictures of what came near it, and what was stopped has a picture of its own with what lay ahead of it."""
    for page in pages:
        b.open(page)
        seen = b.ask("""(() => { const tile = document.querySelector(".answer"), box = tile.getBoundingClientRect();
            return {text: tile.textContent, before: tile.previousElementSibling.tagName, bottom: box.bottom,
                    bad: tile.classList.contains("bad")}; })()""")
        check(seen["before"] == "H1" and 0 < seen["bottom"] < 500, f"{page}: the answer does not come first: {seen}")
        check(seen["bad"], f"{page}: the tile is not red")
    said = subprocess.run([os.environ.get("B", "build") + "/tidemark", "report", "fixtures/report/run.jsonl"],
                          capture_output=True, text=True, env=dict(os.environ, COLUMNS="100", NO_COLOR="1"), check=False)
    screen = " ".join(said.stdout.split("\n\n")[0].split())
    check(seen["text"] == screen, f"the page's answer is not the screen's: {seen['text']} - {screen}")
    stopped = os.path.dirname(pages[0]) + "/stopped.html"
    with open(stopped[:-4] + "jsonl", "w", encoding="utf-8") as out:
        line = lambda **fields: print(json.dumps({"v": 1, **fields}), file=out)
        line(type="run", tool="tidemark", version="0.1.0", command="run", scenario="s", cap=100_000_000, cap_kind="cgroup v2")
        for variant, count, step in (("level", 50, 0), ("unbounded", 9, 10_000_000)):
            for i in range(count):
                line(type="test", id=f"s/c/t[{i}]", variant=variant, status="pass", verdict="none", live_bytes=5_000_000 + step * i)
        line(type="variant", name="level", verdict="clean")
        line(type="variant", name="unbounded", verdict="accumulates", growth_bytes_per_test=10_000_000, stopped_by="memory")
        line(type="summary", passed=59, failed=0, skipped=0, incomplete=0)
    subprocess.run([tidemark, "report", "-q", stopped[:-4] + "jsonl", "--html", stopped], stdout=subprocess.DEVNULL, check=False)
    b.open(stopped)
    drawn = b.ask("""[...document.querySelectorAll("[aria-labelledby=h-suite] figure")].map((f) =>
        ({title: f.querySelector("title").textContent, cap: f.querySelectorAll(".cap").length,
          ahead: f.querySelectorAll(".ahead").length}))""")
    alone = [one for one in drawn if "unbounded" in one["title"] and "heap" in one["title"]]
    check(len(alone) == 1 and alone[0]["cap"] == 1 and alone[0]["ahead"] == 1, f"what was stopped is not drawn by itself: {drawn}")


def check_keyboard(b, check, path):
    b.open(path)
    b.key("Tab")
    at = b.ask(WHERE)
    check(at["href"] == "#h-tests" and at["ring"] and at["seen"], f"Tab does not begin at the skip link: {at}")
    b.key("Enter")
    check(tab(b, check, lambda at: at["id"] == "find", 1), "the skip link does not lead to the table")
    b.type("_77_")
    check(b.ask(ROWS) == 1, "typing does not filter")
    b.key("/")
    check(b.ask("document.activeElement.value") == "_77_/", "a slash cannot be searched for")
    b.key("Backspace")
    check("1" in b.ask("document.querySelector('[role=status]').textContent"), "what is shown is not announced")
    b.ask("document.activeElement.blur()")
    b.key("/")
    check(b.ask("document.activeElement.id") == "find" and b.ask("document.activeElement.value") == "_77_", "a slash does not lead to the search")
    for _ in range(4):
        b.key("Backspace")
    check(b.ask(ROWS) == 100, "emptying the filter does not bring the rest back")
    check(tab(b, check, lambda at: at["id"] == "only", 1), "no way from the filter to the choice of verdicts")
    b.type("g")
    check(b.ask("document.getElementById('only').value") == "growth", "a key does not choose a verdict")
    check(b.ask("new Set(Array.from(document.querySelectorAll('#tests tbody td:nth-child(4)'), (e) => e.textContent)).size")
          == 1, "the verdict is not filtered")
    b.ask("(() => { const e = document.getElementById('only'); e.value = ''; e.dispatchEvent(new Event('change')); })()")
    check(tab(b, check, lambda at: at["id"] == "next", 2), "no way to the next page")
    pages = 0
    while pages < 20 and b.ask("document.getElementById('shown').textContent.split(' ')[0].split('\u2013')[1]") != "500":
        b.key("Enter")
        pages += 1
    check(pages == 4, f"{pages} pages instead of 4 further ones")
    check(b.ask(WHERE)["id"] == "next", "the focus is lost on the last page")
    b.key("Enter")
    check(tab(b, check, lambda at: at["text"] == "allocs"), "no way to a column's head")
    b.key("Enter")
    check(b.ask("document.querySelector('#tests th[aria-sort]').getAttribute('aria-sort')") == "descending",
          "Enter does not sort")
    check(b.ask(WHERE)["text"] == "allocs", "the focus is lost by sorting")
    check(tab(b, check, lambda at: at["text"].startswith("store/")), "no way into the table")
    b.key(" ")
    check(b.ask("document.activeElement.getAttribute('aria-expanded')") == "true", "space does not open a test")
    check(b.ask("document.querySelectorAll('#tests tr.detail svg path.l').length") in (0, 2), "an opened test shows one curve")
    check(b.ask("!!document.querySelector('#tests tr.detail')"), "an opened test shows nothing")
    b.key(" ")
    check(not b.ask("!!document.querySelector('#tests tr.detail')"), "space does not close a test")
    b.ask("document.getElementById('theme').focus()")
    b.key("Enter")
    check(b.ask("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)", "Enter does not turn dark")


def check_tree(b, check, path):
    """What a screen reader is told."""
    b.open(path)
    nodes = [n for n in b.call("Accessibility.getFullAXTree")["nodes"] if not n.get("ignored")]
    role = lambda n: n.get("role", {}).get("value")
    name = lambda n: (n.get("name", {}).get("value") or "").strip()
    for n in nodes:
        if role(n) in ("button", "link", "searchbox", "combobox", "image", "heading", "region", "navigation", "columnheader"):
            check(name(n), f"a {role(n)} without a name")
            check(not set(name(n)) & set("\u2195\u2191\u2193"), f"an arrow is read out: {name(n)}")
    roles = [role(n) for n in nodes]
    for wanted in ("main", "navigation", "table", "status", "heading", "image"):
        check(wanted in roles, f"nothing of role {wanted}")
    levels = b.ask("Array.from(document.querySelectorAll('h1,h2,h3'), (e) => +e.tagName[1])")
    check(levels[0] == 1 and levels.count(1) == 1 and all(y <= x + 1 for x, y in zip(levels, levels[1:])),
          f"levels of headings: {levels}")
    images = [name(n) for n in nodes if role(n) == "image"]
    check(len(set(images)) == len(images), "two charts of one name")


def check_contrast(b, check, path, texts=1000):
    for dark in (False, True):
        b.open(path, dark=dark)
        b.ask("(document.querySelector('#tests tbody button') || {click: () => 0}).click()")
        got = b.ask(CONTRAST)
        check(got["count"] >= texts, f"only {got['count']} texts looked at")
        check(not got["bad"], f"{'dark' if dark else 'light'}: {got['bad'][:10]}")


def check_narrow(b, check, path):
    b.call("Emulation.setDeviceMetricsOverride", width=320, height=640, deviceScaleFactor=1, mobile=False)
    b.open(path)
    wide = b.ask("document.documentElement.scrollWidth")
    check(wide <= 320, f"on 320 pixels the page is {wide} wide")
    b.call("Emulation.clearDeviceMetricsOverride")


def check_no_scripts(b, check, path):
    b.open(path, scripts=False)
    # DevTools may ask a page that runs no scripts of its own.
    seen = b.ask("""(() => { const shown = (s) => Array.from(document.querySelectorAll(s)).filter((e) => e.getClientRects().length);
        return {rows: shown("#tests tbody tr").length, charts: shown("svg[role=img] path.l").length, controls:
            shown("#theme, .controls, #next, th button").length, findings: shown(".finding").length,
            more: shown(".nojs").length}; })()""")
    check(seen["rows"] == 300, f"{seen['rows']} rows without scripts")
    check(seen["charts"] >= 10, f"{seen['charts']} charts without scripts")
    check(seen["controls"] == 0, "controls that do nothing without scripts")
    check(seen["findings"] >= 10, "findings without scripts")
    check(seen["more"] == 1, "what is not shown without scripts is not said")
    b.click("details.more summary")
    check(b.ask("document.querySelector('details.more').open"), "findings do not unfold without scripts")


def check_all():
    check = Checks()
    with tempfile.TemporaryDirectory(prefix="tidemark-page.") as work, browser.Browser() as b:
        path = page(work, 500)
        check_keyboard(b, check, path)
        check_tree(b, check, path)
        check_contrast(b, check, path)
        check_narrow(b, check, path)
        check_no_scripts(b, check, path)
        check(b.asked == {"file://" + path}, f"the page asks for {b.asked}")
        run = work + "/run.html" # with variants, expectations and intervals
        subprocess.run([tidemark, "report", "-q", "fixtures/report/run.jsonl", "--html", run], stdout=subprocess.DEVNULL)
        check_tree(b, check, run)
        check_contrast(b, check, run, 100)
        check_narrow(b, check, run)
        check_answer(b, check, path, run)
    return check.bad


AXE_ASK = """axe.run().then((r) => r.violations.map((v) =>
    v.id + " (" + v.impact + ") at " + v.nodes.length + " places, such as " + v.nodes[0].html.slice(0, 200)))"""


def accessibility(axe):
    check = Checks()
    with open(axe, encoding="utf-8") as file:
        script = file.read() + "\n;1"
    with tempfile.TemporaryDirectory(prefix="tidemark-page.") as work, browser.Browser() as b:
        pages = [page(work, 500)]
        for name in ("run", "hunt"):
            pages.append(f"{work}/{name}.html")
            subprocess.run([tidemark, "report", "-q", f"fixtures/report/{name}.jsonl", "--html", pages[-1]],
                           stdout=subprocess.DEVNULL)
        for path in pages:
            for dark in (False, True):
                for width in (400, 1280, 2560):
                    b.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
                    b.open(path, dark=dark)
                    b.ask("(document.querySelector('#tests tbody button') || {click: () => 0}).click()")
                    b.ask(script)
                    found = b.ask(AXE_ASK)
                    where = f"{os.path.basename(path)}, {'dark' if dark else 'light'}, {width} pixels"
                    check(not found, f"{where}: {found}")
                    print(f"{where}: {len(found)} violations")
    return check.bad


# From the event to the picture: the frame that follows the handlers has been laid out and painted when the message
# that was sent in it arrives.
CLOCK = """
window.took = [];
for (const kind of ["click", "input", "change"]) {
  addEventListener(kind, (e) => requestAnimationFrame(() => {
    const c = new MessageChannel();
    c.port1.onmessage = () => took.push(performance.now() - e.timeStamp);
    c.port2.postMessage(0);
  }), true);
}
window.settled = () => new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(r, 30))));
"""
FRAMES = """
window.frames_ = []; (() => { let last = performance.now();
  const step = (now) => { frames_.push(now - last); last = now; if (!window.stop_) { requestAnimationFrame(step); } };
  window.stop_ = false; requestAnimationFrame(step); })()
"""


def measure_page(path, tests):
    rows = []
    with browser.Browser() as b:
        loads = []
        for _ in range(5):
            b.open(path)
            loads.append(b.ask("performance.getEntriesByType('navigation')[0].loadEventEnd"))
        rows.append(("open the page", loads, []))
        b.ask(CLOCK)
        b.call("Performance.enable", timeDomain="threadTicks")

        def spent():
            return 1000 * next(m["value"] for m in b.call("Performance.getMetrics")["metrics"] if m["name"] == "TaskDuration")

        def took(name, *steps):
            b.ask("took.length = 0")
            costs = []
            for step in steps:
                before = spent()
                step()
                b.ask("settled()")
                costs.append(spent() - before)
            rows.append((name, b.ask("took"), costs))
        columns = b.ask("document.querySelectorAll('#tests th button').length")
        for round_ in ("sort by a column", "sort it the other way"):
            took(round_, *[lambda k=k: b.click(f"#tests th:nth-child({k}) button") for k in range(1, columns + 1)
                           if k != 2])
        b.click("#find")
        took("a letter in the filter", *[lambda c=c: b.key(c) for c in "records_of_1"])
        put = lambda field, event, value: b.ask(f"""(() => {{ const e = document.getElementById("{field}");
            e.value = "{value}"; e.dispatchEvent(new Event("{event}")); }})()""")
        put("find", "input", "")
        took("choose a verdict", *[lambda w=w: put("only", "change", w) for w in ("growth", "saturating", "clean", "")])
        took("next page", *[lambda: b.click("#next")] * 5)
        took("open a test", *[lambda k=k: b.click(f"#tests tbody tr:nth-child({k}) button") for k in (1, 3, 5)])
        took("light or dark", *[lambda: b.click("#theme")] * 4)
        b.ask("scrollTo(0, 0)")
        b.ask("settled()")
        b.ask(FRAMES)
        b.scroll(b.ask("document.documentElement.scrollHeight"))
        b.ask("stop_ = true")
        rows.append(("a frame while scrolling", b.ask("frames_.slice(2)"), []))
    print(f"\n{tests:,} tests, a page of {os.path.getsize(path) / 1e6:.2f} MB{'':13}{'times':>7}{'median':>10}{'most':>10}{'most CPU':>10}")
    for name, times, costs in rows:
        print(f"  {name:38}{len(times):9}{statistics.median(times):7.1f} ms{max(times):7.1f} ms"
              + (f"{max(costs):7.1f} ms" if costs else f"{'-':>10}"))
    return max(max(costs) for name, times, costs in rows if costs)


def pictures(path, tests, folder):
    with browser.Browser() as b:
        for dark in (False, True):
            name = f"{folder}/{tests}-{'dark' if dark else 'light'}"
            b.open(path, dark=dark)
            b.picture(f"{name}.png")
            for part in ("h-growth", "h-suite", "h-tree", "h-tests"):
                b.ask(f"document.getElementById('{part}').scrollIntoView({{behavior: 'instant'}})")
                b.picture(f"{name}-{part[2:]}.png")
            b.open(path, dark=dark, scripts=False)
            b.picture(f"{name}-no-scripts.png", whole=True)


def measure(folder):
    most = 0
    with tempfile.TemporaryDirectory(prefix="tidemark-page.") as work:
        for tests in (500, 10000):
            path = page(work, tests)
            most = max(most, measure_page(path, tests))
            if folder:
                os.makedirs(folder, exist_ok=True)
                pictures(path, tests, folder)
    print("\nload", *os.getloadavg())
    return most > LAG_MS


if __name__ == "__main__":
    if not browser.find():
        print("no chromium")
        sys.exit(77)
    if sys.argv[1:2] == ["measure"]:
        sys.exit(measure(sys.argv[2] if len(sys.argv) > 2 else None))
    if sys.argv[1:2] == ["accessibility"] and len(sys.argv) == 3:
        sys.exit(accessibility(sys.argv[2]))
    if sys.argv[1:] == ["check"]:
        sys.exit(check_all())
    sys.exit(__doc__)
