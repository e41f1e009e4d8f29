"""Probes: tiny games of one seat with one right answer each, in the spirit of bsuite (Osband et al. 2020).

What a learner lacks shows in the probe that needs it, and in no other. The score of a game is the sum of its rewards.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces

from envs.core import Array, Bools, EnvSpec, Floats, Ints, TimeStep, game_seeds
from envs.errors import unknown
from envs.scene import Circle, Scene


def fits(space: spaces.Space[Any], action: Array, rows: tuple[int, ...]) -> bool:
    """Whether [*rows, *space.shape] are actions of `space`; its own `contains` would look at one after the other."""
    if action.shape != (*rows, *(space.shape or ())) or not np.can_cast(action.dtype, np.dtype(space.dtype)):
        return False
    low, high = (space.low, space.high) if isinstance(space, spaces.Box) else (np.array(0), np.array(1))
    if isinstance(space, spaces.Discrete):
        high = space.n - 1
    return bool(((action >= low) & (action <= high)).all())


class Probe:
    """Base: a clock, a hint drawn when a game starts, and the sum of the rewards. Probes say `view` and `rules`."""

    obs_size: ClassVar[int] = 1
    actions: ClassVar[spaces.Space[Any]] = spaces.Discrete(2)
    limit: ClassVar[int] = 1
    """Steps after which a game is truncated."""
    solved: ClassVar[float] = math.inf
    """Mean score above which one knows the answer; infinite where all scores are alike."""

    def __init__(self, num_envs: int) -> None:
        self.num_envs = num_envs
        self.spec = EnvSpec(
            id=f"{type(self).__name__}-v0",
            observation_spaces=(spaces.Box(-1, 1, (self.obs_size,), np.float32),),
            action_spaces=(self.actions,),
            teams=(0,),
            max_steps=self.limit,
            step_seconds=1.0,
            zero_sum=False,
            symmetric=True,
        )
        self.clock = np.zeros(num_envs, np.int64)
        self.hint = np.zeros(num_envs)
        self.total = np.zeros(num_envs)
        self.dice = np.zeros(num_envs, np.uint64)

    def view(self) -> Array:
        """[B, obs_size] from `clock`, the steps played, and `hint`, uniform in [-1, 1)."""
        return np.ones((self.num_envs, 1))

    def rules(self, action: Array) -> tuple[Array, Bools]:
        """Rewards [B] of the step that `clock` counts last, and which games it ends, [B]."""
        raise NotImplementedError

    def legal(self) -> Bools:
        """[B, A]."""
        return np.ones((self.num_envs, int(getattr(self.actions, "n", 0)) * self.discrete), np.bool_)

    @property
    def discrete(self) -> bool:
        return isinstance(self.actions, spaces.Discrete)

    def reset(self, seed: int | Ints) -> TimeStep:
        self.dice = game_seeds(seed, self.num_envs).copy()
        self.begin(np.ones(self.num_envs, np.bool_))
        never, nothing = np.zeros(self.num_envs, np.bool_), np.zeros((self.num_envs, 1))
        return self.show(nothing, never, never.copy(), self.seen(), np.full((self.num_envs, 1), np.nan))

    def step(self, action: Array) -> TimeStep:
        if not fits(self.actions, action, (self.num_envs, 1)):
            raise ValueError(f"{action} does not fit {self.actions}.")
        self.clock += 1
        reward, terminated = self.rules(action[:, 0])
        truncated = (self.clock >= self.limit) & ~terminated
        self.total += reward
        ended = terminated | truncated
        score, final_obs = np.where(ended, self.total, np.nan)[:, None], self.seen()
        self.begin(ended)
        return self.show(np.array(reward, np.float64)[:, None], terminated, truncated, final_obs, score)

    def begin(self, which: Bools) -> None:
        self.dice[which] = self.dice[which] * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)
        self.hint[which] = (self.dice[which] >> np.uint64(11)) / 2.0**52 - 1
        self.clock[which], self.total[which] = 0, 0

    def seen(self) -> Array:
        return self.view().astype(np.float32)[:, None]

    def show(self, reward: Floats, terminated: Bools, truncated: Bools, final_obs: Array, score: Floats) -> TimeStep:
        acts = np.ones((self.num_envs, 1), np.bool_)
        return TimeStep(self.seen(), self.legal()[:, None], acts, reward, terminated, truncated, final_obs, score)

    def get_state(self) -> dict[str, Array]:
        return {name: getattr(self, name).copy() for name in ("clock", "hint", "total", "dice")}

    def set_state(self, state: Mapping[str, Array]) -> None:
        names = self.get_state()
        for name, array in state.items():
            if name not in names:
                raise unknown("state array", name, names)
            if np.shape(array) != (self.num_envs,):
                raise ValueError(f"{name} must have shape ({self.num_envs},).")
        for name, array in state.items():
            getattr(self, name)[:] = array

    def draw(self, row: int) -> Scene:
        return Scene(-1.0, 1.0, -1.0, 1.0, (0, 0, 0), (Circle(float(self.hint[row]), 0.0, 0.1, (255, 0, 0)),), 100)


class Bandit(Probe):
    """Four arms, of which the third pays. Asks for: the sign of the policy gradient."""

    actions, solved = spaces.Discrete(4), 0.95

    def rules(self, action: Array) -> tuple[Array, Bools]:
        return (action == 2) * 1.0, np.ones(self.num_envs, np.bool_)


class Signs(Probe):
    """Say whether the hint is positive. Asks for: actions that depend on what is seen."""

    solved = 0.95

    def view(self) -> Array:
        return self.hint[:, None]

    def rules(self, action: Array) -> tuple[Array, Bools]:
        return ((action == 1) == (self.hint > 0)) * 1.0, np.ones(self.num_envs, np.bool_)


class Patience(Probe):
    """In the first of two steps, 0.4 at once, or 1 afterwards for the third of four actions. Asks for: credit."""

    actions, solved = spaces.Discrete(4), 0.95
    obs_size, limit = 2, 3

    def view(self) -> Array:
        return np.stack([self.clock == 0, self.clock == 1], axis=1)

    def rules(self, action: Array) -> tuple[Array, Bools]:
        first, waited = self.clock == 1, self.total == 0
        reward = np.where(first, 0.4 * (action != 2), 1.0 * waited)
        return reward, ~first


class Recall(Probe):
    """The hint's sign is shown in the first of four steps and asked for in the last. Asks for: memory."""

    obs_size, limit, solved = 2, 5, 0.95

    def view(self) -> Array:
        return np.stack([np.sign(self.hint) * (self.clock == 0), self.clock == 3], axis=1)

    def rules(self, action: Array) -> tuple[Array, Bools]:
        last = self.clock == 4
        right = (action == 1) == (self.hint > 0)
        return np.where(last & right, 1.0, 0.0), last


class Salary(Probe):
    """1 at every step whatever one does, cut by the limit after five. Asks for: bootstrapping where it cuts."""

    limit = 5

    def rules(self, action: Array) -> tuple[Array, Bools]:
        return np.ones(self.num_envs), np.zeros(self.num_envs, np.bool_)


class Contract(Salary):
    """The same pay, but the rules end the game after five steps, which are seen. Asks for: not bootstrapping there."""

    obs_size, limit = 5, 6

    def view(self) -> Array:
        return np.eye(6)[self.clock, :5]

    def rules(self, action: Array) -> tuple[Array, Bools]:
        return np.ones(self.num_envs), self.clock == 5


class Aim(Probe):
    """Come close to 1 + hint / 2, where the bounds are -1 and 2. Asks for: continuous actions."""

    actions, solved = spaces.Box(-1, 2, (1,), np.float32), -0.02

    def view(self) -> Array:
        return self.hint[:, None]

    def rules(self, action: Array) -> tuple[Array, Bools]:
        return -np.square(action[:, 0] - 1 - self.hint / 2), np.ones(self.num_envs, np.bool_)


class Buttons(Probe):
    """Press the left button if the hint is below a half, the right one if it is above minus a half. Both overlap."""

    actions, solved = spaces.MultiBinary(2), 0.85

    def view(self) -> Array:
        return self.hint[:, None]

    def rules(self, action: Array) -> tuple[Array, Bools]:
        right = np.stack([self.hint < 0.5, self.hint > -0.5], axis=1)
        return (action == right).all(axis=1) * 1.0, np.ones(self.num_envs, np.bool_)


class Masked(Probe):
    """The higher the action the better, but the hint's sign forbids the last or the first. Asks for: masks."""

    actions, solved = spaces.Discrete(4), 1.9

    def legal(self) -> Bools:
        low = self.hint[:, None] < 0
        return np.where(low, [True, True, False, False], [False, True, True, True])

    def rules(self, action: Array) -> tuple[Array, Bools]:
        allowed = self.legal()[np.arange(self.num_envs), action]
        return np.where(allowed, action, -100.0), np.ones(self.num_envs, np.bool_)


PROBES: tuple[type[Probe], ...] = (
    Bandit, Signs, Patience, Recall, Salary, Contract, Aim, Buttons, Masked,
)  # fmt: skip
