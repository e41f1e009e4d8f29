"""A player of your own: against the 2015 baseline and whoever is named, against all of them by turns, and in a team.

python examples/custom_matchup.py
python examples/custom_matchup.py runs/NAME@champion master --games 200
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
from numpy.random import Generator

import arena
from envs.core import Array, Bools, Floats
from envs.player import Decision

NOTHING, FORWARD, JUMP_FORWARD, BACKWARD = 0, 1, 2, 5
"""Actions of the game; forward is towards the fence."""


def chase(obs: Array) -> Array:
    """Stay behind the ball and jump when it is close: views [n, 12] to actions [n].

    A view has own x, y, vx, vy, then those of the ball and of the others, as if one always played on the right.
    """
    x, y, ball_x, ball_y = obs[:, 0], obs[:, 1], obs[:, 4], obs[:, 5]
    away = ball_x + 0.1 - x
    close = np.hypot(ball_x - x, ball_y - y) < 0.35
    step = np.where(away < -0.05, FORWARD, np.where(away > 0.05, BACKWARD, NOTHING))
    return np.where(close, JUMP_FORWARD, step)


class Scripted:
    """Makes a player of a function of many views. (A function of one view can play as it is, but more slowly.)"""

    memory_size = 0  # numbers that it carries from step to step
    keep_memory = False

    def __init__(self, name: str, choose: Callable[[Array], Array]) -> None:
        """`name` is what results call it."""
        self.name, self._choose = name, choose

    def act(self, obs: Array, legal: Bools, memory: Floats, rng: Generator) -> Decision:
        """Decide for all n games at once in which it sits."""
        return Decision(self._choose(obs), memory, {})


def main() -> None:
    """Read the command line and play."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("opponents", nargs="*", help="whoever `arena match` takes, such as master or DIR@champion")
    parser.add_argument("--games", type=int, default=100, help="with each of them")
    arguments = parser.parse_args()
    chaser, opponents = Scripted("chaser", chase), ["baseline", *arguments.opponents]

    for opponent in opponents:
        print(arena.play("SlimeVolley-v0", [chaser, opponent], arguments.games))

    # Somebody else in each game, and a look at each point.
    rallies: list[int] = []
    served: dict[int, int] = {}

    def note(seen: arena.GameStep) -> None:
        rallies.append(seen.step - served.get(seen.game, 0))
        served[seen.game] = seen.step

    anybody = arena.Mixture(dict.fromkeys(opponents, 1.0), "anybody")
    outcome = arena.play("SlimeVolley-v0", [chaser, anybody], arguments.games, on_point=note)
    print(outcome)
    table = outcome.results.arrays()
    for name in sorted({*table["players"].flat} - {chaser.name}):
        met = (table["players"] == name).any(axis=1)
        score = table["score"][met][table["players"][met] == chaser.name]
        print(f"  {met.sum()} games against {name}, mean score {score.mean():+.2f}")
    print(f"  {len(rallies)} points, in the mean after {np.mean(rallies or 0):.0f} steps")

    # Any player in any seat, by names of one's own: the chaser and a friend against two of the baseline.
    outcome = arena.play(
        "SlimeVolleyDoubles-v0",
        {"chaser": chaser, "friend": "tracker", "rival": "baseline"},
        arguments.games,
        lineup=[["chaser", "friend", "rival", "rival"], ["rival", "rival", "chaser", "friend"]],
    )
    print(outcome)


if __name__ == "__main__":
    main()
