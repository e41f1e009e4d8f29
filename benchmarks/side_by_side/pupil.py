"""Pupil: what is measured. Both sides offer the same three things, so that one stopwatch serves both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
SOLVED = 475.0
"""Mean return at which CartPole-v1 counts as solved, by the threshold that Gymnasium registers."""


class Pupil(Protocol):
    """A learner with the games it learns from."""

    @property
    def steps(self) -> int:
        """Env steps so far, all games together."""
        ...

    def learn(self, steps: int, every: int, stop: Callable[[int], bool]) -> None:
        """Train for `steps` env steps; after every `every` of them, after an update, ask `stop` (steps so far)."""
        ...

    def act(self, obs: Array, memory: Any) -> tuple[Array, Any]:
        """Most probable actions [n] for obs [n, D], and what to remember; `memory` is None in the first step."""
        ...


@dataclass(frozen=True, slots=True)
class Task:
    """An algorithm on a game."""

    name: str
    env: str
    """Gymnasium's id of the game, for the peer."""
    our_env: str
    """Our id of the same game."""
    shown: tuple[int, ...] | None = None
    """Indices of the observation that are shown; None: all."""
    goal: bool = False
    """Whether the time until it is solved is measured too."""


POSITIONS = (0, 2)
TASKS = {
    task.name: task
    for task in (
        Task("ppo", "CartPole-v1", "CartPole-v1", goal=True),
        Task("a2c", "CartPole-v1", "CartPole-v1", goal=True),
        Task("dqn", "CartPole-v1", "CartPole-v1", goal=True),
        Task("recurrent-ppo", "CartPole-v1", "IncompleteCartPolePositions-v1", POSITIONS, goal=True),
        Task("ddpg", "Pendulum-v1", "Pendulum-v1"),
        Task("td3", "Pendulum-v1", "Pendulum-v1"),
        Task("sac", "Pendulum-v1", "Pendulum-v1"),
    )
}


def mean_return(pupil: Pupil, task: Task, seed: int, games: int = 100) -> float:
    """Mean return of `games` greedy games of CartPole-v1, judged for both sides by Gymnasium's own vector env."""
    import gymnasium

    env = gymnasium.make_vec(task.env, games, vectorization_mode="vector_entry_point")
    obs, _ = env.reset(seed=seed)
    columns = slice(None) if task.shown is None else list(task.shown)
    total, going, memory = np.zeros(games), np.ones(games, bool), None
    while going.any():
        action, memory = pupil.act(np.ascontiguousarray(obs[:, columns]), memory)
        obs, reward, terminated, truncated, _ = env.step(action)
        total += reward * going
        going &= ~(terminated | truncated)
    return float(total.mean())
