"""Ratings of players in mixed teams: the package's own update, and what must hold for any rater."""

from __future__ import annotations

import math

import pytest
import trueskill

from arena.league.history import compared
from arena.ratings.teams import mixed, rate
from arena.ratings.trueskill import TrueSkillSettings
from arena.result import Result
from envs.errors import InputError
from envs.registry import make

TEAMS = (0, 0, 1, 1)


def game(players: str, score: tuple[float, ...], seed: int = 0) -> Result:
    """Players "abcd" by seat."""
    return Result("Doubles", tuple(players), score, 10, seed, "rules")


def test_two_teams_as_the_package_does_it() -> None:
    model = trueskill.TrueSkill(beta=25 / 6, tau=0.0, draw_probability=0.25)
    a, b, c, d = (model.create_rating() for _ in range(4))
    (a, b), (c, d) = model.rate([(a, b), (c, d)], ranks=[0, 1])
    (a, c), (b, d) = model.rate([(a, c), (b, d)], ranks=[0, 0])
    settings = TrueSkillSettings(draw_probability=0.25)
    found = rate([game("abcd", (1, 1, -1, -1)), game("acbd", (0, 0, 0, 0))], TEAMS, settings)
    for name, rating in zip("abcd", (a, b, c, d), strict=True):
        assert math.isclose(found[name].mean, rating.mu, abs_tol=1e-9)
        assert math.isclose(found[name].stderr, rating.sigma, abs_tol=1e-9)
        assert found[name].games == 2


def test_who_has_two_seats_weighs_twice() -> None:
    model = trueskill.TrueSkill(beta=25 / 6, tau=0.0, draw_probability=0.0)
    a, b, c = (model.create_rating() for _ in range(3))
    (a, b), (c,) = model.rate([(a, b), (c,)], ranks=[0, 1], weights=[(1, 1), (2,)])
    found = rate([game("abcc", (1, 1, -1, -1))], TEAMS)
    assert math.isclose(found["c"].mean, c.mu, abs_tol=1e-9)
    assert math.isclose(found["a"].mean, a.mu, abs_tol=1e-9) and found["a"] == found["b"]


def test_three_teams_and_free_for_all() -> None:
    model = trueskill.TrueSkill(beta=25 / 6, tau=0.0, draw_probability=0.0)
    expected = model.rate([(model.create_rating(),) for _ in range(3)], ranks=[2, 0, 1])
    found = rate([game("abc", (-1, 3, 2))], (0, 1, 2))
    assert [found[name].mean for name in "abc"] == pytest.approx([one.mu for (one,) in expected], abs=1e-9)


def test_the_mate_who_carries_is_found() -> None:
    """a wins with everybody, the others only with a."""
    games = [game(f"a{mate}{x}{y}", (1, 1, -1, -1), seed) for seed in range(4) for mate, x, y in ("bcd", "cbd", "dbc")]
    found = rate(games, TEAMS)
    assert found["a"].mean > 3 + max(found[name].mean for name in "bcd")
    assert max(abs(found["b"].mean - found[name].mean) for name in "cd") < 2


def test_a_tie_of_equals_moves_no_mean() -> None:
    found = rate([game("abcd", (0, 0, 0, 0))], TEAMS)
    assert all(math.isclose(rating.mean, 25) for rating in found.values())


def test_somebody_in_both_teams_says_nothing() -> None:
    assert rate([game("abab", (1, 1, -1, -1))], TEAMS) == {}


def test_a_log_of_another_game_and_impossible_draws() -> None:
    with pytest.raises(InputError, match="3 seats among those of 4"):
        rate([game("abc", (1, 0, -1))], TEAMS)
    with pytest.raises(InputError, match="draw_probability is 0"):
        rate([game("abcd", (0, 0, 0, 0))], TEAMS, TrueSkillSettings(draw_probability=0))


def test_mixed_teams_are_no_sides_of_one_player() -> None:
    assert mixed(game("abcc", (0,) * 4), TEAMS) and not mixed(game("aacc", (0,) * 4), TEAMS)
    spec = make("SlimeVolley-v0").spec
    assert len(compared([Result(spec.id, ("a", "b"), (1, -1), 9, 0, "rules")], spec)) == 1
