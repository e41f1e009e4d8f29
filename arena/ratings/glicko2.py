"""Glicko-2 over the match log: Glickman, "Example of the Glicko-2 system" (2013), steps 1 to 8.

Games are gathered into rating periods. All games of a period are judged by the ratings at its beginning, so their
order within it does not matter. The mean, the deviation (a standard error) and the volatility of a player's skill
are estimated together. Inside, skill is counted in units of `ELO` points: mu, phi and sigma of the paper.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from arena.ratings.games import Games, History, games_of
from arena.ratings.pairs import Floats, Ints, pairs_of
from arena.ratings.rating import ELO, Rating
from envs.compiled import compiled
from envs.config import Config

GAMES_PER_PLAYER = 10
"""In a period of length "auto"; the paper advises at least 10 to 15 games per player."""
PRECISION = 1e-6
"""Of the logarithm of the volatility's square, as in step 5 of the paper."""


class Glicko2Settings(Config):
    """Prior and periods, in Elo points."""

    initial: float = 1500.0
    """Rating of a newcomer."""
    deviation: float = Field(350.0, gt=0)
    """Its standard error."""
    volatility: float = Field(0.06, gt=0)
    """How far a newcomer's skill drifts per period: standard deviation, in units of 173.7 points."""
    tau: float = Field(0.5, gt=0)
    """How fast volatility itself may change; 0.3 to 1.2 is usual, less holds it more still."""
    period: Annotated[int, Field(ge=1)] | Literal["auto", "log"] = "auto"
    """Games of the log in one rating period. "auto": 10 per player on average. "log": all of them, which is right
    for short logs only, since one period makes one step from the initial ratings."""


def rate(results: History, settings: Glicko2Settings | None = None) -> dict[str, Rating]:
    """Rate everybody who appears in `results`, read in order; a last period may be shorter than the others."""
    settings = settings or Glicko2Settings()
    games = games_of(results)
    mean, deviation, _ = final(games, settings)
    return {
        name: Rating(settings.initial + ELO * float(mu), ELO * float(phi), int(count))
        for name, mu, phi, count in zip(games.names, mean, deviation, games.counts(), strict=True)
    }


def final(games: Games, settings: Glicko2Settings) -> tuple[Floats, Floats, Floats]:
    """mu (0: the initial rating), phi and sigma after the last period, [names] each."""
    players = len(games.names)
    mean, deviation = np.zeros(players), np.full(players, settings.deviation / ELO)
    volatility = np.full(players, settings.volatility)
    seen = np.zeros(players, np.bool_)
    pairs, size = pairs_of(games), _period(games, settings)
    for begin in range(0, len(games), size):
        end = min(begin + size, len(games))
        part = slice(pairs.start[begin], pairs.start[end])
        seen[games.player[games.start[begin] : games.start[end]]] = True
        update(
            pairs.first[part], pairs.second[part], pairs.score[part], pairs.weight[part],
            mean, deviation, volatility, seen, settings.tau,
        )  # fmt: skip
    return mean, deviation, volatility


def _period(games: Games, settings: Glicko2Settings) -> int:
    """Games in a period."""
    if settings.period == "log":
        return max(len(games), 1)
    if settings.period == "auto":
        return max(1, round(GAMES_PER_PLAYER * len(games.names) * len(games) / max(len(games.player), 1)))
    return settings.period


@compiled
def update(
    first: Ints,
    second: Ints,
    score: Floats,
    weight: Floats,
    mean: Floats,
    deviation: Floats,
    volatility: Floats,
    seen: NDArray[np.bool_],
    tau: float,
) -> None:
    """Play one period of M pairs into `mean`, `deviation` and `volatility` [players].

    Args:
        first, second, score, weight: [M] as in `Pairs`.
        seen: [players] who has played, now or before; the others are not there yet.
    """
    information, surprise = np.zeros_like(mean), np.zeros_like(mean)
    for pair in range(len(first)):  # steps 3 and 4, each side against the other
        a, b = first[pair], second[pair]
        for own, other, points in ((a, b, score[pair]), (b, a, 1.0 - score[pair])):
            g = 1.0 / math.sqrt(1.0 + 3.0 * deviation[other] ** 2 / math.pi**2)
            expected = 1.0 / (1.0 + math.exp(-g * (mean[own] - mean[other])))
            information[own] += weight[pair] * g * g * expected * (1.0 - expected)
            surprise[own] += weight[pair] * g * (points - expected)
    for own in range(len(mean)):
        if information[own] > 0.0:
            change = surprise[own] / information[own]
            volatility[own] = next_volatility(change, deviation[own], 1.0 / information[own], volatility[own], tau)
            before = deviation[own] ** 2 + volatility[own] ** 2  # step 6
            deviation[own] = 1.0 / math.sqrt(1.0 / before + information[own])  # step 7
            mean[own] += deviation[own] ** 2 * surprise[own]
        elif seen[own]:
            deviation[own] = math.sqrt(deviation[own] ** 2 + volatility[own] ** 2)


@compiled
def next_volatility(change: float, deviation: float, variance: float, volatility: float, tau: float) -> float:
    """Step 5: the root of f by the Illinois variant of regula falsi; `change` and `variance` are its D and v."""
    a = math.log(volatility**2)
    square = deviation**2
    low = a
    if change**2 > square + variance:
        high = math.log(change**2 - square - variance)
    else:
        high = a - tau
        while _slope(high, change, square, variance, a, tau) < 0.0:
            high -= tau
    f_low, f_high = _slope(low, change, square, variance, a, tau), _slope(high, change, square, variance, a, tau)
    while abs(high - low) > PRECISION:
        middle = low + (low - high) * f_low / (f_high - f_low)
        f_middle = _slope(middle, change, square, variance, a, tau)
        if f_middle * f_high <= 0.0:
            low, f_low = high, f_high
        else:
            f_low /= 2.0
        high, f_high = middle, f_middle
    return math.exp(low / 2.0)


@compiled
def _slope(x: float, change: float, square: float, variance: float, a: float, tau: float) -> float:
    """f of step 5."""
    total = square + variance + math.exp(x)
    return math.exp(x) * (change**2 - total) / (2.0 * total**2) - (x - a) / tau**2
