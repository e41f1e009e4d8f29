"""Fit: what a whole-history rater knows, of which ratings are a part."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from arena.ratings.pairs import Floats
from arena.ratings.rating import Rating
from envs.errors import unknown


@dataclass(frozen=True, slots=True)
class Fit:
    """Everything that was estimated, in Elo points."""

    names: tuple[str, ...]
    """n players, sorted."""
    mean: Floats
    """[n]"""
    covariance: Floats
    """[n, n] of the errors of `mean`."""
    games: tuple[int, ...]
    """[n] that each rests on."""
    seats: tuple[int, ...]
    """P seats that were sat in."""
    seat_mean: Floats
    """[P] by how much each is better than their average; 0 where that was not fitted."""
    seat_stderr: Floats
    """[P]"""
    draw: float
    """Chance of a draw between equals, 0..1."""

    def ratings(self) -> dict[str, Rating]:
        """By player."""
        stderr = np.sqrt(np.maximum(self.covariance.diagonal(), 0.0))
        return {
            name: Rating(float(mean), float(error), games)
            for name, mean, error, games in zip(self.names, self.mean, stderr, self.games, strict=True)
        }

    def difference(self, a: str, b: str) -> tuple[float, float]:
        """By how much `a` is ahead of `b`, and the standard error of that.

        Raises:
            InputError: one of them is not in the fit.
        """
        for name in (a, b):
            if name not in self.names:
                raise unknown("player", name, self.names)
        i, j = self.names.index(a), self.names.index(b)
        variance = self.covariance[i, i] + self.covariance[j, j] - 2 * self.covariance[i, j]
        return float(self.mean[i] - self.mean[j]), math.sqrt(max(0.0, variance))
