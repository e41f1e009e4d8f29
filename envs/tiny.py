"""Tiny games: so few ways to begin and to go on that all of them can be written down.

On these the answer is known, so they are the ground truth of league maths (`arena.equilibrium`).
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from envs.core import BatchEnv, Floats, Ints, TimeStep


@runtime_checkable
class TinyGame(BatchEnv, Protocol):
    """A batch env with all its chance at the start: what follows is decided by the actions alone."""

    chances: Floats
    """[S] how likely each way to begin is."""

    def start(self, which: Ints) -> TimeStep:
        """Like `reset`, but game b begins in the way `which` [B], a place in `chances`, and not at random."""
        ...
