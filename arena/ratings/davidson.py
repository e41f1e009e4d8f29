"""Davidson's model of wins and draws, and its maximum-likelihood fit by Newton's method on counts of pairs.

Davidson, "On Extending the Bradley-Terry Model to Accommodate Ties in Paired Comparison Experiments" (1970), with an
advantage of seat as in Davidson & Beaver (1977). With skills t, worths of seats s, logarithm of the draw parameter n,
and the lead d = t_i - t_j + s_i - s_j, all in units of log-odds,

    P(i wins) : P(draw) : P(j wins)  =  exp(d / 2) : exp(n) : exp(-d / 2)

This is an exponential family: the log-likelihood is concave, and for skill a draw counts as half a win. Without draws
n is -infinity, and the model is that of Bradley & Terry (1952). Only differences of skills, and of seats, matter, so
both are held to a mean of 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arena.ratings.pairs import Floats, Ints
from envs.compiled import compiled
from envs.errors import InputError

STEPS = 60
"""Newton needs about 8."""
SETTLED = 1e-16
"""Square of the step, in standard errors, that ends the search."""
FAR = 30.0
"""A parameter out here runs to infinity, log-odds."""
RUNAWAY = "without a prior no finite ratings fit these games best: give `prior` a standard deviation."


@dataclass(frozen=True, slots=True)
class Table:
    """C cells: how the games of two players in two seats went. Counts are sums of weights."""

    players: int
    seats: int
    place: Ints
    """[C, 4] among the parameters: first player, second player, first's seat, second's seat."""
    count: Floats
    """[C, 3] games that the first won, that were drawn, that the second won."""

    @property
    def size(self) -> int:
        """Parameters: players, then seats, then n."""
        return self.players + self.seats + 1


@dataclass(frozen=True, slots=True)
class Estimate:
    """The mode of the posterior; without a prior, the maximum of the likelihood."""

    value: Floats
    """[size] parameters in log-odds; n is -infinity where no game was drawn."""
    free: NDArray[np.bool_]
    """[size] which of them were fitted, F in all; the others are 0."""
    information: Floats
    """[F, F] observed at `value`: minus the second derivatives of the log-posterior."""

    def covariance(self) -> Floats:
        """[size, size] inverse of the information; 0 for parameters that were not fitted."""
        covariance = np.zeros((len(self.value), len(self.value)))
        covariance[np.ix_(self.free, self.free)] = _solve(self.information, np.eye(len(self.information)))
        return covariance


def estimate(table: Table, prior: float, seats: bool, start: Floats | None = None) -> Estimate:
    """The best parameters.

    Args:
        prior: precision of a Gaussian around 0 on every parameter, log-odds^-2; 0: none.
        seats: whether seats are worth anything.
        start: [size] where to begin, such as the value for similar games.

    Raises:
        InputError: an infinite parameter fits these games best, and there is no prior.
    """
    free = np.full(table.size, True)
    free[table.players : -1] = seats
    free[-1] = table.count[:, 1].any()
    value = np.where(free, 0.0 if start is None else np.maximum(start, -FAR), 0.0)
    value[-1] = value[-1] if free[-1] else -math.inf
    height, slope, information = posterior(table, value, free, prior)
    for _ in range(STEPS):
        step = _solve(information, slope)
        if slope @ step < SETTLED or (not prior and _far(value[free])):
            break
        for share in 0.5 ** np.arange(20):  # Newton's whole step may overshoot
            ahead = value.copy()
            ahead[free] += share * step
            found = posterior(table, ahead, free, prior)
            if found[0] >= height - 1e-12 * abs(height):
                break
        value, (height, slope, information) = ahead, found
    if not prior and _far(value[free]):
        raise InputError(RUNAWAY)
    return Estimate(value, free, information)


def seats_tell(table: Table) -> bool:
    """Whether what seats are worth can be told from skill: not where everybody keeps to one seat."""
    if table.seats < 2:
        return False
    if table.seats == 2 and len(np.unique(table.place[:, :2], axis=0)) < len(table.place):
        return True  # two players met in both orders
    even = np.zeros(table.size)
    even[-1] = -math.inf
    information = derivatives(table.place, table.count, even)[2]
    skill, seat = slice(0, table.players), slice(table.players, table.size - 1)
    mixed = information[skill, seat]
    left = information[seat, seat] - mixed.T @ np.linalg.pinv(information[skill, skill], 1e-10, hermitian=True) @ mixed
    told = np.linalg.eigvalsh(left) > 1e-8 * information[seat, seat].trace()
    return int(told.sum()) == table.seats - 1


def _far(value: Floats) -> bool:
    return bool(np.abs(value).max(initial=0.0) > FAR)


def _solve(information: Floats, right: Floats) -> Floats:
    try:
        return np.asarray(np.linalg.solve(information, right), np.float64)
    except np.linalg.LinAlgError:
        raise InputError(RUNAWAY) from None


def posterior(table: Table, value: Floats, free: NDArray[np.bool_], prior: float) -> tuple[float, Floats, Floats]:
    """Log-posterior but for a constant, its gradient [F] and minus its second derivatives [F, F], F parameters free."""
    height, slope, information = derivatives(table.place, table.count, value)
    information += prior * np.eye(table.size)
    for group in (slice(0, table.players), slice(table.players, table.size - 1)):
        # Their mean is 0 and stays there; this makes it certain, and touches nothing else.
        information[group, group] += information.diagonal()[group].sum() / max(1, group.stop - group.start) ** 2
    kept = value[free]
    height -= prior / 2 * float(kept @ kept)
    return height, slope[free] - prior * kept, information[np.ix_(free, free)]


@compiled
def derivatives(place: Ints, count: Floats, value: Floats) -> tuple[float, Floats, Floats]:
    """Log-likelihood, its gradient [size] and minus its second derivatives [size, size], over all C cells."""
    size = len(value)
    last = size - 1
    height, slope, information = 0.0, np.zeros(size), np.zeros((size, size))
    sign = (1.0, -1.0, 1.0, -1.0)
    for cell in range(len(place)):
        height, by_lead, by_draw, both, mixed, alone = terms(place[cell], count[cell], value, height)
        for k in range(4):
            slope[place[cell, k]] += sign[k] * by_lead
            information[place[cell, k], last] += sign[k] * mixed
            information[last, place[cell, k]] += sign[k] * mixed
            for other in range(4):
                information[place[cell, k], place[cell, other]] += sign[k] * sign[other] * both
        slope[last] += by_draw
        information[last, last] += alone
    return height, slope, information


@compiled
def terms(place: Ints, count: Floats, value: Floats, height: float) -> tuple[float, float, float, float, float, float]:
    """What one cell adds, `place` [4] and `count` [3]: log-likelihood on top of `height`, its derivatives by lead and
    by draws, and minus the second ones: by lead twice, by both, by draws twice."""
    lead = value[place[0]] - value[place[1]] + value[place[2]] - value[place[3]]
    draws = value[len(value) - 1]
    top = max(abs(lead) / 2.0, draws)  # so that nothing overflows
    win, draw, loss = math.exp(lead / 2.0 - top), math.exp(draws - top), math.exp(-lead / 2.0 - top)
    total = win + draw + loss
    win, draw, loss = win / total, draw / total, loss / total
    won, drawn, lost = count[0], count[1], count[2]
    games = won + drawn + lost
    height += (won - lost) * lead / 2.0 - games * (top + math.log(total))
    if drawn > 0.0:
        height += drawn * draws
    by_lead = (won - lost - games * (win - loss)) / 2.0
    both = games * (win + loss - (win - loss) ** 2) / 4.0
    mixed = -games * draw * (win - loss) / 2.0
    return height, by_lead, drawn - games * draw, both, mixed, games * draw * (1.0 - draw)
