"""One PettingZoo environment as a game whose seats all stay to its end; what differs between the two APIs is below.

A seat whose agent has died shows zeros from the step of its death on, does not act and is paid what the environment
still pays it. The game ends for all when the last agent is dead: *truncated* if the last step stopped at least one of
those who were still playing by truncation alone, since for these something was yet to come; else *terminated*. The last
views are of those who were playing; in a game that is truncated, an agent that the rules ended in the same step shows
zeros, as it would had the others gone on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from pettingzoo import AECEnv, ParallelEnv

from envs.core import Array
from envs.errors import InputError
from envs.foreign.visitor import SEEDS
from envs.foreign.zoo.board import Board
from envs.foreign.zoo.seat import Seat


class Game:
    """Base: one environment, and its part of the board."""

    def __init__(self, env: Any, seats: Sequence[Seat], board: Board, max_steps: int | None, where: str) -> None:
        """`max_steps`: the game is truncated after so many; None: the environment decides alone."""
        self.env = env
        self.seats = seats
        self.board = board
        self.seen: Mapping[Any, Any] = {}
        """What each agent sees that plays, or that has died in this step."""
        self.infos: Mapping[Any, Mapping[str, Any]] = {}
        self.movers: Sequence[int] = ()
        """Seats that act now."""
        self.playing: Sequence[int] = ()
        """Seats whose agents are not dead."""
        self.died: dict[int, bool] = {}
        """Seats whose agents have died in this step, and whether the rules ended them."""
        self._max_steps = max_steps
        self._where = where
        self._index = {seat.agent: index for index, seat in enumerate(seats)}
        self._seeds = np.random.default_rng()

    def reset(self) -> None:
        """Start a game with the seed on the board; those that follow draw theirs from it.

        So each game has a seed of its own, and is the same again even where an environment that is reset without one
        takes what chance gives it.
        """
        board = self.board
        self._seeds = np.random.default_rng(int(board.seeds[0]))
        board.reward[:] = 0
        board.over[:] = False
        board.score[:] = np.nan
        self._begin()

    def step(self) -> None:
        """Play the actions on the board."""
        board = self.board
        before = self.playing
        board.reward[:] = 0
        self.died = {}
        self.play()
        board.total[:] += board.reward
        board.steps[:] += 1
        terminated = truncated = False
        if not self.playing:
            terminated = all(self.died.values())
            truncated = not terminated
        elif board.steps[0] == self._max_steps:
            truncated = True
        board.over[:] = terminated, truncated
        if not (terminated or truncated):
            board.score[:] = np.nan
            self._show()
            return
        ended = {seat for seat, by_rules in self.died.items() if by_rules and truncated}
        self._views(board.final_obs, set(before) - ended)
        board.score[:] = board.total
        self._begin()

    def start(self, seed: int) -> None:
        """Begin the environment's next episode."""
        raise NotImplementedError

    def play(self) -> None:
        """Let the movers act: rewards to the board, and who is still playing, who has died and who sees what."""
        raise NotImplementedError

    def born(self, agents: Iterable[Any]) -> None:
        """Of those who may play by now, `agents` are new.

        Raises:
            InputError: there are some.
        """
        if names := ", ".join(sorted(map(str, agents))):
            raise InputError(
                f"{self._where}: agents are born in the middle of a game ({names}), but every seat must be there "
                "from its start to its end."
            )

    def native(self, seat: int) -> Any:
        """The action of `seat` on the board as the environment calls it."""
        return self.seats[seat].native(self.board.action[seat])

    def _begin(self) -> None:
        self.board.total[:] = 0
        self.board.steps[:] = 0
        self.start(int(self._seeds.integers(SEEDS)))
        self._show()

    def _show(self) -> None:
        """What the seats see and may do now."""
        self._views(self.board.obs, self.playing)
        acts, legal = self.board.acts, self.board.legal
        acts[:] = False
        for index, seat in enumerate(self.seats):
            if index in self.movers:
                acts[index] = True
                seat.allow(self.seen[seat.agent], self.infos.get(seat.agent, {}), legal[index])
            else:
                seat.idle(legal[index])

    def _views(self, into: Array, seats: Iterable[int]) -> None:
        for index, seat in enumerate(self.seats):
            if index in seats and seat.agent in self.seen:
                seat.put(self.seen[seat.agent], into[index])
            else:
                seat.clear(into[index])


class Parallel(Game):
    """All who play act at once."""

    env: ParallelEnv[Any, Any, Any]

    def start(self, seed: int) -> None:
        """See `Game.start`."""
        self.seen, infos = self.env.reset(seed=seed)
        self.infos = infos or {}
        self.born(set(self.env.agents) - set(self._index))
        self.movers = self.playing = [self._index[agent] for agent in self.env.agents]

    def play(self) -> None:
        """See `Game.play`."""
        before = {self.seats[seat].agent: seat for seat in self.playing}
        self.seen, paid, over, cut, self.infos = self.env.step(
            {agent: self.native(seat) for agent, seat in before.items()}
        )
        for agent, amount in paid.items():
            if agent in self._index:
                self.board.reward[self._index[agent]] = float(amount)
        self.born(set(self.env.agents) - set(before))
        here = set(self.env.agents)
        for agent, seat in before.items():
            if over.get(agent) or cut.get(agent) or agent not in here:  # one that just goes was ended by the rules
                self.died[seat] = bool(over.get(agent)) or not cut.get(agent)
        self.movers = self.playing = [seat for seat in self.playing if seat not in self.died]


class Turns(Game):
    """One acts at a time (AEC). Rewards are paid in the step in which they fall due, to whomever.

    They are settled before an agent acts or leaves, against what `last()` then tells it: all that it was paid since it
    last acted. So the sums are those of who plays the environment by its own loop, to the last agent, even where an
    environment keeps its `rewards` and what it adds up from them differently.
    """

    env: AECEnv[Any, Any, Any]
    _paid: dict[Any, float]
    """What each agent was paid since it last acted."""

    def start(self, seed: int) -> None:
        """See `Game.start`."""
        self.env.reset(seed=seed)
        self._paid = dict.fromkeys(self._index, 0.0)
        self.born(set(self.env.agents) - set(self._index))
        self.playing = [self._index[agent] for agent in self.env.agents]
        self._look()

    def play(self) -> None:
        """See `Game.play`."""
        env, mover = self.env, self.env.agent_selection
        before = {self.seats[seat].agent: seat for seat in self.playing}
        self._settle(mover)
        self._paid[mover] = 0.0
        env.step(self.native(self._index[mover]))
        for agent, amount in env.rewards.items():
            self._pay(agent, float(amount))
        self._note_deaths(before)
        if not any(agent in before and not self._dead(agent) for agent in env.agents):
            self.seen = {agent: env.observe(agent) for agent in env.agents if agent in before}
        while env.agents and self._dead(env.agent_selection):
            self._bury(env.agent_selection)
            self._note_deaths(before)
        self.playing = [seat for seat in self.playing if seat not in self.died]
        if self.playing:
            self._look()

    def _look(self) -> None:
        env = self.env
        agents = [self.seats[seat].agent for seat in self.playing]
        self.seen = {agent: env.observe(agent) for agent in agents}
        self.infos = env.infos
        self.movers = [self._index[env.agent_selection]]

    def _dead(self, agent: Any) -> bool:
        return bool(self.env.terminations.get(agent) or self.env.truncations.get(agent))

    def _note_deaths(self, before: Mapping[Any, int]) -> None:
        """Who of those that played `before` is dead by now; one that just goes was ended by the rules."""
        env = self.env
        self.born(agent for agent in env.agents if agent not in before and not self._dead(agent))
        for agent, seat in before.items():
            if seat not in self.died and (self._dead(agent) or agent not in env.agents):
                self.died[seat] = bool(env.terminations.get(agent)) or not env.truncations.get(agent)

    def _bury(self, agent: Any) -> None:
        """A dead agent leaves when it is its turn, by the one action that is None."""
        self._settle(agent)
        left = len(self.env.agents)
        self.env.step(None)
        if len(self.env.agents) >= left:
            raise InputError(f"{self._where}: {agent} is dead, but does not leave when it is its turn.")

    def _settle(self, agent: Any) -> None:
        self._pay(agent, float(self.env.last(observe=False)[1]) - self._paid.get(agent, 0.0))

    def _pay(self, agent: Any, amount: float) -> None:
        if amount and agent in self._index:
            self.board.reward[self._index[agent]] += amount
            self._paid[agent] += amount
