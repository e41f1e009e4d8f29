"""Cells: a log counted up by who met whom in which seats. In this form it has no order any more."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from arena.ratings.davidson import Table
from arena.ratings.games import Games
from arena.ratings.pairs import Floats, Ints, pairs_of
from arena.ratings.tally import Tally


@dataclass(frozen=True, slots=True)
class Cells:
    """Which of C cells each of M pairs falls into. Players are numbered in the order of their names."""

    names: tuple[str, ...]
    """n players."""
    seats: tuple[int, ...]
    """P seats that were sat in."""
    place: Ints
    """[C, 4] as in `Table`; of the two players, the first has the smaller number."""
    slot: Ints
    """[M] cell x 3 + 0 won, 1 drawn, 2 lost by the first."""
    weight: Floats
    """[M] as in `Pairs`."""
    game: Ints
    """[M] that the pair is of."""

    def table(self, times: Ints | None = None) -> Table:
        """The counts, each game taken `times` [G]; None: once."""
        weight = self.weight if times is None else self.weight * times[self.game]
        count = np.bincount(self.slot, weight, 3 * len(self.place))
        return Table(len(self.names), len(self.seats), self.place, count.astype(np.float64).reshape(-1, 3))


def cells_of(games: Games) -> Cells:
    """Sort the pairs of `games` into cells."""
    pairs, names = pairs_of(games), tuple(sorted(games.names))
    number = numbers(games)
    seats, seat = np.unique(pairs.seat, return_inverse=True)
    seat = seat.reshape(pairs.seat.shape)
    first, second = number[pairs.first], number[pairs.second]
    turned = first > second
    first, second = np.where(turned, second, first), np.where(turned, first, second)
    left, right = np.where(turned, seat[:, ::-1].T, seat.T)
    outcome = np.where(turned, 2 * pairs.score, 2 - 2 * pairs.score).astype(np.int64)
    key = ((first * len(names) + second) * len(seats) + left) * len(seats) + right
    key, cell = np.unique(key, return_inverse=True)
    key, right = np.divmod(key, max(1, len(seats)))
    key, left = np.divmod(key, max(1, len(seats)))
    first, second = np.divmod(key, max(1, len(names)))
    return Cells(
        names,
        tuple(seats.tolist()),
        np.stack([first, second, left + len(names), right + len(names)], axis=1),
        cell * 3 + outcome,
        pairs.weight,
        np.repeat(np.arange(len(games)), np.diff(pairs.start)),
    )


def table_of(games: Games, tally: Tally | None = None) -> tuple[tuple[str, ...], tuple[int, ...], Table]:
    """Names and seats as in `Cells`, and the table of them: without them where a log consists of duels, and so much
    sooner.

    Args:
        tally: the games, counted up, if that has been done already; of duels.
    """
    if tally is None:
        if not games.duels:
            cells = cells_of(games)
            return cells.names, cells.seats, cells.table()
        tally = Tally()
        tally.read(games)
    counts, number, size = tally.counts(), numbers(games), len(games.names)
    seats, seat = np.unique(counts.seat, return_inverse=True)
    seat = seat.reshape(counts.seat.shape)
    player = number[counts.player]
    turned = player[0] > player[1]
    first, second = np.where(turned, player[::-1], player)
    left, right = np.where(turned, seat[::-1], seat)
    ahead = np.where(turned, -counts.ahead, counts.ahead)
    won, drawn, lost = (counts.decided + ahead) // 2, counts.games - counts.decided, (counts.decided - ahead) // 2
    key = ((first * size + second) * len(seats) + left) * len(seats) + right
    key, at, cell = np.unique(key, return_index=True, return_inverse=True)
    count = np.stack([np.bincount(cell, each, len(key)) for each in (won, drawn, lost)], axis=1)
    place = np.stack([first, second, left + size, right + size], axis=1)[at]
    return tuple(sorted(games.names)), tuple(seats.tolist()), Table(size, len(seats), place, count.astype(np.float64))


def numbers(games: Games) -> Ints:
    """[names] of `games`: the place of each in the order of names."""
    place = {name: number for number, name in enumerate(sorted(games.names))}
    return np.array([place[name] for name in games.names], np.int64)
