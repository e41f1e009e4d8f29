"""Progress: where a running league is, told to whoever shows it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from arena.league.standings import Standing


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a running league is."""

    phase: str
    """What is being done, for people."""
    share: float
    """0..1 of the budget spent."""
    seconds: float
    """Of training and rating so far."""
    steps: int
    """Env steps trained, all learners."""
    speed: float
    """Env steps per second of training, lately."""
    standings: Sequence[Standing]
    """Best first; the same object until a new snapshot has been rated."""
    roles: Mapping[str, str]
    """Of the members, by name."""
    told: Sequence[str]
    """What happened lately, the latest last: promotions, resets, copies, cycles, members that came or went."""


Report = Callable[[Progress], None]
