"""Algorithms on probes: how tests train one, and what it then scores."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from agents.algorithms import registry
from agents.algorithms.algorithm import Algorithm
from agents.collect import collect
from agents.play import Step, play
from agents.player import PolicyPlayer
from agents.policy import Policy, PolicyConfig
from tests.minds import everywhere, frozen
from tests.probes import Probe

GAMES, STEPS = 64, 8
"""Of a rollout of a probe."""
every_seed = pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 6))])
"""Seed 0 with all tests, the others with `make learning`."""


def shape_of(probe: type[Probe]) -> tuple[int, int]:
    """Games and steps of a rollout to learn from: where a game is one step, more games give as many rows sooner."""
    return (4 * GAMES, STEPS // 4) if probe.limit == 1 else (GAMES, STEPS)


def steps_of(
    probe: type[Probe], policy: Policy, seed: int, greedy: bool = False, games: int = GAMES
) -> Iterator[Step]:  # fmt: skip
    """Endless play of `games` games."""
    return play(probe(games), [PolicyPlayer(policy, "", greedy)], everywhere(games, seats=1), seed)


def beginner(algorithm: str, probe: type[Probe], seed: int, settings: dict[str, Any], shape: PolicyConfig) -> Algorithm:
    """The learner of the first of `seed`, `seed` + 100, ... that does not know the answer by luck."""
    spec = probe(1).spec
    for start in itertools.count(seed, 100):
        learner = registry.build(algorithm, spec.observation_spaces[0], spec.action_spaces[0], settings, shape, start)
        if score(probe, frozen(learner.policy)) < probe.solved:
            break
    return learner


def learn(
    algorithm: str,
    probe: type[Probe],
    seed: int,
    updates: int,
    settings: dict[str, Any],
    policy: dict[str, Any] | None = None,
) -> Policy:
    """The policy of `algorithm` after `updates` rollouts of `probe`."""
    learner = beginner(algorithm, probe, seed, settings, PolicyConfig(**{"hidden": (32,), **(policy or {})}))
    games, length = shape_of(probe)
    steps = steps_of(probe, learner.behaviour, seed, games=games)
    for update in range(updates):
        learner.update(collect(steps, length), update / updates)
    return learner.policy


def score(probe: type[Probe], policy: Policy, greedy: bool = True) -> float:
    """Mean score of the games that ended in 10 steps."""
    played = collect(steps_of(probe, policy.eval(), 99, greedy, 4 * GAMES), 10).score
    return float(played.nanmean())


def values(probe: type[Probe], policy: Policy) -> Any:
    """[5, GAMES] what the policy says the first five views are worth."""
    return collect(steps_of(probe, policy, 0), 5).extras["value"].numpy()
