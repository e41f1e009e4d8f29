"""Duplicates: how players are compared who cannot change sides.

Predators meet prey and never each other, and a team that plays alone meets nobody: who scores more in a game says
nothing then. But two players who had the same seats, against the same others, in games of the same seed, had the same
task, and who did better at it won. Duplicate bridge is scored so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean

from arena.ratings.games import Played


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Two players at the same task: a game between them, for every rater."""

    players: tuple[str, ...]
    score: tuple[float, ...]
    """Mean over the player's seats, in the game's own units."""
    seed: int
    """Of both games."""
    steps: int
    """Of the later one."""


def duplicates(results: Iterable[Played]) -> list[Duplicate]:
    """Everybody with somebody before who had the same task, in log order.

    A task is the seats that a player had, who had the others, and the seed of the game. Each is compared once, with one
    of those before whom the seed picks: all pairs of K games would be K (K - 1) / 2 comparisons, and raters, which take
    them for independent, would be far too sure.
    """
    tasks: dict[tuple[object, ...], dict[str, float]] = {}
    found = []
    for result in results:
        for name in dict.fromkeys(result.players):
            seats = tuple(seat for seat, player in enumerate(result.players) if player == name)
            others = tuple(player for player in result.players if player != name)
            score = fmean(result.score[seat] for seat in seats)
            before = tasks.setdefault((seats, others, result.seed), {})
            rivals = [rival for rival in before if rival != name]
            if rivals:
                rival = rivals[result.seed % 2_147_483_647 % len(rivals)]
                found.append(Duplicate((name, rival), (score, before[rival]), result.seed, result.steps))
            before[name] = score
    return found
