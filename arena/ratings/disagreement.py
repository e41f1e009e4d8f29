"""Disagreement: where an online rating and the whole-history fit put two players in opposite orders, both surely.

Online ratings follow the order of the games: those of an opponent's weak days, and the latest ones, count for more
than they tell. The whole-history fit has no order. Where each is sure of its own (its interval of the difference leaves
out 0), one of them is wrong, and most often that is the online one, whose deviation only knows how many games it saw.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from arena.ratings.fit import Fit
from arena.ratings.rating import Rating
from arena.ratings.superiority import independent, leads

MOST = 1000
"""Players that are compared with each other, at most."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Two players. By the fit to all games `better` is ahead of `worse`; by the online rating it is behind."""

    better: str
    worse: str
    lead: float
    """Of `better`, by the fit, in Elo points; above 0."""
    lead_half: float
    """Half the width of its interval; below `lead`."""
    deficit: float
    """Of `better`, by the online rating, in its points; above 0."""
    deficit_half: float
    """Half the width of its interval; below `deficit`."""
    rater: str
    """What the online rating is called."""
    level: float
    """Of both intervals, 0..1."""

    def __str__(self) -> str:
        """One sentence."""
        return (
            f"{self.rater} puts {self.worse} above {self.better} by {self.deficit:.1f} ±{self.deficit_half:.1f}, "
            f"but all games together put {self.better} above {self.worse} by {self.lead:.0f} ±{self.lead_half:.0f} "
            f"Elo points ({self.level:.0%} intervals)."
        )


def disagreements(
    online: Mapping[str, Rating], fit: Fit, level: float = 0.95, rater: str = "TrueSkill", most: int = MOST
) -> list[Disagreement]:
    """All pairs of players on which `online` and `fit` disagree beyond both intervals, the surest first.

    Args:
        online: ratings whose errors are taken as independent; players that `fit` does not have are passed over.
        level: of the intervals of the two differences, 0..1.
        rater: what to call `online`.
        most: players that are looked at, the best by `online`, mean - 3 standard errors.
    """
    z = NormalDist().inv_cdf((1 + level) / 2)
    place = {name: at for at, name in enumerate(fit.names)}
    names = [name for name in online if name in place]
    if len(names) > most:
        best = set(sorted(names, key=lambda name: -online[name].exposed)[:most])
        names = [name for name in names if name in best]
    rows = np.array([place[name] for name in names], np.int64)
    lead, lead_error = leads(fit.mean[rows], fit.block(rows))
    other, other_error = leads(*independent({name: online[name] for name in names}))
    found = (lead > z * lead_error) & (-other > z * other_error)
    made = [
        (
            min(lead[i, j] / lead_error[i, j], -other[i, j] / other_error[i, j]),
            Disagreement(
                names[i], names[j], float(lead[i, j]), float(z * lead_error[i, j]),
                float(-other[i, j]), float(z * other_error[i, j]), rater, level,
            ),
        )
        for i, j in np.argwhere(found)
    ]  # fmt: skip
    return [pair for _, pair in sorted(made, key=lambda each: -each[0])]
