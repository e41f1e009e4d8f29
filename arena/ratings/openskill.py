"""OpenSkill over the match log: the Plackett-Luce model of the `openskill` package, free for any use.

Weng & Lin, "A Bayesian Approximation Method for Online Ranking" (2011). Ratings follow the log's order.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from pydantic import Field

from arena.ratings.games import History, games_of
from arena.ratings.rating import Rating
from envs.config import Config
from envs.errors import InputError


class OpenSkillSettings(Config):
    """Prior and noise, in skill points."""

    mu: float = 25.0
    """Mean of the prior."""
    sigma: float = Field(25.0 / 3.0, gt=0)
    """Standard deviation of the prior."""
    beta: float = Field(25.0 / 6.0, gt=0)
    """Standard deviation of one performance."""
    kappa: float = Field(1e-4, gt=0)
    """A game leaves at least this share of the variance."""
    tau: float = Field(0.0, ge=0)
    """Drift of skill per game. 0: players here are frozen snapshots and bots, whose skill does not move."""


def rate(results: History, settings: OpenSkillSettings | None = None) -> dict[str, Rating]:
    """Rate everybody who appears in `results`, read in order.

    Raises:
        InputError: the package is not installed.
    """
    settings = settings or OpenSkillSettings()
    model = _model(settings)
    games = games_of(results)
    ratings = [model.rating() for _ in games.names]
    for begin, end in zip(games.start[:-1].tolist(), games.start[1:].tolist(), strict=True):
        players, scores = games.player[begin:end].tolist(), games.score[begin:end].tolist()
        ranks = [sum(other > own for other in scores) for own in scores]
        after = model.rate([[ratings[player]] for player in players], ranks=ranks)
        for player, (rating,) in zip(players, after, strict=True):
            ratings[player] = rating
    return {
        name: Rating(float(rating.mu), float(rating.sigma), int(count))
        for name, rating, count in zip(games.names, ratings, games.counts(), strict=True)
    }


def _model(settings: OpenSkillSettings) -> Any:
    try:
        models: Any = import_module("openskill.models")
    except ImportError:
        raise InputError(
            "OpenSkill ratings need a package that is not installed: pip install 'selfplay-arena[openskill]'."
        ) from None
    return models.PlackettLuce(
        mu=settings.mu, sigma=settings.sigma, beta=settings.beta, kappa=settings.kappa, tau=settings.tau
    )
