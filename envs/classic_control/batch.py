"""Any classic control task as a batch env: B games in four arrays, stepped by one compiled call."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from gymnasium import spaces

from envs.arrays import constant, copies, overwrite
from envs.classic_control.options import ClassicOptions
from envs.classic_control.tasks import TASKS, rule_setting
from envs.core import Array, EnvSpec, Ints, TimeStep, game_seeds
from envs.errors import InputError
from envs.scene import Scene


class ClassicControl:
    """One seat; observations float32 [B, 1, D], rewards and scores float64."""

    def __init__(self, id: str, options: ClassicOptions, num_envs: int = 1) -> None:
        """Lay out the arrays of `num_envs` games of the task `id`; `reset` starts them."""
        task = TASKS[id]
        self.num_envs = num_envs
        self.spec = EnvSpec(
            id=id,
            observation_spaces=(task.observation_space(),),
            action_spaces=(task.action_space,),
            teams=(0,),
            max_steps=-(-options.max_steps // options.frame_skip),
            step_seconds=task.step_seconds * options.frame_skip,
            zero_sum=False,
            symmetric=True,
            options=options.model_dump(),
            obs_names=task.obs_names,
        )
        self._start_games, self._step_games = task.rules.start_games, task.rules.step_games
        self._picture = task.draw
        self._skip = options.frame_skip
        self._settings = np.array([options.max_steps, rule_setting(options), 2.0])
        self._state = np.zeros((num_envs, len(task.rules.LOW)))
        self._clock = np.zeros(num_envs, np.int64)
        self._total = np.zeros(num_envs)
        self._stream = np.zeros((num_envs, 2), np.uint64)
        self._over = np.zeros((2, num_envs), np.bool_)
        choices = int(task.action_space.n) if isinstance(task.action_space, spaces.Discrete) else 0
        self._kinds = "iu" if choices else "iuf"
        self._action_shape = (num_envs, 1) if choices else (num_envs, 1, 1)
        self._obs_shape = (num_envs, 1, len(task.obs_names))
        self._seat_shape = (num_envs, 1)
        self._legal = constant((num_envs, 1, choices), True, np.bool_)
        self._acts = constant(self._seat_shape, True, np.bool_)
        self._never = constant((num_envs,), False, np.bool_)
        self._no_score = constant(self._seat_shape, np.nan, np.float64)

    def reset(self, seed: int | Ints) -> TimeStep:
        """Start all games; see `BatchEnv.reset`."""
        self._stream[:, 0] = game_seeds(seed, self.num_envs)
        self._stream[:, 1] = 0
        self._over[:] = True
        obs = np.empty(self._obs_shape, np.float32)
        self._start(obs)
        never = self._never
        nothing = np.zeros(self._seat_shape)
        return TimeStep(obs, self._legal, self._acts, nothing, never, never, obs.copy(), self._no_score)

    def step(self, action: Array) -> TimeStep:
        """Play one step; see `BatchEnv.step`.

        Raises:
            InputError: an action that is no number or no choice of the task; no game has moved then.
        """
        given = np.asarray(action)
        if given.shape != self._action_shape or given.dtype.kind not in self._kinds:
            raise InputError(f"{self.spec.id}: actions {action!r} do not fit {self.spec.action_spaces[0]}.")
        if len(self._action_shape) == 3 and given.dtype != np.float32:
            given = given.astype(np.float32)
        obs = np.empty(self._obs_shape, np.float32)
        reward = np.empty(self._seat_shape)
        ended = self._play(given, obs, reward)
        if ended == 0:
            never = self._never
            return TimeStep(obs, self._legal, self._acts, reward, never, never, obs, self._no_score)
        if ended < 0:
            raise InputError(f"{self.spec.id}: an action lies outside {self.spec.action_spaces[0]}.")
        first_obs = obs.copy()
        terminated, truncated = self._over[0].copy(), self._over[1].copy()
        score = self._start(first_obs)
        return TimeStep(first_obs, self._legal, self._acts, reward, terminated, truncated, obs, score)

    def _play(self, action: Array, obs: Array, reward: Array) -> int:
        """`frame_skip` steps of the rules; returns how many games are over, -1 for a bad action."""
        arrays = (self._state, self._clock, self._total)
        ended: int = self._step_games(*arrays, self._settings, action, obs, reward, self._over)
        over = self._over.copy()
        for _ in range(self._skip - 1 if ended >= 0 else 0):
            done = over.any(0)
            if done.all():
                break
            kept = [array[done] for array in (*arrays, obs)]  # as those games ended
            more = np.empty_like(reward)
            self._step_games(*arrays, self._settings, action, obs, more, self._over)
            reward[~done] += more[~done]
            for array, values in zip((*arrays, obs), kept, strict=True):
                array[done] = values
            over |= self._over & ~done
        if self._skip > 1 and ended >= 0:
            self._over[:] = over
            ended = int(over.any(0).sum())
        return ended

    def _start(self, obs: Array) -> Array:
        """Begin new games where one is over, their first views in `obs`; returns the scores of the old, [B, 1]."""
        score = np.full(self._seat_shape, np.nan)
        self._start_games(self._over, self._state, self._clock, self._total, self._stream, obs, score)
        return score

    def get_state(self) -> dict[str, Array]:
        """Copies of the whole state.

        `state` [B, S] what Gymnasium calls the state; `steps` [B] since the game began; `total` [B] rewards since
        then; `stream` [B, 2] seed and number of games begun so far.
        """
        return copies(self._views())

    def set_state(self, state: Mapping[str, Array]) -> None:
        """Overwrite any subset of what `get_state` names, between steps.

        Raises:
            InputError: an unknown name or a wrong shape; nothing has been written then.
        """
        overwrite(self._views(), state)

    def _views(self) -> dict[str, Array]:
        return {"state": self._state, "steps": self._clock, "total": self._total, "stream": self._stream}

    def draw(self, row: int) -> Scene:
        """Game `row` as it stands."""
        return self._picture(self._state[row])
