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


def hard(win: float) -> float:
    """Weight of an opponent that is beaten with probability `win`: the hardest first (Vinyals et al. 2019, squared)."""
    return (1 - win) ** 2


def even(win: float) -> float:
    """Equals first (the "variance" weighting of Vinyals et al. 2019): who is far behind is not crushed all the time."""
    return win * (1 - win)


def uniform(win: float) -> float:
    """All alike."""
    return 1.0


WEIGHTS = {"hard": hard, "even": even, "uniform": uniform}


def shares(
    kind: str, learner: str, past: Sequence[str], ratings: Mapping[str, Rating], count: int, rng: Generator
) -> dict[str, float]:
    """At most `count` of the snapshots `past`, drawn by weight, and their shares of games, by weight among them.

    Args:
        kind: a key of `WEIGHTS`.
        learner: the learner's last snapshot; unrated ones count as equals of everybody.
        count: how many to draw; those left out get their chance in the next stretch.
    """
    known = [ratings.get(name) for name in past]
    own = ratings.get(learner)
    wins = [win_probability(own, other) if own and other else 0.5 for other in known]
    weights = np.array([WEIGHTS[kind](win) for win in wins]) + 1e-3  # nobody is forgotten altogether
    if not len(weights):
        return {}
    chosen = rng.choice(len(past), min(count, len(past)), replace=False, p=weights / weights.sum())
    total = weights[chosen].sum()
    return {past[index]: float(weights[index] / total) for index in chosen.tolist()}
