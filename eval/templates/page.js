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

// Films of skeletons that can be played and turned.
for (const stage of document.querySelectorAll(".stage")) {
  const d = stage.dataset, K = Number(d.keypoints), T = Number(d.frames);
  const numbers = (text) => text.split(" ").map(Number);
  const bones = d.bones ? d.bones.split(" ").map((bone) => bone.split(",")) : [];
  const classes = d.classes.split(" "), kinds = [...new Set([...classes, ...bones.map((bone) => bone[2])])];
  const truth = numbers(d.truth);
  const panels = [["coarse", numbers(d.input), true], [d.label, numbers(d.simpler), false], ["model", numbers(d.model), false]];
  const svg = (name, attributes, parent) => {
    const node = document.createElementNS(document.querySelector("svg").namespaceURI, name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    parent.append(node);
    return node;
  };
  const view = svg("svg", { class: "chart film turning", viewBox: "0 0 960 300", role: "img", "aria-label": "The same window, to be played and turned" }, stage);
  const drawn = panels.map(([label, places, coarse], i) => {
    const box = svg("svg", { x: i * 322, y: 0, width: 316, height: 300, viewBox: "-158 -158 316 300" }, view);
    svg("rect", { class: "ground", x: -158, y: -158, width: 316, height: 300 }, box);
    svg("text", { x: -148, y: -140, class: "axis-label" }, box).textContent = label;
    const path = (name) => svg("path", { class: name }, box);
    return { places, coarse, ghost: path("ghost"), parts: kinds.map((kind) => ({
      kind, bones: path(`bone ${kind}`), joints: path(`joint ${kind}`), hollow: path(`hollow ${kind}`), inside: path("inside") })) };
  });
  const controls = document.createElement("p");
  controls.className = "controls";
  const make = (name, attributes) => Object.assign(document.createElement(name), attributes);
  const play = make("button", { type: "button", textContent: "Play" });
  const slider = (label, max, value) => {
    const input = make("input", { type: "range", min: 0, max, value });
    const text = make("label", { textContent: label });
    text.append(input);
    controls.append(text);
    return input;
  };
  controls.append(play);
  const time = slider("frame ", T - 1, T >> 1), turn = slider("turn ", 359, 0);
  const shown = controls.appendChild(make("span", {}));
  stage.append(controls);
  const draw = () => {
    const t = Number(time.value), a = Number(d.angle) - 1.012 + (Number(turn.value) * Math.PI) / 180;
    const [sin, cos, rise, level] = [Math.sin(a), Math.cos(a), Math.sin(0.35), Math.cos(0.35)];
    const at = (places, k) => {
      const i = (t * K + k) * 3, [x, y, z] = [places[i] * 0.29, places[i + 1] * 0.29, places[i + 2] * 0.29];
      return `${(-sin * x + cos * y).toFixed(1)} ${(rise * cos * x + rise * sin * y - level * z).toFixed(1)}`;
    };
    const given = (k) => d.given[t * K + k] === "1", known = (k) => d.known[t * K + k] === "1";
    const lines = (places, there, kind) => bones.filter((bone) => (!kind || bone[2] === kind) && there(bone[0]) && there(bone[1]))
      .map((bone) => `M${at(places, Number(bone[0]))}L${at(places, Number(bone[1]))}`).join("");
    for (const { places, coarse, ghost, parts } of drawn) {
      const there = coarse ? (k) => given(Number(k)) : () => true;
      ghost.setAttribute("d", lines(truth, (k) => known(Number(k))));
      for (const part of parts) {
        const of = (hidden) => [...Array(K).keys()].filter((k) => classes[k] === part.kind && there(k) && given(k) !== hidden)
          .map((k) => `M${at(places, k)}h0`).join("");
        part.bones.setAttribute("d", lines(places, there, part.kind));
        part.joints.setAttribute("d", of(false));
        part.hollow.setAttribute("d", of(true));
        part.inside.setAttribute("d", of(true));
      }
    }
    shown.textContent = `frame ${Number(d.first) + t} · drag to turn`;
  };
  let timer = 0;
  const stop = () => { clearInterval(timer); timer = 0; play.textContent = "Play"; };
  play.addEventListener("click", () => {
    if (timer) return stop();
    play.textContent = "Pause";
    timer = setInterval(() => { time.value = (Number(time.value) + 1) % T; draw(); }, Math.max(1000 / Number(d.rate), 60));
  });
  time.addEventListener("input", () => { stop(); draw(); });
  turn.addEventListener("input", draw);
  let from = null;
  view.addEventListener("pointerdown", (event) => { from = [event.clientX, Number(turn.value)]; view.setPointerCapture(event.pointerId); });
  view.addEventListener("pointermove", (event) => {
    if (!from) return;
    turn.value = (((from[1] + (event.clientX - from[0]) * 0.6) % 360) + 360) % 360;
    draw();
  });
  view.addEventListener("pointerup", () => { from = null; });
  draw();
}

// Paper has nothing to click on.
addEventListener("beforeprint", () => { for (const d of document.querySelectorAll("details")) d.open = true; });
