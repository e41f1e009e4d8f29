"""Fit: what a whole-history rater knows, of which ratings are a part."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from arena.ratings.pairs import Floats, Ints
from arena.ratings.rating import Rating
from envs.errors import unknown


class Parts(Protocol):
    """A covariance [n, n] that is nowhere as a whole."""

    @property
    def variance(self) -> Floats:
        """[n]"""

    def block(self, rows: Ints) -> Floats:
        """[k, k] of some players."""


@dataclass(frozen=True, slots=True)
class Fit:
    """Everything that was estimated, in Elo points."""

    names: tuple[str, ...]
    """n players, sorted."""
    mean: Floats
    """[n]"""
    errors: Floats | Parts
    """[n, n] covariance of the errors of `mean`; where players are many, what works out the parts of it that are asked
    for."""
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

    @property
    def covariance(self) -> Floats:
        """[n, n] of the errors of `mean`."""
        return self.errors if isinstance(self.errors, np.ndarray) else self.errors.block(np.arange(len(self.names)))

    @property
    def variance(self) -> Floats:
        """[n] its diagonal."""
        return self.errors.diagonal() if isinstance(self.errors, np.ndarray) else self.errors.variance

    def block(self, rows: Ints) -> Floats:
        """[k, k] the covariance among some players, by their places in `names`."""
        return self.errors[np.ix_(rows, rows)] if isinstance(self.errors, np.ndarray) else self.errors.block(rows)

    def ratings(self) -> dict[str, Rating]:
        """By player."""
        stderr = np.sqrt(np.maximum(self.variance, 0.0))
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
        if a == b:
            return 0.0, 0.0
        places = np.array([self.names.index(a), self.names.index(b)])
        first, second = self.mean[places]
        part = self.block(places)
        variance = part[0, 0] + part[1, 1] - 2 * part[0, 1]
        return float(first - second), math.sqrt(max(0.0, variance))
