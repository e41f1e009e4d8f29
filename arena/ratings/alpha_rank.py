"""alpha-rank: how often evolution is found at each player, of a single population.

Omidshafiei et al., "alpha-rank: multi-agent evaluation by evolution" (2019), section 2 for one population and two
seats. All m members of a population play one strategy s; now and then one mutates to r. The mutants meet the others at
random, and members copy each other with a taste alpha for success, until all are alike again. With p mutants, these
are better off than the rest by

    D(p) = [(p - 1) M(r, r) + (m - p) M(r, s) - (m - p - 1) M(s, s) - p M(s, r)] / (m - 1)

and they take over with probability

    rho(s, r) = 1 / (1 + sum over l = 1 .. m - 1 of exp(-alpha (D(1) + ... + D(l))))

which is (1 - e^-u) / (1 - e^-(m u)) with u = alpha m M(r, s) / (m - 1) in a zero-sum game. The ranking is the
stationary distribution of the chain from strategy to strategy that this makes.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from arena.ratings.payoff import square
from envs.core import Floats
from envs.errors import InputError

LEAST = 1e-200
"""Rates below this, in both directions, cannot be told from 0."""
Matrix = NDArray[np.float64]


def alpha_rank(payoff: Floats, alpha: float = math.inf, population: int = 50) -> Matrix:
    """[n] share of time at each player, from `payoff` [n, n].

    Args:
        alpha: taste for success, above 0, per unit of payoff. Infinity is the limit: who is worse never takes over, who
            is better always does, equals with probability 1 / m. It ends in the best cycle: nobody outside it is ever
            reached from it (the Markov-Conley chains of the paper, of which a zero-sum payoff has one).
        population: m, at least 2.

    Raises:
        InputError: a payoff that is not square and finite, an `alpha` or `population` out of range, or infinite `alpha`
            (or one as good as infinite) where the payoff is not zero-sum: then the limit may depend on the start.
    """
    table = square(payoff, zero_sum=math.isinf(alpha))
    if not alpha > 0 or population < 2:
        raise InputError(f"alpha-rank needs alpha above 0 and a population from 2, not {alpha} and {population}.")
    rates = _limit(table, population) if math.isinf(alpha) else _rates(table, alpha, population)
    both = rates + rates.T
    if (both[~np.eye(len(both), dtype=np.bool_)] < LEAST).any():
        raise InputError(f"alpha = {alpha} is too large for this payoff: try a tenth of it.")
    order = _climbing(rates)
    found = np.zeros(len(table))
    found[order] = _stationary(rates[np.ix_(order, order)])
    return found


def _limit(table: Matrix, population: int) -> Matrix:
    """`_rates` of a zero-sum payoff for infinite alpha."""
    won: Matrix = np.where(table.T > 0, 1.0, np.where(table.T == 0, 1 / population, 0.0))
    return won


def _rates(table: Matrix, alpha: float, population: int) -> Matrix:
    """[n, n] rho(row, column)."""
    m = population
    own = np.diagonal(table)
    resident, mutant = own[:, None], own[None, :]  # M(s, s), M(r, r)
    step = (mutant - table.T + resident - table) / (m - 1)  # D(p) = D(0) + p * step
    base = (m * table.T - mutant - (m - 1) * resident) / (m - 1)
    inverse = np.zeros_like(table)  # log of 1 / rho; the 1 before the sum is l = 0
    for mutants in range(1, m):
        inverse = np.logaddexp(inverse, -alpha * (mutants * base + mutants * (mutants + 1) / 2 * step))
    return np.exp(-inverse)


def _climbing(rates: Matrix) -> NDArray[np.int64]:
    """[n] players in an order in which each at least as easily turns into the one before it as the other way round.

    There is one, since every two can be compared: insert each before the first that turns into it. Nothing is said of
    players that are not neighbours.
    """
    order: list[int] = []
    for player in range(len(rates)):
        behind = rates[order, player] >= rates[player, order]
        order.insert(int(behind.argmax()) if behind.any() else len(order), player)
    return np.array(order)


def _stationary(rates: Matrix) -> Matrix:
    """[n] stationary distribution of a chain, by elimination without subtraction (Grassmann, Taksar & Heyman 1985).

    Exact to the last digits however small the rates are. Players are eliminated from the last to the first; in the
    order of `_climbing` each still turns into the one before it, so nothing is ever divided by 0.
    """
    flow = rates * (1 - np.eye(len(rates)))
    leaving = np.ones(len(flow))
    for last in range(len(flow) - 1, 0, -1):
        leaving[last] = flow[last, :last].sum()
        flow[:last, :last] += np.outer(flow[:last, last], flow[last, :last] / leaving[last])
        np.fill_diagonal(flow[:last, :last], 0.0)
    share = np.zeros(len(flow))
    share[0] = 1.0
    for player in range(1, len(flow)):
        share[player] = share[:player] @ flow[:player, player] / leaving[player]
    stationary: Matrix = share / share.sum()
    return stationary
