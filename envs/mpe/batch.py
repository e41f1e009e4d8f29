"""Any particle game as a batch env: B worlds in a handful of arrays, stepped by compiled calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces

from envs.arrays import constant, copies, overwrite
from envs.core import Array, EnvSpec, Ints, TimeStep, game_seeds
from envs.errors import InputError
from envs.mpe.options import MpeOptions
from envs.mpe.scenarios import SCENARIOS
from envs.mpe.scene import mpe_scene
from envs.mpe.world import DT, choose, move, start_worlds, steer
from envs.scene import Scene


class Mpe:
    """Observations float32 [B, P, widest], rewards and scores float64."""

    def __init__(self, id: str, options: MpeOptions, num_envs: int = 1) -> None:
        """Lay out the arrays of `num_envs` games `id`; `reset` starts them."""
        game = SCENARIOS[id][1](options)
        seats, choices = len(game.agents), game.choices
        self.num_envs = num_envs
        self.spec = EnvSpec(
            id=id,
            observation_spaces=tuple(spaces.Box(-np.inf, np.inf, (width,), np.float32) for width in game.sees),
            action_spaces=tuple(_action_space(own, options.continuous_actions) for own in choices),
            teams=tuple(int(seat >= game.hunters > 0) for seat in range(seats)),
            max_steps=options.max_cycles,
            step_seconds=DT,
            zero_sum=False,
            symmetric=len(set(game.roles)) == 1,
            options=options.model_dump(),
            obs_names=game.obs_names,
            roles=game.roles,
            seat_names=game.names,
        )
        self._game = game
        self._continuous = options.continuous_actions
        bodies = (*game.agents, *game.landmarks)
        self._size = np.array([body.size for body in bodies])
        self._solid = np.array([body.solid for body in bodies])
        self._reach = np.array([body.reach for body in bodies])
        self._accel = np.array([agent.accel for agent in game.agents])
        self._top_speed = np.array([agent.top_speed for agent in game.agents])
        self._choices = np.array(choices)
        self._words = np.eye(game.words)
        self._position = np.zeros((num_envs, len(bodies), 2))
        self._velocity = np.zeros((num_envs, seats, 2))
        self._said = np.zeros((num_envs, game.words))
        self._goal = np.zeros(num_envs, np.int64)
        self._clock = np.zeros(num_envs, np.int64)
        self._total = np.zeros((num_envs, seats))
        self._stream = np.zeros((num_envs, 2), np.uint64)
        self._force = np.zeros((num_envs, seats, 2))
        self._seat_shape = (num_envs, seats)
        self._obs_shape = (num_envs, seats, max(game.sees))
        self._action_shape = (*self._seat_shape, max(choices)) if self._continuous else self._seat_shape
        legal = np.arange(0 if self._continuous else max(choices)) < self._choices[:, None]
        self._legal = constant((num_envs, *legal.shape), legal, np.bool_)
        self._acts = constant(self._seat_shape, True, np.bool_)
        self._never = constant((num_envs,), False, np.bool_)
        self._no_score = constant(self._seat_shape, np.nan, np.float64)

    def reset(self, seed: int | Ints) -> TimeStep:
        """Start all games; see `BatchEnv.reset`."""
        self._stream[:, 0] = game_seeds(seed, self.num_envs)
        self._stream[:, 1] = 0
        self._start(np.ones(self.num_envs, np.bool_))
        obs, nothing, never = self._views(), np.zeros(self._seat_shape), self._never
        return TimeStep(obs, self._legal, self._acts, nothing, never, never, obs.copy(), self._no_score)

    def step(self, action: Array) -> TimeStep:
        """Play one step; see `BatchEnv.step`.

        Raises:
            InputError: an action outside its space; no game has moved then.
        """
        said = self._pushed(np.asarray(action))
        if self._game.words:
            self._said[:] = said
        move(self._position, self._velocity, self._force, self._size, self._solid, self._top_speed)
        obs, reward = self._views(), np.empty(self._seat_shape)
        self._game.rules.pay(self._position, self._goal, self._size, self._game.hunters, self._game.share, reward)
        self._clock += 1
        self._total += reward
        truncated = self._clock >= self.spec.max_steps
        if not truncated.any():
            return TimeStep(obs, self._legal, self._acts, reward, self._never, self._never, obs, self._no_score)
        score = np.where(truncated[:, None], self._total, np.nan)
        self._start(truncated)
        return TimeStep(self._views(), self._legal, self._acts, reward, self._never, truncated, obs, score)

    def _pushed(self, given: Array) -> Array:
        """Set the forces that actions push with; returns the words that the first agent says, [B, W], if any."""
        if given.shape != self._action_shape or given.dtype.kind not in ("iuf" if self._continuous else "iu"):
            raise InputError(f"{self.spec.id}: actions {given!r} do not fit {self.spec.action_spaces}.")
        if self._continuous:
            strength = np.array(given, np.float32)
            if not steer(strength, self._accel, self._force):
                raise InputError(f"{self.spec.id}: an action is not a finite number.")
            return strength[:, 0, : self._game.words]
        if not choose(given, self._choices, self._accel, self._force):
            raise InputError(f"{self.spec.id}: an action lies outside its space, of {self.spec.action_spaces}.")
        return self._words[given[:, 0]] if self._game.words else self._words

    def _views(self) -> Array:
        obs = np.empty(self._obs_shape, np.float32)
        self._game.rules.look(self._position, self._velocity, self._said, self._goal, self._game.hunters, obs)
        return obs

    def _start(self, which: Array) -> None:
        """Begin new games where `which` [B]."""
        start_worlds(
            which, self._position, self._velocity, self._goal, self._stream, self._reach, self._game.goals
        )  # fmt: skip
        self._said[which] = self._clock[which] = self._total[which] = 0

    def get_state(self) -> dict[str, Array]:
        """Copies of the whole state.

        `position` [B, E, 2] agents first, then landmarks; `velocity` [B, P, 2]; `goal` [B] which landmark it is;
        `said` [B, W] the words of the last step; `steps` [B] since the game began; `total` [B, P] rewards since then;
        `stream` [B, 2] seed and number of games begun so far.
        """
        return copies(self._arrays())

    def set_state(self, state: Mapping[str, Array]) -> None:
        """Overwrite any subset of what `get_state` names, between steps.

        Raises:
            InputError: an unknown name or a wrong shape; nothing has been written then.
        """
        overwrite(self._arrays(), state)

    def _arrays(self) -> dict[str, Array]:
        return {
            "position": self._position,
            "velocity": self._velocity,
            "goal": self._goal,
            "said": self._said,
            "steps": self._clock,
            "total": self._total,
            "stream": self._stream,
        }

    def draw(self, row: int) -> Scene:
        """Game `row` as it stands."""
        return mpe_scene(self._game, self._position[row], int(self._goal[row]), self._said[row])


def _action_space(choices: int, continuous: bool) -> spaces.Space[Any]:
    return spaces.Box(0.0, 1.0, (choices,), np.float32) if continuous else spaces.Discrete(choices)
