"""Cycles: every triple looked at by hand, planted ones found, luck not taken for one."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from arena.ratings.cycles import Cycle, cycles
from arena.ratings.games import games_of
from arena.ratings.payoff import Payoff, payoff_of
from arena.result import Result
from envs.errors import InputError


def payoff(names: tuple[str, ...], wins: NDArray[np.int64], games: NDArray[np.int64]) -> Payoff:
    """`wins` [n, n] of each against each, no draws; games are symmetric."""
    total = (wins - wins.T).astype(float)
    return Payoff(names, "win", games, total, games.astype(float))


def random_payoff(rng: np.random.Generator, n: int, most: int = 60) -> Payoff:
    games = np.triu(rng.integers(0, most, (n, n)), 1)
    wins = rng.binomial(games, rng.random((n, n)))
    names = tuple(f"p{number}" for number in rng.permutation(n))
    return payoff(names, wins + (games - wins).T, games + games.T)


def by_hand(table: Payoff, min_games: int, errors: float) -> dict[tuple[str, ...], float]:
    """Strength of every cycle, by its players, the first in the alphabet first."""
    low, _ = table.interval(errors)
    found = {}
    for trio in permutations(range(len(table.names)), 3):
        links = [(trio[0], trio[1]), (trio[1], trio[2]), (trio[2], trio[0])]
        names = tuple(table.names[player] for player in trio)
        if names[0] == min(names) and all(table.games[link] >= min_games and low[link] > 0 for link in links):
            found[names] = min(float(table.mean[link]) for link in links)
    return found


@given(st.integers(0, 9), st.integers(0, 10**6), st.sampled_from([(1, 0.0), (10, 2.0), (30, 1.0)]))
@settings(max_examples=60)
def test_all_cycles(n: int, seed: int, limits: tuple[int, float]) -> None:
    table = random_payoff(np.random.default_rng(seed), n)
    expected = by_hand(table, *limits)
    found = cycles(table, 10**6, *limits)
    assert {cycle.players: cycle.strength for cycle in found} == pytest.approx(expected)
    order = [(-cycle.strength, cycle.players) for cycle in found]
    assert order == sorted(order)
    assert cycles(table, 2, *limits) == found[:2]
    index = {name: place for place, name in enumerate(table.names)}
    for cycle in found:
        links = zip(cycle.players, cycle.players[1:] + cycle.players[:1], strict=True)
        for (one, other), margin, games in zip(links, cycle.margins, cycle.games, strict=True):
            assert margin == table.mean[index[one], index[other]]
            assert games == table.games[index[one], index[other]]


def test_from_a_log() -> None:
    wins = {("rock", "scissors"): 30, ("scissors", "paper"): 26, ("paper", "rock"): 28}
    log = []
    for (winner, loser), count in wins.items():
        for game in range(32):
            score = (1.0, -1.0) if game < count else (-1.0, 1.0)
            log.append(Result("Toy-v0", (winner, loser), score, 1, game, "rules"))
        log += [Result("Toy-v0", (winner, "fool"), (1.0, -1.0), 1, 0, "rules")] * 32
    (found,) = cycles(payoff_of(games_of(log)))
    assert found == Cycle(("paper", "rock", "scissors"), (0.75, 0.875, 0.625), (32, 32, 32))
    assert found.strength == 0.625
    assert str(found) == "paper beats rock (+0.75), rock beats scissors (+0.88), scissors beats paper (+0.62)"


def test_few_games_and_small_margins_are_no_cycle() -> None:
    ring = np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0]])

    def table(games: int, wins: int) -> Payoff:
        played = games * (1 - np.eye(3, dtype=np.int64))
        return payoff(("a", "b", "c"), wins * ring + (games - wins) * ring.T, played)

    assert len(cycles(table(20, 18))) == 1
    assert cycles(table(20, 18), min_games=21) == []
    assert cycles(table(20, 12)) == []  # 60 % of 20 may well be luck
    assert len(cycles(table(20, 12), errors=0.5)) == 1
    assert len(cycles(table(2000, 1200))) == 1
    assert cycles(table(20, 10), errors=0.0) == []  # level is not ahead


def test_equals_make_hardly_any_cycle() -> None:
    """Coin flips among 30: of 8,120 cyclic orders of three, a few pass by luck; none is strong."""
    rng = np.random.default_rng(0)
    games = np.triu(np.full((30, 30), 200), 1)
    wins = rng.binomial(games, 0.5)
    table = payoff(tuple(f"p{n:02}" for n in range(30)), wins + (games - wins).T, games + games.T)
    found = cycles(table, 10**6)
    assert len(found) < 20 and all(cycle.strength < 0.3 for cycle in found)
    assert len(cycles(table, 10**6, errors=0.0)) > 500


def test_two_hundred_players() -> None:
    table = random_payoff(np.random.default_rng(0), 200)
    found = cycles(table, 25)
    assert len(found) == 25 and found[0].strength >= found[-1].strength > 0.9


def test_what_is_refused() -> None:
    table = random_payoff(np.random.default_rng(0), 4)
    for wrong in ({"most": 0}, {"min_games": 0}):
        with pytest.raises(InputError, match="at least 1"):
            cycles(table, **wrong)
    with pytest.raises(InputError, match="narrower"):
        cycles(table, errors=-1.0)
    with pytest.raises(InputError, match='unit="win"'):
        cycles(payoff_of(games_of([]), "score"))
