"""Matchmaking: who trains against whom, as closed forms of ratings."""

from __future__ import annotations

from collections import Counter
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from arena.league.matchmaking import WEIGHTS, even, hard, shares, uniform, win_probability
from arena.ratings.rating import Rating
from arena.ratings.trueskill import TrueSkillSettings

BETA = TrueSkillSettings().beta
MEANS = st.floats(-50, 80)
ERRORS = st.floats(0, 9)
RATINGS = {name: Rating(mean, 1.0, 10) for name, mean in {"me": 25, "weak": 15, "equal": 25, "strong": 35}.items()}
PAST = ["weak", "equal", "strong"]


@given(MEANS, ERRORS, MEANS, ERRORS)
def test_win_probability(a: float, a_error: float, b: float, b_error: float) -> None:
    """Two performances differ like the skills do, give or take both players' noise and both estimates' errors."""
    one, other = Rating(a, a_error, 1), Rating(b, b_error, 1)
    difference = NormalDist(a - b, (2 * BETA**2 + a_error**2 + b_error**2) ** 0.5)
    assert win_probability(one, other) == pytest.approx(1 - difference.cdf(0), abs=1e-12)
    assert win_probability(one, other) + win_probability(other, one) == pytest.approx(1)


def test_a_lead_of_beta() -> None:
    sure = [Rating(25 + BETA, 0, 100), Rating(25, 0, 100)]
    assert win_probability(*sure) == pytest.approx(NormalDist().cdf(0.5**0.5))  # 76 %


def test_weights() -> None:
    """Vinyals et al. (2019): f_hard = (1 - x)^p with p = 2, f_var = x (1 - x)."""
    assert [hard(0.0), hard(0.5), hard(1.0)] == [1.0, 0.25, 0.0]
    assert [even(0.0), even(0.5), even(1.0)] == [0.0, 0.25, 0.0]
    assert even(0.3) == pytest.approx(even(0.7)) == pytest.approx(0.21)
    assert [uniform(0.0), uniform(1.0)] == [1.0, 1.0]


def draw(kind: str, count: int, learner: str = "me", seed: int = 0) -> dict[str, float]:
    return shares(kind, learner, PAST, RATINGS, count, np.random.default_rng(seed))


def wanted(kind: str) -> dict[str, float]:
    """The shares that the weights alone give."""
    weights = {name: WEIGHTS[kind](win_probability(RATINGS["me"], RATINGS[name])) + 1e-3 for name in PAST}
    return {name: weight / sum(weights.values()) for name, weight in weights.items()}


@pytest.mark.parametrize("kind", WEIGHTS)
def test_with_room_for_all_everybody_gets_its_share(kind: str) -> None:
    for count in (3, 99):
        assert draw(kind, count) == pytest.approx(wanted(kind))


def test_who_is_met_more() -> None:
    by_kind = {kind: draw(kind, 3) for kind in WEIGHTS}
    assert by_kind["hard"]["strong"] > by_kind["hard"]["equal"] > by_kind["hard"]["weak"] > 0
    assert by_kind["even"]["equal"] > by_kind["even"]["strong"] == pytest.approx(by_kind["even"]["weak"])
    assert by_kind["uniform"] == pytest.approx(dict.fromkeys(PAST, 1 / 3))


@given(st.sampled_from(sorted(WEIGHTS)), st.integers(1, 12), st.integers(1, 12), st.integers(0, 999))
def test_nobody_is_drawn_twice(kind: str, past: int, count: int, seed: int) -> None:
    names = [f"p{index}" for index in range(past)]
    ratings = {name: Rating(float(index) * 9, 1.0, 1) for index, name in enumerate(names)}
    found = shares(kind, "p0", names, ratings, count, np.random.default_rng(seed))
    assert len(found) == min(past, count)
    assert set(found) <= set(names)
    assert sum(found.values()) == pytest.approx(1)
    assert all(share > 0 for share in found.values())


@pytest.mark.parametrize("kind", WEIGHTS)
def test_draws_follow_the_weights(kind: str) -> None:
    drawn = Counter(name for seed in range(2000) for name in draw(kind, 1, seed=seed))
    expected = wanted(kind)
    counts = [drawn[name] for name in PAST]
    assert chisquare(counts, [2000 * expected[name] for name in PAST]).pvalue > 0.01
    assert all(share == 1 for share in draw(kind, 1).values())


@pytest.mark.parametrize("kind", WEIGHTS)
def test_the_unrated_are_equals_of_all(kind: str) -> None:
    assert draw(kind, 3, learner="new") == pytest.approx(dict.fromkeys(PAST, 1 / 3))
    found = shares(kind, "me", ["equal", "new"], RATINGS, 2, np.random.default_rng(0))
    assert found == {"equal": pytest.approx(0.5), "new": pytest.approx(0.5)}


def test_without_a_past() -> None:
    assert shares("even", "me", [], RATINGS, 8, np.random.default_rng(0)) == {}


def test_equal_generators_draw_alike() -> None:
    assert draw("uniform", 2, seed=5) == draw("uniform", 2, seed=5)
    assert len({frozenset(draw("uniform", 1, seed=seed)) for seed in range(20)}) == 3
