"""The league: a population that trains by self-play, and what the match log says of it.

`League`, `LeagueConfig` and `Progress` need torch, so they are loaded when they are first used; what reads a run
(`arena.league.standings`, `arena.league.overview`) needs none.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the names in `_HOME` once more, for type checkers and editors
    from arena.league.config import LeagueConfig
    from arena.league.league import League
    from arena.league.progress import Progress

__all__ = ["League", "LeagueConfig", "Progress"]

_HOME = {
    "League": "arena.league.league",
    "LeagueConfig": "arena.league.config",
    "Progress": "arena.league.progress",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'arena.league' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
