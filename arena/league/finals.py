"""Finals: more games at the end of a run, where they decide something."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from arena.execution.agenda import Work

if TYPE_CHECKING:
    from arena.league.league import League

BEST = 4
"""Snapshots that play them."""


def finals(league: League, say: Callable[[str], None]) -> Work[bool]:
    """Have games played among the best, and between each of them and the anchors, unless that was done since the last
    training; whether there were any, of which `say` is told."""
    folder, population, rated, steps = league.folder, league.population, league.rated, league.steps
    games = league.config.evaluation.final_games
    if not games or steps in (record["steps"] for record in folder.metrics() if record["kind"] == "final"):
        return False
    key, first = f"finals|{steps}", rated.best(BEST)
    if not folder.append_event("finals", None, {"players": first}, key):  # they had begun, and changed who leads
        first = next(event.detail["players"] for event in folder.events() if event.key == key)
    pairs = [(a, b) for i, a in enumerate(first) for b in first[i + 1 :]]
    pairs += [(name, anchor) for name in first for anchor in population.anchors]
    pairs = [pair for pair in pairs if population.can_meet(*pair)]
    if pairs:
        say(f"final games of {pairs[0][0]}")
        yield from rated.play("final", pairs, games)
    folder.append_metrics({"kind": "final", "seconds": league.seconds, "steps": steps})
    return bool(pairs)
