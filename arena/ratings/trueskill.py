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
    return Online(settings).ratings(games_of(results))


class Online:
    """TrueSkill of a log that gets longer: it goes on where it stopped, as long as the chance of a draw is the same."""

    def __init__(self, settings: TrueSkillSettings | None = None) -> None:
        """Nothing has been played yet."""
        self._settings = settings or TrueSkillSettings()
        self._chance, self._played = math.nan, 0
        self._mean, self._variance = np.zeros(0), np.zeros(0)

    def ratings(self, games: Games) -> dict[str, Rating]:
        """As `rate`; `games` are those of the last time, and others after them.

        Raises:
            InputError: as `rate`.
        """
        chance = _draw_probability(games, self._settings)
        if games.duels:
            mean, variance = self._duels(games, chance)
        else:
            mean, variance = _rate_free_for_all(games, self._settings, chance)
        return {
            name: Rating(m, math.sqrt(v), count)
            for name, m, v, count in zip(
                games.names, mean.tolist(), variance.tolist(), games.counts().tolist(), strict=True
            )
        }

    def _duels(self, games: Games, chance: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Means and variances, [names] each."""
        settings = self._settings
        if chance != self._chance:
            self._chance, self._played = chance, 0
            self._mean, self._variance = np.zeros(0), np.zeros(0)
        new = len(games.names) - len(self._mean)
        self._mean = np.append(self._mean, np.full(new, settings.mu))
        self._variance = np.append(self._variance, np.full(new, settings.sigma**2))
        margin = NormalDist().inv_cdf((chance + 1) / 2) * math.sqrt(2) * settings.beta
        player, score = games.player[2 * self._played :], games.score[2 * self._played :]
        outcome = (score[::2] > score[1::2]).astype(np.int8) - (score[::2] < score[1::2])
        spread, drift = settings.beta**2, settings.tau**2
        update_duels(player[::2], player[1::2], outcome, self._mean, self._variance, spread, drift, margin)
        self._played = len(games)
        return self._mean, self._variance


def _draw_probability(games: Games, settings: TrueSkillSettings) -> float:
    seen = games.draw_rate()
    if settings.draw_probability is None:
        return min(seen, len(games) / (len(games) + 1))  # a log of nothing but draws must leave the margin finite
    if settings.draw_probability == 0 and seen > 0:
        raise InputError("draw_probability is 0, but the log has draws: give their chance, or leave it out.")
    return settings.draw_probability


@compiled
def update_duels(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    outcome: NDArray[np.integer[Any]],
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
