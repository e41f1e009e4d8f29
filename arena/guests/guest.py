"""Guest: a player that is asked one game at a time, as others' agents are, and not for a whole batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gymnasium import spaces
from numpy.random import Generator

from arena.guests.limits import Limits
from arena.guests.seated import Seated
from arena.guests.table import Table
from envs.core import Array, Bools, Floats
from envs.errors import InputError
from envs.player import Decision

Open = Callable[[Limits], Table]
"""Sets a table for a guest."""


class Forfeit(InputError):
    """A fault where forfeits are not wanted (`--forfeits abort`): a whole sentence."""


class Guest:
    """Sits down at a table of its own for each block of a match (`sit`). Where somebody drives it as a plain `Player`,
    as the viewer does, it has one table until `close`, and a fault is an error."""

    memory_size = 1
    """Number of the game; 0 in a new one."""
    keep_memory = False

    def __init__(self, name: str, space: spaces.Space[Any], open: Open, together: int | None = None) -> None:
        """`space` is that of its actions; at a table it plays `together` games at most at a time (None: any number)."""
        self.name, self.space, self.together = name, space, together
        self._open = open
        self._own: Seated | None = None

    def sit(self, limits: Limits) -> Seated:
        """Take a seat at a new table."""
        return Seated(self.name, self.space, self._open(limits), limits)

    def act(self, obs: Array, legal: Bools, memory: Floats, rng: Generator) -> Decision:
        """See `Player.act`.

        Raises:
            Forfeit: it crashed, or answered with what is no legal action.
        """
        self._own = self._own or self.sit(Limits())
        decision = self._own.act(obs, legal, memory, rng)
        for fault in self._own.take_faults().values():
            self.close()
            raise Forfeit(f"{self.name} {fault}.")
        return decision

    def close(self) -> None:
        """Leave the table that it has as a plain player."""
        if self._own:
            self._own.close()
            self._own = None

    def __del__(self) -> None:
        """A program must not outlive its player."""
        if getattr(self, "_own", None):
            self.close()
