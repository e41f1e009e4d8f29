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
    from arena.cast import Anybody
    from arena.contest import TournamentOutcome, tournament
    from arena.game_step import GameStep, SeatStep
    from arena.guests.limits import Limits
    from arena.league.config import LeagueConfig
    from arena.league.league import League
    from arena.mixture import Mixture
    from arena.players import load_player
    from arena.records import Results
    from arena.result import MatchSummary, Result, summarise
    from arena.stats.sprt import Sprt
    from arena.stepwise import Match
    from arena.training.config import TrainConfig
    from arena.training.run import Training
    from arena.training.trained import Trained, train

__version__ = "0.1.0"

_API = {
    "Anybody": "arena.cast",
    "GameStep": "arena.game_step",
    "League": "arena.league.league",
    "LeagueConfig": "arena.league.config",
    "Limits": "arena.guests.limits",
    "Match": "arena.stepwise",
    "MatchOutcome": "arena.api",
    "MatchSummary": "arena.result",
    "Mixture": "arena.mixture",
    "Result": "arena.result",
    "Results": "arena.records",
    "SeatStep": "arena.game_step",
    "Sprt": "arena.stats.sprt",
    "TournamentOutcome": "arena.contest",
    "TrainConfig": "arena.training.config",
    "Trained": "arena.training.trained",
    "Training": "arena.training.run",
    "load_player": "arena.players",
    "make_env": "arena.api",
    "play": "arena.api",
    "summarise": "arena.result",
    "tournament": "arena.contest",
    "train": "arena.training.trained",
}
"""Public name -> module that defines it. A name must not be that of a module in this folder, as importing the module
would replace it."""

__all__ = [
    "Anybody",
    "GameStep",
    "League",
    "LeagueConfig",
    "Limits",
    "Match",
    "MatchOutcome",
    "MatchSummary",
    "Mixture",
    "Result",
    "Results",
    "SeatStep",
    "Sprt",
    "TournamentOutcome",
    "TrainConfig",
    "Trained",
    "Training",
    "__version__",
    "load_player",
    "make_env",
    "play",
    "summarise",
    "tournament",
    "train",
]

check_siblings(Path(__file__).resolve().parent.parent)


def __getattr__(name: str) -> Any:
    if name not in _API:
        raise AttributeError(f"module 'arena' has no attribute {name!r}")
    value = getattr(import_module(_API[name]), name)
    return globals().setdefault(name, value)  # found directly from now on


def __dir__() -> list[str]:
    return sorted({*globals(), *_API})
