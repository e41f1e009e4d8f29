"""Meta-solvers: whom to play how often, from a payoff. Pure functions [n, n] -> distribution [n].

The players of a league are the choices of a *meta-game*: everybody picks a player, and gets what it gets. A solver says
how to pick (policy-space response oracles, Lanctot et al. 2017). All relabel with the players.

    payoff_of(games).among(snapshots).filled()      # the payoff that these take
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from arena.ratings.alpha_rank import alpha_rank
from arena.ratings.nash import nash
from arena.ratings.payoff import square
from envs.compiled import compiled
from envs.core import Floats
from envs.errors import InputError

__all__ = ["SOLVERS", "alpha_rank", "nash", "nash_averaging", "projected_replicator", "uniform"]

Vector = NDArray[np.float64]


def uniform(payoff: Floats) -> Vector:
    """[n] all alike: fictitious self-play (Heinrich, Lanctot & Silver 2015)."""
    size = len(square(payoff))
    return np.full(size, 1 / size)


def projected_replicator(payoff: Floats, exploration: float = 0.01, rate: float = 0.05, steps: int = 10_000) -> Vector:
    """[n] time average of projected replicator dynamics from even shares (Lanctot et al. 2017, section 3.2).

    A player's share grows by how much more it gets than the average, dp_i = p_i ((A p)_i - p A p), but never falls
    below exploration / n. Shares circle around an equilibrium for ever; their average comes to it, within the
    exploration.

    Args:
        exploration: 0 to 1: nobody's part of it is ever given up.
        rate: length of a step in time, per the payoff's largest entry.
        steps: how many.

    Raises:
        InputError: a payoff that is not square and finite, or a setting out of range.
    """
    table = square(payoff)
    if not 0 <= exploration <= 1 or not 0 < rate <= 0.5 or steps < 1:
        raise InputError(
            f"exploration = {exploration} must be in [0, 1], rate = {rate} in (0, 0.5] and steps = {steps} at least 1."
        )
    table = table * (rate / (abs(table).max() or 1.0))
    return replicate(np.ascontiguousarray(table.T), exploration / len(table), steps)


@compiled
def replicate(table: Vector, floor: float, steps: int) -> Vector:
    """[n] mean of `steps` steps of the dynamics; `table` [n, n] is the payoff, transposed, times a step's length."""
    size = len(table)
    p, gain, total = np.full(size, 1.0 / size), np.zeros(size), np.zeros(size)
    for _ in range(steps):
        gain[:] = 0.0
        for other in range(size):  # in this order compilers can add several at a time
            for own in range(size):
                gain[own] += table[other, own] * p[other]
        average = 0.0
        for own in range(size):
            average += p[own] * gain[own]
        for own in range(size):
            p[own] *= 1.0 + gain[own] - average
        project(p, floor)
        for own in range(size):
            total[own] += p[own] / steps
    return total


@compiled
def project(shares: Vector, floor: float) -> None:
    """Turn `shares` [n], above 0, into the distribution nearest in relative entropy with no entry below `floor`.

    Entries are scaled by one factor, and those that it leaves below the floor are lifted to it. (The paper projects in
    Euclidean distance, which takes from a small share as much as from a large one, and so can hold a winner down on
    the floor: seen here in games of ten players with an exploration of 0.1.)
    """
    lifted, before, factor = 0, -1, 1.0 / shares.sum()
    while lifted > before and factor > 0:  # to lift some leaves less for the others, of whom more may come down
        before, lifted, rest = lifted, 0, 0.0
        for share in shares:
            if share * factor < floor:
                lifted += 1
            else:
                rest += share
        factor = (1.0 - lifted * floor) / rest if rest > 0 else 0.0
    for own in range(len(shares)):
        shares[own] = max(shares[own] * factor, floor)


def nash_averaging(payoff: Floats) -> Vector:
    """[n] what each player gets from the maximum-entropy equilibrium (Balduzzi et al. 2018): 0 for those in it, less
    for others. Copies of a player, and players that everybody beats, change nobody's.

    Raises:
        InputError: a payoff that is not square, finite and antisymmetric.
    """
    skill: Vector = np.asarray(payoff, np.float64) @ nash(payoff)
    return skill


SOLVERS: dict[str, Callable[[Floats], Vector]] = {
    "nash": nash,
    "alpha-rank": alpha_rank,
    "projected-replicator": projected_replicator,
    "uniform": uniform,
}
"""Meta-solvers by name."""
