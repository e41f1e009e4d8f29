"""Batches: a log that is read as arrays becomes `Games` without a line of Python per game."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from statistics import fmean
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from arena.ratings.games import Column, Games, games_of
from envs.compiled import compiled

Ints = NDArray[np.int64]
Names = Mapping[int, tuple[str, ...]]


class Batch(Protocol):
    """Games in log order, G of them, as a store hands them over."""

    @property
    def lineup(self) -> NDArray[np.integer[Any]]:
        """[G] number of who sat in which seat."""

    @property
    def score(self) -> NDArray[np.floating[Any]]:
        """[G, P] by seat."""

    @property
    def seed(self) -> NDArray[np.integer[Any]]:
        """[G]"""

    @property
    def steps(self) -> NDArray[np.integer[Any]]:
        """[G]"""


def games_of_batches(batches: Iterable[Batch], lineups: Callable[[], Names], count: int = 0) -> Games:
    """What `games_of` makes of the same log, to the last bit.

    Args:
        lineups: who sits in which seat, by number; asked once, after the first batch.
        count: of games, about; room for so many is made at once.
    """
    sorter: _Sorter | None = None
    player, score, seed, steps = Column(np.int64), Column(np.float64), Column(np.int64), Column(np.int64)
    shapes: list[_Shape] = []
    for batch in batches:
        sorter = sorter or _Sorter(lineups())
        shape, own, held, seeds, lengths = sorter.sides(batch)
        shapes.append(shape)
        room = count * len(own) // max(1, len(seeds))
        player.add(own, room)
        score.add(held, room)
        seed.add(seeds, count)
        steps.add(lengths, count)
    if sorter is None:
        return games_of([])
    start, seat = _shaped(shapes)
    return Games(tuple(sorter.index), start, player.values(), score.values(), seat, seed.values(), steps.values())


_Shape = tuple[int, int] | tuple[Ints, Ints]
"""Games and how many seats each has, all of them different players; or sides of each game and seat of each side."""


def _shaped(shapes: Sequence[_Shape]) -> tuple[Ints, Ints]:
    """Start and seat of `Games`."""
    plain = [shape for shape in shapes if isinstance(shape[0], int)]
    if len(plain) == len(shapes) and len({seats for _, seats in plain}) == 1:  # at once, as this may be very long
        games, seats = sum(games for games, _ in plain), plain[0][1]
        return np.arange(0, (games + 1) * seats, seats), np.tile(np.arange(seats), games)
    each = [
        (np.full(shape[0], shape[1]), np.tile(np.arange(shape[1]), shape[0])) if isinstance(shape[0], int) else shape
        for shape in shapes
    ]
    width, seat = (np.concatenate(parts) for parts in zip(*each, strict=True))
    return np.append(0, np.cumsum(width)), seat


class _Sorter:
    """Knows who the sides of a lineup are."""

    def __init__(self, lineups: Names) -> None:
        size = max(lineups, default=-1) + 1
        self._lineups = lineups
        self.index: dict[str, int] = {}
        """Players in order of appearance."""
        self._kinds: dict[tuple[int, ...], int] = {}
        """By who shares seats: for each seat the first one of whoever sits there."""
        self._kind = np.zeros(size, np.int64)
        """[lineups]"""
        self._players = np.zeros((size, 2), np.int64)
        """[lineups, W] index of the player of each side, of lineups that have been seen."""
        self._seen = np.zeros(size, np.bool_)

    def sides(self, batch: Batch) -> tuple[_Shape, Ints, NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Shape of the games that count, and player and score of each side; seed and steps of each game."""
        lineup = np.asarray(batch.lineup, np.int64)
        self._meet(first_seen(lineup, self._seen).tolist())
        seats = batch.score.shape[1]
        if list(self._kinds) == [tuple(range(seats))]:  # everybody has had one seat so far
            player = self._players[:, :seats][lineup].reshape(-1)
            return (len(lineup), seats), player, batch.score.reshape(-1), batch.seed, batch.steps
        kind = self._kind[lineup]
        width = np.array([_width(own) for own in self._kinds], np.int64)[kind]
        start = np.cumsum(width) - width
        count = int(width.sum())
        player, score, seat = np.empty(count, np.int64), np.empty(count), np.empty(count, np.int64)
        for own, number in self._kinds.items():
            which = np.flatnonzero(kind == number)
            firsts = list(dict.fromkeys(own))
            if _width(own) and len(which):
                place = start[which, None] + np.arange(len(firsts))
                player[place] = self._players[lineup[which], : len(firsts)]
                score[place] = _by_side(np.asarray(batch.score, np.float64)[which], own)
                seat[place] = firsts
        kept = width > 0
        return (width[kept], seat), player, score, batch.seed[kept], batch.steps[kept]

    def _meet(self, numbers: list[int]) -> None:
        """Lineups for the first time."""
        index, known = self.index, [self._lineups[number] for number in numbers]
        if {*map(len, known)} == {2} and all(one != other for one, other in known):  # a long log has many
            flat = list(chain.from_iterable(known))
            for name in dict.fromkeys(flat):
                index.setdefault(name, len(index))
            self._kind[numbers] = self._kinds.setdefault((0, 1), len(self._kinds))
            self._players[numbers, :2] = np.array([index[name] for name in flat]).reshape(-1, 2)
            return
        kinds, found, places = [], [], []
        for number in numbers:
            names = self._lineups[number]
            own = tuple(map(names.index, names))
            kinds.append(self._kinds.setdefault(own, len(self._kinds)))
            firsts = dict.fromkeys(names)
            if _width(own):
                found.append([index.setdefault(name, len(index)) for name in firsts])
                places.append(number)
        self._kind[numbers] = kinds
        widest = max(map(len, found), default=0)
        if widest > self._players.shape[1]:
            self._players = np.pad(self._players, ((0, 0), (0, widest - self._players.shape[1])))
        for width in {*map(len, found)}:
            some = [at for at, one in enumerate(found) if len(one) == width]
            self._players[[places[at] for at in some], :width] = [found[at] for at in some]


def _width(own: tuple[int, ...]) -> int:
    """Sides of a game that counts, 0 for one whose player only met itself."""
    sides = len(set(own))
    return 0 if sides == 1 < len(own) else sides


def _by_side(score: NDArray[np.float64], own: tuple[int, ...]) -> NDArray[np.float64]:
    """[G, W] of scores by seat [G, P]: who had several seats has the mean of them."""
    sides = []
    for side in dict.fromkeys(own):
        held = score[:, [seat for seat, first in enumerate(own) if first == side]]
        match held.shape[1]:
            case 1:
                sides.append(held[:, 0])
            case 2:
                sides.append(held.sum(axis=1) / 2)  # as `fmean` rounds it
            case _:
                sides.append(np.array([fmean(row) for row in held.tolist()]))
    return np.stack(sides, axis=1)


@compiled
def first_seen(number: Ints, seen: NDArray[np.bool_]) -> Ints:
    """Those of `number` [G] that had not been `seen` before, in order; they have been now."""
    found = np.empty(len(number), np.int64)
    count = 0
    for one in number:
        if not seen[one]:
            seen[one] = True
            found[count] = one
            count += 1
    return found[:count].copy()
