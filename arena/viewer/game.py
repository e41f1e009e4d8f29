"""Game: one game on show, which can be visited at any step, and what is known of it from the steps seen so far."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

import numpy as np

from arena.points import winners
from arena.replay.simulate import Moment, Simulation
from arena.viewer.insight import Insight
from envs.core import Array, BatchEnv
from envs.player import Player
from envs.registry import INCOMPLETE_PREFIX
from envs.slime_volley.sight import bodies, is_court

AHEAD = 96
"""Steps that are looked at in one go where the game is watched backwards, so that each is not simulated anew."""
KEPT = 4 * AHEAD
"""Moments kept."""


class Game:
    """A game that was played (all actions are there), or one that is: `act` decides as it goes on."""

    def __init__(
        self,
        env: BatchEnv,
        seed: int,
        names: Sequence[str],
        *,
        actions: Sequence[Array] | Array = (),
        ratings: Sequence[float | None] = (),
        title: str = "",
        seats: Sequence[Player | None] = (),
        act: Callable[[Moment], Array] | None = None,
    ) -> None:
        """Nothing is simulated before `open`.

        Args:
            env: of one game; several `Game`s may share it, as only the one that was opened last uses it.
            seed: of the game itself.
            names: [teams].
            actions: [T] of [P, *action_shape].
            ratings: [teams].
            title: why it is shown.
            seats: [P] players who can be asked what they think.
            act: what all do at a moment; None where `actions` are all.
        """
        self.spec, self.names, self.title = env.spec, tuple(names), title
        self.ratings = tuple(ratings) or (None,) * len(self.names)
        self.score: tuple[float, ...] | None = None
        """[P] once its end has been seen."""
        self.shown = False
        """Whether the watcher has been at its end."""
        self.known = -1
        """The last step that has been looked at; all before it have been too."""
        self.points: list[tuple[int, int]] = []
        """Step and winning team of each point so far."""
        self.insight = Insight(env.spec, seats or (None,) * env.spec.seats)
        self._env, self._seed, self._act = env, seed, act
        self._actions: Sequence[Array] | Array = actions
        self._simulation: Simulation | None = None
        self._moments: OrderedDict[int, Moment] = OrderedDict()
        self._crossings: list[int] = []
        """[known + 1] how often the ball has crossed the net since the serve."""
        self._half = 0
        self._court = is_court(env.spec)

    def open(self) -> None:
        """Take the env over, at the beginning of the game."""
        if self._simulation is not None:
            self._actions = self._simulation.actions
        self._simulation = Simulation(self._env, self._seed, self._actions)

    @property
    def live(self) -> bool:
        """Whether somebody is still playing."""
        return self._act is not None and self.score is None

    @property
    def steps(self) -> int:
        """Steps played so far."""
        return max(self.known, 0) if self._simulation is None else max(self.known, self._simulation.steps)

    def explore(self, step: int) -> None:
        """Look at all steps up to `step` or the end, playing on where they have not been played yet."""
        self.explore_until(lambda: self.known >= step)

    def explore_until(self, enough: Callable[[], bool], seconds: float | None = None) -> bool:
        """Look at steps, one after the other, until it is `enough`, the game ends, or `seconds` have passed.

        Returns whether it is enough or the game has ended.
        """
        until = None if seconds is None else time.monotonic() + seconds
        while self.score is None and not enough():
            self._look()
            if until is not None and time.monotonic() > until:
                return self.score is not None or enough()
        return True

    def at(self, step: int) -> Moment:
        """The game after `step` steps, or at its end if that comes before."""
        self.explore(step)
        step = min(step, self.known)
        if step not in self._moments:
            for other in range(max(0, step - AHEAD), step):  # whoever goes backwards will want these
                self._keep(other)
        return self._keep(step)

    def next_point(self, step: int) -> int | None:
        """The next step after `step` with which somebody won a point; None if none is known."""
        return next((at for at, _ in self.points if at > step), None)

    def last_point(self, step: float) -> int:
        """The last step before `step` with which somebody won a point, else 0."""
        return max((at for at, _ in self.points if at < step), default=0)

    def won(self, step: int) -> tuple[int, ...]:
        """[teams] points that each team has won by `step`."""
        return tuple(sum(team == own and at <= step for at, own in self.points) for team in range(len(self.names)))

    def rally(self, step: int) -> int | None:
        """How often the ball has crossed the net since it was served; None where there is no such thing."""
        return self._crossings[min(step, self.known)] if self._court else None

    @property
    def has_day(self) -> bool:
        """Whether it can be drawn in the colours of day."""
        return self.spec.id.removeprefix(INCOMPLETE_PREFIX).startswith("SlimeVolley")

    @property
    def scores_points(self) -> bool:
        """Whether the game is a series of points of which each counts one."""
        return self._court

    def _look(self) -> None:
        """Look at the first step that has not been looked at."""
        assert self._simulation is not None, "open() comes first"
        if self._act is not None and self._simulation.steps == self.known >= 0:
            self._simulation.append(self._act(self._keep(self.known)))
        now = self._keep(self.known + 1)
        self.known += 1
        point = int(winners(self.spec, now.reward[None])[0])
        if point >= 0:
            self.points.append((now.step, point))
        if self._court:
            self._count(now, point)
        self.insight.see(now, point)
        self.score = now.score

    def _count(self, now: Moment, point: int) -> None:
        """Crossings of the net."""
        half = int(np.sign(bodies(now.obs, self.spec).ball[0]))
        crossed = half * self._half < 0
        before = self._crossings[-1] if self._crossings else 0
        if point >= 0:  # what is seen is the step before; the next is the serve
            self._crossings.append(before)
            self._half = 0
        else:
            served = bool(self.points) and self.points[-1][0] == now.step - 1
            self._crossings.append((0 if served else before) + crossed)
            self._half = half or self._half

    def _keep(self, step: int) -> Moment:
        """The moment, simulated unless it is kept."""
        assert self._simulation is not None, "open() comes first"
        moment = self._moments.get(step)
        if moment is None:
            moment = self._moments[step] = self._simulation.at(step)
            if len(self._moments) > KEPT:
                self._moments.popitem(last=False)
        else:
            self._moments.move_to_end(step)
        return moment
