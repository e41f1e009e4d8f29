"""The maximum-entropy Nash equilibrium of a symmetric zero-sum game: the one that takes no sides.

Balduzzi, Tuyls, Perolat & Graepel, "Re-evaluating evaluation" (2018), section 3. In such a game with the antisymmetric
payoff A [n, n], worth 0 to everybody, p is an equilibrium if nothing wins against it:

    A p <= 0,  p >= 0,  sum p = 1

That may be a whole polytope. Its member of largest entropy is unique, so relabelling players relabels the answer, and
players who are copies of each other share what one of them would get.

It is found in two steps, both by Newton's method. The first finds out whom any equilibrium plays: of p_i and of the
loss s_i = -(A p)_i, both at least 0, exactly one can be above 0 (Goldman & Tucker 1956), and the central path of
interior-point methods leads to where all of those are. On the face that these players span, the second climbs the
entropy.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from arena.ratings.payoff import square
from envs.core import Bools, Floats

TIE = 1e-7
"""Differences in payoff, relative to the largest, that count as none."""
SMALL = 1e-13
"""Where the central path ends, a thousand times what rounding does to A p."""
WEIGHTS = (1e-1, 1e-4, 1e-7, 1e-10, 1e-12)
"""Of the barrier, one after the other; the result is off by about the last."""
STEPS = 100
"""Newton steps at most, for each step of the way."""
Vector = NDArray[np.float64]


def nash(payoff: Floats) -> Vector:
    """[n] the maximum-entropy equilibrium of the antisymmetric `payoff` [n, n].

    Raises:
        InputError: a payoff that is not square, finite and antisymmetric.
    """
    table = square(payoff, zero_sum=True)
    table = (table - table.T) / 2
    largest = abs(table).max()
    if largest == 0:
        return np.full(len(table), 1 / len(table))
    table = table / largest
    start, played = _central(table)
    found = np.zeros(len(table))
    found[played] = _most_even(table[np.ix_(played, played)], -table[np.ix_(~played, played)], start[played])
    equilibrium: Vector = found / found.sum()
    return equilibrium


def _central(table: Floats) -> tuple[Vector, Bools]:
    """An equilibrium [n] that plays whoever any equilibrium plays, and who that is [n].

    Follows the solution of  s = m - A x,  x s = m  in every component, from large m, where x = 1, to almost 0. It
    implies sum x = n, as x A x = 0, and is the central path of the self-dual program (Ye, Todd & Mizuno 1994).
    """
    m = 10.0 * len(table)
    x, s = np.ones(len(table)), m - table.sum(axis=1)
    for _ in range(STEPS):
        aim = 0.2 * m
        # s + ds = aim - A (x + dx), but for what s is off; x ds + s dx = aim - x s.
        off = aim - table @ x - s
        dx = np.linalg.solve(np.diag(s / x) - table, aim / x - s - off)
        ds = off - table @ dx
        size = min(1.0, 0.9 / max(float(-(dx / x).min()), float(-(ds / s).min()), 1e-9))
        x, s, m = x + size * dx, s + size * ds, m + size * (aim - m)
        if m < SMALL * len(table):
            break
    return x / x.sum(), x > s


def _most_even(within: Floats, loss: Floats, start: Vector) -> Vector:
    """The p of largest entropy with within p = 0, loss p >= 0 and sum p = 1, from a `start` inside."""
    fixed = np.vstack([within, np.ones(len(start))])
    right = np.append(np.zeros(len(start)), 1.0)
    walls = np.vstack([loss, np.eye(len(start))])
    exact = start + np.linalg.lstsq(fixed, right - fixed @ start, rcond=TIE)[0]
    p = exact if (walls @ exact > 0).all() else start  # not so where payoffs almost tie: there, `start` is as good
    _, scale, directions = np.linalg.svd(fixed)
    free = directions[int((scale > TIE * scale[0]).sum()) :].T
    for weight in WEIGHTS if free.size else ():
        p = _climb(p, free, walls, weight)
    return p


def _climb(p: Vector, free: Floats, walls: Floats, weight: float) -> Vector:
    """Newton's method for the smallest  sum p log p - weight sum log(walls p)  in the directions `free` [n, d]."""

    def height(p: Vector) -> float:
        room = walls @ p
        return float(p @ np.log(p) - weight * np.log(room).sum()) if (room > 0).all() else np.inf

    for _ in range(STEPS):
        room = walls @ p
        slope = (np.log(p) + 1 - weight * ((1 / room) @ walls)) @ free
        near = (walls / room[:, None]) @ free
        try:
            way = np.linalg.solve(free.T @ (free / p[:, None]) + weight * near.T @ near, -slope)
        except np.linalg.LinAlgError:  # p stands in a corner that only payoffs that almost tie can make
            break
        promised = -float(slope @ way)
        size, now = 1.0, height(p)
        while size > TIE and not height(p + size * (free @ way)) <= now - 0.1 * size * promised:
            size /= 2
        if promised < 1e-20 or size <= TIE:  # as low as rounding lets one see
            break
        p = p + size * (free @ way)
    return p
