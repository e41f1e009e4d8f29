"""TrueSkill over the match log: the closed form for two sides, the `trueskill` package for more.

Ratings follow the log's order, as TrueSkill is defined. Games are counted one by one.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from arena.ratings.games import Games, History, games_of
from arena.ratings.gaussian import draw_moments, win_moments
from arena.ratings.rating import Rating
from envs.compiled import compiled
from envs.config import Config
from envs.errors import InputError


class TrueSkillSettings(Config):
    """Prior and noise, in skill points."""

    mu: float = 25.0
    """Mean of the prior."""
    sigma: float = Field(25.0 / 3.0, gt=0)
    """Standard deviation of the prior."""
    beta: float = Field(25.0 / 6.0, gt=0)
    """Standard deviation of one performance: a lead of beta wins three games of four."""
    tau: float = Field(0.0, ge=0)
    """Drift of skill per game. 0: players here are frozen snapshots and bots, whose skill does not move."""
    draw_probability: float | None = Field(None, ge=0, lt=1)
    """Chance of a draw between equals; None takes the share of draws in the log."""


def rate(results: History, settings: TrueSkillSettings | None = None) -> dict[str, Rating]:
    """Rate everybody who appears in `results`, read in order.

    Raises:
        InputError: draws in the log although `draw_probability` is 0.
    """
    settings = settings or TrueSkillSettings()
    games = games_of(results)
    chance = _draw_probability(games, settings)
    if games.duels:
        mean, variance = _rate_duels(games, settings, chance)
    else:
        mean, variance = _rate_free_for_all(games, settings, chance)
    return {
        name: Rating(float(m), math.sqrt(v), int(count))
        for name, m, v, count in zip(games.names, mean, variance, games.counts(), strict=True)
    }


def _draw_probability(games: Games, settings: TrueSkillSettings) -> float:
    seen = games.draw_rate()
    if settings.draw_probability is None:
        return min(seen, len(games) / (len(games) + 1))  # a log of nothing but draws must leave the margin finite
    if settings.draw_probability == 0 and seen > 0:
        raise InputError("draw_probability is 0, but the log has draws: give their chance, or leave it out.")
    return settings.draw_probability


def _rate_duels(
    games: Games, settings: TrueSkillSettings, chance: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Means and variances, [names] each."""
    first, second = games.player[::2], games.player[1::2]
    outcome = np.sign(games.score[::2] - games.score[1::2]).astype(np.int64)
    mean = np.full(len(games.names), settings.mu)
    variance = np.full(len(games.names), settings.sigma**2)
    margin = NormalDist().inv_cdf((chance + 1) / 2) * math.sqrt(2) * settings.beta
    update_duels(first, second, outcome, mean, variance, settings.beta**2, settings.tau**2, margin)
    return mean, variance


@compiled
def update_duels(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    outcome: NDArray[np.int64],
    mean: NDArray[np.float64],
    variance: NDArray[np.float64],
    beta_square: float,
    tau_square: float,
    margin: float,
) -> None:
    """Play G games into `mean` and `variance` [players], in order; Herbrich et al. (2006), section 4.

    Args:
        first, second: [G] players.
        outcome: [G] 1 the first won, 0 a draw, -1 the second won.
        margin: difference in performance below which a game is a draw, skill points.
    """
    for game in range(len(first)):
        winner, loser = first[game], second[game]
        if outcome[game] < 0:
            winner, loser = loser, winner
        winner_variance = variance[winner] + tau_square
        loser_variance = variance[loser] + tau_square
        square = winner_variance + loser_variance + 2.0 * beta_square
        spread = math.sqrt(square)
        gap = (mean[winner] - mean[loser]) / spread
        if outcome[game] == 0:
            v, w = draw_moments(gap, margin / spread)
        else:
            v, w = win_moments(gap, margin / spread)
        mean[winner] += winner_variance / spread * v
        mean[loser] -= loser_variance / spread * v
        variance[winner] = winner_variance * (1.0 - winner_variance / square * w)
        variance[loser] = loser_variance * (1.0 - loser_variance / square * w)


def _rate_free_for_all(
    games: Games, settings: TrueSkillSettings, chance: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The same by the package's message passing, which knows any number of sides."""
    import trueskill

    model: Any = trueskill.TrueSkill(
        mu=settings.mu, sigma=settings.sigma, beta=settings.beta, tau=settings.tau, draw_probability=chance
    )
    ratings = [model.create_rating() for _ in games.names]
    for begin, end in zip(games.start[:-1], games.start[1:], strict=True):
        players, scores = games.player[begin:end], games.score[begin:end]
        ranks = [int((scores > score).sum()) for score in scores]
        after = model.rate(rating_groups=[(ratings[player],) for player in players], ranks=ranks)
        for player, (rating,) in zip(players, after, strict=True):
            ratings[player] = rating
    return np.array([r.mu for r in ratings]), np.array([r.sigma**2 for r in ratings])
