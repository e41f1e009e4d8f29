"""Resampling: logs drawn anew from a log, to see how far a rating would move had other games been played."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from arena.ratings.games import Games
from arena.ratings.pairs import Ints


def clusters(games: Games, number: Ints) -> Ints:
    """[G] which cluster each game is in: games of the same players with the same seed, at most as many as players.

    These are the two of a seat-swapped pair, or all rotations of a larger game: the same serves in every seat, so not
    independent. The numbering of the clusters does not depend on the order of the log.

    Args:
        number: [names] of `games`, unique.
    """
    sides = np.diff(games.start)
    found, cluster = 0, np.zeros(len(games), np.int64)
    for size in np.unique(sides):
        which = np.flatnonzero(sides == size)
        players = np.sort(number[games.player[games.start[which, None] + np.arange(size)]], axis=1)
        key = np.column_stack([players, games.seed[which]])
        order = np.lexsort(key.T)
        key, place = key[order], np.arange(len(which))
        begins = np.append(True, (key[1:] != key[:-1]).any(axis=1))
        since = place - np.maximum.accumulate(np.where(begins, place, 0))
        begins |= since % size == 0
        cluster[which[order]] = found + np.cumsum(begins) - 1
        found += int(begins.sum())
    return cluster


def drawn(cluster: Ints, replicates: int, rng: np.random.Generator) -> Iterator[Ints]:
    """For each replicate, how often each game is in it [G]: as many clusters as there are, drawn with replacement."""
    count = int(cluster.max(initial=-1)) + 1
    for _ in range(replicates):
        yield np.bincount(rng.integers(count, size=count), minlength=count)[cluster]
