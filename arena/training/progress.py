"""Progress: where a running training is, told to whoever shows it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from arena.training.evaluation import Evaluation

RECENT = 100
"""Games that `Progress` means are over, at most."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a running training is."""

    share: float
    """0..1 of the budget spent."""
    seconds: float
    """Of training and evaluation so far."""
    steps: int
    """Env steps trained."""
    episodes: int
    """Games that ended in training."""
    speed: float
    """Env steps per second of training, lately."""
    score: float
    """Mean score of the last games of training that ended; NaN before the first."""
    game_steps: float
    """Mean length of the same."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """Of the last update: losses and the like."""
    evaluation: Evaluation | None = None
    """The last one; the same object until the next."""


Report = Callable[[Progress], None]
