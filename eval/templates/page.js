"use strict";
// Niceties only: everything on this page can be read without this script.

// A read-out on line charts: the nearest point of every named curve.
for (const svg of document.querySelectorAll("svg.lines")) {
  const lines = [...svg.querySelectorAll("path[data-xs]")].map((path) => ({
    label: path.dataset.label,
    xs: path.dataset.xs.split(" ").map(Number),
    ys: path.dataset.ys.split(" ").map(Number),
  }));
  if (lines.length === 0) continue;
  const [left, top, right, bottom] = svg.dataset.plot.split(",").map(Number);
  const scale = (text, start, end) => {
    const [kind, from, to] = text.split(",");
    const f = kind === "log" ? Math.log : (v) => v;
    const a = f(Number(from)), b = f(Number(to));
    return {
      at: (v) => start + ((f(v) - a) / (b - a)) * (end - start),
      back: (p) => { const u = a + ((p - start) / (end - start)) * (b - a); return kind === "log" ? Math.exp(u) : u; },
    };
  };
  const x = scale(svg.dataset.x, left, right), y = scale(svg.dataset.y, bottom, top);
  const make = (name, attributes) => {
    const node = document.createElementNS(svg.namespaceURI, name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    return node;
  };
  const hair = make("line", { class: "hair", y1: top, y2: bottom, visibility: "hidden" });
  const dots = lines.map(() => make("circle", { class: "hair-dot", r: 3.5, visibility: "hidden" }));
  svg.append(hair, ...dots);
  const readout = document.createElement("p");
  readout.className = "readout";
  svg.after(readout);
  const nearest = (xs, v) => {
    let low = 0, high = xs.length - 1;
    while (high - low > 1) { const mid = (low + high) >> 1; if (xs[mid] <= v) low = mid; else high = mid; }
    return Math.abs(xs[low] - v) <= Math.abs(xs[high] - v) ? low : high;
  };
  const short = (v) => (Math.abs(v) >= 1000 ? Math.round(v).toLocaleString("en") : String(Number(v.toPrecision(4))));
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    const at = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
    if (at < left - 8 || at > right + 8) return hide();
    const value = x.back(Math.min(Math.max(at, left), right));
    const texts = lines.map((line, i) => {
      const k = nearest(line.xs, value);
      dots[i].setAttribute("cx", x.at(line.xs[k]));
      dots[i].setAttribute("cy", y.at(line.ys[k]));
      dots[i].setAttribute("visibility", "visible");
      return `${line.label} ${short(line.ys[k])}`.trim();
    });
    hair.setAttribute("x1", at); hair.setAttribute("x2", at); hair.setAttribute("visibility", "visible");
    readout.textContent = `${svg.dataset.xLabel.split(" (")[0]} ${short(lines[0].xs[nearest(lines[0].xs, value)])}: ${texts.join(" · ")}`;
  });
  const hide = () => {
    for (const node of [hair, ...dots]) node.setAttribute("visibility", "hidden");
    readout.textContent = "";
  };
  svg.addEventListener("pointerleave", hide);
}

// Arrow keys step through the tokens of a strip; the tab key goes from strip to strip.
for (const strip of document.querySelectorAll(".strip .tokens")) {
  strip.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const here = event.target.closest(".t");
    if (!step || !here) return;
    let next = here;
    do { next = step > 0 ? next.nextElementSibling : next.previousElementSibling; } while (next && !next.matches(".t"));
    if (!next) return;
    event.preventDefault();
    here.tabIndex = -1; next.tabIndex = 0; next.focus();
  });
}

// Paper has nothing to click on.
addEventListener("beforeprint", () => { for (const d of document.querySelectorAll("details")) d.open = true; });
