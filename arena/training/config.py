"""Settings of a training run, in a game of one team."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from agents.algorithms import registry
from arena.config import parse_budget
from arena.learner import AgentConfig
from envs.config import Config

EVALUATIONS = 20
"""In a run, unless it says how often."""


class EvaluationConfig(Config):
    """How the learner is tried while it learns. Each time, a snapshot is kept."""

    every: int = Field(0, ge=0)
    """Env steps of training between two evaluations, rounded up to whole rollouts; 0: a twentieth of the budget."""
    episodes: int = Field(20, ge=1)
    """Games per evaluation."""
    greedy: bool = True
    """It takes its most probable action; otherwise it samples."""


class TrainConfig(AgentConfig):
    """A training run."""

    env: str
    """Registered id of a game of one seat, or of several in one team."""
    options: dict[str, Any] = {}
    """Its options."""
    games: int = Field(16, ge=1)
    """Games played side by side; unless it is said, what the algorithm prefers."""
    steps: int = Field(0, ge=0)
    """Steps of each game per rollout; 0: whole episodes. Unless either is said, what the algorithm prefers."""
    episodes: int = Field(0, ge=0)
    """Whole episodes of each game per rollout; 0: steps."""
    budget: str = "100k-steps"
    """Env steps such as "100k-steps", games such as "500-episodes", or time such as "60s" or "5m", evaluations
    included. With time, equal seeds do not give equal runs."""
    seed: int = Field(0, ge=0)
    """Decides everything random."""
    device: Literal["auto", "cpu", "cuda"] = "cpu"
    """Where the network learns; small ones are fastest on the cpu."""
    threads: int = Field(1, ge=0)
    """Threads to use; 0: one per core. They change the speed and nothing else."""
    stretch_steps: int = Field(0, ge=0)
    """Env steps between two moments from which the run can be resumed, where all games begin anew; 0: enough for
    four whole games of each row, and a twentieth of the budget at least."""
    evaluation: EvaluationConfig = EvaluationConfig()
    """How the learner is tried while it learns."""

    @model_validator(mode="before")
    @classmethod
    def _preferred(cls, data: Any) -> Any:
        """Fill in what the algorithm prefers where nothing is said."""
        name = data.get("algorithm") if isinstance(data, dict) else None
        if name not in registry.names():
            return data
        entry = registry.entry(name)
        amount = {} if {"steps", "episodes"} & data.keys() else {"steps": entry.steps, "episodes": int(not entry.steps)}
        return {"games": entry.games, **amount, **data}

    @model_validator(mode="after")
    def _one_amount(self) -> TrainConfig:
        if bool(self.steps) == bool(self.episodes):
            raise ValueError(
                f"steps = {self.steps}, episodes = {self.episodes}: a rollout is so many of one, and the other is 0"
            )
        return self

    @field_validator("budget")
    @classmethod
    def _budget(cls, text: str) -> str:
        parse_budget(text, episodes=True)
        return text
