"""Promotion: when what a learner has become enters the pool of opponents. Pure functions of games."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field, model_validator

from arena.result import Result
from envs.config import Config


class PromotionConfig(Config):
    """A candidate, as it is after a stretch, meets the last snapshot of its member that was promoted."""

    rule: Literal["schedule", "win_share", "sprt"] = "schedule"
    """Always; or by a share of the points; or by a sequential probability ratio test."""
    win_share: float = Field(0.55, gt=0, le=1)
    """With "win_share": wins and half the draws that it needs, out of `games`."""
    games: int = Field(128, ge=2)
    """With "win_share": games played."""
    batch: int = Field(32, ge=2)
    """With "sprt": games between two looks at the evidence."""
    most: int = Field(1024, ge=2)
    """With "sprt": games at most; who has not been promoted by then is not."""
    elo0: float = 0.0
    """With "sprt": lead in Elo that is not enough."""
    elo1: float = 70.0
    """With "sprt": lead in Elo that is. The smaller the gap, the more games: to halve it takes four times as many."""
    alpha: float = Field(0.05, gt=0, lt=0.5)
    """With "sprt": chance to promote one whose lead is `elo0`."""
    beta: float = Field(0.05, gt=0, lt=0.5)
    """With "sprt": chance to turn one down whose lead is `elo1`."""

    @model_validator(mode="after")
    def _apart(self) -> PromotionConfig:
        if self.elo0 >= self.elo1:
            raise ValueError(f"elo0 = {self.elo0} must be below elo1 = {self.elo1}")
        return self

    @property
    def bounds(self) -> tuple[float, float]:
        """Log-likelihood ratios at which the test ends (Wald 1945): refused below, promoted above."""
        return math.log(self.beta / (1 - self.alpha)), math.log((1 - self.beta) / self.alpha)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What games between a candidate and the snapshot before it say."""

    promoted: bool | None
    """None: more games are needed."""
    games: int
    wins: int
    draws: int
    losses: int
    llr: float | None
    """Log-likelihood ratio of `elo1` to `elo0`; None but for "sprt"."""

    def __str__(self) -> str:
        """For people."""
        word = {True: "promoted", False: "turned down", None: "undecided"}[self.promoted]
        ratio = "" if self.llr is None else f", log-likelihood ratio {self.llr:+.2f}"
        return f"{word} after {self.games} games: {self.wins} won, {self.draws} drawn, {self.losses} lost{ratio}"


def judge(results: Sequence[Result], candidate: str, config: PromotionConfig) -> Evidence:
    """What follows from `results`, seat-swapped pairs in order."""
    points = [_points(result, candidate) for result in results]
    wins, draws = points.count(1.0), points.count(0.5)
    counts = (len(points), wins, draws, len(points) - wins - draws)
    if config.rule != "sprt":
        full = len(points) >= config.games
        return Evidence(sum(points) / len(points) >= config.win_share if full else None, *counts, None)
    full = len(points) >= config.most
    llr = log_likelihood_ratio([(a + b) / 2 for a, b in zip(points[::2], points[1::2], strict=True)], config)
    low, high = config.bounds
    return Evidence(True if llr >= high else False if llr <= low or full else None, *counts, llr)


def log_likelihood_ratio(pairs: Sequence[float], config: PromotionConfig) -> float:
    """Of a mean of `elo1` to one of `elo0`, for the points 0..1 of seat-swapped pairs on equal serves.

    The generalised test of Van den Bergh ("The generalized maximum likelihood ratio for the expectation value of a
    distribution", 2020): pairs are taken as normal with the variance they have, so that the two games of a pair need
    not be independent. One pair at 1/2 a point off the mean is added on each side, without which a run of equal
    results would be sure at once.
    """
    low, high = expected_points(config.elo0), expected_points(config.elo1)
    count = len(pairs)
    mean = (sum(pairs) + 1.0) / (count + 2)
    variance = (sum((pair - mean) ** 2 for pair in pairs) + 2 * 0.25) / (count + 2)
    return count * (high - low) * (2 * sum(pairs) / max(count, 1) - low - high) / (2 * variance)


def expected_points(elo: float) -> float:
    """0..1 of the points for a lead of `elo` (Elo 1978: logistic, base 10, scale 400)."""
    return 1 / (1 + 10 ** (-elo / 400))


def _points(result: Result, name: str) -> float:
    """1 for a win of `name`, 1/2 for a draw."""
    seat = result.players.index(name)
    own, other = result.score[seat], result.score[1 - seat]
    return 1.0 if own > other else 0.5 if own == other else 0.0
