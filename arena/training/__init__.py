"""Training of one learner in a game of one team: what a run is, and how it goes on."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the names in `_HOME` once more, for type checkers and editors
    from arena.training.config import TrainConfig
    from arena.training.progress import Progress
    from arena.training.run import Training
    from arena.training.trained import Trained, train

__all__ = ["Progress", "TrainConfig", "Trained", "Training", "train"]

_HOME = {
    "Progress": "arena.training.progress",
    "TrainConfig": "arena.training.config",
    "Trained": "arena.training.trained",
    "Training": "arena.training.run",
    "train": "arena.training.trained",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'arena.training' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
