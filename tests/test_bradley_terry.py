"""Whole-history Bradley-Terry: published values, an independent optimiser, closed forms, and honest intervals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy import optimize

from arena.ratings.bradley_terry import BradleyTerrySettings, fit_history, rate
from arena.ratings.rating import ELO
from arena.result import Result
from envs.errors import InputError
from tests.histories import duels, game, history

TEAMS = ("Milwaukee", "Detroit", "Toronto", "New York", "Boston", "Cleveland", "Baltimore")
SEASON = """
-   4-3 4-2 4-3 6-1 4-2 6-0
3-3 -   4-2 4-3 6-0 6-1 4-3
2-5 4-3 -   2-4 4-3 4-2 6-0
3-3 5-1 2-5 -   4-3 4-2 6-1
5-1 2-5 3-3 4-2 -   5-2 6-0
2-5 3-3 3-4 4-3 4-2 -   2-4
2-5 1-5 1-6 2-4 1-6 3-4 -
"""
"""American League East, 1987: home wins and losses of the row against the column (Agresti, "Categorical Data
Analysis", 2nd edition, table 10.10)."""
PURE = BradleyTerrySettings(prior=None)
SKILL = (-250.0, -120.0, -40.0, 0.0, 60.0, 150.0, 200.0)


def season() -> list[Result]:
    results = []
    for home, row in zip(TEAMS, SEASON.split("\n")[1:], strict=False):
        for away, cell in zip(TEAMS, row.split(), strict=True):
            if cell != "-":
                won, lost = map(int, cell.split("-"))
                results += duels(home, away, won, lost=lost)
    return results


@pytest.mark.parametrize(
    ("home", "wanted"),
    [
        (True, (1.6196, 1.4754, 1.3271, 1.2813, 1.1438, 0.7047)),
        (False, (1.5814, 1.4364, 1.2945, 1.2476, 1.1077, 0.6839)),
    ],
)
def test_published_season(home: bool, wanted: tuple[float, ...]) -> None:
    """Estimates and standard errors of Turner & Firth, "Bradley-Terry Models in R" (2012), section 3.2."""
    errors = (0.3474, 0.3446, 0.3403, 0.3404, 0.3378, 0.3350) if home else (
        0.3433, 0.3396, 0.3367, 0.3359, 0.3339, 0.3319)  # fmt: skip
    fit = fit_history(season(), BradleyTerrySettings(prior=None, seat_advantage=home))
    for team, value, error in zip(TEAMS, wanted, errors, strict=False):
        assert [round(x / ELO, 4) for x in fit.difference(team, "Baltimore")] == [value, error]
    advantage = (fit.seat_mean[0] - fit.seat_mean[1]) / ELO
    assert round(advantage, 4) == (0.3023 if home else 0)
    assert round(2 * fit.seat_stderr[0] / ELO, 4) == (0.1309 if home else 0)


def by_optimiser(results: list[Result], names: tuple[str, ...], prior: float) -> Any:
    """Davidson's log-likelihood written game by game, and a general optimiser."""

    def cost(x: Any) -> float:
        total = 0.5 * float(x @ x) / prior**2
        for result in results:
            a, b = (names.index(name) for name in result.players)
            lead = x[a] - x[b] + x[-3] - x[-2]
            parts = (lead / 2, x[-1], -lead / 2)
            total -= parts[1 - round(result.score[0])] - math.log(sum(map(math.exp, parts)))
        return total

    return optimize.minimize(cost, np.zeros(len(names) + 3), method="BFGS", options={"gtol": 1e-5}).x


def test_agrees_with_an_optimiser_on_draws_and_seats() -> None:
    results = history(seed=1, games=240, skill=SKILL[:4], draw=0.3, seat=80)
    fit = fit_history(results, BradleyTerrySettings(prior=2 * ELO))
    value = by_optimiser(results, fit.names, prior=2.0)
    np.testing.assert_allclose((fit.mean - 1500) / ELO, value[:4], atol=1e-4)
    np.testing.assert_allclose(fit.seat_mean / ELO, value[4:6], atol=1e-4)
    assert fit.draw == pytest.approx(math.exp(value[6]) / (2 + math.exp(value[6])), abs=1e-4)
    assert fit.seat_mean[0] > 0 and fit.draw > 0.2


@pytest.mark.parametrize(("won", "lost"), [(3, 1), (50, 50), (1, 99), (7, 2)])
def test_two_players_have_a_closed_form(won: int, lost: int) -> None:
    fit = fit_history(duels("a", "b", won, lost=lost), PURE)
    lead, stderr = fit.difference("a", "b")
    assert lead / ELO == pytest.approx(math.log(won / lost), abs=1e-9)
    assert stderr / ELO == pytest.approx(math.sqrt(1 / won + 1 / lost), rel=1e-9)
    assert fit.ratings()["a"].mean == pytest.approx(1500 + lead / 2)
    assert fit.ratings()["a"].stderr == pytest.approx(stderr / 2)


def test_two_players_with_draws_have_a_closed_form_too() -> None:
    """Three outcomes, two parameters: the fit reproduces the shares, so lead = ln(won / lost), n = ln(drawn / sqrt(won
    lost)), and the error of the lead is that of two multinomial counts."""
    fit = fit_history(duels("a", "b", won=30, drawn=40, lost=10), PURE)
    lead, stderr = fit.difference("a", "b")
    assert lead / ELO == pytest.approx(math.log(3), abs=1e-9)
    assert stderr / ELO == pytest.approx(math.sqrt(1 / 30 + 1 / 10), rel=1e-9)
    ratio = 40 / math.sqrt(300)
    assert fit.draw == pytest.approx(ratio / (2 + ratio))


def test_order_does_not_matter() -> None:
    results = history(seed=2, games=400, skill=SKILL)
    shuffled = [results[i] for i in np.random.default_rng(0).permutation(len(results))]
    for errors in ("information", "bootstrap"):
        choice = BradleyTerrySettings(errors=errors, replicates=20)
        here, there = fit_history(results, choice), fit_history(shuffled, choice)
        assert here.names == there.names
        np.testing.assert_allclose(here.mean, there.mean, rtol=1e-12)
        np.testing.assert_allclose(here.covariance, there.covariance, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("errors", ["information", "bootstrap"])
def test_intervals_cover_the_truth(errors: str) -> None:
    """95 % intervals of ratings, and of differences, over simulated logs."""
    choice = BradleyTerrySettings.model_validate({"errors": errors, "replicates": 60})
    truth = np.array(SKILL) - np.mean(SKILL)
    single, pairs, seats = [], [], []
    for seed in range(60):
        fit = fit_history(history(seed, games=300, skill=SKILL, seat=40), choice)
        order = [fit.names.index(f"p{i}") for i in range(len(SKILL))]
        miss = fit.mean[order] - 1500 - truth
        stderr = np.sqrt(fit.covariance.diagonal())[order]
        single += (np.abs(miss) < 1.96 * stderr).tolist()
        lead, error = fit.difference("p0", "p6")
        pairs.append(abs(lead - (SKILL[0] - SKILL[6])) < 1.96 * error)
        seats.append(abs(fit.seat_mean[0] - 20) < 1.96 * fit.seat_stderr[0])
    assert 0.92 < np.mean(single) < 0.98
    assert np.mean(pairs) > 0.88
    assert np.mean(seats) > 0.88


def test_the_bootstrap_keeps_games_on_equal_serves_together() -> None:
    """Every game is there twice, with the same seed and the same end: half the games say nothing new."""
    results = [played for played in history(seed=3, games=600, skill=SKILL[:3]) for _ in range(2)]
    twins = [game(r.players, r.score, seed) for seed, r in enumerate(results)]
    paired = [game(r.players, r.score, number // 2) for number, r in enumerate(results)]
    choice = BradleyTerrySettings(errors="bootstrap", replicates=300)
    apart = fit_history(twins, choice).covariance.trace()
    together = fit_history(paired, choice).covariance.trace()
    assert together / apart == pytest.approx(2, rel=0.25)
    assert fit_history(twins).covariance.trace() == pytest.approx(apart, rel=0.25)


def test_the_bootstrap_draws_by_its_seed() -> None:
    results = history(seed=4, games=60, skill=SKILL[:3])
    covariances = [
        fit_history(results, BradleyTerrySettings(errors="bootstrap", replicates=20, seed=seed)).covariance
        for seed in (0, 0, 1)
    ]
    assert (covariances[0] == covariances[1]).all()
    assert (covariances[0] != covariances[2]).any()


def test_the_unbeaten_stay_finite() -> None:
    few, many = (rate(duels("a", "b", won)) for won in (3, 300))
    assert 1500 < few["a"].mean < many["a"].mean < 2500
    assert few["a"].stderr > 100


def test_groups_that_never_met_are_far_apart_in_doubt_only() -> None:
    results = duels("a", "b", 20, lost=20) + duels("c", "d", 20, lost=20)
    fit = fit_history(results)
    within, between = fit.difference("a", "b")[1], fit.difference("a", "c")[1]
    assert within == pytest.approx(ELO * math.sqrt(2 / 20), rel=0.02)
    assert between == pytest.approx(1000, rel=0.05)


def test_a_wider_prior_moves_less() -> None:
    results = history(seed=5, games=200, skill=SKILL)
    pure = fit_history(results, PURE).mean
    moved = [
        np.abs(fit_history(results, BradleyTerrySettings(prior=prior)).mean - pure).max() for prior in (200, 1000, 1e5)
    ]
    assert moved[0] > moved[1] > moved[2]
    assert moved[1] < 12 and moved[2] < 0.01


def test_an_anchor_is_fixed() -> None:
    results = history(seed=6, games=200, skill=SKILL)
    free = fit_history(results)
    fixed = fit_history(results, BradleyTerrySettings(anchor="p2", initial=0))
    ratings = fixed.ratings()
    assert (ratings["p2"].mean, ratings["p2"].stderr) == (0, 0)
    for name in free.names:
        assert fixed.difference(name, "p2") == pytest.approx(free.difference(name, "p2"), abs=1e-6)
        assert (ratings[name].mean, ratings[name].stderr) == pytest.approx(fixed.difference(name, "p2"), abs=1e-6)
    with pytest.raises(InputError, match="did you mean 'p2'"):
        fit_history(results, BradleyTerrySettings(anchor="p22"))
    with pytest.raises(InputError, match="unknown player"):
        free.difference("p1", "nobody")


def test_seats_are_left_out_where_skill_explains_them() -> None:
    """Everybody with the smaller number sits in seat 0: what that is worth cannot be told from who they are."""
    kept = history(seed=7, games=300, skill=SKILL[:2], seat=100, swap=False)
    fit = fit_history(kept)
    assert fit.seat_mean.tolist() == [0, 0] and fit.seat_stderr.tolist() == [0, 0]
    assert fit.seats == (0, 1)
    bipartite = [game([f"a{i}", f"b{j}"], [1 - 2 * ((i + j) % 2), 0]) for i in range(3) for j in range(3)]
    assert fit_history(bipartite).seat_mean.tolist() == [0, 0]
    cycle = duels("a", "b", 3, 0, 1) + duels("b", "c", 3, 0, 1) + duels("c", "a", 3, 0, 1)
    turned = fit_history(cycle, PURE)  # nobody met in both orders, and yet: each beats the next one in seat 0
    assert turned.mean == pytest.approx([1500] * 3)
    assert (turned.seat_mean[0] - turned.seat_mean[1]) / ELO == pytest.approx(math.log(3))


def test_seats_can_be_left_out_on_request() -> None:
    results = history(seed=8, games=300, skill=SKILL[:3], seat=100)
    assert fit_history(results).seat_mean[0] > 20
    assert fit_history(results, BradleyTerrySettings(seat_advantage=False)).seat_mean.tolist() == [0, 0]


def test_without_a_prior_the_infinite_is_refused() -> None:
    with pytest.raises(InputError, match="from b to a"):
        rate(duels("a", "b", 5), PURE)
    with pytest.raises(InputError, match="no chain of wins and draws"):
        rate(duels("a", "b", 1, lost=1) + duels("c", "d", 1, lost=1), PURE)
    with pytest.raises(InputError, match="give `prior`"):
        rate(duels("a", "b", 0, drawn=8), PURE)  # chains there are, but of draws only
    with pytest.raises(InputError, match="give `prior`"):
        rate(duels("a", "b", 5) + duels("b", "a", 5), PURE)  # the first seat always wins
    with pytest.raises(ValidationError, match="needs a prior"):
        BradleyTerrySettings(prior=None, errors="bootstrap")


def test_draws_only_and_one_sided_logs_are_finite() -> None:
    for results in (duels("a", "b", 0, 30), duels("a", "b", 5) + duels("b", "a", 5), duels("a", "b", 10_000)):
        for name, rating in rate(results).items():
            assert math.isfinite(rating.mean) and 0 < rating.stderr < 1000, name
    assert fit_history(duels("a", "b", 0, 30)).draw > 0.9
    assert fit_history([]).names == ()


def test_a_free_for_all_is_its_pairs_each_a_share_of_a_game() -> None:
    orders = [[3, 2, 1], [3, 1, 2], [2, 3, 1], [1, 2, 3], [3, 2, 2]]
    together = [game("abc", score, seed) for seed, score in enumerate(orders)]
    apart = [
        game([name, other], [score[i], score[j]], seed)
        for seed, score in enumerate(orders)
        for i, name in enumerate("abc")
        for j, other in enumerate("abc")
        if i < j
    ]
    plain = BradleyTerrySettings(seat_advantage=False, prior=None)
    whole, split = fit_history(together, plain), fit_history(apart, plain)
    np.testing.assert_allclose(whole.mean, split.mean, atol=1e-6)
    np.testing.assert_allclose(whole.covariance, split.covariance * 3 / 2, atol=1e-6)
    assert whole.games == (5, 5, 5)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.permutations("abcd").map(lambda p: p[:2]), st.integers(-1, 1)), min_size=1, max_size=30))
def test_any_log_gives_finite_ratings_whose_mean_is_fixed(rows: list[tuple[list[str], int]]) -> None:
    fit = fit_history([game(players, (score, -score)) for players, score in rows])
    assert np.isfinite(fit.mean).all() and np.isfinite(fit.covariance).all()
    assert fit.mean.mean() == pytest.approx(1500)
    assert np.linalg.eigvalsh(fit.covariance).min() > -1e-6
    assert fit.covariance.sum() == pytest.approx(0, abs=1e-4)
