"""Algorithms on probes: how tests train one, and what it then scores."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from agents.algorithms import registry
from agents.collect import collect
from agents.play import Step, play
from agents.player import PolicyPlayer
from agents.policy import Policy, PolicyConfig
from tests.minds import everywhere
from tests.probes import Probe

GAMES, STEPS = 64, 8
every_seed = pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 6))])
"""Seed 0 with all tests, the others with `make learning`."""


def steps_of(probe: type[Probe], policy: Policy, seed: int, greedy: bool = False) -> Iterator[Step]:
    """Endless play of GAMES games."""
    return play(probe(GAMES), [PolicyPlayer(policy, "", greedy)], everywhere(GAMES, seats=1), seed)


def learn(
    algorithm: str,
    probe: type[Probe],
    seed: int,
    updates: int,
    settings: dict[str, Any],
    policy: dict[str, Any] | None = None,
) -> Policy:
    """The policy of `algorithm` after `updates` rollouts of `probe`."""
    spec = probe(1).spec
    shape = PolicyConfig(**{"hidden": (32,), **(policy or {})})
    learner = registry.build(algorithm, spec.observation_spaces[0], spec.action_spaces[0], settings, shape, seed)
    steps = steps_of(probe, learner.behaviour, seed)
    for update in range(updates):
        learner.update(collect(steps, STEPS), update / updates)
    return learner.policy


def score(probe: type[Probe], policy: Policy, greedy: bool = True) -> float:
    """Mean score of the games that ended in 40 steps."""
    played = collect(steps_of(probe, policy.eval(), 99, greedy), 40).score
    return float(played.nanmean())


def values(probe: type[Probe], policy: Policy) -> Any:
    """[5, GAMES] what the policy says the first five views are worth."""
    return collect(steps_of(probe, policy, 0), 5).extras["value"].numpy()
