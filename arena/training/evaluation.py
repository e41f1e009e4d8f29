"""Evaluation: a crew alone in a game of one team."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

from agents.player import seated
from agents.snapshot import Policies
from arena.match import match
from arena.result import Result, summarise


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Games of one crew in a few numbers. Printing it gives one line."""

    player: str
    games: int
    score_mean: float
    """Mean score per game and seat, which is the sum of its rewards."""
    score_ci95: tuple[float, float] | None
    """95 % interval of `score_mean`; None for a single game."""
    score_min: float
    """Of the worst game."""
    steps_mean: float

    def figures(self) -> dict[str, Any]:
        """What --json prints and metrics.jsonl holds: all but the player."""
        return {name: value for name, value in asdict(self).items() if name != "player"}

    def __str__(self) -> str:
        """One line for people."""
        interval = " (95 % interval {:.2f} to {:.2f})".format(*self.score_ci95) if self.score_ci95 else ""
        return (
            f"{self.player}: mean score {self.score_mean:.2f}{interval} in {self.games} games, "
            f"the worst {self.score_min:.2f}, {self.steps_mean:.0f} steps per game"
        )


def evaluate(
    policies: Policies, name: str, env: str, options: Mapping[str, Any], episodes: int, seed: int, greedy: bool = True
) -> tuple[list[Result], Evaluation]:
    """`episodes` games of `policies`, which results call `name`: one Result each, and what they say together.

    They must be frozen copies, as `agents.snapshot.freeze` makes them.

    Raises:
        InputError: not a game of one team, or a number out of range.
    """
    results = match(env, options, [seated(policies, name, greedy)], episodes, seed)
    return results, evaluation(results, name)


def evaluation(results: list[Result], name: str) -> Evaluation:
    """What the games of `name` say together."""
    summary, worst = summarise(results, name), min(fmean(result.score) for result in results)
    return Evaluation(name, summary.games, summary.score_mean, summary.score_ci95, worst, summary.steps_mean)
