"""Likelihood of superiority, and the disagreements that it is there to settle."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from arena.ratings.bradley_terry import BradleyTerrySettings, fit_history
from arena.ratings.disagreement import disagreements
from arena.ratings.fit import Fit
from arena.ratings.rating import Rating
from arena.ratings.superiority import superiority, superiority_of
from arena.ratings.trueskill import rate
from arena.result import Result
from tests.histories import duels, history

SKILL = (-250.0, -120.0, -40.0, 0.0, 60.0, 150.0, 200.0)
MEAN = np.array([10.0, 12.0, 8.0])
COVARIANCE = np.array([[4.0, 1.0, 0.0], [1.0, 2.0, -0.5], [0.0, -0.5, 1.0]])


def test_it_is_the_share_of_draws_from_the_gaussian() -> None:
    drawn = stats.multivariate_normal(MEAN, COVARIANCE).rvs(200_000, random_state=0)
    share = (drawn[:, :, None] > drawn[:, None, :]).mean(axis=0)
    np.testing.assert_allclose(superiority(MEAN, COVARIANCE), share + 0.5 * np.eye(3), atol=0.004)


def test_closed_form() -> None:
    chance = superiority(MEAN, COVARIANCE)
    assert chance[0, 1] == pytest.approx(stats.norm.cdf(-2 / np.sqrt(4 + 2 - 2)))
    np.testing.assert_allclose(chance + chance.T, 1)
    assert chance.diagonal().tolist() == [0.5] * 3


def test_independent_errors() -> None:
    ratings = {"a": Rating(10, 3, 1), "b": Rating(12, 4, 1)}
    assert superiority_of(ratings)[1, 0] == pytest.approx(stats.norm.cdf(2 / 5))
    np.testing.assert_allclose(superiority(MEAN, np.array([4.0, 2, 1])), superiority(MEAN, np.diag([4.0, 2, 1])))
    assert superiority_of({}).shape == (0, 0)


def test_without_errors_the_mean_decides() -> None:
    assert superiority(np.array([1.0, 1.0, 2.0]), np.zeros(3)).tolist() == [[0.5, 0.5, 0], [0.5, 0.5, 0], [1, 1, 0.5]]


def test_correlation_counts() -> None:
    """Two who met each other only: their errors are opposite, so each single interval says too little of the gap."""
    fit = fit_history(duels("a", "b", 60, lost=40))
    joint = superiority(fit.mean, fit.covariance)[0, 1]
    assert joint == pytest.approx(stats.norm.cdf(np.log(1.5) / np.sqrt(1 / 60 + 1 / 40)), abs=1e-3)
    assert superiority_of(fit.ratings())[0, 1] > joint


def fit_of(mean: list[float], covariance: list[list[float]]) -> Fit:
    nothing = np.zeros(2)
    return Fit(("a", "b"), np.array(mean), np.array(covariance), (9, 9), (0, 1), nothing, nothing, 0.0)


def test_a_disagreement_is_told_in_one_sentence() -> None:
    online = {"b": Rating(27.0, 0.5, 9), "new": Rating(25, 8, 1), "a": Rating(24.0, 0.5, 9)}
    found = disagreements(online, fit_of([1540.0, 1500.0], [[200.0, 100.0], [100.0, 100.0]]))
    assert [str(each) for each in found] == [
        "TrueSkill puts b above a by 3.0 ±1.4, "
        "but all games together put a above b by 40 ±20 Elo points (95% intervals)."
    ]


@pytest.mark.parametrize(
    ("lead", "deficit", "level", "disagree"),
    [
        (40.0, 3.0, 0.95, True),
        (40.0, 1.0, 0.95, False),  # TrueSkill is not sure
        (10.0, 3.0, 0.95, False),  # the fit is not
        (10.0, 1.0, 0.6, True),  # but both are a little
        (-40.0, 3.0, 0.95, False),  # both say b
        (40.0, -3.0, 0.95, False),  # both say a
    ],
)
def test_both_must_be_sure(lead: float, deficit: float, level: float, disagree: bool) -> None:
    online = {"a": Rating(25.0, 0.5, 9), "b": Rating(25.0 + deficit, 0.5, 9)}
    found = disagreements(online, fit_of([1500 + lead, 1500], [[100.0, 0.0], [0.0, 1.0]]), level)
    assert [(each.better, each.worse) for each in found] == ([("a", "b")] if disagree else [])


def test_a_sorted_log_misleads_trueskill_and_it_is_said() -> None:
    """The second best loses first, the best loses last: TrueSkill surely takes the second for the best."""
    results = history(seed=0, games=2000, skill=SKILL)

    def lost(name: str, result: Result) -> bool:
        return name in result.players and result.score[result.players.index(name)] < 0

    told = sorted(results, key=lambda result: lost("p6", result) - lost("p5", result))
    fit = fit_history(told)
    (first, *_) = disagreements(rate(told), fit)
    assert (first.better, first.worse, first.rater, first.level) == ("p6", "p5", "TrueSkill", 0.95)
    assert first.lead == fit.difference("p6", "p5")[0] > first.lead_half > 0
    assert first.deficit == rate(told)["p5"].mean - rate(told)["p6"].mean > first.deficit_half > 0
    assert disagreements(rate(results), fit_history(results)) == []


def test_the_surest_disagreement_comes_first() -> None:
    fit = Fit(tuple("abc"), np.array([60.0, 30.0, 0.0]), np.eye(3), (9,) * 3, (0,), np.zeros(1), np.zeros(1), 0.0)
    online = {"a": Rating(20.0, 1.0, 9), "b": Rating(24.0, 1.0, 9), "c": Rating(30.0, 1.0, 9)}
    assert [each.better + each.worse for each in disagreements(online, fit, rater="Elo")] == ["ac", "bc", "ab"]
    assert str(disagreements(online, fit, rater="Elo")[0]).startswith("Elo puts c above a by 10.0")
    assert disagreements({}, fit) == []


def test_an_anchor_changes_no_difference() -> None:
    results = history(seed=1, games=300, skill=SKILL)
    free, fixed = fit_history(results), fit_history(results, BradleyTerrySettings(anchor="p0"))
    np.testing.assert_allclose(
        superiority(free.mean, free.covariance), superiority(fixed.mean, fixed.covariance), atol=1e-9
    )
