"""Settings of a league: what a run file may say."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator

from arena.config import parse_budget
from arena.learner import AgentConfig
from arena.trainer import TrainingConfig
from envs.config import Config


class GameConfig(Config):
    """The game that is rated."""

    id: str = "SlimeVolley-v0"
    """Registered id."""
    options: dict[str, Any] = {}
    """Its options, in training and in rated games alike."""


class LearnerConfig(AgentConfig):
    """One member that learns."""

    name: str = Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$")
    """What its snapshots are called."""


class EvaluationConfig(Config):
    """Rated games: each new snapshot meets every anchor and some of the other snapshots."""

    games: int = Field(64, ge=2)
    """Games per pairing, seats swapped in pairs on equal serves."""
    rivals: int = Field(4, ge=0)
    """Snapshots that a new one meets: the best so far, and others at random."""
    final_games: int = Field(256, ge=0)
    """More games at the end of a run: among the best four, and between the champion and each anchor."""
    greedy: bool = True
    """Snapshots take their most probable action; otherwise they sample."""


class LeagueConfig(Config):
    """A league."""

    game: GameConfig = GameConfig()
    """The game."""
    seed: int = Field(0, ge=0)
    """Decides everything random."""
    budget: str = "5m"
    """Training and rating time such as "200s" or "1h", or env steps such as "20M-steps": then equal seeds give equal
    runs."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where networks learn."""
    threads: int = Field(0, ge=0)
    """Threads to use; 0: one per core. They change the speed and nothing else."""
    learners: tuple[LearnerConfig, ...] = Field(min_length=1)
    """Members that train, in turns."""
    anchors: tuple[str, ...] = ("baseline", "random")
    """Scripted players that are rated as fixed points, and never met in training."""
    matchmaking: Literal["hard", "even", "uniform"] = "hard"
    """Which past snapshots are met more often: those hard to beat, equals, or all alike."""
    training: TrainingConfig = TrainingConfig()
    """How experience is made."""
    evaluation: EvaluationConfig = EvaluationConfig()
    """How snapshots are rated."""

    @field_validator("budget")
    @classmethod
    def _budget(cls, text: str) -> str:
        parse_budget(text)
        return text

    @field_validator("learners")
    @classmethod
    def _learners(cls, learners: tuple[LearnerConfig, ...]) -> tuple[LearnerConfig, ...]:
        names = [learner.name for learner in learners]
        if len(set(names)) < len(names):
            raise ValueError("two learners have the same name")
        if "champion" in names:
            raise ValueError("no learner may be called champion: DIR@champion is the best of a run")
        if len({learner.policy.hold for learner in learners}) > 1:
            raise ValueError("learners that meet must have the same policy.hold")
        return learners
