"""Payoff: a log counted by hand, both ways round, and what stands in for games that were not played."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.ratings.games import games_of
from arena.ratings.payoff import Payoff, payoff_of, square
from arena.result import Result
from envs.errors import InputError

NAMES = ("ada", "bob", "cyd", "dot")


def game(players: tuple[str, ...], score: tuple[float, ...]) -> Result:
    return Result("Toy-v0", players, score, 1, 0, "rules")


DUELS = st.lists(
    st.tuples(st.sampled_from(list(permutations(NAMES, 2))), st.sampled_from([(1.0, -1.0), (0.0, 0.0), (-3.0, 3.0)])),
    max_size=40,
).map(lambda games: [game(*each) for each in games])
FREE_FOR_ALL = st.lists(
    st.permutations(NAMES).flatmap(
        lambda names: st.integers(2, 4).flatmap(
            lambda count: st.tuples(
                st.just(tuple(names[:count])), st.tuples(*[st.sampled_from([0.0, 1.0, 2.5])] * count)
            )
        )
    ),
    max_size=20,
).map(lambda games: [game(*each) for each in games])


def by_hand(log: list[Result], one: str, other: str, unit: str) -> list[float]:
    """What `one` got from `other`, game by game."""
    found = []
    for result in log:
        held = dict(zip(result.players, result.score, strict=True))
        if one in held and other in held:
            ahead = float(np.sign(held[one] - held[other]))
            found.append(ahead if unit == "win" else held[one])
    return found


def check(payoff: Payoff, log: list[Result]) -> None:
    for row, one in enumerate(payoff.names):
        for column, other in enumerate(payoff.names):
            if one == other:
                assert payoff.games[row, row] == 0 and payoff.mean[row, row] == 0 and payoff.filled()[row, row] == 0
                continue
            results = by_hand(log, one, other, payoff.unit)
            assert payoff.games[row, column] == len(results)
            mean = math.fsum(results) / len(results) if results else math.nan
            assert payoff.mean[row, column] == pytest.approx(mean, nan_ok=True)
            assert payoff.filled()[row, column] == pytest.approx(mean if results else 0)
            assert payoff.filled(3)[row, column] == pytest.approx(math.fsum(results) / (len(results) + 3))
            assert payoff.squares[row, column] == pytest.approx(math.fsum(r * r for r in results))


@given(DUELS)
def test_duels(log: list[Result]) -> None:
    games = games_of(log)
    for payoff in (payoff_of(games), payoff_of(games, "score")):
        check(payoff, log)
        np.testing.assert_array_equal(payoff.filled(), -payoff.filled().T)  # to the last bit: they are zero-sum


@given(FREE_FOR_ALL)
def test_free_for_all(log: list[Result]) -> None:
    """Any number of sides: each two of them met."""
    games = games_of(log)
    for payoff in (payoff_of(games), payoff_of(games, "score")):
        check(payoff, log)
    np.testing.assert_array_equal(payoff_of(games).total, -payoff_of(games).total.T)


def test_by_example() -> None:
    log = [game(("ada", "bob"), (1, -1))] * 3 + [game(("bob", "ada"), (2, -2))] + [game(("cyd", "bob"), (0, 0))] * 2
    payoff = payoff_of(games_of(log))
    assert payoff.names == ("ada", "bob", "cyd")
    assert payoff.games.tolist() == [[0, 4, 0], [4, 0, 2], [0, 2, 0]]
    assert payoff.win_share[0].tolist() == pytest.approx([0.5, 0.75, math.nan], nan_ok=True)
    assert payoff.filled().tolist() == [[0, 0.5, 0], [-0.5, 0, 0], [0, 0, 0]]
    assert payoff_of(games_of(log), "score").mean[0, 1] == pytest.approx(0.25)


def test_score_of_a_game_that_is_not_zero_sum() -> None:
    payoff = payoff_of(games_of([game(("ada", "bob"), (5, 0)), game(("bob", "ada"), (3, 3))]), "score")
    assert (payoff.mean[0, 1], payoff.mean[1, 0]) == (4, 1.5)
    with pytest.raises(InputError, match='unit="win"'):
        _ = payoff.win_share
    with pytest.raises(InputError, match='unit="win"'):
        payoff.interval()


def test_a_player_may_sit_in_several_seats() -> None:
    log = [game(("ada", "ada", "bob", "bob"), (1, 1, 0, 0)), game(("ada", "ada"), (1, 0))]
    payoff = payoff_of(games_of(log))
    assert payoff.games.tolist() == [[0, 1], [1, 0]] and payoff.mean[0, 1] == 1


@pytest.mark.parametrize(("wins", "draws", "losses"), [(10, 0, 0), (7, 2, 1), (0, 5, 0), (3, 0, 3), (0, 0, 1)])
def test_intervals(wins: int, draws: int, losses: int) -> None:
    """Mean and deviation of the games and of two wins and two losses more."""
    scores = [(1, -1)] * wins + [(0, 0)] * draws + [(-1, 1)] * losses
    payoff = payoff_of(games_of([game(("ada", "bob"), score) for score in scores]))
    held = [float(own) for own, _ in scores] + [1, 1, -1, -1]
    half = 1.96 * np.std(held) / len(held) ** 0.5
    low, high = payoff.interval()
    assert low[0, 1] == pytest.approx(max(np.mean(held) - half, -1))
    assert high[0, 1] == pytest.approx(min(np.mean(held) + half, 1))
    assert (low[1, 0], high[1, 0]) == pytest.approx((-high[0, 1], -low[0, 1]))
    assert low[0, 1] < payoff.mean[0, 1] or wins + draws == 0
    with pytest.raises(InputError, match="narrower"):
        payoff.interval(-1)


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    """Binomial pairs of 8 to 200 games: 95 % of intervals, at least 93 %, never all by being absurdly wide."""
    rng = np.random.default_rng(0)
    for chance in (0.5, 0.7, 0.95):
        for games in (8, 50, 200):
            wins = rng.binomial(games, chance, 20_000)
            total = (2 * wins - games).astype(np.float64)
            # One row against twenty thousand others, built without a log.
            table = Payoff(("x",), "win", np.full((1, 20_000), games), total[None], np.full((1, 20_000), float(games)))
            low, high = table.interval()
            covered = float(np.mean((low <= 2 * chance - 1) & (2 * chance - 1 <= high)))
            assert 0.93 < covered < 0.995, (chance, games)


def test_among_some() -> None:
    log = [game(("ada", "bob"), (1, -1))] * 3 + [game(("bob", "cyd"), (2, -2))] + [game(("cyd", "ada"), (0, 0))] * 2
    whole = payoff_of(games_of(log))
    part = whole.among(("cyd", "eve", "ada"))
    assert part.names == ("cyd", "eve", "ada") and part.unit == "win"
    assert part.games.tolist() == [[0, 0, 2], [0, 0, 0], [2, 0, 0]]
    assert part.mean[0].tolist() == pytest.approx([0, math.nan, 0], nan_ok=True)
    np.testing.assert_array_equal(whole.among(whole.names).total, whole.total)
    assert whole.among(()).filled().shape == (0, 0)
    with pytest.raises(InputError, match="once each"):
        whole.among(("ada", "ada"))


def test_an_empty_log() -> None:
    payoff = payoff_of(games_of([]))
    assert payoff.names == () and payoff.filled().shape == (0, 0)


def test_what_is_refused() -> None:
    payoff = payoff_of(games_of([game(("ada", "bob"), (1, -1))]))
    with pytest.raises(InputError, match="did you mean 'score'"):
        payoff_of(games_of([]), "scores")  # type: ignore[arg-type]
    for pseudo in (-1.0, math.nan):
        with pytest.raises(InputError, match="pseudo"):
            payoff.filled(pseudo)


@pytest.mark.parametrize(
    ("table", "said"),
    [([[0, 1]], "columns"), ([], "columns"), ([[0, math.nan], [0, 0]], "filled"), ([[0, 1], [1, 0]], "zero-sum")],
)
def test_tables_that_no_solver_takes(table: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        square(np.array(table, float), zero_sum=True)


def test_a_long_log() -> None:
    """A million games among 200 players, counted in one pass over arrays."""
    rng = np.random.default_rng(0)
    games = games_of([game((f"p{i}", f"p{i + 1}"), (1, -1)) for i in range(199)])
    sides = rng.permuted(np.tile(np.arange(200), (100, 1)), axis=1)[:, :2]  # no player meets itself
    pairs = sides[rng.integers(100, size=1_000_000)]
    scores = rng.integers(-1, 2, 1_000_000)
    held = np.stack([scores, -scores], axis=1).reshape(-1).astype(np.float64)
    seats = np.tile([0, 1], 1_000_000)
    long = replace(games, start=np.arange(0, 2_000_001, 2), player=pairs.reshape(-1), score=held, seat=seats)
    payoff = payoff_of(long)
    assert payoff.games.sum() == 2_000_000 and payoff.squares.sum() == 2 * (scores**2).sum()
    one, other = pairs[0]
    here = (pairs == [one, other]).all(axis=1)
    there = (pairs == [other, one]).all(axis=1)
    assert payoff.total[one, other] == scores[here].sum() - scores[there].sum()
