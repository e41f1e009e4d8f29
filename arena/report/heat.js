// The heat map of who beats whom, on a canvas: pointing at a cell, or walking there with arrow keys, tells it in words.
(() => {
  "use strict";
  const arena = window.arena, make = arena.make;
  let chosen = 0;

  const rgb = (text) => {
    const digits = text.trim().slice(1);
    return [0, 2, 4].map((at) => parseInt(digits.slice(at, at + 2), 16));
  };
  const mix = (from, to, share) => `rgb(${from.map((value, at) => Math.round(value + (to[at] - value) * share)).join(" ")})`;
  const percent = (share) => `${(100 * share).toFixed(share > 0.995 || share < 0.005 ? 1 : 0)} %`;

  arena.kinds.heat = (plot, chart) => {
    const at = Math.min(chosen, chart.views.length - 1), view = chart.views[at], source = view.same === undefined ? view : chart.views[view.same];
    const order = view.order, count = order.length, place = [];
    order.forEach((name, row) => { place[name] = row; });
    const cells = new Map(), key = (row, column) => row * count + column;
    for (const [i, j, games, share, low, high] of source.cells) {
      cells.set(key(place[i], place[j]), [games, share, low, high]);
      cells.set(key(place[j], place[i]), [games, 1 - share, 1 - high, 1 - low]);
    }
    const inside = new Map(source.inside.map(([i, games]) => [place[i], games])), names = order.map((i) => source.names[i]);
    const width = Math.min(plot.clientWidth, 980), longest = Math.max(...names.map((name) => name.length));
    const margin = Math.min(longest * 7 + 42, width * 0.34, 260), size = Math.max(2, Math.min(30, (width - margin) / count));
    const labelled = size >= 9, left = labelled ? margin : 2, cell = labelled ? size : Math.max(2, Math.min(30, (width - left) / count)), top = labelled ? 20 : 2;
    const across = Math.ceil(left + cell * count + 2), down = Math.ceil(top + cell * count + 2), ratio = window.devicePixelRatio || 1;

    const canvas = make("canvas", { width: across * ratio, height: down * ratio, role: "img", "aria-label": `${chart.title}, ${count} rows and columns` });
    canvas.style.width = `${across}px`;
    const readout = make("p", { class: "readout", "aria-live": "polite" }, "Point at a cell, or walk with the arrow keys.");
    const choice = make("select", {}, ...chart.views.map((other, number) => make("option", { value: number }, other.name)));
    choice.value = at;
    choice.addEventListener("change", () => {
      chosen = Number(choice.value);
      arena.kinds.heat(plot, chart);
      plot.querySelector("select").focus();
    });
    const field = make("div", { tabindex: 0, role: "application", "aria-label": `${chart.title}. Arrow keys walk from cell to cell.` }, canvas);
    const scale = make("div", { class: "scale" }, "loses", make("i"), "wins");
    plot.classList.add("heat");
    plot.replaceChildren(make("div", { class: "bar" }, make("label", {}, "show", choice), scale), field, readout);

    const style = getComputedStyle(document.documentElement), color = (name) => style.getPropertyValue(name);
    const [lose, even, win] = ["--lose", "--even", "--win"].map((name) => rgb(color(name)));
    const pen = canvas.getContext("2d");
    let now = null;
    function paint() {
      const gap = cell > 6 ? 1 : 0;
      pen.setTransform(ratio, 0, 0, ratio, 0, 0);
      pen.clearRect(0, 0, across, down);
      pen.font = `${Math.min(12, Math.max(9, cell - 1))}px system-ui, sans-serif`;
      pen.fillStyle = color("--blank");
      pen.fillRect(left, top, cell * count, cell * count);
      for (const [where, [, share]] of cells) {
        const row = Math.floor(where / count), column = where % count;
        pen.fillStyle = share < 0.5 ? mix(lose, even, share * 2) : mix(even, win, share * 2 - 1);
        pen.fillRect(left + column * cell, top + row * cell, cell - gap, cell - gap);
      }
      pen.fillStyle = color("--line");
      for (let row = 0; row < count; row++) pen.fillRect(left + row * cell, top + row * cell, cell - gap, cell - gap);
      if (labelled) {
        pen.fillStyle = color("--ink");
        pen.textBaseline = "middle";
        const every = Math.ceil(20 / cell);
        names.forEach((name, row) => {
          const middle = top + (row + 0.5) * cell, strong = now && (now[0] === row || now[1] === row);
          pen.fillStyle = color(strong ? "--accent" : "--soft");
          pen.textAlign = "right";
          pen.fillText(row + 1, 20, middle);
          pen.textAlign = "left";
          pen.fillText(fit(name, left - 34), 26, middle);
          pen.textAlign = "center";
          if ((row + 1) % every === 0 || count * cell < 120) pen.fillText(row + 1, left + (row + 0.5) * cell, 10);
        });
      }
      if (now) {
        pen.strokeStyle = color("--ink");
        pen.lineWidth = 2;
        pen.strokeRect(left + now[1] * cell - 1, top + now[0] * cell - 1, cell + 1, cell + 1);
      }
    }
    function fit(text, room) {
      let cut = text;
      while (cut.length > 1 && pen.measureText(cut).width > room) cut = `${cut.slice(0, -2)}\u2026`;
      return cut;
    }
    function show(row, column) {
      now = [Math.max(0, Math.min(count - 1, row)), Math.max(0, Math.min(count - 1, column))];
      const [a, b] = now, met = cells.get(key(a, b));
      const told = a === b
        ? inside.has(a) ? `${names[a]}: ${inside.get(a).toLocaleString("en")} games among these snapshots.` : `${names[a]}: the diagonal.`
        : met
          ? `${names[a]} won ${percent(met[1])} (95 %: ${percent(met[2])} to ${percent(met[3])}) of ${met[0].toLocaleString("en")} games against ${names[b]}.`
          : `${names[a]} never met ${names[b]}.`;
      readout.textContent = told;
      paint();
    }
    canvas.addEventListener("pointermove", (event) => {
      const box = canvas.getBoundingClientRect(), share = across / box.width;
      const row = Math.floor(((event.clientY - box.top) * share - top) / cell), column = Math.floor(((event.clientX - box.left) * share - left) / cell);
      if (row >= 0 && column >= 0 && row < count && column < count) show(row, column);
    });
    field.addEventListener("focus", () => { if (!now) show(0, Math.min(1, count - 1)); });
    field.addEventListener("keydown", (event) => {
      const ways = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0], Home: [0, -count], End: [0, count] };
      const way = ways[event.key];
      if (!way) return;
      event.preventDefault();
      const [row, column] = now || [0, 0];
      show(row + way[0], column + way[1]);
    });
    paint();
  };
})();
