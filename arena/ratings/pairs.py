"""Pairs: what a log says of every two players that met, for raters that only know two at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arena.ratings.games import Games

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pairs:
    """M pairs in log order. A free-for-all of k sides is read as its k (k - 1) / 2 pairs in the order of finish.

    Those pairs are not k (k - 1) / 2 independent games: an order of k holds k - 1 comparisons. So each weighs
    2 / k, and a duel weighs 1.
    """

    start: Ints
    """[G + 1] first pair of each game; the last entry is M."""
    first: Ints
    """[M] the player that sat nearer to seat 0."""
    second: Ints
    """[M] the other one."""
    seat: Ints
    """[M, 2] where they sat."""
    score: Floats
    """[M] 1 the first finished before the second, 0.5 level, 0 behind."""
    weight: Floats
    """[M] as a share of a game."""


def pairs_of(games: Games) -> Pairs:
    """The pairs of all games."""
    sides = np.diff(games.start)
    count = sides * (sides - 1) // 2
    start = np.concatenate([[0], np.cumsum(count)])
    left, right = np.empty(start[-1], np.int64), np.empty(start[-1], np.int64)
    for size in np.unique(sides):  # all games of one size at once
        a, b = np.triu_indices(size, 1)
        which = np.flatnonzero(sides == size)
        place = start[which, None] + np.arange(len(a))
        left[place] = games.start[which, None] + a
        right[place] = games.start[which, None] + b
    return Pairs(
        start,
        games.player[left],
        games.player[right],
        np.stack([games.seat[left], games.seat[right]], axis=1),
        (np.sign(games.score[left] - games.score[right]) + 1) / 2,
        np.repeat(2 / np.maximum(sides, 1), count),
    )
