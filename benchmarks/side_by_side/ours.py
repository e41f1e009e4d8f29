"""Our side: an algorithm, the games, and the one loop that all training is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from agents.algorithms.registry import build
from agents.collect import collect
from agents.parallel import Threads
from agents.play import play
from agents.player import PolicyPlayer
from agents.policy import PolicyConfig
from benchmarks.side_by_side.pupil import Array, Pupil, Task
from envs.registry import make as make_env


@dataclass(frozen=True, slots=True)
class Settings:
    """A way to train."""

    options: Mapping[str, Any] = field(default_factory=dict)
    """Settings of the algorithm."""
    network: Mapping[str, Any] = field(default_factory=dict)
    """Shape of its network."""
    games: int = 8
    """Side by side."""
    steps: int = 32
    """Per game and rollout."""
    budget: int = 10**9
    """Env steps that schedules span."""


ALGORITHMS = {"recurrent-ppo": "ppo"}
"""Name of the algorithm where a task has another."""

_PPO = {"epochs": 20, "minibatch_rows": 256, "shards": 1, "lam": 0.8, "gamma": 0.98, "entropy": 0.0}
_APART = {"hidden": (), "head_hidden": (64, 64), "activation": "tanh"}
EQUAL: dict[str, Settings] = {
    "ppo": Settings(_PPO, _APART),
    "a2c": Settings({"optimiser": "rmsprop"}, _APART, steps=5),
    "recurrent-ppo": Settings(_PPO, {"hidden": (), "core": "lstm", "core_width": 64, "head_hidden": (64,)}),
}
"""The same networks, games, rows per update and passes over them as `peer.EQUAL`."""

BEST: dict[str, Settings] = {
    "ppo": Settings({"epochs": 4, "minibatch_rows": 1024, "shards": 1}, games=32, steps=64, budget=200_000),
}


def make(task: Task, settings: Settings, threads: int, seed: int) -> Pupil:
    """A fresh learner of ours."""
    env = make_env(task.our_env, settings.games)
    algorithm = build(
        ALGORITHMS.get(task.name, task.name),
        env.spec.observation_spaces[0],
        env.spec.action_spaces[0],
        settings.options,
        PolicyConfig(**settings.network),
        seed,
        threads=Threads(threads),
    )
    return _Ours(algorithm, env, settings, seed)


class _Ours:
    """An algorithm in its games."""

    def __init__(self, algorithm: Any, env: Any, settings: Settings, seed: int) -> None:
        self.steps = 0
        self._algorithm, self._settings = algorithm, settings
        seating = np.zeros((env.num_envs, 1), np.int64)
        self._stream = play(env, [PolicyPlayer(algorithm.behaviour, "learner")], seating, seed)
        self._greedy = PolicyPlayer(algorithm.policy, "greedy", greedy=True)

    def learn(self, steps: int, every: int, stop: Callable[[int], bool]) -> None:
        torch.set_num_threads(1)  # the peer shares the process; our threads run shards of one torch thread each
        end, asked = self.steps + steps, self.steps
        while self.steps < end:
            rollout = collect(self._stream, self._settings.steps)
            self._algorithm.update(rollout, min(1.0, self.steps / self._settings.budget))
            self.steps += rollout.acts.numel()
            if self.steps - asked >= every:
                asked = self.steps
                if stop(asked):
                    return

    def act(self, obs: Array, memory: Any) -> tuple[Array, Any]:
        n = len(obs)
        memory = np.zeros((n, self._greedy.memory_size), np.float32) if memory is None else memory
        decision = self._greedy.act(obs, np.ones((n, 1), bool), memory, np.random.default_rng(0))
        return decision.action, decision.memory
