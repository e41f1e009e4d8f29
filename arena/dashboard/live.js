// Follows a run: asks the server what is new, shows new figures, and lets the newest game play. `window.arena.number`
// says which figures the page was made with.
(() => {
  "use strict";
  const arena = window.arena, make = arena.make, PAUSE = 2000;
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches; // then games wait to be started
  const said = make("p", { id: "live-said", role: "status" }), title = make("h2", { id: "live-title" });
  const stage = make("div", { id: "live-player", hidden: "" });
  const root = make("section", { id: "live", "aria-label": "Live", "data-state": "" }, said, title, stage);
  let number = arena.number, game = 0, shown = "", player = null;

  async function ask(path) {
    const answer = await fetch(path, { cache: "no-store", credentials: "same-origin" });
    if (!answer.ok) throw new Error((await answer.text()) || answer.statusText);
    return [await answer.json(), Number(answer.headers.get("X-Number"))];
  }

  const write = (element, text) => { if (element.textContent !== text) element.textContent = text; };

  function say(state, text) {
    root.dataset.state = state;
    write(said, text);
  }

  /** A new game when the one before is over, or at once when others play; the same one again if there is no other. */
  async function play(now) {
    write(title, now.title);
    if (!now.game) return;
    const paused = Boolean(player && player.reel && !player.playing && player.frame !== player.film.steps);
    const over = !player || Boolean(player.reel && !player.playing && !paused);
    const fresh = now.game !== game, others = now.title !== shown;
    if (!over && !(fresh && others)) return;
    if (fresh) {
      const [film, newest] = await ask("/game");
      stage.hidden = false;
      player = player || arena.player(stage);
      await player.load(film);
      game = newest;
      shown = now.title;
    }
    if (!calm && !paused) player.run(true);
  }

  async function follow() {
    try {
      if (!document.hidden) {
        const [now] = await ask("/state");
        say(now.state, now.said);
        if (now.data !== number) {
          const [figures, newest] = await ask("/data");
          arena.update(figures);
          number = newest;
        }
        await play(now);
      }
    } catch (fault) {
      const lost = fault instanceof TypeError;
      say("lost", lost ? "The dashboard cannot be reached: perhaps it has been ended." : fault.message);
    }
    setTimeout(follow, PAUSE);
  }

  document.querySelector("main").prepend(root);
  follow();
})();
