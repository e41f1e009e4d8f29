"""Speed of slime volleyball: the compiled batch, one game, and the public faces."""

from __future__ import annotations

from collections.abc import Callable

import gymnasium
import numpy as np

from arena.bench.figure import Figure, rate
from envs.core import BatchEnv
from envs.registry import make

ID, BATCH = "SlimeVolley-v0", 4096
STEPS = "env steps/s"


def measure(seconds: float) -> dict[str, Figure]:
    """All figures, on one core."""
    return {
        "batch": rate(_batch(BATCH, 50), STEPS, seconds, env=ID, games=BATCH, dtype="float32", actions="random"),
        "batch_float64": rate(
            _batch(BATCH, 50, dtype="float64"),
            STEPS,
            seconds,
            env=ID,
            games=BATCH,
            dtype="float64",
            actions="random",
        ),
        "one_game": rate(_batch(1, 2000), STEPS, seconds, env=ID, games=1, dtype="float32", actions="random"),
        "pettingzoo_parallel": rate(_pettingzoo(2000), STEPS, seconds, env="slime_volley_v0", actions="random"),
        "gymnasium": rate(_gymnasium(2000), STEPS, seconds, env=ID, opponent="noop", actions="random"),
    }


def _batch(games: int, steps: int, **options: str) -> Callable[[], int]:
    """Steps of `games` games with random actions drawn beforehand; every step writes both seats' observations."""
    env: BatchEnv = make(ID, games, **options)
    env.reset(0)
    actions = np.random.default_rng(0).integers(0, 6, (steps, games, 2))

    def work() -> int:
        for action in actions:
            env.step(action)
        return steps * games

    return work


def _pettingzoo(steps: int) -> Callable[[], int]:
    from envs import slime_volley_v0

    env = slime_volley_v0.parallel_env()
    env.reset(seed=0)
    first, second = env.possible_agents
    draws = np.random.default_rng(0).integers(0, 6, (steps, 2)).tolist()
    actions = [{first: a, second: b} for a, b in draws]

    def work() -> int:
        for action in actions:
            env.step(action)
            if not env.agents:
                env.reset()
        return steps

    return work


def _gymnasium(steps: int) -> Callable[[], int]:
    import envs  # noqa: F401 (registers the ids)

    env = gymnasium.make(ID, opponent="noop")
    env.reset(seed=0)
    actions = np.random.default_rng(0).integers(0, 6, steps).tolist()

    def work() -> int:
        for action in actions:
            _, _, terminated, truncated, _ = env.step(action)
            if terminated or truncated:
                env.reset()
        return steps

    return work
