"""Competition: train populations by self-play, rate every snapshot, play and watch the matches.

The names below are the scripting API. Each is loaded when it is first used, so `import arena` costs
neither torch nor numba.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arena.siblings import check_siblings

if TYPE_CHECKING:  # the names in `_API` once more, for type checkers and editors
    from arena.api import MatchOutcome, make_env, play
    from arena.league.config import LeagueConfig
    from arena.league.league import League
    from arena.players import load_player
    from arena.result import MatchSummary, Result, summarise
    from arena.training.config import TrainConfig
    from arena.training.run import Training
    from arena.training.trained import Trained, train

__version__ = "0.1.0"

_API = {
    "League": "arena.league.league",
    "LeagueConfig": "arena.league.config",
    "MatchOutcome": "arena.api",
    "MatchSummary": "arena.result",
    "Result": "arena.result",
    "TrainConfig": "arena.training.config",
    "Trained": "arena.training.trained",
    "Training": "arena.training.run",
    "load_player": "arena.players",
    "make_env": "arena.api",
    "play": "arena.api",
    "summarise": "arena.result",
    "train": "arena.training.trained",
}
"""Public name -> module that defines it. A name must not be that of a module in this folder: importing the
module would replace it."""

__all__ = [
    "League",
    "LeagueConfig",
    "MatchOutcome",
    "MatchSummary",
    "Result",
    "TrainConfig",
    "Trained",
    "Training",
    "__version__",
    "load_player",
    "make_env",
    "play",
    "summarise",
    "train",
]

check_siblings(Path(__file__).resolve().parent.parent)


def __getattr__(name: str) -> Any:
    if name not in _API:
        raise AttributeError(f"module 'arena' has no attribute {name!r}")
    value = getattr(import_module(_API[name]), name)
    globals()[name] = value  # found directly from now on
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_API})
