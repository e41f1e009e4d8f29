"""Elo difference of two players by the games between them, with its interval, and how sure it is that one is better.

A lead of d Elo points is one that is expected to get 1 / (1 + 10^(-d/400)) of the points (Elo, "The Rating of
Chessplayers, Past and Present", 1978), draws counted half. The error is that of the mean over independent units (see
`arena.stats.units`), so that pairs of games on equal serves count as what they are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from arena.result import student_975
from arena.stats.units import Units

FARTHEST = 4000.0
"""Elo points at most that are ever said: 1 in 10 billion."""


@dataclass(frozen=True, slots=True)
class Lead:
    """How far one player is ahead of another."""

    elo: float | None
    """Points; None where it won or lost everything, so that there is no upper or lower end to it."""
    ci95: tuple[float, float] | None
    """95 % interval; None with fewer than two units."""
    superiority: float
    """Probability that it is better, 0..1, if nothing else is known of the two."""

    def figures(self) -> dict[str, object]:
        """As --json prints it: elo, elo_ci95, superiority."""
        return {"elo": self.elo, "elo_ci95": self.ci95 and list(self.ci95), "superiority": self.superiority}

    def __str__(self) -> str:
        """For people."""
        lead = "all or nothing" if self.elo is None else f"{self.elo:+.0f}"
        ends = "" if self.ci95 is None else " (95 % interval {:+.0f} to {:+.0f})".format(*self.ci95)
        return f"Elo difference {lead}{ends}, likelihood of superiority {self.superiority:.1%}"


def expected_points(elo: float) -> float:
    """0..1 of the points for a lead of `elo`."""
    return 1 / (1 + 10 ** (-elo / 400))


def elo_of(share: float) -> float:
    """The lead of who gets `share` of the points, at most `FARTHEST` to both sides."""
    if share <= 0 or share >= 1:
        return math.copysign(FARTHEST, share - 0.5)
    return max(-FARTHEST, min(FARTHEST, -400 * math.log10(1 / share - 1)))


def lead(seen: Units) -> Lead:
    """What `seen`, from the side of one player, says of its lead over the other.

    The interval is that of the mean, with Student's t, taken to Elo points. One unit is added for it, half of it worth
    1/4 and half 3/4: without it, few games that all ended alike would look sure. (Agresti & Coull (1998) add four
    games: too many for pairs, most of which may be even. What this holds is measured by benchmarks/sprt.py.)
    """
    elo = elo_of(seen.mean) if 0 < seen.mean < 1 else None
    if not seen.number:
        return Lead(0.0, None, 0.5)
    mean, error = _cautious(seen.values, seen.counts)
    sure = NormalDist().cdf((mean - 0.5) / error)
    if seen.number < 2:
        return Lead(elo, None, sure)
    half = student_975(seen.number - 1) * error
    return Lead(elo, (elo_of(mean - half), elo_of(mean + half)), sure)


def _cautious(values: Sequence[float], counts: Sequence[int]) -> tuple[float, float]:
    """Mean and its standard error with the unit that is added."""
    weights = [(0.25, 0.5), (0.75, 0.5), *zip(values, counts, strict=True)]
    total = sum(counts) + 1
    mean = math.fsum(value * count for value, count in weights) / total
    square = math.fsum(count * (value - mean) ** 2 for value, count in weights)
    return mean, math.sqrt(square / max(1, total - 1) / total)
