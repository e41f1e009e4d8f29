"""Scheduling of rating games: where they say most, against TrueSkill itself."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.league.scheduling import best_pairs, doubt, gain, largest
from arena.ratings.rating import Rating
from arena.ratings.trueskill import TrueSkillSettings, update_duels

RATINGS = st.builds(Rating, st.floats(0, 50), st.floats(0.1, 9), st.just(10))


def variance_after(a: Rating, b: Rating, outcome: int) -> float:
    """Sum of both variances after a game without draws, by the rater itself."""
    mean, variance = np.array([a.mean, b.mean]), np.array([a.stderr**2, b.stderr**2])
    one = np.array([0]), np.array([1]), np.array([outcome])
    update_duels(*one, mean, variance, TrueSkillSettings().beta ** 2, 0.0, 0.0)
    return float(variance.sum())


@given(RATINGS, RATINGS)
def test_gain_is_what_trueskill_expects_to_learn(a: Rating, b: Rating) -> None:
    spread = math.sqrt(a.stderr**2 + b.stderr**2 + 2 * TrueSkillSettings().beta ** 2)
    win = NormalDist().cdf((a.mean - b.mean) / spread)
    after = win * variance_after(a, b, 1) + (1 - win) * variance_after(a, b, -1)
    assert gain(a, b) == pytest.approx(a.stderr**2 + b.stderr**2 - after, rel=1e-5, abs=1e-6)


def test_doubt_is_the_chance_of_the_other_order() -> None:
    assert doubt(Rating(25, 3, 1), Rating(25, 4, 1)) == 0.5
    assert doubt(Rating(30, 3, 1), Rating(25, 4, 1)) == pytest.approx(1 - NormalDist(5, 5).cdf(10))


def test_the_uncertain_meet_those_of_whom_they_learn_most() -> None:
    known = {"new": Rating(25, 8, 0), "near": Rating(25, 1, 99), "far": Rating(60, 1, 99), "low": Rating(-5, 1, 99)}
    assert best_pairs(known, 1, sigma=2.0) == [("new", "near")]


def test_nobody_plays_twice_in_a_round() -> None:
    known = {name: Rating(25 + place, 5, 0) for place, name in enumerate("abcdefg")}
    pairs = best_pairs(known, 10, sigma=1.0)
    names = [name for pair in pairs for name in pair]
    assert len(pairs) == 3 and len(set(names)) == 6


def test_it_ends_when_everybody_is_sure_enough() -> None:
    known = {"a": Rating(25, 0.9, 99), "b": Rating(26, 0.9, 99), "anchor": Rating(30, 5.0, 9)}
    assert best_pairs(known, 4, sigma=1.0, fixed=["anchor"]) == []
    assert best_pairs(known, 4, sigma=0.5, fixed=["anchor"])
    assert best_pairs({"a": Rating(25, 9, 0)}, 4, sigma=1.0) == []  # there is nobody to meet


def test_pairs_at_the_top_come_first() -> None:
    known = {name: Rating(mean, 2, 50) for name, mean in {"a": 30.0, "b": 30.1, "c": 10.0, "d": 10.1}.items()}
    assert set(best_pairs(known, 1, sigma=1.0, top=2)[0]) == {"a", "b"}


def test_the_largest_sigma() -> None:
    known = {"a": Rating(25, 1, 1), "b": Rating(25, 2, 1)}
    assert largest(known, ["a", "b"]) == 2 and largest(known, ["a"]) == 1 and largest(known, []) == 0
