"""Rating: what every rater says about a player."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

ELO = 400.0 / math.log(10.0)
"""Points per unit of log-odds: in this unit a lead of 400 points wins ten games for each one lost."""


@dataclass(frozen=True, slots=True)
class Rating:
    """Estimated skill of one player."""

    mean: float
    """Skill, in the rater's own units."""
    stderr: float
    """Its standard error, same units."""
    games: int
    """Games it rests on."""

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Where the skill lies with probability `level`, by the Gaussian of `mean` and `stderr`."""
        half = NormalDist().inv_cdf((1 + level) / 2) * self.stderr
        return self.mean - half, self.mean + half

    @property
    def exposed(self) -> float:
        """Skill that the player has almost surely: what a leaderboard sorts by."""
        return self.mean - 3.0 * self.stderr
