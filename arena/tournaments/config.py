"""Tournament config: everything that a tournament is decided by, as its folder keeps it."""

from __future__ import annotations

import re
from typing import Any

from pydantic import Field, ValidationInfo, field_validator, model_validator

from arena.guests.limits import Forfeits, Limits, parse_limits
from arena.tournaments.formats.elimination import Elimination
from arena.tournaments.formats.ladder import KingOfTheHill, RatingLadder
from arena.tournaments.formats.round_robin import Gauntlet, RoundRobin
from arena.tournaments.formats.swiss import Swiss, limit
from arena.tournaments.pairing import Format
from envs.config import Config
from envs.errors import InputError, unknown

FORMATS = {
    "round-robin": "everybody meets everybody",
    "double-round-robin": "everybody meets everybody twice",
    "gauntlet": "the first meets all others",
    "swiss": "a few rounds in which equals meet, nobody twice",
    "single-elimination": "who loses is out",
    "double-elimination": "who loses twice is out",
    "king-of-the-hill": "one after the other challenges the king",
    "rating-ladder": "neighbours by rating meet, and ratings move",
}
"""Names of the formats, and what they are."""
ELIMINATIONS = ("single-elimination", "double-elimination")


class GameConfig(Config):
    """What is played."""

    id: str
    """Of the game."""
    options: dict[str, Any] = {}
    """Of the game; those left out are its own."""


class Entrant(Config):
    """Somebody who takes part."""

    name: str
    """What results call it."""
    player: str
    """Who it is, as on the command line."""
    file: str = ""
    """Its file in the run folder, a copy made when the tournament began; "" if it has none."""

    @field_validator("name")
    @classmethod
    def _name(cls, name: str) -> str:
        if not name or "|" in name:
            raise ValueError("a name must have a letter, and no |")
        return name


class TournamentConfig(Config):
    """A tournament."""

    format: str
    """round-robin, double-round-robin, gauntlet, swiss, single-elimination, double-elimination, king-of-the-hill or
    rating-ladder."""
    game: GameConfig
    """What is played."""
    entrants: tuple[Entrant, ...] = Field(min_length=2)
    """Everybody, the best seed first."""
    games: int = Field(64, ge=2)
    """Of a pairing (or of a leg of a match), seats swapped from one to the next on equal serves."""
    rounds: int = Field(0, ge=0)
    """Of a Swiss or a ladder; how often each two meet in a round robin or gauntlet; 0: as many as the format has."""
    best_of: int = Field(1, ge=1)
    """Legs of a match, at most, in an elimination; an odd number."""
    challengers: int = Field(1, ge=1)
    """Of a gauntlet: so many, the first ones, meet all others."""
    seed: int = Field(0, ge=0)
    """Decides everything random."""
    greedy: bool = True
    """Snapshots take their most probable action instead of drawing one as in training."""
    move_time: str = ""
    """That an agent from elsewhere has for a move, such as "20ms"; "": none of its own."""
    game_time: str = ""
    """That it has for all of its moves of a game."""
    forfeits: Forfeits = "lose"
    """Who breaks the rules loses that game; or "abort": everything ends with the reason."""
    trust: bool = False
    """Files may be read that hold pickles, and so can run any code."""

    @field_validator("move_time", "game_time")
    @classmethod
    def _time(cls, text: str, info: ValidationInfo) -> str:
        parse_limits(text if info.field_name == "move_time" else "", text if info.field_name == "game_time" else "")
        return text

    @model_validator(mode="after")
    def _fits(self) -> TournamentConfig:
        names = self.names
        if self.format not in FORMATS:
            raise ValueError(str(unknown("format", self.format, FORMATS)))
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice:
            raise ValueError(f"{twice!r} takes part twice")
        if self.rounds and self.format in (*ELIMINATIONS, "double-round-robin"):
            raise ValueError(f"rounds: a {self.format} has as many as it needs")
        if self.best_of > 1 and self.format not in ELIMINATIONS:
            raise ValueError(f"best_of is for eliminations, not for a {self.format}: it has games")
        if self.best_of % 2 == 0:
            raise ValueError(f"best_of = {self.best_of} must be odd, such as {self.best_of + 1}")
        if self.challengers > 1 and self.format != "gauntlet":
            raise ValueError(f"challengers are for a gauntlet, not for a {self.format}")
        if self.challengers >= len(names):
            raise ValueError(f"challengers = {self.challengers} of {len(names)} leaves nobody to meet")
        most = limit(len(names))
        if self.format == "swiss" and self.rounds > most:
            raise ValueError(
                f"rounds = {self.rounds}: a Swiss of {len(names)} has at most {most} in which nobody need meet "
                "somebody again; a round-robin has everybody meet everybody"
            )
        return self

    @property
    def limits(self) -> Limits:
        """For agents from elsewhere."""
        return parse_limits(self.move_time, self.game_time, self.forfeits)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the entrants, the best seed first."""
        return tuple(entrant.name for entrant in self.entrants)


def format_of(config: TournamentConfig) -> Format:
    """The pairing functions of a tournament."""
    match config.format:
        case "round-robin":
            return RoundRobin(config.rounds or 1)
        case "double-round-robin":
            return RoundRobin(2)
        case "gauntlet":
            return Gauntlet(config.challengers, config.rounds or 1)
        case "swiss":
            return Swiss(config.rounds)
        case "single-elimination":
            return Elimination(1, config.best_of)
        case "double-elimination":
            return Elimination(2, config.best_of)
        case "king-of-the-hill":
            return KingOfTheHill(config.rounds)
        case _:
            return RatingLadder(config.rounds)


def check_format(name: str) -> str:
    """`name`, if it is one of `FORMATS`.

    Raises:
        InputError: it is not.
    """
    if name in FORMATS:
        return name
    if re.search(r"[@/.]", name):
        raise InputError(
            f"{name!r} is no format: the first word is one of {', '.join(FORMATS)}, then come the players."
        )
    raise unknown("format", name, FORMATS)
