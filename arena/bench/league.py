"""Speed of training against many: what a step costs as the number of frozen opponents grows."""

from __future__ import annotations

from agents.parallel import Threads
from arena.bench.figure import Figure, rate
from arena.config import load
from arena.league import LeagueConfig
from arena.learner import Learner, device
from arena.self_play import self_play
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
    crews = [Learner(one.name, one, spec, seed, device("cpu"), threads).crew for seed in range(max(COUNTS) + 1)]
    training = config.training.model_copy(update={"games": games, "streams": 1, "steps": STEPS})
    figures: dict[str, Figure] = {}
    settings = {"preset": preset, "games": games, "share": share}
    for count in COUNTS:
        opponents = [(crew.policies, share / count) for crew in crews[1 : count + 1]]
        (stream,) = self_play(crews[0], config.game.id, config.game.options, opponents, training, 0)

        def work() -> int:
            stream.collect()  # noqa: B023  # called before the next round
            return stream.steps  # noqa: B023

        figures[f"opponents_{count}"] = rate(work, "env steps/s", seconds, **settings)
    first = figures[f"opponents_{COUNTS[0]}"]
    for count in COUNTS[1:]:
        now = figures[f"opponents_{count}"]
        ratio = (first.value / now.value, first.low / now.high, first.high / now.low)
        figures[f"cost_{count}"] = Figure(ratio[0], f"of 1 opponent's, with {count}", ratio[1], ratio[2], settings)
    return figures
