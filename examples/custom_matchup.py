"""A player of your own against the 2015 baseline, and against anybody else who is named.

python examples/custom_matchup.py
python examples/custom_matchup.py runs/NAME@champion tracker --games 200
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

    A view has own x, y, vx, vy, then those of the ball and of the opponent, as if one always played on the right.
    """
    x, y, ball_x, ball_y = obs[:, 0], obs[:, 1], obs[:, 4], obs[:, 5]
    away = ball_x + 0.1 - x
    close = np.hypot(ball_x - x, ball_y - y) < 0.35
    step = np.where(away < -0.05, FORWARD, np.where(away > 0.05, BACKWARD, NOTHING))
    return np.where(close, JUMP_FORWARD, step)


class Scripted:
    """Makes a player of a function from views to actions."""

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
    parser.add_argument("opponents", nargs="*", help="a bot, FILE.safetensors, DIR@champion, DIR@NAME or DIR@NAME:STEP")
    parser.add_argument("--games", type=int, default=100, help="with each of them")
    arguments = parser.parse_args()
    for opponent in ["baseline", *arguments.opponents]:
        outcome = arena.play("SlimeVolley-v0", [Scripted("chaser", chase), opponent], arguments.games, seed=0)
        print(outcome)


if __name__ == "__main__":
    main()
