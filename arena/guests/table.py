"""Table: where a guest sits while a block is played, asked game by game. It closes with the block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from envs.core import Array, Bools


class Request(NamedTuple):
    """One move that is wanted."""

    game: int
    """Number of the game at this table, from 1."""
    step: int
    """How many moves the guest has been asked for in this game before."""
    seed: int
    """Of the game, for the guest's own chance; the same at all of its steps."""
    obs: Array
    """[*obs_shape]."""
    legal: Bools
    """[A]."""
    left: float | None
    """Time that the answer may take, s; None: any."""


class Reply(NamedTuple):
    """What came of it."""

    action: Any
    """As the guest gave it, to be checked; None where there is a fault."""
    fault: str | None
    """A part of a sentence that begins with the guest's name."""
    seconds: float
    """That it took."""
    late: bool = False
    """The fault is that nothing came in time."""


class Table(Protocol):
    """Belongs to one thread."""

    watches: bool
    """The guest wants to be asked where it has no choice too."""

    def ask(self, requests: Sequence[Request]) -> list[Reply]:
        """The guest's moves. The first of a game has step 0."""
        ...

    def over(self, game: int, score: float | None) -> None:
        """A game has ended, for the guest with `score`, if that is known."""
        ...

    def close(self) -> None:
        """Everybody leaves; nothing of them goes on."""
        ...
