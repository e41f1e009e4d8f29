"""Elo: a published example, its sums, and what its standard errors promise."""

from __future__ import annotations

import math

import numpy as np
import pytest

from arena.ratings.elo import EloSettings, rate, update
from tests.histories import duels, game, history

SKILL = (-250.0, -120.0, -40.0, 0.0, 60.0, 150.0, 200.0)


def test_published_example() -> None:
    """The tournament of Wikipedia's article "Elo rating system": 1613, K = 32, expected 2.867, scored 2.5, now 1601."""
    rivals = {1609.0: 0.0, 1477.0: 0.5, 1388.0: 1.0, 1586.0: 1.0, 1720.0: 0.0}
    moved = 0.0
    for rival, score in rivals.items():
        mean, variance = np.array([1613.0, rival]), np.array([1.0, 1.0])
        update(
            np.array([0, 2]), np.array([0, 1]), np.array([0, 1]), np.array([0]), np.array([1]), np.array([score]),
            np.array([1.0]), mean, variance, 32.0, 400.0,
        )  # fmt: skip
        assert mean.sum() == pytest.approx(1613 + rival)
        moved += mean[0] - 1613
    assert moved / 32 == pytest.approx(2.5 - 2.867, abs=1e-3)
    assert round(1613 + moved) == 1601


def test_games_are_played_in_order() -> None:
    won_lost = duels("a", "b", won=1, lost=1)
    assert rate(won_lost)["a"].mean < 1500 < rate(won_lost)["b"].mean, "the loss was the greater surprise"
    assert rate(won_lost[::-1])["b"].mean < 1500 < rate(won_lost[::-1])["a"].mean


def test_by_hand() -> None:
    ratings = rate(duels("a", "b", 2), EloSettings(initial=1000, k=20, scale=400))
    second = 20 * (1 - 1 / (1 + 10 ** (-20 / 400)))  # a leads by 20 after the first
    assert ratings["a"].mean == pytest.approx(1000 + 10 + second)
    assert ratings["b"].mean == pytest.approx(1000 - 10 - second)


def test_the_scale_stretches_everything() -> None:
    results = history(seed=0, games=200, skill=SKILL)
    here = rate(results)
    wide = rate(results, EloSettings(initial=3000, k=32, scale=800, spread=700))
    for name, rating in wide.items():
        assert (rating.mean, rating.stderr) == pytest.approx((2 * here[name].mean, 2 * here[name].stderr))


def test_what_one_wins_the_others_lose() -> None:
    results = history(seed=1, games=200, skill=SKILL) + [game("abcd", [4, 2, 2, 1], 9)] * 5
    ratings = rate(results)
    assert sum(r.mean for r in ratings.values()) == pytest.approx(1500 * len(ratings))
    assert ratings["a"].mean > ratings["b"].mean == pytest.approx(ratings["c"].mean)


def test_the_error_starts_at_the_spread_and_ends_at_that_of_a_fixed_step() -> None:
    first = rate(duels("a", "b", 1), EloSettings(k=1e-9, spread=200))
    assert first["a"].stderr == pytest.approx(200)
    for k in (8.0, 32.0):
        for spread in (50.0, 500.0):
            last = rate(history(seed=2, games=6000, skill=(0, 0, 0, 0)), EloSettings(k=k, spread=spread))
            floor = math.sqrt(k * 200 / math.log(10))
            assert last["p0"].stderr == pytest.approx(floor, rel=0.06)


def test_intervals_cover_the_truth() -> None:
    truth, held, misses = np.array(SKILL) - np.mean(SKILL), [], []
    for seed in range(30):
        ratings = rate(history(seed, games=800, skill=SKILL, draw=0.05))
        for number, skill in enumerate(truth):
            low, high = ratings[f"p{number}"].interval(0.95)
            held.append(low - 1500 < skill < high - 1500)
            misses.append(ratings[f"p{number}"].mean - 1500 - skill)
    assert 0.88 < np.mean(held) < 0.98
    assert np.std(misses) == pytest.approx(ratings["p0"].stderr, rel=0.2), "neither too wide nor too narrow"
