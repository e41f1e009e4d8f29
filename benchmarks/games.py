"""Speed of the bundled games of many seats, and of mpe2's own beside their twins: env steps per second of CPU time.

    python -m benchmarks.games [--games 256] [--seconds 1]

Actions are drawn beforehand where all are legal; in board games they are drawn anew each step, which is counted.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from time import process_time
from typing import Any

import numpy as np

from envs.registry import make
from envs.sampling import random_action

TWINS = {
    "Spread-v0": "simple_spread_v3",
    "Tag-v0": "simple_tag_v3",
    "Adversary-v0": "simple_adversary_v3",
    "SpeakerListener-v0": "simple_speaker_listener_v4",
}
OTHERS = ("SlimeVolley-v0", "SlimeVolleyDoubles-v0", "ConnectFour-v0", "TicTacToe-v0")


def rate(step: Callable[[], int], seconds: float, rounds: int = 5) -> float:
    """The best of `rounds`, as other processes only ever take away: steps per second of CPU time."""
    step()  # compiles
    best = 0.0
    for _ in range(rounds):
        began, count = process_time(), 0
        while (spent := process_time() - began) < seconds / rounds:
            count += step()
        best = max(best, count / spent)
    return best


def ours(id: str, games: int) -> Callable[[], int]:
    """A step of `games` games of `id`."""
    env, rng = make(id, games), np.random.default_rng(0)
    spaces = env.spec.action_spaces
    now = env.reset(0)

    def drawn() -> Any:
        return np.stack([random_action(one, now.legal[:, p, : one.n], rng) for p, one in enumerate(spaces)], 1)

    ready = None if not now.legal.all() and id not in TWINS else drawn()

    def step() -> int:
        nonlocal now
        now = env.step(drawn() if ready is None else ready)
        return games

    return step


def theirs(name: str) -> Callable[[], int]:
    """A step of mpe2's game."""
    from importlib import import_module

    env, rng = import_module(f"mpe2.{name}").parallel_env(), np.random.default_rng(0)
    env.reset(seed=0)
    choices = {agent: int(env.action_space(agent).n) for agent in env.possible_agents}

    def step() -> int:
        if not env.agents:
            env.reset()
        env.step({agent: int(rng.integers(choices[agent])) for agent in env.agents})
        return 1

    return step


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--games", type=int, default=256, help="side by side")
    parser.add_argument("--seconds", type=float, default=1.0, help="of CPU time for each figure")
    asked = parser.parse_args()
    for id in (*TWINS, *OTHERS):
        line = f"{id:<22} {rate(ours(id, asked.games), asked.seconds):>12,.0f}"
        print(line + (f"   mpe2 {rate(theirs(TWINS[id]), asked.seconds):>8,.0f}" if id in TWINS else ""), flush=True)


if __name__ == "__main__":
    main()
