"""Race: a tiny game that keeps the contract of `BatchEnv`. Turns, dice, masks, ends of both kinds."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from gymnasium import spaces

from envs.core import Array, Bools, EnvSpec, Ints, TimeStep, game_seeds
from envs.errors import InputError, unknown
from envs.scene import Circle, Scene

GOAL, LIMIT = 14, 6


class Race:
    """Two seats in turn add 1 to 3 and what the die shows. Who reaches the goal wins; 6 steps at most."""

    def __init__(self, num_envs: int) -> None:
        self.num_envs = num_envs
        self.spec = EnvSpec(
            id="Race-v0",
            observation_spaces=(spaces.Box(0, 1, (2,), np.float32),) * 2,
            action_spaces=(spaces.Discrete(3),) * 2,
            teams=(0, 1),
            max_steps=LIMIT,
            step_seconds=1.0,
            zero_sum=True,
            symmetric=True,
        )
        self.total = np.zeros(num_envs, np.int64)
        self.steps = np.zeros(num_envs, np.int64)
        self.dice = np.zeros(num_envs, np.uint64)

    def reset(self, seed: int | Ints) -> TimeStep:
        self.dice = game_seeds(seed, self.num_envs).copy()
        self.begin(np.ones(self.num_envs, np.bool_))
        nobody = np.zeros(self.num_envs, np.bool_)
        obs = self.observe()
        nothing = np.zeros((self.num_envs, 2))
        score = np.full((self.num_envs, 2), np.nan)
        return TimeStep(obs, self.legal(), self.acts(), nothing, nobody, nobody.copy(), obs.copy(), score)

    def step(self, action: Array) -> TimeStep:
        self.check(action)
        rows = np.arange(self.num_envs)
        mover = self.steps % 2
        self.total += action[rows, mover] + 1 + self.throw()
        self.steps += 1
        terminated = self.total >= GOAL
        truncated = (self.steps >= LIMIT) & ~terminated
        reward = np.zeros((self.num_envs, 2))
        reward[rows, mover] = terminated
        reward[rows, 1 - mover] = -1.0 * terminated
        ended = terminated | truncated
        score = np.where(ended[:, None], reward, np.nan)
        final_obs = self.observe()
        self.begin(ended)
        return TimeStep(self.observe(), self.legal(), self.acts(), reward, terminated, truncated, final_obs, score)

    def check(self, action: Array) -> None:
        if action.shape != (self.num_envs, 2) or action.dtype.kind not in "iu":
            raise InputError("actions do not fit.")
        if ((action < 0) | (action > 2)).any():
            raise InputError("an action is out of range.")

    def throw(self) -> Ints:
        """A die of 0, 1, 2 for each game."""
        self.dice = self.dice * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)
        return ((self.dice >> np.uint64(33)) % np.uint64(3)).astype(np.int64)

    def begin(self, which: Bools) -> None:
        self.total[which] = 0
        self.steps[which] = 0

    def observe(self) -> Array:
        total = np.minimum(self.total / GOAL, 1)
        turn = np.stack([self.steps % 2 == 0, self.steps % 2 == 1], axis=1)
        return np.stack([total[:, None].repeat(2, axis=1), turn], axis=2).astype(np.float32)

    def acts(self) -> Bools:
        return np.stack([self.steps % 2 == 0, self.steps % 2 == 1], axis=1)

    def legal(self) -> Bools:
        return np.logical_or(self.acts()[:, :, None], [True, False, False])

    def get_state(self) -> dict[str, Array]:
        return {name: getattr(self, name).copy() for name in ("total", "steps", "dice")}

    def set_state(self, state: Mapping[str, Array]) -> None:
        for name, array in state.items():
            if name not in ("total", "steps", "dice"):
                raise unknown("state array", name, ["total", "steps", "dice"])
            if np.shape(array) != (self.num_envs,):
                raise InputError(f"{name} must have shape ({self.num_envs},).")
        for name, array in state.items():
            setattr(self, name, np.array(array))

    def draw(self, row: int) -> Scene:
        ball = Circle(float(self.total[row]), 0.0, 1.0, (255, 0, 0))
        return Scene(0.0, 20.0, -1.0, 1.0, (0, 0, 0), (ball,), 200)
