/* The report's page: sorts, filters and pages through the tests, and shows one of them in full. Works
 * from file://, fetches nothing. Without scripts the page is complete but for these. */
"use strict";
(function () {
  const root = document.documentElement;
  const data = JSON.parse(document.getElementById("data").textContent);
  const tests = data.tests, PAGE = 100;
  const columns = data.columns; /* {key, title, kind, at} in the order of the table */
  const VERDICT = columns.findIndex((c) => c.key === "verdict");
  const STATUS = columns.findIndex((c) => c.key === "status");
  const VARIANT = columns.findIndex((c) => c.key === "variant");
  const table = document.getElementById("tests");
  if (!table) { return; }
  const body = table.tBodies[0];
  const find = document.getElementById("find"), only = document.getElementById("only");
  const which = document.getElementById("which");
  const status = document.getElementById("shown");
  const prev = document.getElementById("prev"), next = document.getElementById("next");
  let order = tests.map((_, i) => i), page = 0, sorted = -1, down = false;
  const lower = tests.map((t) => t[0].toLowerCase());

  function el(name, attributes, text) {
    const e = document.createElement(name);
    for (const k in attributes) { e.setAttribute(k, attributes[k]); }
    if (text !== undefined) { e.textContent = text; }
    return e;
  }
  function three(v) {
    const a = Math.abs(v);
    return a >= 100 ? v.toFixed(0) : a >= 10 ? v.toFixed(1).replace(/\.0$/, "") : v.toFixed(2).replace(/\.?0+$/, "");
  }
  function scaled(v, steps, names) {
    let i = 0;
    while (i + 1 < names.length && Math.abs(v) >= steps[i]) { v /= steps[i]; i++; }
    return (i === 0 ? String(Math.round(v * 100) / 100) : three(v)) + " " + names[i];
  }
  /* 12,345; without toLocaleString, which comes with the rules of all languages. */
  function count(v) { return String(v).replace(/\B(?=(\d{3})+$)/g, ","); }
  function show(v, kind) {
    if (v === null || v === undefined || v === "") { return "\u2013"; }
    if (kind === "bytes") { return scaled(v, [1000, 1000, 1000, 1000], ["B", "KB", "MB", "GB", "TB"]); }
    if (kind === "ns") { return scaled(v, [1000, 1000, 1000], ["ns", "\u00b5s", "ms", "s"]); }
    if (kind === "count") { return count(v); }
    return String(v);
  }
  const shade = { leak: "bad", growth: "bad", accumulates: "bad", fail: "bad", crash: "bad", timeout: "bad",
    oom: "bad", exit: "bad", inconclusive: "warn", skip: "warn", clean: "good", saturating: "good", pass: "good" };

  function curve(what, kind, values, at) {
    const W = 720, H = 200, L = 70, R = 12, T = 10, B = 26, NS = "http://www.w3.org/2000/svg";
    const lo = Math.min.apply(null, values), hi = Math.max.apply(null, values), span = hi - lo || 1;
    const first = at[0], last = at[at.length - 1];
    const x = (i) => L + (W - L - R) * (last > first ? (at[i] - first) / (last - first) : 0);
    const y = (v) => H - B - (H - T - B) * (v - lo) / span;
    const svg = document.createElementNS(NS, "svg");
    const add = (name, attributes, text) => {
      const e = document.createElementNS(NS, name);
      for (const k in attributes) { e.setAttribute(k, attributes[k]); }
      if (text !== undefined) { e.textContent = text; }
      svg.appendChild(e);
    };
    svg.setAttribute("viewBox", "0 0 " + W + " " + H);
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", what + ", from " +
      show(values[0], "bytes") + " to " + show(values[values.length - 1], "bytes"));
    add("path", { class: "axis", d: "M" + L + " " + T + "V" + (H - B) + "H" + (W - R) });
    add("text", { x: L - 6, y: T + 8, "text-anchor": "end" }, "+" + show(hi - lo, "bytes"));
    add("text", { x: L - 6, y: H - B, "text-anchor": "end" }, show(lo, "bytes"));
    add("text", { x: L, y: H - 8 }, count(first));
    add("text", { x: W - R, y: H - 8, "text-anchor": "end" }, count(last) + " repetitions");
    add("path", { class: "l " + kind, d: values.map((v, i) => (i ? "L" : "M") + x(i).toFixed(1) + " " + y(v).toFixed(1)).join("") });
    return svg;
  }

  function detail(t) {
    const box = el("div", {});
    const extra = data.details[t.index] || {};
    if (extra.says) { box.appendChild(el("p", {}, extra.says)); }
    [["live", "Live bytes at the boundary after a repetition", "l0"], ["rss", "Peak RSS of each repetition", "l1"]].forEach((row) => {
      const drawn = extra[row[0]];
      if (!drawn) { return; }
      const figure = el("figure", {});
      figure.appendChild(curve(row[1], row[2], drawn.values, drawn.at));
      figure.appendChild(el("figcaption", {}, row[1]));
      box.appendChild(figure);
    });
    if (extra.stack) { box.appendChild(el("pre", {}, extra.stack)); }
    (extra.sites || []).forEach((s) => box.appendChild(el("pre", {}, s)));
    if (extra.horizon) { box.appendChild(el("p", { class: "dim" }, extra.horizon)); }
    if (!box.firstChild) { box.appendChild(el("p", { class: "dim" }, "Nothing stood out in this test.")); }
    return box;
  }

  function toggle(button, tr, index) {
    const open = button.getAttribute("aria-expanded") === "true";
    button.setAttribute("aria-expanded", String(!open));
    if (open) { tr.nextSibling.remove(); return; }
    const cell = el("td", { colspan: columns.length }), row = el("tr", { class: "detail" });
    cell.appendChild(detail({ index: index }));
    row.appendChild(cell);
    tr.after(row);
  }

  function draw() {
    const pages = Math.max(1, Math.ceil(order.length / PAGE));
    page = Math.min(page, pages - 1);
    const rows = document.createDocumentFragment();
    order.slice(page * PAGE, page * PAGE + PAGE).forEach((i) => {
      const tr = el("tr", {});
      columns.forEach((c, k) => {
        const v = tests[i][k];
        const td = el("td", c.kind === "bytes" || c.kind === "ns" || c.kind === "count" ? { class: "n" } : k === 0 ? { class: "id" } : {});
        if (k === 0) {
          const button = el("button", { class: "row mono", type: "button", "aria-expanded": "false" }, v);
          button.addEventListener("click", () => toggle(button, tr, i));
          td.appendChild(button);
        } else if (c.kind === "word" && v) {
          td.appendChild(el("span", { class: "tag " + (shade[v] || "") }, v));
        } else {
          td.textContent = show(v, c.kind);
        }
        tr.appendChild(td);
      });
      rows.appendChild(tr);
    });
    body.replaceChildren(rows);
    status.textContent = order.length === 0 ? "no test fits" :
      count(page * PAGE + 1) + "\u2013" + count(Math.min(order.length, page * PAGE + PAGE)) +
      " of " + count(order.length) + (order.length < tests.length ? " (of " + count(tests.length) + ")" : "");
    /* Not `disabled`, which would take the keyboard's focus away. */
    prev.setAttribute("aria-disabled", String(page === 0));
    next.setAttribute("aria-disabled", String(page + 1 >= pages));
  }

  function choose() {
    const word = find.value.trim().toLowerCase(), kind = only.value, variant = which ? which.value : "";
    order = [];
    for (let i = 0; i < tests.length; i++) {
      if ((word === "" || lower[i].includes(word)) && (variant === "" || tests[i][VARIANT] === variant) &&
          (kind === "" || tests[i][VERDICT] === kind || tests[i][STATUS] === kind)) {
        order.push(i);
      }
    }
    if (sorted >= 0) {
      const sign = down ? -1 : 1;
      order.sort((a, b) => {
        const x = tests[a][sorted], y = tests[b][sorted];
        if (x === y) { return a - b; }
        if (x === null || x === undefined) { return 1; } /* what was not measured stays at the end */
        if (y === null || y === undefined) { return -1; }
        return (x < y ? -1 : 1) * sign;
      });
    }
    page = 0;
    draw();
  }

  if (!tests.some((t) => t[VARIANT])) { table.classList.add("plain"); }
  Array.from(table.tHead.rows[0].cells).forEach((th, k) => {
    const title = th.textContent, button = el("button", { type: "button" }, title);
    th.replaceChildren(button);
    button.addEventListener("click", () => {
      const numeric = ["bytes", "ns", "count"].includes(columns[k].kind);
      down = sorted === k ? !down : numeric;
      sorted = k;
      Array.from(table.tHead.rows[0].cells).forEach((other) => other.removeAttribute("aria-sort"));
      th.setAttribute("aria-sort", down ? "descending" : "ascending");
      choose();
    });
  });
  const words = new Set();
  tests.forEach((t) => { words.add(t[STATUS]); words.add(t[VERDICT]); });
  Array.from(words).filter((w) => w && w !== "none").sort().forEach((w) => only.appendChild(el("option", { value: w }, w)));
  find.addEventListener("input", choose);
  document.addEventListener("keydown", (e) => { /* from anywhere into the search, as in many tables */
    if (e.key === "/" && !e.ctrlKey && !e.metaKey && !e.altKey && !["INPUT", "SELECT"].includes(e.target.tagName)) {
      e.preventDefault();
      find.focus();
      find.scrollIntoView({ block: "center" });
    }
  });
  only.addEventListener("change", choose);
  if (which) {
    Array.from(new Set(tests.map((t) => t[VARIANT]))).forEach((w) => which.appendChild(el("option", { value: w }, w)));
    which.addEventListener("change", choose);
  }
  function turn(button, by) {
    if (button.getAttribute("aria-disabled") === "false") { page += by; draw(); }
  }
  prev.addEventListener("click", () => turn(prev, -1));
  next.addEventListener("click", () => turn(next, 1));
  document.getElementById("theme").addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });
  root.dataset.js = "1";
  choose();
})();
