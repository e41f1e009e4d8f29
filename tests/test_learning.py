"""Does it learn? PPO on tasks with one right answer each. Seed 0 runs with all tests, others with `make learning`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from agents.algorithms.ppo import PPO, PPOConfig
from agents.collect import collect
from agents.play import Step, play
from agents.player import PolicyPlayer
from agents.policy import Policy, PolicyConfig
from envs.check import check_env
from tests.minds import GRU, everywhere
from tests.probes import (
    PROBES,
    Aim,
    Bandit,
    Buttons,
    Contract,
    Masked,
    Patience,
    Probe,
    Recall,
    Salary,
    Signs,
)

GAMES, STEPS = 64, 8
SEEDS = [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 6))]
every_seed = pytest.mark.parametrize("seed", SEEDS)


def steps_of(probe: type[Probe], player: PolicyPlayer, seed: int) -> Iterator[Step]:
    return play(probe(GAMES), [player], everywhere(GAMES, seats=1), seed)


SHAPE: dict[str, Any] = {"hidden": (32,)}
SETTINGS: dict[str, Any] = {"learning_rate": 1e-2, "minibatch_rows": 256, "gamma": 0.9}


def learn(probe: type[Probe], seed: int, updates: int, **change: Any) -> Policy:
    """A policy after `updates` rollouts of `probe`; `change` is of SHAPE and SETTINGS."""
    torch.manual_seed(seed)
    spec = probe(1).spec
    shape = {name: change.pop(name) for name in PolicyConfig.model_fields if name in change}
    policy = Policy(spec.observation_spaces[0], spec.action_spaces[0], PolicyConfig(**{**SHAPE, **shape}))
    ppo = PPO(policy, PPOConfig(**{**SETTINGS, **change}), seed)
    steps = steps_of(probe, PolicyPlayer(policy, ""), seed)
    for update in range(updates):
        ppo.update(collect(steps, STEPS), update / updates)
    return policy


def score(probe: type[Probe], policy: Policy, greedy: bool = True) -> float:
    """Mean score of the games that ended in 40 steps."""
    played = collect(steps_of(probe, PolicyPlayer(policy, "", greedy), seed=99), 40).score
    return float(played.nanmean())


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.__name__)
def test_probes_are_games(probe: type[Probe]) -> None:
    check_env(probe, steps=40)


@every_seed
def test_bandit(seed: int) -> None:
    policy = learn(Bandit, seed, 20)
    assert score(Bandit, policy, greedy=False) > 0.95


@every_seed
def test_what_is_seen_matters(seed: int) -> None:
    assert score(Signs, learn(Signs, seed, 25)) > 0.95


@every_seed
def test_credit_over_two_steps(seed: int) -> None:
    """Who looks ahead waits for the larger reward; who does not, cannot."""
    assert score(Patience, learn(Patience, seed, 25)) > 0.95
    assert score(Patience, learn(Patience, seed, 25, gamma=0.0)) == pytest.approx(0.4)


@every_seed
def test_memory(seed: int) -> None:
    """A recurrent policy remembers; a feed-forward one can only guess, so the task is what it claims to be."""
    assert score(Recall, learn(Recall, seed, 60, **GRU)) > 0.95
    assert score(Recall, learn(Recall, seed, 20)) < 0.7


@every_seed
@pytest.mark.parametrize("normalised", [False, True])
def test_a_limit_is_not_an_end(seed: int, normalised: bool) -> None:
    """Reward 1 for ever is worth 1 / (1 - gamma), though the limit cuts every fifth step."""
    gamma = 0.9
    policy = learn(Salary, seed, 60, gamma=gamma, normalise_value=normalised)
    value = collect(steps_of(Salary, PolicyPlayer(policy, ""), 0), 5).extras["value"]
    assert value.numpy() == pytest.approx(1 / (1 - gamma), rel=0.02)


@every_seed
def test_an_end_is_an_end(seed: int) -> None:
    """The same pay for five steps is worth what is left of it."""
    gamma = 0.9
    policy = learn(Contract, seed, 60, gamma=gamma, normalise_value=True)
    value = collect(steps_of(Contract, PolicyPlayer(policy, ""), 0), 5).extras["value"]
    left = (1 - gamma ** np.arange(5, 0, -1)) / (1 - gamma)
    assert value.numpy() == pytest.approx(left[:, None].repeat(GAMES, 1), abs=0.1)


@every_seed
def test_continuous_actions(seed: int) -> None:
    policy = learn(Aim, seed, 60, entropy=0.0)
    assert score(Aim, policy) > -0.02


@every_seed
def test_buttons(seed: int) -> None:
    assert score(Buttons, learn(Buttons, seed, 60)) > 0.9


@every_seed
def test_masks(seed: int) -> None:
    """The best that is legal: 1 where the hint is negative, 3 elsewhere."""
    policy = learn(Masked, seed, 30)
    assert score(Masked, policy) > 1.9
