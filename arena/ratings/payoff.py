"""Payoff: who got what against whom, the whole match log as one table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from arena.ratings.games import Games
from envs.core import Floats
from envs.errors import InputError, unknown

Unit = Literal["win", "score"]
UNITS = ("win", "score")
SURE = 4.0
"""Games, half of them won and half lost, that an interval counts besides the real ones."""
Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Payoff:
    """What n players got from each other. Row: whose result it is; column: against whom."""

    names: tuple[str, ...]
    """[n]."""
    unit: Unit
    """What a game counts: "win" 1 for a win, 0 for a draw, -1 for a loss; "score" the player's own score."""
    games: NDArray[np.int64]
    """[n, n] games that two players had, symmetric; 0 where they never met, and on the diagonal."""
    total: Matrix
    """[n, n] sum over these games; antisymmetric for wins and in zero-sum games."""
    squares: Matrix
    """[n, n] sum of squares."""

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
        self._wins_only()
        return (1 + self.mean) / 2

    def interval(self, errors: float = 1.96) -> tuple[Matrix, Matrix]:
        """[n, n] lower and upper end of `mean`, `errors` standard errors to both sides (1.96: 95 %).

        Computed as if 2 wins and 2 losses had come on top (Agresti & Coull 1998), so that few games never look sure.
        Games count as independent. The two of a seat-swapped pair on equal serves are not, but they share their luck
        with opposite signs, so that this is too wide rather than too narrow.

        Raises:
            InputError: the unit is not "win", or `errors` is below 0.
        """
        self._wins_only()
        if not errors >= 0:
            raise InputError(f"errors = {errors}: an interval cannot be narrower than 0.")
        games = self.games + SURE
        centre = self.total / games
        half = errors * np.sqrt(((self.squares + SURE) / games - centre**2) / games)
        return np.maximum(centre - half, -1), np.minimum(centre + half, 1)

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
        if len(set(names)) < len(names):
            raise InputError(f"players must be named once each: {', '.join(names)}.")
        index = {name: place for place, name in enumerate(self.names)}
        here = np.array([place for place, name in enumerate(names) if name in index], np.int64)
        there = np.array([index[name] for name in names if name in index], np.int64)
        tables: list[NDArray[Any]] = []
        for table in (self.games, self.total, self.squares):
            part = np.zeros((len(names), len(names)), table.dtype)
            part[np.ix_(here, here)] = table[np.ix_(there, there)]
            tables.append(part)
        return Payoff(tuple(names), self.unit, *tables)

    def _wins_only(self) -> None:
        if self.unit != "win":
            raise InputError(f'a payoff in unit {self.unit!r} has no win shares: make it with unit="win".')


def payoff_of(games: Games, unit: Unit = "win") -> Payoff:
    """The payoff of a log. A game of more than two sides counts once for every two of them.

    Raises:
        InputError: an unknown unit.
    """
    if unit not in UNITS:
        raise unknown("unit", unit, UNITS)
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
