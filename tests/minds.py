"""Policies for tests."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray

from agents.player import PolicyPlayer
from agents.policy import Policy, PolicyConfig
from agents.rollout import Rollout
from agents.snapshot import freeze
from envs.core import PLAYER, EnvSpec

GRU: dict[str, Any] = {"core": "gru", "core_width": 7}
NORMALISED: dict[str, Any] = {"normalise_obs": True, "normalise_value": True}
SHAPES: list[dict[str, Any]] = [{}, {"activation": "relu"}, GRU, {**GRU, **NORMALISED}]
"""Settings that between them use every part of a policy."""


def new_policy(spec: EnvSpec, seed: int = 0, sharpness: float = 1.0, **config: Any) -> Policy:
    """A small policy for `spec` with random weights everywhere, also in its statistics.

    Args:
        sharpness: size of the actor's outputs; a fresh policy has hardly any preferences.
    """
    torch.manual_seed(seed)
    shape = PolicyConfig(**{"hidden": (12,), **config})
    policy = Policy(spec.observation_spaces[0], spec.action_spaces[0], shape)
    with torch.no_grad():
        for name, weight in policy.named_parameters():
            weight.add_(torch.randn_like(weight) * (0.1 if "log_std" in name else 0.3))
        policy.head.outputs.linear.weight[:-1] *= sharpness
        for name, statistic in policy.named_buffers():
            if name.endswith(("mean", "var", "count")):
                statistic.copy_(torch.rand_like(statistic) + 0.5)
    return policy


def new_player(spec: EnvSpec, seed: int = 0, sharpness: float = 1.0, **config: Any) -> PolicyPlayer:
    """`new_policy` in a seat."""
    return PolicyPlayer(new_policy(spec, seed, sharpness, **config), f"policy {seed}")


def frozen(policy: Policy) -> Policy:
    """A copy of `policy` as it is now, without gradients."""
    return freeze({PLAYER: policy})[PLAYER]


def everywhere(games: int, seats: int = 2) -> NDArray[np.int64]:
    """A seating in which player 0 sits in every seat."""
    return np.zeros((games, seats), np.int64)


class _Always:
    """Draws the same number for ever."""

    def __init__(self, number: float) -> None:
        self._number = number

    def random(self, shape: tuple[int, ...], dtype: str = "float64") -> NDArray[np.floating[Any]]:
        return np.full(shape, self._number, dtype)

    standard_normal = random


def always(number: float) -> Generator:
    """A generator that draws `number` for ever."""
    return cast(Generator, _Always(number))


def same(one: Rollout, other: Rollout) -> bool:
    """Whether two rollouts are equal to the bit."""
    names = [name for name in Rollout.__slots__ if name != "extras"]
    pairs = [(getattr(one, name), getattr(other, name)) for name in names]
    pairs += [(one.extras[name], other.extras[name]) for name in one.extras.keys() | other.extras.keys()]
    return all(a.shape == b.shape and torch.equal(a.nan_to_num(7e7), b.nan_to_num(7e7)) for a, b in pairs)
