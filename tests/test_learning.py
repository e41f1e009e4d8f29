"""Does it learn? Every policy gradient on tasks with one right answer each. Seed 0 runs with all tests."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from envs.check import check_env
from tests.learners import GAMES, every_seed, learn, score, values
from tests.minds import GRU
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

SETTINGS: dict[str, dict[str, Any]] = {
    "ppo": {"learning_rate": 1e-2, "minibatch_rows": 256, "gamma": 0.9},
    "a2c": {"learning_rate": 2e-2, "gamma": 0.9},
    "reinforce": {"learning_rate": 2e-2, "gamma": 0.9},
    "reinforce-baseline": {"learning_rate": 2e-2, "gamma": 0.9},
    "offpac": {"learning_rate": 1e-2, "gamma": 0.9},
}
LONGER = {"ppo": 1, "a2c": 4, "reinforce": 6, "reinforce-baseline": 4, "offpac": 2}
"""Rollouts that an algorithm needs, as a multiple of what PPO does."""
CRITICS = [name for name in SETTINGS if name != "reinforce"]
every_algorithm = pytest.mark.parametrize("name", SETTINGS)
every_critic = pytest.mark.parametrize("name", CRITICS)


def learnt(name: str, probe: type[Probe], seed: int, updates: int, policy: Any = None, **change: Any) -> Any:
    return learn(name, probe, seed, updates * LONGER[name], {**SETTINGS[name], **change}, policy)


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.__name__)
def test_probes_are_games(probe: type[Probe]) -> None:
    check_env(probe, steps=40)


@every_seed
@every_algorithm
def test_bandit(name: str, seed: int) -> None:
    assert score(Bandit, learnt(name, Bandit, seed, 10), greedy=False) > Bandit.solved


@every_seed
@every_algorithm
def test_what_is_seen_matters(name: str, seed: int) -> None:
    assert score(Signs, learnt(name, Signs, seed, 13)) > Signs.solved


@every_seed
@every_algorithm
def test_credit_over_two_steps(name: str, seed: int) -> None:
    """Who looks ahead waits for the larger reward; who does not, cannot."""
    assert score(Patience, learnt(name, Patience, seed, 13)) > Patience.solved
    assert score(Patience, learnt(name, Patience, seed, 13, gamma=0.0)) == pytest.approx(0.4)


@every_seed
@pytest.mark.parametrize("core", ["gru", "lstm"])
@every_algorithm
def test_memory(name: str, core: str, seed: int) -> None:
    """A recurrent policy remembers."""
    assert score(Recall, learnt(name, Recall, seed, 30, {**GRU, "core": core})) > Recall.solved


def test_memory_is_needed() -> None:
    """A feed-forward policy can only guess, so the task is what it claims to be."""
    assert score(Recall, learnt("ppo", Recall, 0, 20)) < 0.7


@every_seed
@pytest.mark.parametrize("normalised", [False, True])
@every_critic
def test_a_limit_is_not_an_end(name: str, seed: int, normalised: bool) -> None:
    """Reward 1 for ever is worth 1 / (1 - gamma), though the limit cuts every fifth step."""
    policy = learnt(name, Salary, seed, 36, {"normalise_value": normalised})
    assert values(Salary, policy) == pytest.approx(1 / (1 - 0.9), rel=0.02)


@every_seed
@every_critic
def test_an_end_is_an_end(name: str, seed: int) -> None:
    """The same pay for five steps is worth what is left of it."""
    policy = learnt(name, Contract, seed, 36, {"normalise_value": True})
    left = (1 - 0.9 ** np.arange(5, 0, -1)) / (1 - 0.9)
    assert values(Contract, policy) == pytest.approx(left[:, None].repeat(GAMES, 1), abs=0.15)


@every_seed
@every_algorithm
def test_continuous_actions(name: str, seed: int) -> None:
    assert score(Aim, learnt(name, Aim, seed, 60, entropy=0.0)) > Aim.solved


@every_seed
@every_algorithm
def test_buttons(name: str, seed: int) -> None:
    assert score(Buttons, learnt(name, Buttons, seed, 30)) > Buttons.solved


@every_seed
@every_algorithm
def test_masks(name: str, seed: int) -> None:
    """The best that is legal: 1 where the hint is negative, 3 elsewhere."""
    assert score(Masked, learnt(name, Masked, seed, 15)) > Masked.solved
