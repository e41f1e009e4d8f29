"""Rating: what every rater says about a player."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rating:
    """Estimated skill of one player."""

    mean: float
    """Skill, in the rater's own units."""
    stderr: float
    """Its standard error, same units."""
    games: int
    """Games it rests on."""

    @property
    def exposed(self) -> float:
        """Skill that the player has almost surely: what a leaderboard sorts by."""
        return self.mean - 3.0 * self.stderr
