"""Listener: functions of a user's own that are told of a match while it is played. They change nothing in it."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy

import numpy as np

from agents.play import Step
from arena.game_step import Course, GameStep, Seats
from arena.points import NOBODY
from arena.result import Result
from envs.core import Bools

OnStep = Callable[[GameStep], object]
OnGame = Callable[[int, Result], object]


class Listener:
    """Calls back in the order of play."""

    def __init__(
        self, on_step: OnStep | None = None, on_point: OnStep | None = None, on_game: OnGame | None = None
    ) -> None:
        """See `arena.play`."""
        self.on_step, self.on_point, self.on_game = on_step, on_point, on_game
        self.first = 0
        """Place in the match of the first game that begins."""

    def after(self, games: int) -> Listener:
        """The same for games that come after so many others."""
        later = copy(self)
        later.first += games
        return later

    def begin(self, seats: Seats) -> Hearing:
        """Games begin side by side."""
        return Hearing(self, seats)


class Hearing:
    """A listener to games that are played side by side."""

    def __init__(self, listener: Listener, seats: Seats) -> None:
        """Nothing has been played yet."""
        self._listener = listener
        self._course = Course(seats, listener.first)

    def step(self, step: Step, counts: Bools) -> None:
        """The next step of all; it counts in some [B]."""
        on_step, on_point = self._listener.on_step, self._listener.on_point
        if on_step is None and on_point is None:
            return
        course = self._course
        course.see(step)
        won = course.winners != NOBODY
        wanted = np.flatnonzero(counts if on_step else counts & won)
        for row in map(int, wanted):
            seen = course.step(row)
            if on_step:
                on_step(seen)
            if on_point and won[row]:
                on_point(seen)

    def over(self, row: int, result: Result) -> None:
        """A game has ended."""
        if self._listener.on_game:
            self._listener.on_game(self._listener.first + row, result)
