"""Speed of evaluation games."""

from __future__ import annotations

import time
from contextlib import nullcontext
from statistics import median

from arena.api import play
from arena.bench.figure import Figure
from arena.execution import make_executor


def measure(env: str, a: str, b: str, games: int, workers: int) -> dict[str, Figure]:
    """Seconds for the whole match, and games per second; three runs after one that warms up."""
    settings = {"env": env, "players": [a, b], "games": games, "workers": workers}
    times = []
    steps = 0.0
    with nullcontext() if workers == 1 else make_executor("process", workers) as executor:
        play(env, [a, b], min(games, 2), 0, executor=executor)
        for seed in range(3):
            began = time.perf_counter()
            steps = play(env, [a, b], games, seed, executor=executor).summary.steps_mean
            times.append(time.perf_counter() - began)
    times.sort()
    rates = [games / spent for spent in reversed(times)]
    return {
        "match": Figure(median(times), "s", times[0], times[-1], settings),
        "games": Figure(median(rates), "games/s", rates[0], rates[-1], settings),
        "steps_per_game": Figure(steps, "env steps", steps, steps, settings),
    }
