"""Our side: what `arena train` does, without its evaluations, files and table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from agents.algorithms import registry
from agents.parallel import Threads
from agents.player import seated
from agents.policy import Policy
from arena.config import Tree, parse_budget
from arena.trainer import Stretch, alone
from arena.training import TrainConfig
from arena.training.defaults import resolve
from benchmarks.side_by_side.pupil import Array, Pupil, Task
from envs.registry import make as make_env

RECURRENT = "recurrent-ppo"
_PPO = {"epochs": 20, "minibatch_rows": 256, "shards": 1, "lam": 0.8, "gamma": 0.98, "entropy": 0.0}
_APART = {"hidden": [], "head_hidden": [64, 64]}
_LSTM = {"hidden": [], "core": "lstm", "core_width": 64, "head_hidden": [64]}
_WIDE = {"hidden": [256, 256], "activation": "relu"}
_DQN = {"batch_size": 64, "updates_per_step": 0.5, "target_every": 10, "replay": {"capacity": 100_000}}
_REPLAY = {"batch_size": 256, "updates_per_step": 1.0, "start": 1000, "replay": {"capacity": 100_000}}
_EQUAL: dict[str, Tree] = {
    "ppo": {"steps": 32, "settings": _PPO, "policy": _APART},
    "a2c": {"steps": 5, "settings": {"optimiser": "rmsprop"}, "policy": _APART},
    "dqn": {"steps": 32, "settings": _DQN, "policy": _WIDE},
    RECURRENT: {"steps": 32, "settings": _PPO, "policy": _LSTM},
    "ddpg": {"steps": 1, "settings": _REPLAY, "policy": _WIDE},
    "td3": {"steps": 1, "settings": _REPLAY, "policy": _WIDE},
    "sac": {"steps": 1, "settings": _REPLAY, "policy": _WIDE},
}
"""The networks, games, rows per update and updates per env step of `peer`."""


def equal(task: Task) -> TrainConfig:
    """The settings to compare steps per second with."""
    return resolve(_algorithm(task), task.our_env, {"games": 8, **_EQUAL[task.name]}, plain=True).config


def best(task: Task) -> TrainConfig:
    """The settings that we ship for the game."""
    config = resolve(_algorithm(task), task.our_env, {}).config
    remembers = task.name != RECURRENT or config.policy.core != "none"
    return config if remembers else resolve(_algorithm(task), task.our_env, {"policy": {"core": "gru"}}).config


def budget(config: TrainConfig) -> int:
    """Env steps that schedules span."""
    return parse_budget(config.budget, episodes=True).steps or 100_000


def plain(config: TrainConfig) -> Tree:
    """As JSON takes it."""
    return config.model_dump(mode="json")


def make(task: Task, config: TrainConfig, threads: int, seed: int) -> Pupil:
    """A fresh learner of ours."""
    return _Ours(task, config, Threads(threads), seed)


def _algorithm(task: Task) -> str:
    return "ppo" if task.name == RECURRENT else task.name


class _Ours:
    """An algorithm in its games."""

    def __init__(self, task: Task, config: TrainConfig, threads: Threads, seed: int) -> None:
        spec = make_env(task.our_env).spec
        spaces = spec.observation_spaces[0], spec.action_spaces[0]
        algorithm = registry.build(config.algorithm, *spaces, config.settings, config.policy, seed, threads=threads)
        self._policy: Policy = algorithm.policy
        streams = alone(
            algorithm, task.our_env, {}, config.games, seed, steps=config.steps, episodes=config.episodes
        )  # fmt: skip
        self._stretch = Stretch(algorithm, streams, threads)

    @property
    def steps(self) -> int:
        return self._stretch.steps

    def learn(self, steps: int, every: int, stop: Callable[[int], bool]) -> None:
        torch.set_num_threads(1)  # the peer shares the process; our threads run shards of one torch thread each
        end, asked = self.steps + steps, self.steps
        while self.steps < end:
            self._stretch.iterate(self.steps / end)
            if self.steps - asked >= every or self.steps >= end:
                asked = self.steps
                if stop(asked):
                    return

    def act(self, obs: Array, memory: Any) -> tuple[Array, Any]:
        player = seated(self._policy, "learner", greedy=True)
        memory = np.zeros((len(obs), player.memory_size), np.float32) if memory is None else memory
        decision = player.act(obs, np.ones((len(obs), 1), bool), memory, np.random.default_rng(0))
        return decision.action, decision.memory
