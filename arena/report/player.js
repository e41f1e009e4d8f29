// Plays films on a canvas: window.arena.player(element, film) fills `element` and returns the player.
(() => {
  "use strict";
  const SPEEDS = [0.25, 0.5, 1, 2, 4, 8, 16];
  const arena = window.arena, { decode, between, paint } = arena.film;

  const ICONS = {
    play: "M4 2l10 6-10 6z", pause: "M3 2h4v12H3zM9 2h4v12H9z",
    back: "M12 2L5 8l7 6zM3 2h2v12H3z", forward: "M4 2l7 6-7 6zM11 2h2v12h-2z",
  };

  /** A small drawing for a button. */
  function icon(name) {
    const space = "http://www.w3.org/2000/svg", svg = document.createElementNS(space, "svg"), path = document.createElementNS(space, "path");
    for (const [key, value] of Object.entries({ viewBox: "0 0 16 16", width: 16, height: 16, fill: "currentColor", "aria-hidden": "true" })) svg.setAttribute(key, value);
    path.setAttribute("d", ICONS[name]);
    svg.append(path);
    return svg;
  }

  const signed = (value) => {
    const near = Math.round(value * 100) / 100;
    return (near > 0 ? "+" : near < 0 ? "\u2212" : "") + Math.abs(near);
  };

  /** An element with attributes and children. */
  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }

  /** Who won, in words. */
  function result(film) {
    if (!film.score || !film.score.length) return "end";
    const best = Math.max(...film.score), winners = new Set(film.names.filter((_, at) => film.score[at] === best));
    if (new Set(film.names).size === 1) return "game over";
    return winners.size === 1 ? `${[...winners][0]} wins` : winners.size < new Set(film.names).size ? `${[...winners].join(" and ")} win` : "draw";
  }

  class Player {
    constructor(root) {
      this.root = root;
      this.frame = this.share = 0;
      this.playing = false;
      this.canvas = make("canvas", { role: "img", "aria-label": "game" });
      this.banner = make("p", { class: "banner", hidden: "" });
      this.names = make("div", { class: "names" });
      this.toggle = this.button("play", "Play", () => this.run(!this.playing));
      this.toggle.className = "play";
      this.range = make("input", { type: "range", min: 0, value: 0, step: 1, "aria-label": "Step of the game" });
      this.range.addEventListener("input", () => this.seek(Number(this.range.value)));
      this.step = make("span", { class: "step" });
      this.speed = make("select", { "aria-label": "Speed" });
      for (const speed of SPEEDS) this.speed.append(make("option", { value: speed }, `${speed}\u00D7`));
      this.speed.value = "1";
      this.said = make("p", { class: "said", "aria-live": "polite" });
      this.stage = make("div", { class: "stage" }, this.canvas, this.banner);
      root.classList.add("player");
      root.tabIndex = -1;
      root.setAttribute("role", "group");
      root.replaceChildren(
        this.names, this.stage,
        make("div", { class: "controls" },
          this.toggle,
          this.button("back", "One step back", () => this.seek(this.frame - 1)),
          this.button("forward", "One step forward", () => this.seek(this.frame + 1)),
          this.range, this.step, this.speed),
        this.said);
      this.stage.addEventListener("click", () => { root.focus({ preventScroll: true }); this.run(!this.playing); });
      root.addEventListener("keydown", (event) => this.key(event));
      new ResizeObserver(() => this.draw()).observe(this.stage);
    }

    button(sign, label, action) {
      const button = make("button", { type: "button", "aria-label": label, title: label }, icon(sign));
      button.addEventListener("click", action);
      return button;
    }

    /** Show another film from its start. */
    async load(film) {
      this.run(false);
      this.film = film;
      const reel = await decode(film);
      if (this.film !== film) return;
      this.reel = reel;
      this.range.max = film.steps;
      const title = film.title ? `${film.title}: ` : "", who = [...new Set(film.names)].join(" against ");
      this.root.setAttribute("aria-label", `${title}${who}`);
      this.canvas.setAttribute("aria-label", `${film.env}, ${who}, ${film.steps} steps`);
      this.marks = film.names.map((name, seat) => {
        const points = make("b"), rating = film.ratings && film.ratings[seat];
        const note = rating == null ? "" : ` ${rating.toFixed(1)}`;
        this.names.append(make("span", {}, make("i", {}, name), make("small", {}, note), " ", points));
        return points;
      });
      this.names.replaceChildren(...[...this.names.children].slice(-this.marks.length));
      this.seek(0);
      this.root.dataset.ready = film.title || "yes";
    }

    key(event) {
      const on = event.target.tagName, moves = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
      if (event.altKey || event.ctrlKey || event.metaKey || !this.reel) return;
      if (event.key === " " && on !== "BUTTON" && on !== "SELECT") this.run(!this.playing);
      else if (event.key in moves && on !== "INPUT" && on !== "SELECT") this.seek(this.frame + moves[event.key]);
      else if ("+-".includes(event.key)) this.faster(event.key === "+" ? 1 : -1);
      else return;
      event.preventDefault();
    }

    faster(by) {
      this.speed.selectedIndex = Math.min(SPEEDS.length - 1, Math.max(0, this.speed.selectedIndex + by));
    }

    /** Stand still at a frame. */
    seek(frame) {
      this.run(false);
      this.frame = Math.min(this.film.steps, Math.max(0, frame));
      this.share = 1;
      this.draw();
    }

    run(on) {
      if (on === this.playing || (on && !this.reel)) return;
      this.playing = on;
      this.toggle.replaceChildren(icon(on ? "pause" : "play"));
      this.toggle.setAttribute("aria-label", on ? "Pause" : "Play");
      this.toggle.title = on ? "Pause" : "Play";
      if (!on) return;
      if (this.frame === this.film.steps) { this.frame = 0; this.share = 1; }
      let last = performance.now();
      const tick = (now) => {
        if (!this.playing || !this.root.isConnected) return;
        this.share += Math.max(0, now - last) / 1000 * Number(this.speed.value) / this.film.seconds;
        last = now;
        while (this.share > 1 && this.frame < this.film.steps) { this.share -= 1; this.frame += 1; }
        if (this.frame === this.film.steps && this.share >= 1) {
          this.share = 1;
          this.run(false);
          this.said.textContent = this.ending();
        }
        this.draw();
        if (this.playing) requestAnimationFrame(tick);
      };
      requestAnimationFrame(tick);
    }

    ending() {
      return this.film.score ? `${result(this.film)}, ${this.film.score.map(signed).join(" : ")}` : result(this.film);
    }

    draw() {
      if (!this.reel) return;
      const film = this.film, after = this.reel.scene(this.frame);
      const before = this.share < 1 && this.frame ? this.reel.scene(this.frame - 1) : after;
      const scene = between(before, after, this.share, film.jump);
      const width = Math.round(this.stage.clientWidth * (window.devicePixelRatio || 1));
      const height = Math.round((width * (scene.top - scene.bottom)) / (scene.right - scene.left));
      if (!width) return;
      if (this.canvas.width !== width || this.canvas.height !== height) {
        this.canvas.width = width;
        this.canvas.height = height;
      }
      paint(this.canvas, scene);
      const points = this.reel.points(this.frame), ended = this.frame === film.steps && this.share >= 1;
      this.marks.forEach((mark, seat) => { mark.textContent = signed(points[seat]); });
      this.step.textContent = `${this.frame} / ${film.steps}`;
      this.range.value = this.frame;
      this.range.setAttribute("aria-valuetext", `step ${this.frame} of ${film.steps}`);
      this.banner.hidden = !ended;
      if (ended) this.banner.textContent = this.ending();
    }
  }

  /** A player in `element`, with a film loaded; `load` shows another one. */
  arena.player = (element, film) => {
    const player = new Player(element);
    if (film) player.load(film);
    return player;
  };
  arena.make = make;
})();
