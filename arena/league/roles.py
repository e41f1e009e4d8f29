"""Roles: what members are for, and what follows from it where a run file says nothing (Vinyals et al. 2019)."""

from __future__ import annotations

from typing import Literal

from arena.league.matchmaking import MatchmakingConfig

Role = Literal["main", "main-exploiter", "league-exploiter"]
LEARNING: tuple[Role, ...] = ("main", "main-exploiter", "league-exploiter")
"""Of those who learn."""
FIXED = ("anchor", "historical")
"""Of others: scripted or imported, a fixed point; and imported, but met like a snapshot of the league's own."""
MET = (*LEARNING, "historical")
"""Of those who are met in training, unless they are told apart by name."""
MATCHMAKING: dict[str, MatchmakingConfig] = {
    "main": MatchmakingConfig(mirror=0.5, uniform=0.5),
    "main-exploiter": MatchmakingConfig(latest=0.5, even=0.5, against=("main",)),
    "league-exploiter": MatchmakingConfig(hard=1.0),
}
"""A main exploiter looks for weaknesses of the mains, a league exploiter for those of everybody."""
