"""Agents in Python: good ones, and some that are not."""

from __future__ import annotations

import os
import random
import sys
import time
from typing import Any

import numpy as np

COUNT = 0


def first(obs: Any, legal: Any) -> int:
    """The first legal action."""
    return int(np.flatnonzero(legal)[0])


def noop(obs: Any) -> int:
    """Needs nothing but the observation."""
    assert obs.ndim == 1
    return 0


def talks(obs: Any, legal: Any) -> Any:
    """Prints to the standard output, as people do."""
    print("thinking about", obs)
    return legal.argmax()


class Drawer:
    """Draws by its seed, and remembers how often."""

    def __init__(self, seed: int) -> None:
        self.chance, self.moves = random.Random(seed), 0

    def act(self, obs: Any, legal: Any) -> int:
        self.moves += 1
        return int(self.chance.choice(list(np.flatnonzero(legal))))


class Counting:
    """Each object moves its own three times; then it raises."""

    def __init__(self) -> None:
        self.moves = 0

    def __call__(self, obs: Any, legal: Any) -> Any:
        self.moves += 1
        if self.moves > 3:
            raise ValueError("more than three")
        return legal.argmax()


def picky(obs: Any, legal: Any) -> int:
    """Dislikes a lone own piece in the middle of tic-tac-toe."""
    if obs[8]:
        raise RuntimeError("no middle, please")
    return int(np.flatnonzero(legal)[-1])


def dies(obs: Any, legal: Any) -> int:
    """Takes its process with it where it has the first cell."""
    if obs[0]:
        os._exit(9)
    return int(np.flatnonzero(legal)[0])


def sleeps(obs: Any) -> int:
    time.sleep(60)
    return 0


def leaves(obs: Any) -> int:
    sys.exit("goodbye")


def three(a: Any, b: Any, c: Any) -> None:
    """No agent."""


class Mute:
    """No agent either."""


NUMBER = 3
