"""Many: the fit of `arena.ratings.davidson` where players are thousands and each met few.

Its tables of all players against all would be too large then, so nothing here is one. Newton's steps are found by
conjugate gradients (Hestenes & Stiefel 1952), to the same end. Of the covariance only the parts that somebody asks for
are worked out. Those who met the most others (anchors, first of all), the seats and the draws are eliminated exactly.
Around everybody else it is enough to look as far as a game still tells something: conjugate gradients that start from
one player give its element of the diagonal of the inverse from below (Golub & Meurant 2010, chapter 3), and stop when
it grows by less than `CLOSE` any more. What is left is the drift of a group as a whole, which is told by the rest and
added.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from arena.ratings.conjugate import beside, components, derivatives, nearby, solve
from arena.ratings.davidson import SETTLED, STEPS, Table
from arena.ratings.pairs import Floats, Ints

CLOSE = 1e-2
"""Share of a variance that the search adds in its last step, and that all further ones would add, at most."""
FARTHEST = 200
"""Steps of such a search, at most."""
HUBS = 32
"""Players that are eliminated exactly, a quarter of all at most: those who have met the most others."""


@dataclass(frozen=True, slots=True)
class Network:
    """Q pairs of players that met, from both sides."""

    start: Ints
    """[n + 1] first of the neighbours of each player."""
    other: Ints
    """[2 Q] neighbours."""
    pair: Ints
    """[2 Q] which pair that is."""
    of: Ints
    """[C] the pair of each cell of the table."""


@dataclass(frozen=True, slots=True)
class Curvature:
    """Minus the second derivatives of the log-posterior at a point, n players and b others: the seats, the draws."""

    own: Floats
    """[n] diagonal of the players' part."""
    weight: Floats
    """[Q] its other elements, with the sign changed."""
    across: Floats
    """[n, b]"""
    others: Floats
    """[b, b]"""


class Errors:
    """The covariance of the players' errors, in log-odds, relative to the mean of all or to one of them."""

    def __init__(self, network: Network, curvature: Curvature, players: int) -> None:
        """At the mode of the posterior."""
        self.players = players
        degree = np.diff(network.start)
        hub = np.zeros(players, np.bool_)
        hub[np.argsort(-degree, kind="stable")[: min(HUBS, players // 4)]] = True
        self._hub, self._core = np.flatnonzero(hub), np.flatnonzero(~hub)
        self._start, self._other, self._weight = _without(network, curvature.weight, hub)
        self._own = curvature.own[self._core]
        tied = np.zeros((players, len(self._hub)))
        for column, one in enumerate(self._hub):
            here = slice(network.start[one], network.start[one + 1])
            tied[network.other[here], column] = -curvature.weight[network.pair[here]]
            tied[one, column] = curvature.own[one]
        # The mean of all players is held by one more unknown, see `_pinned`.
        across, others = _pinned(curvature)
        corner = np.block([[tied[self._hub], across[self._hub]], [across[self._hub].T, others]])
        border = np.concatenate([tied, across], axis=1)[self._core]
        self._reply = solve(self._start, self._other, self._weight, self._own, border)
        self._inner = np.linalg.inv(corner - border.T @ self._reply)
        self._group = components(self._start, self._other)
        held = self._own - np.bincount(
            np.repeat(np.arange(len(self._core)), np.diff(self._start)), self._weight, len(self._core)
        )
        self._hold = np.bincount(self._group, held)
        """[groups] what holds a group as a whole in place."""

    @cached_property
    def variance(self) -> Floats:
        """[n] the diagonal."""
        near, drift = nearby(
            self._start, self._other, self._weight, self._own, np.arange(len(self._core)), self._group, CLOSE, FARTHEST
        )
        found = np.empty(self.players)
        far = (self._reply @ self._inner * self._reply).sum(axis=1)
        found[self._core] = near + drift**2 / self._hold[self._group] + far
        found[self._hub] = self._inner.diagonal()[: len(self._hub)]
        return found

    def block(self, rows: Ints) -> Floats:
        """[k, k] of the players `rows`, unique."""
        size, hubs = len(self._core), len(self._hub)
        place = np.full(self.players, -1)
        place[self._core] = np.arange(size)
        place[self._hub] = -2 - np.arange(hubs)
        at = place[rows]
        reply = np.zeros((len(rows), self._inner.shape[0]))
        reply[at >= 0] = self._reply[at[at >= 0]]
        reply[at < 0, -2 - at[at < 0]] = -1.0
        whole = reply @ self._inner @ reply.T
        core = np.flatnonzero(at >= 0)
        near, drift = beside(self._start, self._other, self._weight, self._own, at[core], self._group, CLOSE, FARTHEST)
        group = self._group[at[core]]
        together = (group[:, None] == group) * drift[:, None] * drift / self._hold[group]
        inside = (near + near.T) / 2 + together
        whole[np.ix_(core, core)] += inside
        whole[np.arange(len(rows)), np.arange(len(rows))] = self.variance[rows]
        return whole

    def column(self, right: Floats) -> Floats:
        """[n] the covariance times `right` [n], exactly."""
        reply = solve(self._start, self._other, self._weight, self._own, right[self._core][:, None])[:, 0]
        given = np.zeros(self._inner.shape[0])
        given[: len(self._hub)] = right[self._hub]
        edge = self._inner @ (given - self._reply.T @ right[self._core])
        found = np.empty(self.players)
        found[self._core] = reply - self._reply @ edge
        found[self._hub] = edge[: len(self._hub)]
        return found

    def others(self, count: int) -> Floats:
        """[count, count] covariance of the last unknowns before the one that holds the mean: seats, then draws."""
        return np.array(self._inner[-1 - count : -1, -1 - count : -1], np.float64)


class Relative:
    """The same in another unit and relative to the mean of all, or to one player."""

    def __init__(self, errors: Errors, unit: float, to: int | None) -> None:
        """Args:
        unit: points in one of log-odds.
        to: place of the player; None: the mean of all.
        """
        self._errors, self._square, self._to = errors, unit**2, to
        players = errors.players
        right = np.full(players, 1 / players) if to is None else (np.arange(players) == to).astype(np.float64)
        self._shared = errors.column(right)
        self._common = float(self._shared @ right)

    @cached_property
    def variance(self) -> Floats:
        """[n]"""
        found = self._square * np.maximum(self._errors.variance - 2 * self._shared + self._common, 0.0)
        if self._to is not None:
            found[self._to] = 0.0
        return found

    def block(self, rows: Ints) -> Floats:
        """[k, k] of the players `rows`, unique."""
        shared = self._shared[rows]
        found = self._square * (self._errors.block(rows) - shared[:, None] - shared + self._common)
        found[rows == self._to] = 0.0
        found[:, rows == self._to] = 0.0
        return found


@dataclass(frozen=True, slots=True)
class Estimate:
    """The mode of the posterior."""

    value: Floats
    """[size] as in `arena.ratings.davidson.Estimate`."""
    errors: Errors
    seats: Floats
    """[P] variances of the seats, 0 where they were not fitted."""


def estimate(table: Table, prior: float, seats: bool, start: Floats | None = None) -> Estimate:
    """The best parameters.

    Args:
        table: sorted by players.
        prior, seats, start: as for `arena.ratings.davidson.estimate`; there is a prior.
    """
    players, network = table.players, network_of(table)
    free = np.full(table.size - players, seats)
    free[-1] = table.count[:, 1].any()
    value = np.zeros(table.size) if start is None else np.where(np.isfinite(start), start, 0.0)
    value[players:][~free] = 0.0
    if not free[-1]:
        value[-1] = -math.inf
    height, slope, curvature = posterior(table, network, value, free, prior)
    for _ in range(STEPS):
        step = _newton(network, curvature, slope)
        if slope @ step < SETTLED:
            break
        for share in 0.5 ** np.arange(20):  # Newton's whole step may overshoot
            ahead = value.copy()
            ahead[:players] += share * step[:players]
            ahead[players:][free] += share * step[players:]
            found = posterior(table, network, ahead, free, prior)
            if found[0] >= height - 1e-12 * abs(height):
                break
        value, (height, slope, curvature) = ahead, found
    errors, spread = Errors(network, curvature, players), np.zeros(table.seats)
    if seats:
        kept = len(curvature.others)
        spread = errors.others(kept)[: table.seats, : table.seats]
        mean = np.eye(table.seats) - 1 / table.seats
        spread = (mean @ spread @ mean).diagonal()
    return Estimate(value, errors, np.maximum(spread, 0.0))


def network_of(table: Table) -> Network:
    """Who met whom in `table`, whose cells are sorted by players."""
    first, second = table.place[:, 0], table.place[:, 1]
    new = np.append(True, (first[1:] != first[:-1]) | (second[1:] != second[:-1]))[: len(first)]
    of, one, two = np.cumsum(new) - 1, first[new], second[new]
    row, other, pair = np.append(one, two), np.append(two, one), np.tile(np.arange(len(one)), 2)
    order = np.argsort(row, kind="stable")
    start = np.zeros(table.players + 1, np.int64)
    np.cumsum(np.bincount(row, minlength=table.players), out=start[1:])
    return Network(start, other[order], pair[order], of)


def posterior(
    table: Table, network: Network, value: Floats, free: NDArray[np.bool_], prior: float
) -> tuple[float, Floats, Curvature]:
    """Log-posterior but for a constant, its gradient [n + b] and its curvature; b others are `free` [P + 1]."""
    pairs = int(network.of.max(initial=-1)) + 1
    height, slope, own, weight, across, others = derivatives(
        table.place, table.count, network.of, value, table.players, pairs
    )
    kept = np.append(value[: table.players], value[table.players :][free])
    height -= prior / 2 * float(kept @ kept)
    slope = np.append(slope[: table.players], slope[table.players :][free]) - prior * kept
    others = others[np.ix_(free, free)] + prior * np.eye(int(free.sum()))
    seats = int(free[:-1].sum())
    if seats:  # their mean is 0 and stays there, as in `arena.ratings.davidson.posterior`
        others[:seats, :seats] += others.diagonal()[:seats].sum() / seats**2
    return height, slope, Curvature(own + prior, weight, np.ascontiguousarray(across[:, free]), others)


def _pinned(curvature: Curvature) -> tuple[Floats, Floats]:
    """`across` and `others` with one more unknown t, of which nothing is known but that the sum of all skills is t / c:
    eliminated, it adds c to every element of the players' part, which makes their mean certain."""
    players = len(curvature.own)
    firm = curvature.own.sum() / players**2
    size = len(curvature.others)
    others = np.zeros((size + 1, size + 1))
    others[:size, :size], others[size, size] = curvature.others, -1 / firm
    return np.concatenate([curvature.across, np.ones((players, 1))], axis=1), others


def _newton(network: Network, curvature: Curvature, slope: Floats) -> Floats:
    """[n + b] the step to the top of the parabola."""
    players = len(curvature.own)
    across, others = _pinned(curvature)
    right = np.concatenate([across, slope[:players, None]], axis=1)
    weight = curvature.weight[network.pair]
    reply = solve(network.start, network.other, weight, curvature.own, right)
    given = np.append(slope[players:], 0.0)
    edge = np.linalg.solve(others - across.T @ reply[:, :-1], given - across.T @ reply[:, -1])
    return np.append(reply[:, -1] - reply[:, :-1] @ edge, edge[:-1])


def _without(network: Network, weight: Floats, hub: NDArray[np.bool_]) -> tuple[Ints, Ints, Floats]:
    """Neighbours of those that are no `hub` [n], among themselves: start, other and weight."""
    row = np.repeat(np.arange(len(hub)), np.diff(network.start))
    kept = ~hub[row] & ~hub[network.other]
    place = np.cumsum(~hub) - 1
    start = np.zeros(int((~hub).sum()) + 1, np.int64)
    np.cumsum(np.bincount(place[row[kept]], minlength=len(start) - 1), out=start[1:])
    return start, place[network.other[kept]], weight[network.pair[kept]]
