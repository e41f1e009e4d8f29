"""Payoff: who got what against whom, the whole match log as one table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from arena.ratings.games import Games
from arena.ratings.tally import Tally
from envs.core import Floats
from envs.errors import InputError, unknown

Unit = Literal["win", "score"]
UNITS = ("win", "score")
SURE = 4.0
"""Games, half of them won and half lost, that an interval counts besides the real ones."""
WHOLE = 500
"""Players of whom whole tables are kept, at most."""
Matrix = NDArray[np.float64]


class Cells(NamedTuple):
    """C pairs of players that met."""

    row: NDArray[np.int64]
    """[C]"""
    column: NDArray[np.int64]
    """[C]"""
    games: NDArray[np.int64]
    """[C] as the tables of `Payoff`."""
    total: Matrix
    """[C]"""
    squares: Matrix
    """[C]"""

    def at(self, which: NDArray[Any]) -> Cells:
        """Some of them, in that order."""
        return Cells(
            self.row[which], self.column[which], self.games[which], self.total[which], self.squares[which]
        )  # fmt: skip


class Payoff:
    """What n players got from each other. Row: whose result it is; column: against whom."""

    def __init__(
        self, names: tuple[str, ...], unit: Unit, games: NDArray[np.int64], total: Matrix, squares: Matrix
    ) -> None:
        """From whole tables.

        Args:
            names: [n].
            unit: what a game counts: "win" 1 for a win, 0 for a draw, -1 for a loss; "score" the player's own score.
            games, total, squares: [n, n] as the properties.
        """
        self.names, self.unit = names, unit
        self._tables = games, total, squares

    @property
    def games(self) -> NDArray[np.int64]:
        """[n, n] games that two players had, symmetric; 0 where they never met, and on the diagonal."""
        return self._tables[0]

    @property
    def total(self) -> Matrix:
        """[n, n] sum over these games; antisymmetric for wins and in zero-sum games."""
        return self._tables[1]

    @property
    def squares(self) -> Matrix:
        """[n, n] sum of squares."""
        return self._tables[2]

    def cells(self) -> Cells:
        """The same, of those only who met."""
        row, column = np.nonzero(self.games)
        return Cells(row, column, self.games[row, column], self.total[row, column], self.squares[row, column])

    def row(self, name: str, others: Sequence[str]) -> tuple[NDArray[np.int64], Matrix]:
        """[k] games of `name` with each of `others`, and the sum over these; 0 for who is in no game."""
        place = {one: at for at, one in enumerate(self.names)}
        games, total = np.zeros(len(others), np.int64), np.zeros(len(others))
        here = np.array([at for at, one in enumerate(others) if one in place], np.int64)
        there = np.array([place[others[at]] for at in here], np.int64)
        if name in place:
            games[here], total[here] = self._row(place[name], there)
        return games, total

    def _row(self, row: int, columns: NDArray[np.int64]) -> tuple[NDArray[np.int64], Matrix]:
        return self.games[row, columns], self.total[row, columns]

    @property
    def mean(self) -> Matrix:
        """[n, n] per game; NaN for two who never met, 0 on the diagonal. Of wins: (wins - losses) / games."""
        mean = np.full(self.total.shape, np.nan)
        np.divide(self.total, self.games, out=mean, where=self.games > 0)
        np.fill_diagonal(mean, 0.0)
        return mean

    @property
    def win_share(self) -> Matrix:
        """[n, n] wins plus half the draws, per game; NaN for two who never met, 1/2 on the diagonal.

        Raises:
            InputError: the unit is not "win".
        """
        self.wins_only()
        return (1 + self.mean) / 2

    def interval(self, errors: float = 1.96) -> tuple[Matrix, Matrix]:
        """[n, n] lower and upper end of `mean`, `errors` standard errors to both sides (1.96: 95 %).

        Computed as if 2 wins and 2 losses had come on top (Agresti & Coull 1998), so that few games never look sure.
        Games count as independent. The two of a seat-swapped pair on equal serves are not, but they share their luck
        with opposite signs, so that this is too wide rather than too narrow.

        Raises:
            InputError: the unit is not "win", or `errors` is below 0.
        """
        self.wins_only()
        return interval(*self._tables, errors)

    def filled(self, pseudo: float = 0.0) -> Matrix:
        """[n, n] `mean`, finite everywhere: what the meta-solvers take.

        Every two players count as having had `pseudo` draws (games of score 0) more than they had. With 0, two who
        met keep their mean and two who never met are even: in win shares, a prior of 1/2 that weighs `pseudo` games.

        Raises:
            InputError: `pseudo` below 0.
        """
        if not pseudo >= 0:
            raise InputError(f"pseudo = {pseudo}: games that are added cannot be fewer than 0.")
        games = self.games + pseudo
        mean = np.zeros(self.total.shape)
        np.divide(self.total, games, out=mean, where=games > 0)
        return mean

    def among(self, names: Sequence[str]) -> Payoff:
        """The same of `names` only, in this order; who is in no game is there too, and met nobody.

        Raises:
            InputError: a name that comes twice.
        """
        here, there = self._chosen(names)
        tables: list[NDArray[Any]] = []
        for table in self._tables:
            part = np.zeros((len(names), len(names)), table.dtype)
            part[np.ix_(here, here)] = table[np.ix_(there, there)]
            tables.append(part)
        return Payoff(tuple(names), self.unit, *tables)

    def _chosen(self, names: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Places among `names` of those that are in the table, and their places in it."""
        if len(set(names)) < len(names):
            raise InputError(f"players must be named once each: {', '.join(names)}.")
        index = {name: place for place, name in enumerate(self.names)}
        here = np.array([place for place, name in enumerate(names) if name in index], np.int64)
        there = np.array([index[name] for name in names if name in index], np.int64)
        return here, there

    def wins_only(self) -> None:
        """Raise an InputError if the unit is not "win"."""
        if self.unit != "win":
            raise InputError(f'a payoff in unit {self.unit!r} has no win shares: make it with unit="win".')


class SparsePayoff(Payoff):
    """The same of many players of whom each met few: whole tables are made when somebody asks for them."""

    def __init__(self, names: tuple[str, ...], unit: Unit, cells: Cells) -> None:
        """From those who met."""
        self.names, self.unit = names, unit
        order = np.argsort(cells.row * len(names) + cells.column)
        self._cells = cells.at(order)
        self._key = self._cells.row * len(names) + self._cells.column

    def cells(self) -> Cells:
        """Sorted by row, then column."""
        return self._cells

    @cached_property
    def _tables(self) -> tuple[NDArray[np.int64], Matrix, Matrix]:  # type: ignore[override]
        tables: list[NDArray[Any]] = []
        for values in self._cells[2:]:
            table = np.zeros((len(self.names), len(self.names)), values.dtype)
            table[self._cells.row, self._cells.column] = values
            tables.append(table)
        return tables[0], tables[1], tables[2]

    def _row(self, row: int, columns: NDArray[np.int64]) -> tuple[NDArray[np.int64], Matrix]:
        if not len(self._key):
            return np.zeros(len(columns), np.int64), np.zeros(len(columns))
        wanted = row * len(self.names) + columns
        at = np.minimum(np.searchsorted(self._key, wanted), len(self._key) - 1)
        met = self._key[at] == wanted
        return np.where(met, self._cells.games[at], 0), np.where(met, self._cells.total[at], 0.0)

    def among(self, names: Sequence[str]) -> Payoff:
        """See `Payoff.among`."""
        here, there = self._chosen(names)
        place = np.full(len(self.names), -1)
        place[there] = here
        row, column = place[self._cells.row], place[self._cells.column]
        kept = (row >= 0) & (column >= 0)
        return sparse(names, self.unit, self._cells.at(kept)._replace(row=row[kept], column=column[kept]))


def sparse(names: Sequence[str], unit: Unit, cells: Cells) -> Payoff:
    """A payoff from those who met; as whole tables, unless these are large."""
    found = SparsePayoff(tuple(names), unit, cells)
    return found if len(names) > WHOLE else Payoff(found.names, unit, found.games, found.total, found.squares)


def interval(games: NDArray[np.int64], total: Matrix, squares: Matrix, errors: float) -> tuple[Matrix, Matrix]:
    """See `Payoff.interval`; of tables of any shape."""
    if not errors >= 0:
        raise InputError(f"errors = {errors}: an interval cannot be narrower than 0.")
    count = games + SURE
    centre = total / count
    half = errors * np.sqrt(((squares + SURE) / count - centre**2) / count)
    return np.maximum(centre - half, -1), np.minimum(centre + half, 1)


def payoff_of(games: Games, unit: Unit = "win") -> Payoff:
    """The payoff of a log. A game of more than two sides counts once for every two of them.

    Raises:
        InputError: an unknown unit.
    """
    if unit not in UNITS:
        raise unknown("unit", unit, UNITS)
    if games.duels:
        tally = Tally()
        tally.read(games)
        return payoff_of_tally(tally, games.names, unit)
    size = len(games.names)
    shape = (size, size)
    met, total, squares = np.zeros(size**2, np.int64), np.zeros(size**2), np.zeros(size**2)
    for own, other in _pairs(games):
        cell = games.player[own] * size + games.player[other]
        mine, theirs = games.score[own], games.score[other]
        result = np.sign(mine - theirs) if unit == "win" else mine
        met += np.bincount(cell, minlength=size**2)
        total += np.bincount(cell, result, minlength=size**2)
        squares += np.bincount(cell, result**2, minlength=size**2)
    return Payoff(games.names, unit, met.reshape(shape), total.reshape(shape), squares.reshape(shape))


def payoff_of_tally(tally: Tally, names: Sequence[str], unit: Unit = "win") -> Payoff:
    """The payoff of a log of duels that has been counted up already; `names` are those of its players."""
    counts = tally.counts()
    one, other = counts.player
    if unit == "win":
        values = [(counts.ahead, counts.decided), (-counts.ahead, counts.decided)]
    else:
        values = list(zip(counts.score, counts.squares, strict=True))
    parts = [(one, other, counts.games, *values[0]), (other, one, counts.games, *values[1])]
    both = [np.concatenate(each) for each in zip(*parts, strict=True)]
    key, place = np.unique(both[0] * len(names) + both[1], return_inverse=True)
    row, column = np.divmod(key, max(1, len(names)))
    # Each is summed first as `one`, then as `other`.
    met, total, square = (np.bincount(place, each, len(key)).astype(np.float64) for each in both[2:])
    return sparse(names, unit, Cells(row, column, met.astype(np.int64), total, square))


def _pairs(games: Games) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Every two sides of every game, in both orders, as places in `games.player`."""
    sides = np.diff(games.start)
    for count in np.unique(sides).tolist():
        first = games.start[:-1][sides == count]
        for one in range(count):
            for other in range(count):
                if one != other:
                    yield first + one, first + other


def square(payoff: Floats, zero_sum: bool = False) -> Matrix:
    """`payoff` as [n, n] float64, once it is fit for a meta-solver.

    Raises:
        InputError: not square, empty or not finite; or, if `zero_sum`, not antisymmetric.
    """
    table = np.asarray(payoff, np.float64)
    if table.ndim != 2 or table.shape[0] != table.shape[1] or not table.size:
        raise InputError(f"a payoff is a table of as many columns as rows, at least one, not {table.shape}.")
    if not np.isfinite(table).all():
        raise InputError("a payoff must be finite: fill pairs that never met, as Payoff.filled() does.")
    if zero_sum and abs(table + table.T).max() > 1e-9 * abs(table).max():
        raise InputError('a payoff must be zero-sum here: use the unit "win", or (payoff - payoff.T) / 2.')
    return table
