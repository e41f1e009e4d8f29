"""Summaries: what `arena.result.summarise` says of one player, of everybody at once and from flat arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.ratings.games import Games
from arena.result import MatchSummary, student_975

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class Summaries:
    """The summaries of a log."""

    def __init__(self, games: Games) -> None:
        """Find out who won, and which games share a seed."""
        sides = np.diff(games.start)
        self._games = games
        self._game: Ints = np.repeat(np.arange(len(games)), sides)
        """[S] which game each side is of."""
        top = np.maximum.reduceat(games.score, games.start[:-1])[self._game]
        behind = games.score < top
        alone = np.bincount(self._game, ~behind, len(games))[self._game] == 1
        self._lost = behind
        self._won = ~behind & alone & (sides[self._game] > 1)
        seeds, seed = np.unique(games.seed, return_inverse=True)
        self._seeds, self._seed = len(seeds), seed.reshape(-1)[self._game]

    def all(self) -> dict[str, MatchSummary]:
        """Of all games of every player, by name."""
        return self._of(np.arange(len(self._game)))

    def against(self, other: str) -> dict[str, MatchSummary]:
        """Of the games that every player had with `other`, by name; who had none is left out, and so is `other`."""
        own = self._games.player == self._games.names.index(other)
        there = np.zeros(len(self._games), np.bool_)
        there[self._game[own]] = True
        return self._of(np.flatnonzero(there[self._game] & ~own))

    def _of(self, rows: Ints) -> dict[str, MatchSummary]:
        """Of the sides `rows`, by player."""
        player, score = self._games.player[rows], self._games.score[rows]
        size = len(self._games.names)

        def total(what: NDArray[Any]) -> Floats:
            """[names] sum over `rows`."""
            return np.bincount(player, what, size).astype(np.float64)

        counts = np.bincount(player, minlength=size)
        games = np.maximum(counts, 1)
        mean, steps = total(score) / games, total(self._games.steps[self._game[rows]]) / games
        wins, losses = total(self._won[rows]).astype(int), total(self._lost[rows]).astype(int)
        ends = self._intervals(player, score - mean[player], self._seed[rows], mean, counts)
        return {
            name: MatchSummary(
                name, int(counts[at]), int(wins[at]), int(counts[at] - wins[at] - losses[at]), int(losses[at]),
                float(mean[at]), ends.get(at), float(steps[at]),
            )
            for at, name in enumerate(self._games.names)
            if counts[at]
        }  # fmt: skip

    def _intervals(
        self, player: Ints, deviation: Floats, seed: Ints, mean: Floats, counts: Ints
    ) -> Mapping[int, tuple[float, float]]:
        """95 % intervals of `mean` [names], by player, of those with at least two seeds; games that share one are one
        unit, as in `summarise`."""
        units, unit = np.unique(player * self._seeds + seed, return_inverse=True)
        squares = np.bincount(unit.reshape(-1), deviation, len(units)) ** 2
        owner = units // max(1, self._seeds)
        several = np.bincount(owner, minlength=len(mean))
        total = np.bincount(owner, squares, len(mean))
        ends = {}
        for at in np.flatnonzero(several > 1).tolist():
            units_here = int(several[at])
            square = total[at] * units_here / (units_here - 1)
            half = student_975(units_here - 1) * math.sqrt(square) / counts[at]
            ends[at] = (float(mean[at] - half), float(mean[at] + half))
        return ends
