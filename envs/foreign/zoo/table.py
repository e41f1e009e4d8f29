"""Where games of PettingZoo's are played: the environments themselves, and what is known of them at admission."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from pettingzoo import AECEnv, ParallelEnv

from envs.errors import InputError
from envs.foreign.zoo.board import Board
from envs.foreign.zoo.find import Found
from envs.foreign.zoo.game import Game, Parallel, Turns
from envs.foreign.zoo.seat import Seat

Env = Any
"""`ParallelEnv` or `AECEnv`."""


Admitted = tuple[Env, Sequence[Seat]]
"""An environment, which has been reset once, and its seats."""


def admit(found: Found, options: dict[str, Any]) -> Admitted:
    """Make an environment.

    Raises:
        InputError: it cannot be made, or it cannot be played by a fixed number of seats.
    """
    env = found.create(options)
    if not isinstance(env, ParallelEnv | AECEnv):
        kind = type(env).__name__
        raise InputError(f"{found.id} makes a {kind}, which is no ParallelEnv or AECEnv of PettingZoo's.")
    agents = list(getattr(env, "possible_agents", None) or ())
    if not agents:
        raise InputError(f"{found.id} does not say which possible_agents there are, so it has no fixed seats.")
    env.reset(seed=0)
    if absent := [str(agent) for agent in agents if agent not in env.agents]:
        raise InputError(
            f"{found.id}: of its agents {', '.join(absent)} are not there when a game starts; every seat must be there "
            "from its start to its end."
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that the spaces are attributes, which PettingZoo reads too
        return env, [Seat(agent, env.observation_space(agent), env.action_space(agent), found.id) for agent in agents]


class Table:
    """Games that are played one after the other in this process."""

    def __init__(
        self,
        found: Found,
        options: dict[str, Any],
        board: Board,
        max_steps: int | None = None,
        first: Admitted | None = None,
    ) -> None:
        """As many as `board` has rows; `first` is an environment that is there already."""
        self._games: list[Game] = []
        for row in range(len(board.seeds)):
            env, seats = first if first is not None and row == 0 else admit(found, options)
            kind = Turns if isinstance(env, AECEnv) else Parallel
            self._games.append(kind(env, seats, board.game(row), max_steps, found.id))

    def env(self, row: int) -> Env:
        """The environment of game `row`."""
        return self._games[row].env

    def reset(self) -> None:
        """Start all games."""
        for game in self._games:
            game.reset()

    def step(self) -> None:
        """Play one step of all games."""
        for game in self._games:
            game.step()

    def close(self) -> None:
        """Close all environments."""
        for game in self._games:
            game.env.close()
