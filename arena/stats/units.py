"""Units: games whose results may depend on each other, taken as one.

The two games of a seat-swapped pair share their serves, so luck that one side has in the first the other has in the
second. What is independent are pairs, and everything here counts those. With points of 1, 1/2 and 0 a game, a pair is
worth 0, 1/4, 1/2, 3/4 or 1 of its points to a player: the pentanomial model of engine testers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

PAIR = (0.0, 0.25, 0.5, 0.75, 1.0)
"""What a pair of games can be worth."""


class Game(Protocol):
    """What is read of a game; a `Result` says it."""

    @property
    def players(self) -> tuple[str, ...]:
        """[P] by seat."""

    @property
    def score(self) -> tuple[float, ...]:
        """[P] by seat, in the game's own units."""

    @property
    def seed(self) -> int:
        """Of the game itself: the two of a pair have the same."""


@dataclass(frozen=True, slots=True)
class Units:
    """How often a unit was worth what to one player."""

    values: tuple[float, ...]
    """[K] what a unit can be worth, 0..1, ascending; of pairs `PAIR`."""
    counts: tuple[int, ...]
    """[K] how often it was."""

    @property
    def number(self) -> int:
        """How many units."""
        return sum(self.counts)

    @property
    def mean(self) -> float:
        """Share of the points, 0..1; 1/2 without games."""
        total = math.fsum(value * count for value, count in zip(self.values, self.counts, strict=True))
        return total / self.number if self.number else 0.5


def points(game: Game, player: str) -> float:
    """1 for a win of `player`, 1/2 for a draw, 0 for a loss. Who had several seats has the mean of their scores; a win
    is more than the best of the others."""
    if len(game.players) == 2 and game.players[0] != game.players[1]:
        mine = game.players.index(player)
        lead = game.score[mine] - game.score[1 - mine]
        return 1.0 if lead > 0 else 0.5 if lead == 0 else 0.0
    held: dict[str, list[float]] = {}
    for name, score in zip(game.players, game.score, strict=True):
        held.setdefault(name, []).append(score)
    means = {name: math.fsum(scores) / len(scores) for name, scores in held.items()}
    own = means.pop(player)
    best = max(means.values(), default=own)
    return 1.0 if own > best else 0.5 if own == best else 0.0


def units(games: Iterable[Game], player: str) -> Units:
    """The units of `games`, those with one seed being one. Where games come in pairs, one that lacks its second is left
    out: it favours whoever has the better seat."""
    groups: dict[int, list[float]] = {}
    for game in games:
        groups.setdefault(game.seed, []).append(points(game, player))
    size = max(map(len, groups.values()), default=2)
    whole = [math.fsum(group) / size for group in groups.values() if len(group) == size]
    values = tuple(half / 2 / size for half in range(2 * size + 1))
    return Units(values, tuple(whole.count(value) for value in values))
