"""Likelihood of superiority: how sure one may be that one player is better than another."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from arena.ratings.gaussian import below
from arena.ratings.pairs import Floats
from arena.ratings.rating import Rating
from envs.compiled import compiled


def superiority(mean: Floats, covariance: Floats) -> Floats:
    """Probability [n, n] that the player of the row is better than that of the column; 0.5 on the diagonal.

    Args:
        mean: [n] estimated skills.
        covariance: [n, n] of their errors, or their variances [n] where the errors are independent.
    """
    gap, stderr = leads(mean, covariance)
    return _above_zero(gap, stderr)


def superiority_of(ratings: Mapping[str, Rating]) -> Floats:
    """The same [n, n] in the order of `ratings`, whose errors are taken as independent."""
    return superiority(*independent(ratings))


def independent(ratings: Mapping[str, Rating]) -> tuple[Floats, Floats]:
    """Means and variances [n] of `ratings`, in their order."""
    mean = np.array([rating.mean for rating in ratings.values()], np.float64)
    stderr = np.array([rating.stderr for rating in ratings.values()], np.float64)
    return mean, stderr**2


def leads(mean: Floats, covariance: Floats) -> tuple[Floats, Floats]:
    """How far each player is ahead of each other one [n, n], and the standard error of that [n, n].

    Args:
        mean, covariance: as for `superiority`.
    """
    joint = np.diag(covariance) if covariance.ndim == 1 else covariance
    own = joint.diagonal()
    variance = own[:, None] + own - joint - joint.T
    np.fill_diagonal(variance, 0.0)
    return mean[:, None] - mean, np.sqrt(np.maximum(variance, 0.0))


@compiled
def _above_zero(mean: Floats, stderr: Floats) -> Floats:
    """Probability that a Gaussian is positive, for each of [n, n]; one without spread that is 0 counts half."""
    chance = np.empty_like(mean)
    for i in range(mean.shape[0]):
        for j in range(mean.shape[1]):
            if stderr[i, j] > 0.0:
                chance[i, j] = below(mean[i, j] / stderr[i, j])
            else:
                chance[i, j] = 0.5 + 0.5 * np.sign(mean[i, j])
    return chance
