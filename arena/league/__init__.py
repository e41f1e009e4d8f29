"""The league: a population that trains by self-play, and what the match log says of it."""

from arena.league.config import LeagueConfig
from arena.league.league import League, Progress

__all__ = ["League", "LeagueConfig", "Progress"]
