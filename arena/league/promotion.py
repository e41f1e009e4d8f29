"""Promotion: when what a learner has become enters the pool of opponents. Pure functions of games."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field, model_validator

from arena.result import Result
from arena.stats import sprt
from arena.stats.sprt import Sprt
from arena.stats.units import points, units
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
    def test(self) -> Sprt:
        """With "sprt": promoted if `elo1` is accepted."""
        return Sprt(elo0=self.elo0, elo1=self.elo1, alpha=self.alpha, beta=self.beta)


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
    worth = [points(result, candidate) for result in results]
    wins, draws = worth.count(1.0), worth.count(0.5)
    counts = (len(worth), wins, draws, len(worth) - wins - draws)
    if config.rule != "sprt":
        full = len(worth) >= config.games
        return Evidence(sum(worth) / len(worth) >= config.win_share if full else None, *counts, None)
    verdict = sprt.judge(units(results, candidate), config.test)
    full = len(worth) >= config.most
    return Evidence(False if verdict.accepted is None and full else verdict.accepted, *counts, verdict.llr)
