// Charts of lines and the tree of snapshots, as SVG: window.arena.charts(data) draws data[name] into [data-chart=name].
(() => {
  "use strict";
  const arena = window.arena, make = arena.make, SPACE = "http://www.w3.org/2000/svg";
  const DASHES = ["", "6 4", "2 4", "9 3 2 3"], COLORS = 8;
  const hidden = new Set();
  let data = {}, axis = "steps", near = null;
  arena.kinds = {};

  const own = (number) => (number == null ? "own-anchor" : `own${number % COLORS}`);
  arena.own = own;

  function shape(tag, attributes, text) {
    const element = document.createElementNS(SPACE, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    if (text !== undefined) element.textContent = text;
    return element;
  }

  /** Short numbers: 20k, 1.5M, 0.25. */
  function short(value) {
    const size = Math.abs(value);
    for (const [scale, unit] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]]) if (size >= scale) return `${Number((value / scale).toPrecision(4))}${unit}`;
    return String(Number(value.toPrecision(4))).replace("-", "\u2212");
  }

  /** Distance of ticks: 1, 2 or 5 times a power of ten. */
  function tickStep(low, high, most) {
    const rough = (high - low) / most, power = 10 ** Math.floor(Math.log10(rough));
    return power * [1, 2, 5, 10].find((factor) => factor * power >= rough * (1 - 1e-9));
  }

  function ticks(low, high, most) {
    if (!(high > low)) return [low]; // one point: no distance to divide
    const step = tickStep(low, high, most), found = [];
    for (let at = Math.ceil(low / step - 1e-9); at <= high / step + 1e-9; at++) found.push(at * step);
    return found;
  }

  const clock = (seconds) => (seconds < 120 ? `${Math.round(seconds)} s` : seconds < 7200 ? `${Number((seconds / 60).toFixed(1))} min` : `${Number((seconds / 3600).toFixed(2))} h`);
  const xText = (value) => (axis === "steps" ? short(value) : clock(value));

  /** Ticks of the x axis: of times whole minutes or hours. */
  function xTicks(low, high, most) {
    const unit = axis === "steps" ? 1 : high > 7200 ? 3600 : high > 120 ? 60 : 1;
    return ticks(low / unit, high / unit, most).map((value) => value * unit);
  }

  function extent(values) {
    let low = Infinity, high = -Infinity;
    for (const value of values) {
      if (value == null) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
    return low <= high ? [low, high] : [0, 1];
  }

  /** Points of `plot` that can be pointed at, or walked along with arrow keys; each has x, y, line and words. */
  function explorable(plot, svg, points, label) {
    const tip = make("div", { class: "tip", hidden: "" }), said = make("p", { class: "said", "aria-live": "polite" });
    const mark = shape("circle", { r: 6, class: "ring", visibility: "hidden" });
    svg.append(mark);
    plot.append(tip, said);
    plot.tabIndex = 0;
    plot.setAttribute("role", "application");
    plot.setAttribute("aria-label", `${label}. Arrow keys walk along the points.`);
    let now = -1;
    function show(at, speak) {
      now = at;
      const point = points[at];
      tip.hidden = !point;
      mark.setAttribute("visibility", point ? "visible" : "hidden");
      if (!point) return;
      mark.setAttribute("cx", point.x);
      mark.setAttribute("cy", point.y);
      tip.replaceChildren(make("b", {}, point.words[0]), ...point.words.slice(1).flatMap((words) => [words, make("br")]));
      const room = plot.clientWidth - tip.offsetWidth;
      tip.style.left = `${Math.max(0, Math.min(room, point.x + 14 > room ? point.x - tip.offsetWidth - 14 : point.x + 14))}px`;
      tip.style.top = `${Math.max(0, point.y - tip.offsetHeight - 10)}px`;
      if (speak) said.textContent = point.words.join(", ");
    }
    plot.onpointermove = (event) => {
      const box = svg.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
      let best = -1, least = 60 ** 2;
      points.forEach((point, at) => {
        const far = (point.x - x) ** 2 + 0.3 * (point.y - y) ** 2;
        if (far < least) [best, least] = [at, far];
      });
      show(best);
    };
    plot.onpointerleave = () => show(-1);
    plot.onblur = () => show(-1);
    plot.onkeydown = (event) => {
      const way = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -1, ArrowDown: 1, Home: 0, End: 0 }[event.key];
      if (event.key === "Escape") show(-1);
      if (way === undefined || !points.length) return;
      event.preventDefault();
      const point = points[now];
      if (event.key === "End") return show(points.length - 1, true);
      if (!point || event.key === "Home") return show(0, true);
      if (event.key === "ArrowLeft" || event.key === "ArrowRight") return show(Math.max(0, Math.min(points.length - 1, now + way)), true);
      const lines = [...new Set(points.map((other) => other.line))], line = lines[lines.indexOf(point.line) + way];
      if (line === undefined) return undefined;
      let best = now, least = Infinity;
      points.forEach((other, at) => {
        if (other.line === line && Math.abs(other.x - point.x) < least) [best, least] = [at, Math.abs(other.x - point.x)];
      });
      return show(best, true);
    };
  }

  /** Ends of what is seen in the second half, where beginners no longer are; nothing where there is no such part. */
  function laterPart(chart, lines, xs) {
    if (chart.domain) return null;
    const [left, right] = extent(xs.flat()), middle = (left + right) / 2, values = [];
    lines.forEach((line, at) => line.y.forEach((y, k) => {
      if (xs[at][k] >= middle) values.push(y, ...(line.low ? [line.low[k], line.high[k]] : []));
    }));
    if (values.length < 4) return null;
    const [low, high] = extent(values), spread = high - low || 1;
    return [low - 0.6 * spread, high + 0.15 * spread];
  }

  arena.kinds.lines = (plot, chart) => {
    const large = !plot.closest(".plots"), width = plot.clientWidth, height = large ? Math.min(380, Math.max(260, width * 0.45)) : 190;
    const lines = chart.lines.filter((line) => !hidden.has(line.name));
    const xs = lines.map((line) => line[axis] || line.steps);
    const shown = lines.flatMap((line) => [...line.y, ...(line.low || []), ...(line.high || [])]);
    let [low, high] = chart.domain || extent([...shown, ...chart.levels.map((level) => level.y)]);
    const [left, right] = extent(xs.flat()), spread = high - low || 1;
    const late = laterPart(chart, lines, xs), close = large && late && (near ?? (late[1] - late[0] < 0.3 * spread));
    if (close) [low, high] = late;
    else if (!chart.domain) { low -= spread * 0.04; high += spread * 0.04; }
    const pad = { left: 48, right: large && chart.levels.length && width > 600 ? Math.min(160, 14 + 7 * Math.max(...chart.levels.map((level) => level.name.length))) : 12, top: 10, bottom: large ? 44 : 26 };
    const X = (x) => pad.left + ((x - left) / (right - left || 1)) * (width - pad.left - pad.right);
    const Y = (y) => height - pad.bottom - ((y - low) / (high - low || 1)) * (height - pad.top - pad.bottom);
    const svg = shape("svg", { height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${chart.title}: ${chart.y}` });
    for (const value of ticks(low, high, large ? 6 : 4)) {
      svg.append(shape("line", { class: "grid", x1: pad.left, x2: width - pad.right, y1: Y(value), y2: Y(value) }));
      svg.append(shape("text", { x: pad.left - 7, y: Y(value) + 4, "text-anchor": "end" }, chart.domain ? `${Math.round(value * 100)} %` : short(value)));
    }
    for (const value of xTicks(left, right, Math.max(2, width / (large ? 110 : 90)))) {
      svg.append(shape("text", { x: X(value), y: height - pad.bottom + 17, "text-anchor": "middle" }, xText(value)));
    }
    svg.append(shape("line", { class: "axis", x1: pad.left, x2: width - pad.right, y1: height - pad.bottom, y2: height - pad.bottom }));
    if (large) {
      svg.append(shape("text", { x: (pad.left + width - pad.right) / 2, y: height - 6, "text-anchor": "middle" }, axis === "steps" ? "env steps" : "time of the run"));
      svg.append(shape("text", { x: pad.left + 6, y: pad.top + 4, class: "strong" }, chart.y));
    }
    if (chart.domain) svg.append(shape("line", { class: "cursor", x1: pad.left, x2: width - pad.right, y1: Y(0.5), y2: Y(0.5) }));
    let free = Infinity;
    for (const level of chart.levels.filter((one) => !close || (one.y >= low && one.y <= high)).sort((a, b) => a.y - b.y)) {
      svg.append(shape("line", { class: `level ${own(null)}`, x1: pad.left, x2: width - pad.right, y1: Y(level.y), y2: Y(level.y) }));
      const at = Math.min(free, Y(level.y) + (pad.right > 20 ? 4 : -5));
      free = at - 13;
      svg.append(shape("text", pad.right > 20 ? { x: width - pad.right + 6, y: at } : { x: width - pad.right, y: at, "text-anchor": "end" }, level.name));
    }
    const points = [], clip = `clip-${chart.title.length}-${Math.random().toString(36).slice(2)}`, defs = shape("clipPath", { id: clip });
    defs.append(shape("rect", { x: pad.left, y: pad.top - 6, width: width - pad.left - pad.right + 6, height: height - pad.top - pad.bottom + 6 }));
    svg.append(defs);
    const bands = shape("g", { "clip-path": `url(#${clip})` });
    svg.append(bands);
    lines.forEach((line, at) => {
      const group = shape("g", { class: own(line.own), "clip-path": `url(#${clip})` }), x = xs[at].map(X);
      const path = (ys) => ys.map((y, k) => (y == null ? "" : `${k && ys[k - 1] != null ? "L" : "M"}${x[k].toFixed(1)} ${Y(y).toFixed(1)}`)).join("");
      if (line.low && line.high) {
        const back = [...line.low].map((y, k) => `L${x[k].toFixed(1)} ${Y(y).toFixed(1)}`).reverse().join("");
        bands.append(shape("path", { class: `band ${own(line.own)}`, d: `${path(line.high)}${back}Z` }));
      }
      group.append(shape("path", { class: "curve", d: path(line.y), "stroke-dasharray": DASHES[Math.floor((line.own || 0) / COLORS) % DASHES.length] }));
      line.y.forEach((y, k) => {
        if (y == null || (close && (y < low || y > high))) return;
        if (large && line.y.length < width / 28) group.append(shape("circle", { class: "dot", r: 3.5, cx: x[k], cy: Y(y) }));
        const value = chart.domain ? `${(y * 100).toFixed(1)} %` : short(y), ends = line.low && line.high && line.low[k] != null;
        const range = ends ? [`95 %: ${chart.domain ? `${(line.low[k] * 100).toFixed(0)} to ${(line.high[k] * 100).toFixed(0)} %` : `${short(line.low[k])} to ${short(line.high[k])}`}`] : [];
        points.push({ x: x[k], y: Y(y), line: at, words: [line.labels ? line.labels[k] : line.name, `${chart.y} ${value}`, ...range, `${xText(xs[at][k])}${axis === "steps" ? " env steps" : ""}`] });
      });
      svg.append(group);
    });
    if (!lines.length) svg.append(shape("text", { x: width / 2, y: height / 2, "text-anchor": "middle" }, "nothing to show"));
    plot.replaceChildren(svg);
    explorable(plot, svg, points, chart.title);
  };

  arena.kinds.tree = (plot, chart) => {
    const width = plot.clientWidth, lane = 54, height = chart.members.length * lane + 30, nodes = chart.nodes;
    const place = new Map(chart.members.map(([name], at) => [name, at]));
    const key = axis === "steps" ? 3 : 2, [low, high] = extent(nodes.map((node) => node[key]));
    const X = (node) => 12 + ((node[key] - low) / (high - low || 1)) * (width - 24), Y = (node) => place.get(node[1]) * lane + 34;
    const svg = shape("svg", { height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": chart.title });
    for (const value of xTicks(low, high, Math.max(2, width / 110))) {
      const x = 12 + ((value - low) / (high - low || 1)) * (width - 24);
      svg.append(shape("line", { class: "grid", x1: x, x2: x, y1: 8, y2: height - 22 }));
      svg.append(shape("text", { x, y: height - 6, "text-anchor": x > width - 40 ? "end" : x < 40 ? "start" : "middle" }, xText(value)));
    }
    const groups = chart.members.map(([name, owner]) => {
      const group = shape("g", { class: own(owner) });
      svg.append(group);
      group.append(shape("text", { x: 6, y: place.get(name) * lane + 18, class: "strong" }, name));
      return group;
    });
    const radius = Math.max(2, Math.min(5, (width / (nodes.length / chart.members.length || 1)) * 0.3));
    for (const node of nodes) {
      const parent = nodes[node[4]], group = groups[place.get(node[1])];
      if (!parent) continue;
      const [x0, y0, x1, y1] = [X(parent), Y(parent), X(node), Y(node)], middle = (x0 + x1) / 2;
      group.prepend(shape("path", { class: "edge", d: `M${x0} ${y0}C${middle} ${y0} ${middle} ${y1} ${x1} ${y1}` }));
    }
    for (const node of nodes) {
      groups[place.get(node[1])].append(shape("circle", { class: node[4] < 0 ? "dot root" : "dot", r: radius, cx: X(node), cy: Y(node) }));
    }
    for (const at of chart.marked) svg.append(shape("circle", { class: "ring", r: radius + 4, cx: X(nodes[at]), cy: Y(nodes[at]) }));
    plot.replaceChildren(svg);
    const points = nodes.map((node) => ({
      x: X(node), y: Y(node), line: place.get(node[1]),
      words: [node[0], node[4] < 0 ? "from nothing" : `trained from ${nodes[node[4]][0]}`, `${short(node[3])} env steps, ${clock(node[2])}`, ...(node[5] == null ? [] : [`rating ${short(node[5])}`])],
    }));
    points.sort((a, b) => a.line - b.line || a.x - b.x);
    explorable(plot, svg, points, chart.title);
  };

  /** Above the first chart of a section: which lines to show, and what goes to the right. */
  function toolbar(section, shown) {
    const lines = [...new Map(shown.flatMap((chart) => chart.lines || []).map((line) => [line.name, line])).values()];
    const timed = shown.some((chart) => chart.type === "tree" || (chart.lines || []).some((line) => line.seconds));
    const old = section.querySelector(".bar");
    const bar = old || make("div", { class: "bar" });
    if (!old) section.querySelector(".plots, figure").before(bar);
    const key = JSON.stringify([lines.map((line) => [line.name, line.own]), [...hidden], axis, near, timed]);
    if (bar.key === key) return;
    bar.key = key;
    const focus = bar.contains(document.activeElement) ? [...bar.querySelectorAll("button, select")].indexOf(document.activeElement) : -1;
    bar.replaceChildren();
    if (lines.length > 1) {
      const legend = make("div", { class: "legend", role: "group", "aria-label": "Lines to show" });
      for (const line of lines) {
        const button = make("button", { type: "button", "aria-pressed": !hidden.has(line.name) }, make("span", { class: `swatch ${own(line.own)}${line.own >= COLORS ? " hollow" : ""}`, "aria-hidden": "true" }), line.name);
        button.addEventListener("click", () => {
          if (!hidden.delete(line.name)) hidden.add(line.name);
          arena.draw();
        });
        legend.append(button);
      }
      bar.append(legend);
    }
    if (timed) {
      const choice = make("select", {}, make("option", { value: "steps" }, "env steps"), make("option", { value: "seconds" }, "time"));
      choice.value = axis;
      choice.addEventListener("change", () => { axis = choice.value; arena.draw(); });
      bar.append(make("label", {}, "over", choice));
    }
    if (section.querySelector("[data-chart=rating], [data-chart=evaluation]")) {
      const choice = make("select", {}, ...["fitting", "all values", "the later part"].map((name, at) => make("option", { value: at }, name)));
      choice.selectedIndex = near === null ? 0 : near ? 2 : 1;
      choice.addEventListener("change", () => { near = [null, false, true][choice.selectedIndex]; arena.draw(); });
      bar.append(make("label", {}, "heights", choice));
    }
    if (focus >= 0) bar.querySelectorAll("button, select")[focus]?.focus();
  }

  /** Draw everything, as large as there is room. */
  arena.draw = () => {
    const sections = new Map();
    for (const figure of document.querySelectorAll("[data-chart]")) {
      const chart = data[figure.dataset.chart], plot = figure.querySelector(".plot");
      if (!chart || !plot.clientWidth) continue;
      arena.kinds[chart.type](plot, chart);
      const section = figure.closest(".content");
      if (section && chart.type !== "heat") sections.set(section, [...(sections.get(section) || []), chart]);
    }
    sections.forEach((shown, section) => toolbar(section, shown));
  };

  arena.charts = (now) => {
    data = now;
    arena.draw();
  };

  let width = 0, waiting = 0;
  new ResizeObserver(() => {
    if (width === document.body.clientWidth) return;
    width = document.body.clientWidth;
    clearTimeout(waiting);
    waiting = setTimeout(arena.draw, 60);
  }).observe(document.body);
})();
