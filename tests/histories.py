"""Made-up logs whose truth is known, for the tests of the ratings."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from arena.ratings.rating import ELO
from arena.result import Result


def game(players: Sequence[str], score: Sequence[float], seed: int = 0) -> Result:
    return Result("Test-v0", tuple(players), tuple(score), steps=10, seed=seed, ended="rules")


def duels(a: str, b: str, won: int, drawn: int = 0, lost: int = 0) -> list[Result]:
    """Games with `a` in seat 0, each with a seed of its own."""
    scores = [1] * won + [0] * drawn + [-1] * lost
    return [game([a, b], [score, -score], seed) for seed, score in enumerate(scores)]


def history(
    seed: int, games: int, skill: Sequence[float], draw: float = 0.2, seat: float = 0.0, swap: bool = True
) -> list[Result]:
    """Games as Davidson's model has them, between "p0", "p1" and so on; pairs of them have a seed and seats swapped.

    Args:
        skill: in Elo points.
        draw: chance of a draw between equals.
        seat: what seat 0 is worth more than seat 1, in Elo points.
        swap: False lets everybody with the smaller number sit in seat 0.
    """
    rng = np.random.default_rng(seed)
    results = []
    for number in range(games):
        if number % 2 == 0:
            a, b = rng.choice(len(skill), 2, replace=False).tolist()
        a, b = (b, a) if swap else sorted((a, b))
        lead = (skill[a] - skill[b] + seat) / ELO
        weights = np.array([math.exp(lead / 2), 2 * draw / (1 - draw), math.exp(-lead / 2)])
        score = 1 - int(rng.choice(3, p=weights / weights.sum()))
        results.append(game([f"p{a}", f"p{b}"], [score, -score], number // 2))
    return results
