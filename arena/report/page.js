// The page around the charts: theme, sortable tables, the list of games, and new numbers while a run goes on.
(() => {
  "use strict";
  const arena = window.arena, make = arena.make, root = document.documentElement;
  const block = (id) => {
    const found = document.getElementById(id);
    return found ? JSON.parse(found.textContent) : null;
  };

  // Theme: what the system prefers, until somebody chooses.
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  let chosen = null;
  function theme() {
    const now = chosen || (dark.matches ? "dark" : "light"), button = document.getElementById("theme");
    root.dataset.theme = now;
    if (button) {
      button.textContent = now === "dark" ? "☀︎ Light" : "☾ Dark";
      button.setAttribute("aria-label", `Switch to ${now === "dark" ? "light" : "dark"} colours`);
    }
    if (arena.draw) arena.draw();
  }
  dark.addEventListener("change", theme);
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.id === "theme") {
      chosen = root.dataset.theme === "dark" ? "light" : "dark";
      theme();
    } else if (button.closest("table.sortable thead")) {
      sort(button.closest("th"));
    } else if (button.classList.contains("unfold")) {
      document.getElementById(button.getAttribute("aria-controls")).classList.remove("folded");
      button.hidden = true;
    }
  });

  /** Sort a table by a column; a second time the other way round. Numbers start with the largest. */
  function sort(head, way) {
    const table = head.closest("table"), body = table.tBodies[0], at = head.cellIndex;
    const words = head.classList.contains("word");
    way = way || (head.getAttribute("aria-sort") === "descending" || (words && !head.hasAttribute("aria-sort")) ? "ascending" : "descending");
    const value = (row) => row.cells[at].dataset.value ?? row.cells[at].textContent;
    const number = (row) => (value(row) === "" ? -Infinity : Number(value(row)));
    const rows = [...body.rows].sort((a, b) => (words ? value(b).localeCompare(value(a), "en", { numeric: true }) : number(b) - number(a)));
    if (way === "ascending") rows.reverse();
    const shown = body.querySelectorAll("tr:not(.more)").length;
    rows.forEach((row, place) => row.classList.toggle("more", place >= shown));
    body.append(...rows);
    for (const other of table.tHead.querySelectorAll("[aria-sort]")) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", way);
  }

  /** The list of games, and the player that shows one of them. */
  function games() {
    const films = block("films"), list = document.getElementById("games-list");
    if (!list || !films || !films.length) return;
    const player = arena.player(document.getElementById("player"), films[0]);
    arena.theatre = player;
    list.hidden = films.length === 1;
    list.parentElement.classList.toggle("several", films.length > 1);
    const buttons = films.map((film, at) => {
      const who = [...new Set(film.names)].join(" – ");
      const button = make("button", { type: "button", "aria-pressed": at === 0 }, film.title || film.env, make("small", {}, who));
      button.addEventListener("click", () => {
        for (const other of buttons) other.setAttribute("aria-pressed", other === button);
        player.load(film);
      });
      return button;
    });
    list.replaceChildren(...buttons);
  }

  /** New numbers: sections whose text has changed are replaced, charts drawn again; what was sorted, unfolded or open stays so. */
  arena.update = (data) => {
    document.title = data.title;
    for (const [id, html] of Object.entries(data.sections)) {
      const place = document.querySelector(`#${CSS.escape(id)} > .content`);
      if (!place || place.source === html || (!place.source && place.innerHTML === html)) continue;
      const kept = state(place);
      place.innerHTML = place.source = html;
      restore(place, kept);
    }
    if (arena.charts) arena.charts(data.charts);
  };

  function state(place) {
    const focus = place.contains(document.activeElement) ? [...place.querySelectorAll("*")].indexOf(document.activeElement) : -1;
    const tables = [...place.querySelectorAll("table")].map((table) => {
      const head = table.querySelector("[aria-sort]");
      return { folded: table.classList.contains("folded"), column: head ? head.cellIndex : -1, way: head && head.getAttribute("aria-sort") };
    });
    return { focus, tables, open: [...place.querySelectorAll("details")].map((details) => details.open) };
  }

  function restore(place, kept) {
    [...place.querySelectorAll("table")].forEach((table, at) => {
      const before = kept.tables[at];
      if (!before) return;
      if (!before.folded) table.classList.remove("folded");
      const button = table.id && place.querySelector(`[aria-controls="${CSS.escape(table.id)}"]`);
      if (button) button.hidden = !before.folded;
      if (before.column >= 0 && table.classList.contains("sortable")) sort(table.tHead.rows[0].cells[before.column], before.way);
    });
    [...place.querySelectorAll("details")].forEach((details, at) => { details.open = Boolean(kept.open[at]); });
    const focus = kept.focus >= 0 && place.querySelectorAll("*")[kept.focus];
    if (focus && focus.focus) focus.focus({ preventScroll: true });
  }

  theme();
  games();
  if (arena.charts) arena.charts(block("charts") || {});
})();
