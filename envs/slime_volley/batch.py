"""Slime volleyball as a batch env: B games in a handful of arrays, stepped by one compiled call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces

from envs.arrays import constant, copies, overwrite
from envs.core import Array, EnvSpec, Ints, TimeStep, game_seeds
from envs.errors import InputError
from envs.scene import Scene
from envs.slime_volley.actions import BUTTONS
from envs.slime_volley.court import DUEL, Court, Lineup
from envs.slime_volley.options import SlimeOptions
from envs.slime_volley.rules import DELAY, LOSER, STEPS, start_games, step_games
from envs.slime_volley.scene import slime_scene

BITS = np.array([1, 2, 4])


class SlimeVolley:
    """`spec.seats` players around one fence, those of the left side first."""

    def __init__(self, id: str, options: SlimeOptions, num_envs: int = 1, lineup: Lineup = DUEL) -> None:
        """Lay out the arrays of `num_envs` games; `reset` starts them."""
        dtype = np.dtype(options.dtype)
        court = Court(score_reward=options.score_reward, survival_bonus=options.survival_bonus)
        seats = len(lineup.sides)
        width = 4 + 4 * seats + bool(lineup.places)
        self.num_envs = num_envs
        self.spec = EnvSpec(
            id=id,
            observation_spaces=(spaces.Box(-np.inf, np.inf, (width,), dtype.type),) * seats,
            action_spaces=(_action_space(options.actions),) * seats,
            teams=tuple(int(side > 0) for side in lineup.sides),
            max_steps=-(-options.max_steps // options.frame_skip),
            step_seconds=court.dt * options.frame_skip,
            zero_sum=options.survival_bonus == 0,
            symmetric=True,
            options=options.model_dump(),
            seat_names=lineup.seat_names,
            scores=(-float(options.lives), float(options.lives)),
        )
        self._codes = BUTTONS @ BITS if options.actions == "discrete" else np.arange(8)
        self._discrete = options.actions == "discrete"
        self._constants = court.constants(dtype)
        self._sides, self._starts = np.array(lineup.sides, dtype), np.array(lineup.starts, dtype)
        self._places = np.array(lineup.places, dtype)
        solid = options.fence == "solid"
        limits = [options.lives, options.max_steps, options.serve_delay, solid, options.frame_skip]
        self._limits = np.array(limits)
        self._ball = np.zeros((num_envs, 5), dtype)
        self._players = np.zeros((num_envs, seats, 4), dtype)
        self._counts = np.zeros((num_envs, 5), np.int64)
        self._stream = np.zeros((num_envs, 2), np.uint64)
        self._obs_shape = (num_envs, seats, width)
        self._seat_shape = (num_envs, seats)
        self._dtype = dtype
        choices = self.spec.action_spaces[0].n if isinstance(self.spec.action_spaces[0], spaces.Discrete) else 0
        self._over = np.zeros((2, num_envs), np.bool_)
        self._legal = constant((num_envs, seats, choices), True, np.bool_)
        self._acts = constant(self._seat_shape, True, np.bool_)
        self._never = constant((num_envs,), False, np.bool_)
        self._no_score = constant(self._seat_shape, np.nan, dtype)

    def reset(self, seed: int | Ints) -> TimeStep:
        """Start all games; see `BatchEnv.reset`."""
        self._stream[:, 0] = game_seeds(seed, self.num_envs)
        self._stream[:, 1] = 0
        obs = self._blank()
        self._start(np.ones(self.num_envs, np.bool_), obs)
        nothing = np.zeros(self._seat_shape, self._dtype)
        never = self._never
        return TimeStep(obs, self._legal, self._acts, nothing, never, never, obs.copy(), self._no_score)

    def step(self, action: Array) -> TimeStep:
        """Play one step; see `BatchEnv.step`.

        Raises:
            InputError: an action outside its space; no game has moved then.
        """
        index = np.asarray(action)
        if not self._discrete:
            if not np.isfinite(index).all():
                raise InputError(f"{self.spec.id}: an action is not a finite number.")
            index = (index > 0) @ BITS
        if index.shape != self._seat_shape or index.dtype.kind not in "iu":
            raise InputError(f"{self.spec.id}: actions {action!r} do not fit {self.spec.action_spaces[0]}.")
        obs = self._blank()
        reward = np.empty(self._seat_shape, self._dtype)
        ended = step_games(
            self._ball, self._players, self._counts, self._stream, self._constants, self._sides, self._limits,
            self._codes, index, obs, reward, self._over,
        )  # fmt: skip
        if ended == 0:
            never = self._never
            return TimeStep(obs, self._legal, self._acts, reward, never, never, obs, self._no_score)
        if ended < 0:
            raise InputError(f"{self.spec.id}: an action lies outside {self.spec.action_spaces[0]}.")
        first_obs = obs.copy()
        terminated, truncated = self._over[0].copy(), self._over[1].copy()
        score = self._start(terminated | truncated, first_obs)
        return TimeStep(first_obs, self._legal, self._acts, reward, terminated, truncated, obs, score)

    def _start(self, which: Array, obs: Array) -> Array:
        """Begin new games where `which`; returns the scores of those they replace, [B, P]."""
        score = np.full(self._seat_shape, np.nan, self._dtype)
        start_games(
            which, self._ball, self._players, self._counts, self._stream,
            self._constants, self._sides, self._starts, self._limits, obs, score,
        )  # fmt: skip
        return score

    def _blank(self) -> Array:
        """Observations [B, P, D], of which only what the rules do not write is filled in."""
        obs = np.empty(self._obs_shape, self._dtype)
        if len(self._places):
            obs[:, :, -1] = self._places
        return obs

    def get_state(self) -> dict[str, Array]:
        """Copies of the whole state, world frame, game units and units/s.

        `ball`, `left`, `right` [B, 4] x, y, vx, vy (with two players a side: [B, 2, 4], front, back);
        `ball_prev_x` [B] x before its last move; `lives` [B, 2] left, right; `delay` [B] frozen steps left of the
        serve; `steps` [B] since the game began; `loser` [B] side of the last point lost, -1, +1 or 0;
        `serve_stream` [B, 2] seed and number of serves so far.
        """
        return copies(self._views())

    def set_state(self, state: Mapping[str, Array]) -> None:
        """Overwrite any subset of what `get_state` names, between steps.

        Raises:
            InputError: an unknown name or a wrong shape; nothing has been written then.
        """
        overwrite(self._views(), state)

    def _views(self) -> dict[str, Array]:
        half = len(self._sides) // 2
        crews = (self._players[:, :half], self._players[:, half:])
        left, right = (crew[:, 0] if half == 1 else crew for crew in crews)
        return {
            "ball": self._ball[:, :4],
            "left": left,
            "right": right,
            "ball_prev_x": self._ball[:, 4],
            "lives": self._counts[:, :DELAY],
            "delay": self._counts[:, DELAY],
            "steps": self._counts[:, STEPS],
            "loser": self._counts[:, LOSER],
            "serve_stream": self._stream,
        }

    def draw(self, row: int) -> Scene:
        """Game `row` as it stands."""
        counts = self._counts[row]
        return slime_scene(
            ball=self._ball[row, :4],
            players=self._players[row],
            sides=[int(side) for side in self._sides],
            lives=[int(lives) for lives in counts[:DELAY]],
            delay=int(counts[DELAY]),
            loser=int(counts[LOSER]) or None,
        )


def _action_space(actions: str) -> spaces.Space[Any]:
    if actions == "discrete":
        return spaces.Discrete(len(BUTTONS))
    if actions == "multibinary":
        return spaces.MultiBinary(len(BITS))
    return spaces.Box(-1.0, 1.0, (len(BITS),), np.float32)
