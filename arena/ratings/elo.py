"""Elo over the match log: what most people know, and what a fixed step costs.

After a game, each side moves by K times what it scored beyond its expectation (Elo, "The Rating of Chessplayers,
Past and Present", 1978):

    expected = 1 / (1 + 10^((other - own) / 400)),    own += K (score - expected)

Ratings follow the log's order. In a free-for-all all pairs move at once, see `arena.ratings.pairs`.

Elo says nothing of its own error, so here is one: that of a filter with this fixed gain. With I = expected
(1 - expected), g = K ln(10) / 400, and errors of `spread` for newcomers, independent between players, to first order

    own error^2  becomes  (1 - g I)^2 own^2 + (g I)^2 other^2 + K^2 I

It starts at `spread` and never falls far below sqrt(200 K / ln(10)), 37 points for K = 16, because a fixed step
follows the last games for ever. It is the error at the end of the log, about the mean of all.
"""

from __future__ import annotations

import math

import numpy as np
from pydantic import Field

from arena.ratings.games import History, games_of
from arena.ratings.pairs import Floats, Ints, pairs_of
from arena.ratings.rating import Rating
from envs.compiled import compiled
from envs.config import Config


class EloSettings(Config):
    """Start and step, in Elo points."""

    initial: float = 1500.0
    """Rating of a newcomer."""
    spread: float = Field(350.0, gt=0)
    """Standard deviation of skill among newcomers; it only enters the standard errors."""
    k: float = Field(16.0, gt=0)
    """Points that a game moves at most."""
    scale: float = Field(400.0, gt=0)
    """A lead of this many points is expected to score ten times what the other scores."""


def rate(results: History, settings: EloSettings | None = None) -> dict[str, Rating]:
    """Rate everybody who appears in `results`, read in order."""
    settings = settings or EloSettings()
    games = games_of(results)
    pairs = pairs_of(games)
    mean = np.full(len(games.names), settings.initial)
    variance = np.full(len(games.names), settings.spread**2)
    update(
        games.start, games.player, pairs.start, pairs.first, pairs.second, pairs.score, pairs.weight,
        mean, variance, settings.k, settings.scale,
    )  # fmt: skip
    return {
        name: Rating(float(m), math.sqrt(v), int(count))
        for name, m, v, count in zip(games.names, mean, variance, games.counts(), strict=True)
    }


@compiled
def update(
    start: Ints,
    player: Ints,
    pair_start: Ints,
    first: Ints,
    second: Ints,
    score: Floats,
    weight: Floats,
    mean: Floats,
    variance: Floats,
    k: float,
    scale: float,
) -> None:
    """Play G games into `mean` and `variance` [players], in order; other arrays are those of `Games` and `Pairs`."""
    move, pull, noise = np.zeros_like(mean), np.zeros_like(mean), np.zeros_like(mean)
    gain = k * math.log(10.0) / scale
    for game in range(len(start) - 1):
        for pair in range(pair_start[game], pair_start[game + 1]):
            a, b, share = first[pair], second[pair], weight[pair]
            expected = 1.0 / (1.0 + 10.0 ** ((mean[b] - mean[a]) / scale))
            information = expected * (1.0 - expected)
            step = k * share * (score[pair] - expected)
            move[a] += step
            move[b] -= step
            slope = gain * share * information
            pull[a] += slope
            pull[b] += slope
            scatter = k * k * share * information
            noise[a] += slope * slope * variance[b] + scatter
            noise[b] += slope * slope * variance[a] + scatter
        for side in range(start[game], start[game + 1]):
            own = player[side]
            mean[own] += move[own]
            variance[own] = (1.0 - pull[own]) ** 2 * variance[own] + noise[own]
            move[own] = pull[own] = noise[own] = 0.0
