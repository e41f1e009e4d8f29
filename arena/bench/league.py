"""Speed of training against many: what a step costs as the number of frozen opponents grows."""

from __future__ import annotations

from itertools import islice

import numpy as np

from agents.parallel import Threads
from agents.play import play
from agents.player import PolicyPlayer, Pool
from arena.bench.figure import Figure, rate
from arena.config import load
from arena.league import LeagueConfig
from arena.learner import Learner, device
from arena.trainer import held, seats
from envs.registry import build

COUNTS = (1, 2, 4, 8, 16, 32)
"""Frozen opponents."""
STEPS = 32
"""Of all games between two looks at the clock."""


def measure(preset: str, games: int, share: float, seconds: float) -> dict[str, Figure]:
    """Env steps per second of games in which a learner meets 1 to 32 frozen networks like its own, nobody learning,
    and the cost of a step relative to that with one opponent."""
    config = load(LeagueConfig, preset)
    spec = build(config.game.id, 1, config.game.options).spec
    threads, one = Threads(1), config.learners[0]
    policies = [
        Learner(one.name, one, spec, seed, device("cpu"), threads).algorithm.policy for seed in range(max(COUNTS) + 1)
    ]
    figures: dict[str, Figure] = {}
    settings = {"preset": preset, "games": games, "share": share}
    everything = {**config.game.options, **config.training.options, **held(policies[0])}
    for count in COUNTS:
        env = build(config.game.id, games, everything)
        pool = Pool(policies[1 : count + 1], np.ones(count).tolist())
        running = play(env, [PolicyPlayer(policies[0], "learner"), pool], seats(games, [share]), 0)

        def work() -> int:
            return sum(games for _ in islice(running, STEPS))  # noqa: B023  # called before the next round

        figures[f"opponents_{count}"] = rate(work, "env steps/s", seconds, **settings)
    first = figures[f"opponents_{COUNTS[0]}"]
    for count in COUNTS[1:]:
        now = figures[f"opponents_{count}"]
        ratio = (first.value / now.value, first.low / now.high, first.high / now.low)
        figures[f"cost_{count}"] = Figure(ratio[0], f"of 1 opponent's, with {count}", ratio[1], ratio[2], settings)
    return figures
