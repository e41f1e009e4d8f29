"""Player: anyone who can sit in a seat. NumPy in, NumPy out, so bots and humans need no torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from numpy.random import Generator

from envs.core import Array, Bools, Floats


class Decision(NamedTuple):
    """What a player does in n seats at once."""

    action: Array
    """[n, *action_shape]."""
    memory: Floats
    """[n, H] carried to the next step of the same game."""
    extras: Mapping[str, Array]
    """[n, ...] each, e.g. "logprob", "value"; empty for bots."""


class Player(Protocol):
    """`act` is a function of its arguments alone: what a player remembers is in `memory`."""

    name: str
    memory_size: int
    """H; 0 without memory. Memory is zero when a game starts."""
    keep_memory: bool
    """True: memory is carried over from game to game instead of being cleared."""

    def act(self, obs: Array, legal: Bools, memory: Floats, rng: Generator) -> Decision:
        """Decide for n rows: obs [n, *obs_shape], legal [n, A], memory [n, H] float32."""
        ...
