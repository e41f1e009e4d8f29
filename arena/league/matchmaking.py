"""Matchmaking: which past snapshots a learner meets. Pure functions of ratings."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.random import Generator

from arena.ratings.rating import Rating
from arena.ratings.trueskill import TrueSkillSettings


def win_probability(a: Rating, b: Rating) -> float:
    """Chance that `a` beats `b` (Herbrich et al. 2006): both skills and both performances are uncertain."""
    beta = TrueSkillSettings().beta
    spread = math.sqrt(a.stderr**2 + b.stderr**2 + 2 * beta**2)
    return 0.5 * math.erfc((b.mean - a.mean) / spread / math.sqrt(2))


def prioritised(learner: Rating, others: Sequence[Rating], power: float = 2.0) -> list[float]:
    """Weights of prioritised fictitious self-play, (1 - P(win))^power: hard opponents first (Vinyals et al. 2019)."""
    return [(1 - win_probability(learner, other)) ** power for other in others]


def draw(names: Sequence[str], weights: Sequence[float], count: int, rng: Generator) -> list[str]:
    """At most `count` different names, each drawn by weight among those left."""
    shares = np.asarray(weights, np.float64)
    possible = min(count, int((shares > 0).sum()))
    chosen = rng.choice(len(names), possible, replace=False, p=shares / shares.sum()) if possible else []
    return [names[index] for index in chosen]


def choose(
    kind: str, learner: str, past: Sequence[str], ratings: Mapping[str, Rating], count: int, rng: Generator
) -> list[str]:
    """At most `count` of the snapshots `past` for the learner whose last snapshot is `learner`."""
    if kind == "uniform" or learner not in ratings:
        return draw(past, [1.0] * len(past), count, rng)
    rated = [name for name in past if name in ratings]
    return draw(rated, prioritised(ratings[learner], [ratings[name] for name in rated]), count, rng)
