"""PettingZoo's environments, parallel or in turns, as batch envs: `Games` by id.

    envs.make("pettingzoo:connect_four_v3", 64)
    envs.make("mpe2:simple_tag_v3", 64, continuous_actions=True, processes=2)
    envs.make("my_games:parallel_env", 64, teams=[0, 0, 1])

Which names there are, says `envs.foreign.zoo.find`. Options beside those of `Options` go to the constructor. An
environment that can be played by all agents at once is; else they take turns, and at each step one seat acts. A seat
whose agent is dead stays, see `envs.foreign.zoo.game`. Observations become arrays as in `envs.foreign.flattened`, and
are padded where seats see different things (`envs.seats`); action masks become `legal`. The score is the sum of a
seat's rewards.

They cannot be saved: `get_state` and `set_state` raise `InputError`. All else of the contract holds, as far as the
environment itself follows from its seed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from gymnasium import spaces
from pettingzoo import ParallelEnv
from pydantic import Field

from envs.arrays import constant
from envs.config import Config, parse
from envs.core import Array, EnvSpec, Ints, TimeStep, game_seeds
from envs.errors import InputError
from envs.foreign.visitor import NO_LIMIT, Visitor, painted, words
from envs.foreign.zoo import sides
from envs.foreign.zoo.board import Board, board, layout, size
from envs.foreign.zoo.find import Found
from envs.foreign.zoo.table import Admitted, Table, admit
from envs.foreign.zoo.workers import Workers
from envs.layout import action_dtype, action_shape, checked
from envs.scene import Scene
from envs.seats import action_layout

NAMED = 6
"""Seats whose returns a picture shows."""


class Options(Config):
    """What can be said of any environment, beside what its constructor takes."""

    teams: tuple[int, ...] | None = None
    """Team of each seat; None: what is known of the environment, else each for itself."""
    roles: tuple[str, ...] | None = None
    """Role of each seat; None: the agent's name without its number."""
    max_steps: int | None = Field(None, ge=1)
    """Truncate games after so many steps; None: when the environment does."""
    processes: int = Field(0, ge=0)
    """Worker processes that share the games out among them, with the same results; 0: this process steps them all,
    which is faster where a worker has little to do (`envs.foreign.zoo.workers`)."""


class Games(Visitor):
    """B environments of one kind; a game restarts in the step that ends it, and each has a seed of its own."""

    library = "PettingZoo"

    def __init__(self, found: Found, num_envs: int = 1, options: Mapping[str, Any] | None = None) -> None:
        """Make them.

        Raises:
            InputError: a wrong option, something that the environment needs is not installed, or it cannot be played
                by a fixed number of seats.
        """
        given = dict(options or {})
        own = parse(Options, {key: value for key, value in given.items() if key in Options.model_fields}, found.id)
        theirs = {key: value for key, value in given.items() if key not in Options.model_fields}
        found = replace(found, settings=found.settings | set(Options.model_fields))
        first = admit(found, theirs)
        self.num_envs = num_envs
        self.spec = _spec(found, first, own, given)
        arrays = layout(self.spec, num_envs)
        processes = min(own.processes, num_envs)
        self._games: Table | Workers
        if processes:
            first[0].close()
            self._games = Workers(found.id, theirs, arrays, own.max_steps, processes)
            self._board = self._games.board
        else:
            self._board = board(arrays, bytearray(size(arrays)))
            self._games = Table(found, theirs, self._board, own.max_steps, first)
        self._never = constant((num_envs,), False, np.bool_)

    def reset(self, seed: int | Ints) -> TimeStep:
        """Start all games; see `BatchEnv.reset`."""
        self._board.seeds[:, 0] = game_seeds(seed, self.num_envs)
        self._games.reset()
        return self._now()

    def step(self, action: Array) -> TimeStep:
        """Play one step; see `BatchEnv.step`. Numbers beyond a Box count as its bounds.

        Raises:
            InputError: an action outside its space, or one that its mask forbids; no game has moved then.
        """
        self._board.action[:] = self._checked(action)
        self._games.step()
        return self._now()

    def draw(self, row: int) -> Scene:
        """Game `row` as the environment paints itself with the option render_mode="rgb_array", else, and where it is
        played by a worker, what is known of it, in words."""
        own = painted(self._games.env(row)) if isinstance(self._games, Table) else None
        if own is not None:
            return own
        steps, total = self._board.steps[row, 0], self._board.total[row]
        names = zip(self.spec.seat_names[:NAMED], total[:NAMED], strict=True)
        return words((self.spec.id, f"step {steps}", *(f"{name} {amount:g}" for name, amount in names)))

    def close(self) -> None:
        """Close all environments, and end the workers."""
        self._games.close()

    def _now(self) -> TimeStep:
        """Copies of what is on the board."""
        now = Board._make(array.copy() for array in self._board)
        ended = now.over.any(axis=1)
        terminated, truncated, final_obs = self._never, self._never, now.obs
        if ended.any():
            terminated, truncated = now.over.T
            final_obs = np.where(ended.reshape(-1, *(1,) * (now.obs.ndim - 1)), now.final_obs, now.obs)
        return TimeStep(now.obs, now.legal, now.acts, now.reward, terminated, truncated, final_obs, now.score)

    def _checked(self, action: Array) -> Array:
        """`action` [B, P, *widest], if all seats can do what it says."""
        where, given = self.spec.id, np.asarray(action)
        shape, _ = action_layout(self.spec)
        lanes = (self.num_envs, self.spec.seats)
        if given.shape != (*lanes, *shape):
            raise InputError(f"{where}: actions of shape {given.shape} do not fit {(*lanes, *shape)}.")
        flat = given.reshape(*lanes, -1)
        for seat, space in enumerate(self.spec.action_spaces):
            own = action_shape(space)
            part = flat[:, seat, : int(np.prod(own))].reshape(self.num_envs, *own)
            checked(space, _whole(space, part, where), self.num_envs, where)
            if isinstance(space, spaces.Discrete):
                allowed = self._board.legal[np.arange(self.num_envs), seat, part.astype(np.int64)]
                wrong = self._board.acts[:, seat] & ~allowed
                if wrong.any():
                    name, choice = self.spec.seat_names[seat], int(part[wrong][0])
                    raise InputError(f"{where}: {name} may not do {choice} now, see `legal`.")
        return given


def _whole(space: spaces.Space[Any], part: Array, where: str) -> Array:
    """Actions of a seat, as whole numbers again where they share an array with fractions of other seats."""
    if part.dtype.kind != "f" or action_dtype(space).kind == "f":
        return part
    if not np.isfinite(part).all() or (part != np.floor(part)).any():
        raise InputError(f"{where}: an action lies outside {space}.")
    return part.astype(np.int64)


def _spec(found: Found, first: Admitted, own: Options, options: Mapping[str, Any]) -> EnvSpec:
    env, seats = first
    names = tuple(str(seat.agent) for seat in seats)
    kinds = [(seat.obs_space, seat.action_space) for seat in seats]
    teams = sides.teams(found.title, names)
    if own.teams is not None:
        teams = sides.chosen_teams(own.teams, len(seats), found.id)
    roles = sides.roles(found.title, names, kinds)
    if own.roles is not None:
        roles = sides.chosen_roles(own.roles, kinds, found.id)
    return EnvSpec(
        id=found.id,
        observation_spaces=tuple(seen for seen, _ in kinds),
        action_spaces=tuple(done for _, done in kinds),
        teams=teams,
        max_steps=min(own.max_steps or NO_LIMIT, _limit(env, options)),
        step_seconds=1 / (env.metadata.get("render_fps") or 30),
        zero_sum=False,  # it does not say
        symmetric=sides.symmetric(teams, roles),
        options=dict(options),
        roles=roles,
        seat_names=names,
    )


def _limit(env: Any, options: Mapping[str, Any]) -> int:
    """Steps after which the environment truncates a game, where it says so and all agents act in each."""
    if not isinstance(env, ParallelEnv):
        return NO_LIMIT
    return int(options.get("max_cycles") or getattr(env.unwrapped, "max_cycles", None) or NO_LIMIT)
