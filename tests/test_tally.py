"""Tally: a log of duels counted up at once, bit by bit, and in the ways of before."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from arena.ratings import payoff as tables
from arena.ratings import tally as counting
from arena.ratings.cells import cells_of, table_of
from arena.ratings.cycles import cycles
from arena.ratings.games import Games, GrowingGames, games_of
from arena.ratings.payoff import Payoff, SparsePayoff, payoff_of, payoff_of_tally
from arena.ratings.tally import Tally
from arena.ratings.trueskill import Online, TrueSkillSettings, rate
from arena.result import Result
from tests.histories import duels, game, history

SKILL = np.linspace(-300, 300, 12).tolist()


def log(seed: int = 0, games: int = 900) -> list[Result]:
    """Duels with scores that no sum is exact of, a few in far seats."""
    rng = np.random.default_rng(seed)
    results = []
    for one in history(seed, games, SKILL, seat=60):
        share = float(rng.random())
        score = tuple(own * share for own in one.score)
        results.append(replace(one, score=score))
    return results


def far(a: str, b: str) -> list[Result]:
    """Games of two in four seats."""
    return [
        game([a, a, b, b], [1, 1, 0, 0]),
        game([b, b, a, a], [1, 1, 0, 0]),
        game([b, a, b, b], [0.5, 0.5, 0.5, 0.5]),
    ]


def by_hand(games: Games, unit: str) -> tuple[np.ndarray, ...]:
    """Tables as sums over first all games of the one that sat first, and then over all games of the other."""
    size = len(games.names)
    met, total, squares = (np.zeros((size, size)) for _ in range(3))
    parts = [np.zeros((2, size, size)) for _ in range(2)]
    for which in (0, 1):
        own, other = games.player[which::2], games.player[1 - which :: 2]
        mine, theirs = games.score[which::2], games.score[1 - which :: 2]
        result = np.sign(mine - theirs) if unit == "win" else mine
        for i, j, value in zip(own, other, result, strict=True):
            met[i, j] += 1
            parts[0][which, i, j] += value
            parts[1][which, i, j] += value * value
    total, squares = (part[0] + part[1] for part in parts)
    return met, total, squares


@pytest.mark.parametrize("part", [1, 7, 1 << 16])
def test_counted_bit_by_bit_it_is_the_same(part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "PART", part)
    results = log()
    games, growing, tally, online = games_of(results), GrowingGames(games_of([])), Tally(), Online()
    for first in range(0, len(results), 100):
        growing.add(games_of(results[first : first + 100]))
        tally.read(growing.games)
        online.ratings(growing.games)
        assert tally.games == first + 100
    for name in ("start", "player", "score", "seat", "seed", "steps"):
        np.testing.assert_array_equal(getattr(growing.games, name), getattr(games, name))
    assert growing.games.names == games.names
    assert online.ratings(growing.games) == rate(results)
    for unit in ("win", "score"):
        ours, theirs = payoff_of_tally(tally, games.names, unit), payoff_of(games, unit)
        for one, other in zip(ours.cells(), theirs.cells(), strict=True):
            np.testing.assert_array_equal(one, other)
        for table, hand in zip((theirs.games, theirs.total, theirs.squares), by_hand(games, unit), strict=True):
            np.testing.assert_array_equal(table, hand)  # to the last bit


def test_ratings_go_on_where_nobody_draws() -> None:
    """The chance of a draw stays 0, so that only new games are played; the settings' own chance never changes."""
    results = [one for one in history(3, 400, SKILL) if one.score[0]]
    for settings in (None, TrueSkillSettings(draw_probability=0.1)):
        online = Online(settings)
        for count in (50, 51, 200, len(results)):
            assert online.ratings(games_of(results[:count])) == rate(results[:count], settings)
        assert rate(results[:200], settings) != rate(results, settings)


def test_the_first_games() -> None:
    results = log()
    games = games_of(results)
    for count in (0, 1, 2, 57, len(results)):
        ours, theirs = games.first(count), games_of(results[:count])
        assert (ours.names, ours.start.tolist()) == (theirs.names, theirs.start.tolist())
        assert ours.player.tolist() == theirs.player.tolist() and ours.seed.tolist() == theirs.seed.tolist()


@pytest.mark.parametrize("results", [log(), [], duels("b", "a", 3), far("a", "b") + far("c", "a") + duels("b", "c", 2)])
def test_the_table_of_a_fit(results: list[Result]) -> None:
    games = games_of(results)
    cells = cells_of(games)
    names, seats, table = table_of(games)
    assert (names, seats) == (cells.names, cells.seats)
    np.testing.assert_array_equal(table.place, cells.table().place)
    np.testing.assert_array_equal(table.count, cells.table().count)
    assert (table.players, table.seats) == (cells.table().players, cells.table().seats)


def test_of_many_players_no_whole_tables_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    games = games_of(log())
    whole = payoff_of(games)
    monkeypatch.setattr(tables, "WHOLE", 3)
    found = payoff_of(games)
    assert isinstance(found, SparsePayoff) and not isinstance(whole, SparsePayoff)
    names = ["p3", "nobody", "p0", "p7", "p8"]
    for ours, theirs in ((found, whole), (found.among(names), whole.among(names))):
        assert ours.names == theirs.names
        for one, other in zip(ours.cells(), theirs.cells(), strict=True):
            np.testing.assert_array_equal(one, other)
        for name in ("games", "total", "squares", "win_share"):
            np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))
        np.testing.assert_array_equal(ours.filled(2), theirs.filled(2))
        for name in names:
            for one, other in zip(ours.row(name, names), theirs.row(name, names), strict=True):
                np.testing.assert_array_equal(one, other)
    assert isinstance(found.among(names[:2]), Payoff) and not isinstance(found.among(names[:2]), SparsePayoff)
    assert cycles(whole, 50, 1, 0.1)
    for least in (1, 10):
        assert cycles(found, 50, least, 0.1) == cycles(whole, 50, least, 0.1)
    empty = SparsePayoff(("a", "b", "c", "d"), "win", found.cells().at(np.zeros(0, np.int64)))
    assert empty.row("a", ["b", "x"])[0].tolist() == [0, 0] and empty.games.sum() == 0
