"""Glicko-2: the paper's worked example, and what a rating period means."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from arena.ratings.games import games_of
from arena.ratings.glicko2 import Glicko2Settings, final, next_volatility, rate, update
from arena.ratings.rating import ELO
from tests.histories import duels, game, history

SKILL = (-250.0, -120.0, -40.0, 0.0, 60.0, 150.0, 200.0)


def test_published_example() -> None:
    """Glickman, "Example of the Glicko-2 system": 1500 (200) meets 1400 (30), 1550 (100), 1700 (300); tau 0.5."""
    mean = (np.array([1500.0, 1400, 1550, 1700]) - 1500) / ELO
    deviation = np.array([200.0, 30, 100, 300]) / ELO
    volatility = np.full(4, 0.06)
    update(
        np.array([0, 0, 0]), np.array([1, 2, 3]), np.array([1.0, 0.0, 0.0]), np.ones(3),
        mean, deviation, volatility, np.full(4, True), 0.5,
    )  # fmt: skip
    assert 1500 + ELO * mean[0] == pytest.approx(1464.06, abs=0.01)
    assert ELO * deviation[0] == pytest.approx(151.52, abs=0.01)
    assert volatility[0] == pytest.approx(0.05999, abs=1e-5)
    assert mean[0] == pytest.approx(-0.2069, abs=1e-4)
    assert deviation[0] == pytest.approx(0.8722, abs=1e-4)


def test_published_step_5() -> None:
    """There, D = -0.4834 and v = 1.7785 give the volatility 0.05999."""
    assert next_volatility(-0.4834, 1.1513, 1.7785, 0.06, 0.5) == pytest.approx(0.05999, abs=1e-5)
    assert next_volatility(12.0, 1.1513, 1.7785, 0.06, 0.5) > 0.0601, "a surprise makes it grow"


def test_order_matters_between_periods_only() -> None:
    results = history(seed=0, games=60, skill=SKILL)
    turned = results[:30][::-1] + results[30:][::-1]
    halves, whole = Glicko2Settings(period=30), Glicko2Settings(period="log")
    for choice, other in ((halves, turned), (whole, results[::-1])):
        there = rate(other, choice)
        for name, rating in rate(results, choice).items():
            assert (rating.mean, rating.stderr) == pytest.approx((there[name].mean, there[name].stderr))
    assert rate(results, halves)["p0"].mean != pytest.approx(rate(results[::-1], halves)["p0"].mean)
    assert rate(results, Glicko2Settings(period=1000)) == rate(results, whole)


def test_a_period_of_its_own_length_gives_ten_games_to_each() -> None:
    results = history(seed=1, games=70, skill=SKILL)
    assert rate(results) == rate(results, Glicko2Settings(period=35))
    assert rate(results) != rate(results, Glicko2Settings(period=34))


def test_who_does_not_play_becomes_less_certain_but_not_before_the_first_game() -> None:
    choice = Glicko2Settings(period=10)
    old = rate(duels("a", "b", 5, lost=5) + duels("c", "d", 5, lost=5), choice)
    assert old["a"].stderr > old["c"].stderr
    assert old["c"].stderr == rate(duels("c", "d", 5, lost=5), choice)["c"].stderr
    assert old["a"].mean == pytest.approx(1500)
    before = rate(duels("a", "b", 5, lost=5), choice)["a"].stderr / ELO
    assert old["a"].stderr / ELO == pytest.approx(np.sqrt(before**2 + 0.06**2), rel=1e-3)


def test_a_short_last_period_counts() -> None:
    choice = Glicko2Settings(period=4)
    assert rate(duels("a", "b", 5), choice)["a"].mean > rate(duels("a", "b", 4), choice)["a"].mean


def test_volatility_follows_surprises() -> None:
    steady = games_of(duels("a", "b", 1, lost=1) * 100)
    turning = games_of(duels("a", "b", 100) + duels("a", "b", 0, lost=100))
    choice = Glicko2Settings(period=20, tau=1.2)
    assert final(turning, choice)[2][0] > 0.065 > final(steady, choice)[2][0]
    held = choice.model_copy(update={"tau": 0.01})
    assert final(turning, held)[2][0] == pytest.approx(0.06, abs=1e-4)


def test_intervals_cover_the_truth() -> None:
    truth, held = np.array(SKILL) - np.mean(SKILL), []
    for seed in range(30):
        ratings = rate(history(seed, games=400, skill=SKILL, draw=0.05))
        for number, skill in enumerate(truth):
            low, high = ratings[f"p{number}"].interval(0.95)
            held.append(low - 1500 < skill < high - 1500)
    assert 0.92 < np.mean(held) <= 1


def test_pairs_of_a_free_for_all_are_shares_of_a_game() -> None:
    three = rate([game("abc", [3, 2, 1])])
    assert three["a"].mean > three["b"].mean == pytest.approx(1500)
    assert three["b"].mean > three["c"].mean
    assert three["b"].stderr > rate(duels("b", "a", 1) + duels("b", "c", 0, 0, 1))["b"].stderr


@pytest.mark.parametrize("period", [0, -3, "never", 2.5])
def test_other_periods_are_refused(period: object) -> None:
    with pytest.raises(ValidationError, match="period"):
        Glicko2Settings.model_validate({"period": period})
