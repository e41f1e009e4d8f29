"""Parlour games: tiny games of many seats for tests, in which all choose at once, and what they choose is paid."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

import envs.registry
from envs.core import Array, Bools, EnvSpec, Floats, Ints, TimeStep, game_seeds
from envs.errors import InputError, unknown
from envs.scene import Circle, Scene

STEPS = 3
"""Of every game."""


@dataclass(frozen=True)
class Rules:
    """What a game is."""

    teams: tuple[int, ...]
    roles: tuple[str, ...]
    sees: Mapping[str, int]
    """Numbers that each role sees, from 2: the seat, the hint, and steps played after that."""
    does: Mapping[str, int]
    """Choices of each role."""
    pays: Callable[[Ints, Ints], Floats]
    """Rewards [B, P] of the choices [B, P] in games with hints 0 to 2 [B]."""
    zero_sum: bool
    symmetric: bool


def _hunt(action: Ints, hint: Ints) -> Floats:
    """Two hunters catch the deer if one of them goes where it hides, twice as well where the hint says."""
    caught = (action[:, :2] == action[:, 2:]).any(1) * (1.0 + (action[:, 2] == hint))
    paid: Floats = np.stack([caught, caught, 1 - 2 * caught], 1) - np.array([0.5, 0.5, 0.0])
    return paid


def _meet(action: Ints, hint: Ints) -> Floats:
    """All win where they meet at the hint."""
    paid: Floats = (action == hint[:, None]).all(1, keepdims=True) * np.ones(2)
    return paid


def _lonely(action: Ints, hint: Ints) -> Floats:
    """Who chooses what nobody else does wins; more so at the hint."""
    alone = (action[:, :, None] == action[:, None, :]).sum(2) == 1
    won = alone * (1.0 + (action == hint[:, None]))
    paid: Floats = won - won.mean(1, keepdims=True)
    return paid


def _pairs(action: Ints, hint: Ints) -> Floats:
    """The two of each team guess the hint; the guess of the first counts twice."""
    right = (action == hint[:, None]) * np.array([2.0, 1.0, 2.0, 1.0])
    left = right[:, :2].sum(1) - right[:, 2:].sum(1)
    return np.stack([left, left, -left, -left], 1)


GAMES: dict[str, Rules] = {
    "Hunt-v0": Rules(
        (0, 0, 1), ("hunter", "hunter", "deer"), {"hunter": 4, "deer": 2}, {"hunter": 3, "deer": 2}, _hunt,
        zero_sum=True, symmetric=False,
    ),
    "Meet-v0": Rules(
        (0, 0), ("guide", "guest"), {"guide": 2, "guest": 3}, {"guide": 3, "guest": 3}, _meet,
        zero_sum=False, symmetric=False,
    ),
    "Lonely-v0": Rules(
        (0, 1, 2), ("player",) * 3, {"player": 2}, {"player": 3}, _lonely,
        zero_sum=True, symmetric=True,
    ),
    "Pairs-v0": Rules(
        (0, 0, 1, 1), ("player",) * 4, {"player": 3}, {"player": 3}, _pairs,
        zero_sum=True, symmetric=True,
    ),
}  # fmt: skip
"""Two sides that are not alike; one team; three players, each for itself; two teams alike."""
STATE = ("hint", "clock", "total", "dice")


class Parlour:
    """Games of one kind side by side."""

    def __init__(self, id: str, num_envs: int) -> None:
        self.num_envs, self.rules = num_envs, GAMES[id]
        rules, seats = self.rules, len(self.rules.teams)
        self.spec = EnvSpec(
            id=id,
            observation_spaces=tuple(spaces.Box(0, 9, (rules.sees[role],), np.float32) for role in rules.roles),
            action_spaces=tuple(spaces.Discrete(rules.does[role]) for role in rules.roles),
            teams=rules.teams,
            max_steps=STEPS,
            step_seconds=1.0,
            zero_sum=rules.zero_sum,
            symmetric=rules.symmetric,
            roles=rules.roles,
        )
        self.hint, self.clock = np.zeros(num_envs, np.int64), np.zeros(num_envs, np.int64)
        self.total, self.dice = np.zeros((num_envs, seats)), np.zeros(num_envs, np.uint64)

    def reset(self, seed: int | Ints) -> TimeStep:
        self.dice = game_seeds(seed, self.num_envs).copy()
        self._begin(np.ones(self.num_envs, np.bool_))
        nobody, none = np.zeros(self.num_envs, np.bool_), np.zeros_like(self.total)
        return self._seen(none, nobody, self._view(), np.full_like(none, np.nan))

    def step(self, action: Array) -> TimeStep:
        choices = np.array([space.n for space in self.spec.action_spaces])  # type: ignore[attr-defined]
        if action.shape != self.total.shape or action.dtype.kind not in "iu":
            raise InputError("actions do not fit.")
        if (action < 0).any() or (action >= choices).any():
            raise InputError("an action is out of range.")
        reward = self.rules.pays(action.astype(np.int64), self.hint)
        self.total += reward
        self.clock += 1
        ended = self.clock == STEPS
        final_obs, score = self._view(), np.where(ended[:, None], self.total, np.nan)
        self._begin(ended)
        return self._seen(reward, ended, final_obs, score)

    def _seen(self, reward: Floats, ended: Bools, final_obs: Array, score: Floats) -> TimeStep:
        choices = [int(space.n) for space in self.spec.action_spaces]  # type: ignore[attr-defined]
        legal = np.arange(max(choices)) < np.array(choices)[:, None]
        acts = np.ones(self.total.shape, np.bool_)
        return TimeStep(
            self._view(), np.tile(legal, (self.num_envs, 1, 1)), acts, reward, ended, np.zeros_like(ended),
            final_obs, score,
        )  # fmt: skip

    def _begin(self, which: Bools) -> None:
        self.clock[which], self.total[which] = 0, 0
        self.dice[which] = self.dice[which] * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)
        self.hint[which] = ((self.dice[which] >> np.uint64(33)) % np.uint64(3)).astype(np.int64)

    def _view(self) -> Array:
        """The widest."""
        sees = [self.rules.sees[role] for role in self.rules.roles]
        view = np.zeros((*self.total.shape, max(sees)), np.float32)
        view[:, :, 0], view[:, :, 1] = np.arange(len(sees)), self.hint[:, None]
        view[:, :, 2:] = self.clock[:, None, None]
        view[:, np.arange(max(sees)) >= np.array(sees)[:, None]] = 0
        return view

    def get_state(self) -> dict[str, Array]:
        return {name: getattr(self, name).copy() for name in STATE}

    def set_state(self, state: Mapping[str, Array]) -> None:
        for name, array in state.items():
            if name not in STATE:
                raise unknown("state array", name, STATE)
            if np.shape(array) != getattr(self, name).shape:
                raise InputError(f"{name} must have another shape.")
        for name, array in state.items():
            setattr(self, name, np.array(array))

    def draw(self, row: int) -> Scene:
        spot = Circle(float(self.hint[row]), 0.0, 1.0, (255, 0, 0))
        return Scene(0.0, 20.0, -1.0, 1.0, (0, 0, 0), (spot,), 200)


def parlour(id: str, num_envs: int, options: Mapping[str, Any]) -> Parlour:
    """A maker for the registry; there are no options."""
    for key in options:
        raise unknown("key", key, ())
    return Parlour(id, num_envs)


@contextmanager
def open_house() -> Iterator[None]:
    """While it lasts, the games are known by their ids."""
    with pytest.MonkeyPatch.context() as patch:
        for id in GAMES:
            patch.setitem(envs.registry._MAKERS, id, parlour)
        yield
