"""Insight: what the players of a game make of it, step by step: the values they expect, and what they might do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from arena import thought
from arena.viewer import chances
from envs.core import Array, EnvSpec, Floats
from envs.slime_volley.sight import is_court

if TYPE_CHECKING:
    from agents.policy import Output, Policy
    from arena.replay.simulate import Moment
    from envs.player import Player

ENDS_WITH_RESULT = ("ConnectFour-v0", "TicTacToe-v0")
"""Games whose only reward is their result, +1 won, 0 drawn, -1 lost."""


class Insight:
    """Asks the networks of the seats that have one, in the order of the steps, and remembers the answers.

    A value is the expected outcome of what a policy was trained on: in leagues, games end with each point, so it is
    that of the point. It is discounted, so far from the end it is nearer to even than the player's real chance.
    """

    def __init__(self, spec: EnvSpec, seats: Sequence[Player | None]) -> None:
        """`seats` [P] are who sits where, None where nobody can be asked."""
        self._spec = spec
        self._minds = [_mind(spec, seat, player) for seat, player in enumerate(seats)]
        self._teams = [spec.teams.index(team) for team in range(max(spec.teams) + 1)]
        lives = spec.options.get("lives", 1) if is_court(spec) else 1
        self._lives: int | None = lives if is_court(spec) or spec.id in ENDS_WITH_RESULT else None
        """At the start, of each side; None in a game whose values are no chances."""
        self._scale = float(spec.options.get("score_reward", 1.0) or 1.0) if is_court(spec) else 1.0
        self._lost = [0, 0]
        self._serves: list[float] = []
        self._fresh = True
        self.point: list[float | None] = []
        """[steps + 1] chance of the left side to win the present point."""
        self.game: list[float | None] = []
        """[steps + 1] chance of the left side to win the game."""

    @property
    def heads(self) -> tuple[bool, ...]:
        """[teams] whose first seat has a network with a value; nobody's where values are no chances."""
        if self._lives is None:
            return (False,) * len(self._teams)
        minds = (self._minds[seat] for seat in self._teams)
        return tuple(mind is not None and mind.has_value for mind in minds)

    @property
    def rated(self) -> bool:
        """Whether there are chances."""
        return any(self.heads) and len(self._teams) == 2

    @property
    def thinks(self) -> bool:
        """Whether any seat has a policy that can be asked."""
        return any(self._minds)

    @property
    def several(self) -> bool:
        """Whether a game takes more points than one."""
        return self._lives is not None and self._lives > 1

    def see(self, now: Moment, point: int) -> None:
        """Take in the next step; `point` is the team that won a point with it, -1 if nobody did."""
        values = [None if mind is None else mind.think(now, self.rated) for mind in self._minds]
        if point >= 0:
            self._lost[1 - point] += 1
            self._fresh = True
        if not self.rated:
            return
        if now.score is not None or point >= 0:  # decided; what comes next is not seen yet
            chance = None if point < 0 else float(point == 0)
        else:
            left, right = (_scaled(values[seat], self._scale) for seat in self._teams)
            chance = chances.even((left, right))
        if chance is not None and point < 0 and self._fresh:
            self._serves.append(chance)
            self._fresh = False
        self.point.append(chance)
        self.game.append(self._of_game(now, chance, point))

    def _of_game(self, now: Moment, chance: float | None, point: int) -> float | None:
        """Chance of the game, later points being won as often as they were expected to be at the serves so far."""
        if now.score is not None:
            left, right = (now.score[seat] for seat in self._teams)
            return 0.5 + 0.5 * float(np.sign(left - right))
        if chance is None or self._lives is None:
            return None
        lives = [max(self._lives - lost, 0) for lost in self._lost]
        usual = float(np.mean(self._serves)) if self._serves else 0.5
        if point >= 0:
            return chances.race(usual, *lives) if lives[0] else 0.0
        return chances.game(chance, usual, *lives)

    def probabilities(self, before: Moment) -> list[Floats | None]:
        """[P] of [A] with what probability each seat's policy chose its actions (or pressed its buttons) at `before`,
        which has been seen; None where there is no policy or no choice."""
        return [None if mind is None or not before.acts[seat] else mind.odds(before)
                for seat, mind in enumerate(self._minds)]  # fmt: skip


def _scaled(value: float | None, scale: float) -> float | None:
    return None if value is None else value / scale


class Mind:
    """The network of one seat, and what it remembered before each step."""

    def __init__(self, spec: EnvSpec, seat: int, policy: Policy) -> None:
        """Its weights are read only."""
        self._policy, self._seat, self._spec = policy, seat, spec
        self._memory: list[Array] = []
        self._next = np.zeros((1, policy.memory_size), np.float32)
        central = getattr(policy.head, "central", None) is not None
        self.has_value = central or getattr(policy.head.config, "kind", "") in ("actor-critic", "q")

    def think(self, now: Moment, valued: bool) -> float | None:
        """Take in the next step; its value if the network has one and it is wanted (`valued`)."""
        if not self._policy.memory_size:
            if not valued or not self.has_value:
                return None
            return thought.value(self._ask(now, self._next))
        self._memory.append(self._next)
        output = self._ask(now, self._next)
        if now.step % self._policy.config.hold == 0:  # in between it is not asked, and so remembers nothing
            self._next = output.memory.numpy()
        return thought.value(output)

    def odds(self, before: Moment) -> Floats | None:
        """[A] probabilities at `before`."""
        memory = self._memory[before.step] if self._policy.memory_size else self._next
        return thought.probabilities(self._ask(before, memory).dist, self._spec.action_spaces[self._seat])

    def _ask(self, now: Moment, memory: Array) -> Output:
        return thought.ask(self._policy, self._spec, self._seat, now.obs, now.legal, memory)


def _mind(spec: EnvSpec, seat: int, player: Player | None) -> Mind | None:
    """The network that `player` decides with, if it is one that can be asked."""
    policy = thought.policy_of(player)
    return None if policy is None else Mind(spec, seat, policy)
