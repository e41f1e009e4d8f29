"""Limits: how long a guest may think, and what becomes of a game in which it does not play by the rules."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

from envs.errors import InputError

Forfeits = Literal["lose", "abort"]
"""Whoever breaks the rules loses that game, or everything stops with the reason."""
STALL = 10.0
"""A program that has no time limit has stopped answering after so long, s."""
START = 60.0
"""How long a program may take until it has said hello, s."""
UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}


@dataclass(frozen=True, slots=True)
class Limits:
    """For guests; who comes with arena (snapshots, bots) is not timed."""

    move: float | None = None
    """Time for a move, s; None: as long as they like, programs `STALL`."""
    game: float | None = None
    """Time for all of one's moves of a game together, s."""
    forfeits: Forfeits = "lose"

    def __post_init__(self) -> None:
        """Refuse what is no time."""
        for name, value in (("move", self.move), ("game", self.game)):
            if value is not None and not (math.isfinite(value) and value > 0):
                raise InputError(f"a time limit for a {name} must be above 0 seconds, not {value}.")
        if self.forfeits not in ("lose", "abort"):
            raise InputError(f"forfeits are 'lose' or 'abort', not {self.forfeits!r}.")

    @property
    def timed(self) -> bool:
        """Whether there is a limit, so that results depend on the clock where somebody comes near it."""
        return self.move is not None or self.game is not None

    def left(self, used: float) -> float | None:
        """Time for the next move of a game in which `used` s have gone; None: any."""
        bounds = [self.move] if self.move is not None else []
        bounds += [self.game - used] if self.game is not None else []
        return min(bounds, default=None)

    def broken(self, spent: float, used: float) -> str | None:
        """What is to be said of a move that took `spent` s in a game in which `used` s had gone before it."""
        if self.move is not None and spent > self.move:
            return f"gave no answer within {plain(self.move)}"
        if self.game is not None and used + spent > self.game:
            return f"used up its {plain(self.game)} for a game"
        return None


def parse_limits(move: str = "", game: str = "", forfeits: Forfeits = "lose") -> Limits:
    """The limits that the options --move-time, --game-time and --forfeits say; "" is none.

    Raises:
        InputError: no time such as 20ms, 1.5s or 2m.
    """
    return Limits(_seconds(move, "--move-time"), _seconds(game, "--game-time"), forfeits)


def _seconds(text: str, option: str) -> float | None:
    if not text:
        return None
    found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)(us|ms|s|m)", text.strip())
    if not found or not float(found[1]):
        raise InputError(f"{option} {text!r} is no time above 0: give for example 20ms, 1.5s or 2m.")
    return float(found[1]) * UNITS[found[2]]


def plain(seconds: float) -> str:
    """A time for people: "20 ms", "1.5 s"."""
    unit, scale = ("us", 1e6) if seconds < 1e-3 else ("ms", 1e3) if seconds < 1 else ("s", 1)
    return f"{seconds * scale:.3g} {unit}"
