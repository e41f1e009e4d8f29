"""What holds for every rater, over the registry; and the forms in which they read a log."""

from __future__ import annotations

import math
import random
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.ratings import openskill
from arena.ratings.games import games_of
from arena.ratings.pairs import pairs_of
from arena.ratings.raters import RATERS, Rater, rater
from arena.ratings.rating import Rating
from arena.ratings.seats import by_seat, seated, unseated
from envs.config import parse
from envs.errors import InputError
from tests.histories import duels, game, history

SKILL = (-250.0, -120.0, -40.0, 0.0, 60.0, 150.0, 200.0)
MISSING = pytest.mark.skipif(find_spec("openskill") is None, reason="the extra `openskill` is not installed")
EVERY = [pytest.param(each, id=name, marks=MISSING if name == "openskill" else ()) for name, each in RATERS.items()]
every = pytest.mark.parametrize("each", EVERY)


def close(here: dict[str, Rating], there: dict[str, Rating], shift: float = 0.0) -> bool:
    return here.keys() == there.keys() and all(
        there[name].mean == pytest.approx(rating.mean + shift, abs=1e-6)
        and there[name].stderr == pytest.approx(rating.stderr, abs=1e-6)
        and there[name].games == rating.games
        for name, rating in here.items()
    )


@every
def test_relabelling_players_relabels_ratings(each: Rater) -> None:
    results = [*history(seed=0, games=120, skill=SKILL), game(["p0", "p1", "p2"], [3, 1, 2])]
    names = {f"p{number}": f"{9 - number} {number}" for number in range(len(SKILL))}  # sorted the other way
    renamed = [game([names[name] for name in r.players], r.score, r.seed) for r in results]
    assert close({names[name]: rating for name, rating in each.rate(results).items()}, each.rate(renamed))


@every
@pytest.mark.parametrize("size", [2, 3, 4])
def test_a_tie_of_equals_moves_no_mean(each: Rater, size: int) -> None:
    origin = getattr(each.settings(), each.origin)
    for rating in each.rate([game("abcd"[:size], [0.5] * size)]).values():
        assert rating.mean == pytest.approx(origin, abs=1e-3 if each.name == "trueskill" and size > 2 else 1e-9)
        assert rating.games == 1


@every
@pytest.mark.parametrize("shift", [-40.0, 250.0])
def test_shifting_all_by_a_constant_changes_nothing(each: Rater, shift: float) -> None:
    results = history(seed=1, games=120, skill=SKILL)
    origin = getattr(each.settings(), each.origin)
    moved = each.settings(**{each.origin: origin + shift})
    assert close(each.rate(results), each.rate(results, moved), shift)


@every
def test_games_teach(each: Rater) -> None:
    first = each.rate(duels("a", "b", 1))
    assert first["a"].mean > first["b"].mean
    assert first["a"].stderr == pytest.approx(first["b"].stderr)
    later = each.rate(duels("a", "b", 1) + duels("b", "a", 4) + duels("b", "a", 0, 0, 16))
    assert later["a"].mean > later["b"].mean
    assert later["a"].stderr < first["a"].stderr
    assert later["a"].games == later["b"].games == 21


@every
def test_the_truth_is_found(each: Rater) -> None:
    ratings = each.rate(history(seed=3, games=3000, skill=SKILL))
    means = [ratings[f"p{number}"].mean for number in range(len(SKILL))]
    assert np.corrcoef(means, SKILL)[0, 1] > 0.95
    low, high = ratings["p0"].interval()
    assert high < ratings["p6"].interval()[0]
    assert (low + high) / 2 == pytest.approx(ratings["p0"].mean)
    assert high - low == pytest.approx(2 * 1.959964 * ratings["p0"].stderr)


@every
def test_a_free_for_all_is_rated_by_its_order_of_finish(each: Rater) -> None:
    results = [game(order, [9, 5, 5, 1], seed) for seed, order in enumerate(["abcd", "acbd"] * 4)]
    ratings = each.rate(results)
    assert ratings["a"].mean > ratings["b"].mean > ratings["d"].mean
    assert ratings["b"].mean == pytest.approx(ratings["c"].mean, abs=0.02)


@every
def test_what_says_nothing_changes_nothing(each: Rater) -> None:
    results = history(seed=4, games=40, skill=SKILL)
    itself = [game(["p0", "p0"], [1, -1]), game(["p1", "p1", "p1"], [1, 0, -1])]
    assert each.rate(results + itself) == each.rate(results)
    assert each.rate([]) == {}
    assert each.rate(itself) == {}


@every
def test_who_has_several_seats_has_their_mean(each: Rater) -> None:
    results = history(seed=4, games=40, skill=SKILL)
    several = [game(["p0", "p1", "p0"], [1, 0, -2]), game(["p1", "p0", "p2", "p0"], [0, 4, 0, -3])]
    alone = [game(["p0", "p1"], [-0.5, 0]), game(["p1", "p0", "p2"], [0, 0.5, 0])]
    assert each.rate(results + several) == each.rate(results + alone) != each.rate(results)


@every
def test_a_log_that_was_read_already(each: Rater) -> None:
    results = history(seed=5, games=40, skill=SKILL)
    games = games_of(iter(results))
    before = [array.copy() for array in (games.start, games.player, games.score, games.seat, games.seed)]
    assert each.rate(games) == each.rate(results) == each.rate(iter(results))
    for array, old in zip((games.start, games.player, games.score, games.seat, games.seed), before, strict=True):
        np.testing.assert_array_equal(array, old)
    assert games_of(games) is games


@every
def test_whether_order_matters_is_said(each: Rater) -> None:
    results = history(seed=6, games=300, skill=SKILL)
    shuffled = random.Random(0).sample(results, len(results))
    assert close(each.rate(results), each.rate(shuffled)) is not each.ordered


@settings(max_examples=20, deadline=None)
@given(
    st.sampled_from([each for name, each in RATERS.items() if name != "openskill"]),
    st.lists(st.tuples(st.permutations("abcd").map(lambda p: p[:2]), st.integers(-1, 1)), min_size=1, max_size=30),
)
def test_any_log_gives_finite_ratings(each: Rater, rows: list[tuple[list[str], int]]) -> None:
    for rating in each.rate([game(players, (score, -score)) for players, score in rows]).values():
        assert math.isfinite(rating.mean) and rating.stderr > 0


@every
def test_settings_are_strict(each: Rater) -> None:
    assert parse(each.settings, {each.origin: 3.0}, "here") == each.settings(**{each.origin: 3.0})
    with pytest.raises(InputError, match=f"did you mean '{each.origin}'"):
        parse(each.settings, {f"{each.origin}x": 3.0}, "here")


def test_names() -> None:
    assert list(RATERS) == ["trueskill", "bradley-terry", "elo", "glicko2", "openskill"]
    assert all(name == each.name and each.summary and each.unit for name, each in RATERS.items())
    assert rater("elo").name == "elo"
    with pytest.raises(InputError, match="unknown rating 'glicko': did you mean 'glicko2'"):
        rater("glicko")


def test_openskill_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(openskill, "import_module", missing)
    with pytest.raises(InputError, match=r"pip install 'selfplay-arena\[openskill\]'"):
        rater("openskill").rate(duels("a", "b", 1))


@MISSING
def test_openskill_published_first_game() -> None:
    """The package's documented first game: 27.635 and 22.365, both with sigma 8.066."""
    ratings = rater("openskill").rate(duels("a", "b", 1))
    assert [round(r.mean, 3) for r in ratings.values()] == [27.635, 22.365]
    assert [round(r.stderr, 3) for r in ratings.values()] == [8.066, 8.066]


def test_pairs_of_a_mixed_log() -> None:
    games = games_of([game("ab", [1, 1]), game("cab", [3, 1, 2]), game("ba", [0, 5]), game("aabb", [1, 1, 0, 0])])
    pairs = pairs_of(games)
    told = zip(
        [games.names[i] for i in pairs.first], [games.names[i] for i in pairs.second],
        pairs.seat.tolist(), pairs.score.tolist(), pairs.weight.tolist(), strict=True,
    )  # fmt: skip
    assert list(told) == [
        ("a", "b", [0, 1], 0.5, 1.0),
        ("c", "a", [0, 1], 1.0, pytest.approx(2 / 3)),
        ("c", "b", [0, 2], 1.0, pytest.approx(2 / 3)),
        ("a", "b", [1, 2], 0.0, pytest.approx(2 / 3)),
        ("b", "a", [0, 1], 0.0, 1.0),
        ("a", "b", [0, 2], 1.0, 1.0),
    ]
    assert pairs.start.tolist() == [0, 1, 4, 5, 6]
    assert pairs_of(games_of([])).start.tolist() == [0]


@every
def test_ratings_by_seat(each: Rater) -> None:
    results = history(seed=7, games=1200, skill=(-100, 0, 100), seat=150)
    ratings = each.rate(by_seat(results))
    assert sorted(ratings) == [f"p{player}@seat{seat}" for player in range(3) for seat in range(2)]
    for player in range(3):
        assert ratings[f"p{player}@seat0"].mean > ratings[f"p{player}@seat1"].mean
        assert ratings[f"p{player}@seat0"].games + ratings[f"p{player}@seat1"].games == sum(
            f"p{player}" in result.players for result in results
        )


def test_a_game_against_oneself_tells_seats_apart() -> None:
    ratings = rater("bradley-terry").rate(by_seat([game(["a", "a"], [1, 0], seed) for seed in range(20)]))
    assert ratings["a@seat0"].mean > 1600 > ratings["a@seat1"].mean


def test_no_two_players_and_seats_get_the_same_name() -> None:
    names = ["a", "a@seat1", "a@seat", "ada:1000", "@seat0"]
    made = {seated(name, seat): (name, seat) for name in names for seat in (0, 1, 10)}
    assert len(made) == 15
    assert all(unseated(label) == source for label, source in made.items())


def test_a_team_keeps_one_name() -> None:
    def label(players: str, score: list[float]) -> list[str]:
        (result,) = by_seat([game(players, score)])
        return [name.replace("@seat", "") for name in result.players]

    assert label("aabb", [1, 1, 0, 0]) == ["a0", "a0", "b2", "b2"]
    assert label("abab", [1, 0, 1, 0]) == ["a0", "b1", "a0", "b1"]
    assert label("abab", [3, 0, 2, 0]) == ["a0", "b1", "a2", "b1"], "two of a against b, each for itself"
    assert label("aa", [0, 0]) == ["a0", "a1"]
