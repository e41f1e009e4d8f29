// Reads and draws films (see film.py): window.arena.film has decode, between and paint.
(() => {
  "use strict";
  const arena = (window.arena = window.arena || {});

  /** The numbers of a film, one after the other. */
  async function numbers(data) {
    const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
    const plain = new Uint8Array(await new Response(stream).arrayBuffer());
    let at = 0;
    return () => {
      let value = 0, scale = 1, byte;
      do {
        byte = plain[at++];
        value += (byte & 127) * scale;
        scale *= 128;
      } while (byte & 128);
      return value % 2 ? -(value + 1) / 2 : value / 2;
    };
  }

  /** One column of `rows` numbers, as a function of the row. */
  function column(next, rows, unit) {
    const mode = next();
    if (mode === 0) {
      const only = next() * unit;
      return () => only;
    }
    const values = new Float64Array(rows);
    let value = 0, way = 0;
    for (let row = 0; row < rows; row++) {
      way = mode === 2 ? way + next() : next();
      value += way;
      values[row] = value * unit;
    }
    return (row) => values[row];
  }

  /** Pictures ready to be drawn; one that is left out is the one before. */
  async function images(urls) {
    const found = await Promise.all(urls.map(async (url) => {
      if (!url) return null;
      const image = new Image();
      image.src = url;
      await image.decode();
      return image;
    }));
    found.forEach((image, at) => { found[at] = image || found[at - 1]; });
    return found;
  }

  /** A film as functions of the frame: `points(frame)` and `scene(frame)`. */
  async function decode(film) {
    const next = await numbers(film.data), frames = film.steps + 1, [unit, point] = film.units;
    const takeOf = column(next, frames, 1);
    const points = Array.from({ length: film.seats }, () => column(next, frames, point));
    const lengths = film.shapes.map(() => 0), row = new Int32Array(frames);
    for (let frame = 0; frame < frames; frame++) row[frame] = lengths[takeOf(frame)]++;
    const pictures = await images(film.pictures);
    const { colors, texts } = film, lists = { color: colors, background: colors, text: texts, align: texts, pixels: pictures };
    const read = (names, rows) => names.map((name) => {
      const values = column(next, rows, lists[name] ? 1 : unit);
      return [name, lists[name] ? (at) => lists[name][values(at)] : values];
    });
    const takes = film.shapes.map((word, take) => ({
      head: read(["left", "right", "bottom", "top", "background"], lengths[take]),
      shapes: [...word].map((kind) => [kind, read(film.fields[kind], lengths[take])]),
    }));
    const object = (columns, at) => Object.fromEntries(columns.map(([name, values]) => [name, values(at)]));
    return {
      points: (frame) => points.map((values) => values(frame)),
      scene(frame) {
        const take = takes[takeOf(frame)], at = row[frame];
        const shapes = take.shapes.map(([kind, columns]) => ({ kind, ...object(columns, at) }));
        return { ...object(take.head, at), shapes };
      },
    };
  }

  /** `after` with its discs on their way there: `share` 0 is where they were `before`, 1 where they are. */
  function between(before, after, share, jump) {
    if (share >= 1 || before.shapes.length !== after.shapes.length) return after;
    const reach = jump * (after.right - after.left);
    const shapes = after.shapes.map((now, at) => {
      const old = before.shapes[at];
      if (!"ch".includes(now.kind) || !"ch".includes(old.kind) || old.color !== now.color) return now;
      const x = now.x - old.x, y = now.y - old.y, way = Math.abs(x) + Math.abs(y);
      return 0 < way && way <= reach ? { ...now, x: old.x + share * x, y: old.y + share * y } : now;
    });
    return { ...after, shapes };
  }

  /** Draw one scene as large as the canvas is. */
  function paint(canvas, scene) {
    const pen = canvas.getContext("2d"), scale = canvas.width / (scene.right - scene.left);
    const X = (x) => (x - scene.left) * scale, Y = (y) => (scene.top - y) * scale;
    pen.fillStyle = scene.background;
    pen.fillRect(0, 0, canvas.width, canvas.height);
    for (const shape of scene.shapes) {
      pen.fillStyle = pen.strokeStyle = shape.color;
      pen.beginPath();
      if (shape.kind === "c" || shape.kind === "h") {
        const from = shape.kind === "h" ? Math.PI : 0;
        pen.arc(X(shape.x), Y(shape.y), Math.max(0, shape.radius * scale), from, 2 * Math.PI);
        pen.fill();
      } else if (shape.kind === "r") {
        pen.fillRect(X(shape.left), Y(shape.top), X(shape.right) - X(shape.left), Y(shape.bottom) - Y(shape.top));
      } else if (shape.kind === "l") {
        pen.lineWidth = Math.max(1, shape.width * scale);
        pen.moveTo(X(shape.x0), Y(shape.y0));
        pen.lineTo(X(shape.x1), Y(shape.y1));
        pen.stroke();
      } else if (shape.kind === "t") {
        pen.font = `${0.72 * shape.height * scale}px system-ui, sans-serif`;
        pen.textAlign = shape.align;
        pen.textBaseline = "middle";
        pen.fillText(shape.text, X(shape.x), Y(shape.y), shape.room ? shape.room * scale : undefined);
      } else if (shape.kind === "p") {
        const x = X(shape.left), y = Y(shape.top);
        pen.drawImage(shape.pixels, x, y, X(shape.right) - x, Y(shape.bottom) - y);
      }
    }
  }

  arena.film = { decode, between, paint };
})();
