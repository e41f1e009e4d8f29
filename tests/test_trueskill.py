"""TrueSkill: against the package, against numerical integration, and its properties."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
import trueskill
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate

from arena.ratings.gaussian import draw_moments, win_moments
from arena.ratings.rating import Rating
from arena.ratings.trueskill import TrueSkillSettings, rate
from arena.result import Result
from envs.errors import InputError

PLAYERS = ("ada", "bob", "cyd", "dee", "eve")


def game(players: Sequence[str], score: Sequence[float]) -> Result:
    return Result("Test-v0", tuple(players), tuple(score), steps=10, seed=0, ended="rules")


def log(seed: int, games: int, draws: bool, seats: int = 2) -> list[Result]:
    rng = np.random.default_rng(seed)
    low = 0 if draws else 0.5
    made = []
    for _ in range(games):
        lineup = rng.permutation(len(PLAYERS))[:seats]
        strength = np.round((lineup - 2 + rng.normal(0, 2, seats)) / 2) if draws else rng.random(seats) + low
        made.append(game([PLAYERS[i] for i in lineup], strength.tolist()))
    return made


def by_package(results: Sequence[Result], **options: float) -> dict[str, trueskill.Rating]:
    model = trueskill.TrueSkill(backend="scipy", **options)
    ratings: dict[str, trueskill.Rating] = {}
    for result in results:
        groups = [(ratings.get(name, model.create_rating()),) for name in result.players]
        ranks = [sum(other > own for other in result.score) for own in result.score]
        after = model.rate(rating_groups=groups, ranks=ranks)
        ratings |= {name: rating for name, (rating,) in zip(result.players, after, strict=True)}
    return ratings


@pytest.mark.parametrize("draws", [False, True])
@pytest.mark.parametrize("tau", [0.0, 25 / 300])
def test_agrees_with_the_package_over_400_games(draws: bool, tau: float) -> None:
    results = log(seed=3, games=400, draws=draws)
    chance = sum(r.score[0] == r.score[1] for r in results) / 400
    assert (chance > 0.1) == draws
    wanted = by_package(results, tau=tau, draw_probability=chance)
    for name, rating in rate(results, TrueSkillSettings(tau=tau)).items():
        assert rating.mean == pytest.approx(wanted[name].mu, abs=1e-9)
        assert rating.stderr == pytest.approx(wanted[name].sigma, abs=1e-9)
        assert rating.games == sum(name in r.players for r in results)


def test_other_settings_agree_with_the_package() -> None:
    results = log(seed=4, games=100, draws=True)
    options = {"mu": 1500.0, "sigma": 400.0, "beta": 150.0, "tau": 3.0, "draw_probability": 0.3}
    wanted = by_package(results, **options)
    for name, rating in rate(results, TrueSkillSettings(**options)).items():
        assert (rating.mean, rating.stderr) == pytest.approx((wanted[name].mu, wanted[name].sigma), abs=1e-8)


def test_free_for_all_agrees_with_the_package() -> None:
    results = log(seed=5, games=40, draws=False, seats=4) + log(seed=6, games=40, draws=False)
    wanted = by_package(results, tau=0.0, draw_probability=0.0)
    for name, rating in rate(results).items():
        assert (rating.mean, rating.stderr) == pytest.approx((wanted[name].mu, wanted[name].sigma), abs=1e-3)


def test_published_first_game() -> None:
    """The package's documented 1 vs 1 example: 29.396 and 20.604, both with sigma 7.171."""
    ratings = rate([game(["a", "b"], [1, 0])], TrueSkillSettings(tau=25 / 300, draw_probability=0.1))
    assert [round(r.mean, 3) for r in ratings.values()] == [29.396, 20.604]
    assert [round(r.stderr, 3) for r in ratings.values()] == [7.171, 7.171]
    assert ratings["a"].exposed == ratings["a"].mean - 3 * ratings["a"].stderr


def truncated(t: float, low: float, high: float) -> tuple[float, float]:
    """v and w by integration: shift of the mean and loss of variance of N(t, 1) cut to [low, high]."""
    near = min(max(t, low), high)  # the densest point, where the weight is 1
    high = min(high, near + 12)
    low = max(low, near - 12)
    weights = [
        integrate.quad(lambda x, k=k: x**k * math.exp(-0.5 * ((near + x - t) ** 2 - (near - t) ** 2)),
                       low - near, high - near, epsabs=0, epsrel=1e-10, limit=200)[0]
        for k in range(3)
    ]  # fmt: skip
    mean = weights[1] / weights[0]
    return near + mean - t, 1 - (weights[2] / weights[0] - mean**2)


@pytest.mark.filterwarnings("ignore::scipy.integrate.IntegrationWarning")
@pytest.mark.parametrize("t", [-60.0, -12.0, -5.2, -4.9, -1.0, 0.0, 0.7, 4.0, 30.0])
@pytest.mark.parametrize("e", [0.0, 5e-5, 2e-4, 0.3, 2.0])
def test_moments_are_those_of_the_truncated_gaussian(t: float, e: float) -> None:
    assert win_moments(t, e) == pytest.approx(truncated(t, e, math.inf), rel=1e-7, abs=1e-9)
    if e > 0:
        assert draw_moments(t, e) == pytest.approx(truncated(t, -e, e), rel=1e-7, abs=1e-9)


@pytest.mark.parametrize("t", [-200.0, -40.0, -12.0, -5.2, -4.9, -1.0, 0.0, 0.7, 4.0, 30.0])
@pytest.mark.parametrize("e", [0.0, 1e-6, 9e-5, 2e-4, 0.3, 2.0, 6.0])
def test_moments_are_those_of_400_digits(t: float, e: float) -> None:
    """The same formulas where nothing underflows or cancels."""
    mp = pytest.importorskip("mpmath").mp.clone()
    mp.dps = 400
    x, low, high = mp.mpf(t) - e, -mp.mpf(e) - abs(t), mp.mpf(e) - abs(t)
    v = mp.npdf(x) / mp.ncdf(x)
    assert win_moments(t, e) == pytest.approx((float(v), float(v * (v + x))), rel=1e-12, abs=1e-15)
    if e > 0:
        mass = mp.ncdf(high) - mp.ncdf(low)
        v = (mp.npdf(low) - mp.npdf(high)) / mass
        w = v**2 + (high * mp.npdf(high) - low * mp.npdf(low)) / mass
        assert draw_moments(t, e) == pytest.approx((math.copysign(v, -t) if t else 0, float(w)), rel=1e-9, abs=1e-12)


@given(t=st.floats(-1e6, 1e6), e=st.floats(1e-12, 8))
def test_moments_are_finite_everywhere(t: float, e: float) -> None:
    for v, w in (win_moments(t, e), draw_moments(t, e)):
        assert math.isfinite(v)
        assert 0 <= w <= 1
    assert win_moments(t, e)[0] >= 0
    assert draw_moments(t, e)[0] == -draw_moments(-t, e)[0]


games = st.lists(
    st.tuples(st.permutations(PLAYERS).map(lambda p: p[:2]), st.integers(-1, 1)), min_size=1, max_size=40
).map(lambda rows: [game(players, (score, -score)) for players, score in rows])


@settings(max_examples=40, deadline=None)
@given(games)
def test_relabelling_players_relabels_ratings(results: list[Result]) -> None:
    renamed = [game([f"{name}'" for name in r.players], r.score) for r in results]
    assert rate(renamed) == {f"{name}'": rating for name, rating in rate(results).items()}


@settings(max_examples=40, deadline=None)
@given(games)
def test_swapping_seats_changes_nothing(results: list[Result]) -> None:
    swapped = [game(r.players[::-1], r.score[::-1]) for r in results]
    wanted = rate(results)
    for name, rating in rate(swapped).items():
        assert rating.mean == pytest.approx(wanted[name].mean, abs=1e-12)
        assert rating.stderr == pytest.approx(wanted[name].stderr, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(games, st.floats(-100, 100))
def test_shifting_the_prior_shifts_the_means(results: list[Result], shift: float) -> None:
    here = rate(results)
    for name, rating in rate(results, TrueSkillSettings(mu=25 + shift)).items():
        assert rating.mean - here[name].mean == pytest.approx(shift, abs=1e-9)
        assert rating.stderr == pytest.approx(here[name].stderr, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(games)
def test_games_only_add_certainty_and_a_win_never_costs(results: list[Result]) -> None:
    chance = TrueSkillSettings(draw_probability=0.2)
    before = rate(results, chance)
    players = results[0].players
    after = rate([*results, game(players, (1, 0))], chance)
    for name in before:
        assert after[name].stderr <= before[name].stderr
    assert after[players[0]].mean >= before[players[0]].mean
    assert after[players[1]].mean <= before[players[1]].mean


def test_a_draw_of_equals_moves_no_mean() -> None:
    ratings = rate([game(["a", "b"], [2, 2])])
    assert ratings["a"].mean == ratings["b"].mean == 25
    assert ratings["a"].stderr < 25 / 3


def test_nothing_but_draws_still_gives_finite_ratings() -> None:
    ratings = rate([game(["a", "b"], [0, 0])] * 30 + [game(["b", "c"], [0, 0])])
    assert all(math.isfinite(r.mean) and 0 < r.stderr < 25 / 3 for r in ratings.values())


def test_ten_thousand_wins_in_a_row_stay_finite_and_in_order() -> None:
    ratings = rate([game(["a", "b"], [5, -5]), game(["b", "c"], [5, -5])] * 10_000)
    assert ratings["a"].mean > ratings["b"].mean > ratings["c"].mean
    assert all(math.isfinite(r.mean) and r.stderr > 0 for r in ratings.values())


def test_a_game_against_oneself_says_nothing() -> None:
    results = log(seed=7, games=20, draws=True)
    assert rate([*results, game(["ada", "ada"], [1, -1])]) == rate(results)
    assert rate([]) == {}


def test_two_seats_of_one_side_count_once() -> None:
    crews = rate([game(["a", "a", "b", "b"], [1, 1, -1, -1])])
    assert crews == rate([game(["a", "b"], [1, -1])])


def test_draws_against_a_draw_probability_of_zero_are_refused() -> None:
    with pytest.raises(InputError, match="draw_probability is 0"):
        rate([game(["a", "b"], [1, 1])], TrueSkillSettings(draw_probability=0))


def test_rating_is_a_value() -> None:
    assert Rating(25.0, 1.0, 3) == Rating(25.0, 1.0, 3)
