"""Summaries: what `arena.result.summarise` says of one player, of everybody at once and from flat arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from arena.ratings.games import Games
from arena.result import MatchSummary, student_975
from envs.compiled import compiled

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
_student = cache(student_975)
LONG = 64
"""Sides of games of one seed; with more, they are sorted instead of compared with each other."""
ALL = -1


class Summaries:
    """The summaries of a log."""

    def __init__(self, games: Games) -> None:
        """Find out which games share a seed."""
        self._games = games
        self._runs = _runs(games)

    def all(self) -> dict[str, MatchSummary]:
        """Of all games of every player, by name."""
        return self._of(ALL)

    def against(self, other: str) -> dict[str, MatchSummary]:
        """Of the games that every player had with `other`, by name; who had none is left out, and so is `other`."""
        return self._of(self._games.names.index(other))

    def _of(self, other: int) -> dict[str, MatchSummary]:
        """Of the games with the player `other`, or of `ALL`."""
        games = self._games
        ints, floats = add_up(games.start, games.player, games.score, games.steps, len(games.names), other)
        count, won, lost = ints.T
        mean, steps = (floats / np.maximum(count, 1)[:, None]).T
        if self._runs is not None:
            units, square = spread(games.start, games.player, games.score, *self._runs, mean, other)
        else:
            units, square = self._by_seed(mean, other)
        ends = _intervals(mean, count, units, square)
        rows = zip(games.names, *(each.tolist() for each in (count, won, lost, mean, steps)), strict=True)
        return {
            name: MatchSummary(name, played, wins, played - wins - losses, losses, own, ends.get(at), length)
            for at, (name, played, wins, losses, own, length) in enumerate(rows)
            if played
        }

    def _by_seed(self, mean: Floats, other: int) -> tuple[Ints, Floats]:
        """What `spread` finds, whatever the order of the games."""
        games = self._games
        game = np.repeat(np.arange(len(games)), np.diff(games.start))
        used = np.ones(len(game), np.bool_)
        if other != ALL:
            own = games.player == other
            there = np.zeros(len(games), np.bool_)
            there[game[own]] = True
            used = there[game] & ~own
        seeds, seed = np.unique(games.seed, return_inverse=True)
        player = games.player[used]
        unit, place = np.unique(player * len(seeds) + seed.reshape(-1)[game[used]], return_inverse=True)
        total = np.bincount(place.reshape(-1), games.score[used] - mean[player], len(unit))
        owner = unit // max(1, len(seeds))
        units = np.bincount(owner, minlength=len(mean)).astype(np.int64)
        return units, np.bincount(owner, total**2, len(mean)).astype(np.float64)


class _Runs(NamedTuple):
    """Runs of games with one seed, R of them."""

    first: Ints
    """[R + 1] first game of each, and the end."""
    order: Ints
    """[R] runs, those of one seed after each other."""
    group: Ints
    """[K + 1] first of each seed in `order`, and the end."""


def _runs(games: Games) -> _Runs | None:
    """The games by seed; None where a seed has too many."""
    if not len(games):
        return _Runs(np.zeros(1, np.int64), np.zeros(0, np.int64), np.zeros(1, np.int64))
    first = changes(games.seed)
    seeds = games.seed[first[:-1]]
    there = np.sort(seeds)
    several = np.unique(there[1:][there[1:] == there[:-1]])
    group = np.arange(len(seeds) + 1)
    order = group[:-1]
    sides = np.diff(games.start[first])
    if len(several):  # few, mostly: the others stay in the order of the log, which is read sooner
        at = np.minimum(np.searchsorted(several, seeds), len(several) - 1)
        again = several[at] == seeds
        later = np.flatnonzero(again)[np.argsort(at[again], kind="stable")]
        order = np.concatenate([np.flatnonzero(~again), later])
        begins = np.append(True, at[later][1:] != at[later][:-1])
        group = np.concatenate([np.arange(len(seeds) - len(later)), len(seeds) - len(later) + np.flatnonzero(begins)])
        sides, group = np.add.reduceat(sides[order], group), np.append(group, len(seeds))
    return _Runs(first, order, group) if sides.max() <= LONG else None


def _intervals(mean: Floats, count: Ints, units: Ints, square: Floats) -> Mapping[int, tuple[float, float]]:
    """95 % intervals of `mean` [names], by player, of those with at least two seeds; games that share one are one unit,
    as in `summarise`."""
    ends = {}
    for at in np.flatnonzero(units > 1).tolist():
        here = int(units[at])
        half = _student(here - 1) * math.sqrt(square[at] * here / (here - 1)) / count[at]
        ends[at] = (float(mean[at] - half), float(mean[at] + half))
    return ends


@compiled
def changes(seed: Ints) -> Ints:
    """[R + 1] where each run of equal ones among `seed` [G] begins, and G."""
    found, count = np.empty(len(seed) + 1, np.int64), 0
    for at in range(len(seed)):
        if at == 0 or seed[at] != seed[at - 1]:
            found[count] = at
            count += 1
    found[count] = len(seed)
    return found[: count + 1].copy()


@compiled
def add_up(start: Ints, player: Ints, score: Floats, steps: Ints, names: int, other: int) -> tuple[Ints, Floats]:
    """[names, 3] games, those won and those lost; [names, 2] sums of scores and of lengths.

    Args:
        start, player, score, steps: as in `Games`.
        other: of the games with this player only, and not for itself; -1: of all.
    """
    ints, floats = np.zeros((names, 3), np.int64), np.zeros((names, 2))
    for game in range(len(start) - 1):
        begin, end = start[game], start[game + 1]
        if other >= 0 and not has(player, begin, end, other):
            continue
        top, best = score[begin], 0
        for side in range(begin, end):
            top = max(top, score[side])
        for side in range(begin, end):
            best += score[side] == top
        for side in range(begin, end):
            one = player[side]
            if one == other:
                continue
            ints[one, 0] += 1
            if score[side] < top:
                ints[one, 2] += 1
            elif best == 1 and end - begin > 1:
                ints[one, 1] += 1
            floats[one, 0] += score[side]
            floats[one, 1] += steps[game]
    return ints, floats


@compiled
def spread(
    start: Ints, player: Ints, score: Floats, first: Ints, order: Ints, group: Ints, mean: Floats, other: int
) -> tuple[Ints, Floats]:
    """[names] units of each player, which are its games of one seed; [names] sum over them of the square of how far
    their scores are off its mean.

    Args:
        first, order, group: see `_Runs`.
        mean: [names] score.
        start, player, score, other: as for `add_up`.
    """
    units, squares = np.zeros(len(mean), np.int64), np.zeros(len(mean))
    sides = np.empty(LONG, np.int64)
    for one in range(len(group) - 1):
        count = 0
        for at in range(group[one], group[one + 1]):
            for game in range(first[order[at]], first[order[at] + 1]):
                if other < 0 or has(player, start[game], start[game + 1], other):
                    for side in range(start[game], start[game + 1]):
                        if player[side] != other:
                            sides[count] = side
                            count += 1
        for at in range(count):
            own = player[sides[at]]
            off, seen = 0.0, False
            for again in range(count):
                if player[sides[again]] == own:
                    seen = seen or again < at
                    off += score[sides[again]] - mean[own]
            if not seen:
                units[own] += 1
                squares[own] += off * off
    return units, squares


@compiled
def has(player: Ints, begin: int, end: int, one: int) -> bool:
    """Whether `one` is among the sides from `begin` to `end`."""
    found = False
    for side in range(begin, end):
        found = found or player[side] == one
    return found
