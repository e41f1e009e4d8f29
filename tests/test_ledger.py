"""Ledger: what is known while games come is what the whole log says."""

from __future__ import annotations

import numpy as np
import pytest

from arena.league import ledger as module
from arena.league.ledger import Ledger
from arena.league.standings import standings
from arena.ratings.games import games_of
from arena.ratings.payoff import payoff_of
from arena.ratings.rating import Rating
from arena.ratings.trueskill import rate
from arena.result import Result
from tests.histories import duels, game, history

ROLES = {"p0": "anchor", "p1": "main"}
THREE = [game([f"p{at % 4}", f"p{(at + 1) % 4}", f"p{(at + 2) % 4}"], [at % 3, at % 2, 1], at) for at in range(40)]
LOGS = {
    "duels": history(1, 300, [0, 50, 100, 150, 400], seat=30),
    "of three": THREE,
    "mixed": [*history(2, 50, [0, 9]), *THREE],
}


@pytest.mark.parametrize("log", LOGS.values(), ids=LOGS)
@pytest.mark.parametrize("asked", [True, False])
def test_it_says_what_the_log_does(log: list[Result], asked: bool) -> None:
    """Whether somebody asks after each block or only in the end."""
    ledger = Ledger(games_of(log[:20]), lambda: ROLES)
    for first in range(20, len(log), 10):
        ledger.add(games_of(log[first : first + 10]))
        if asked:
            part = games_of(log[: first + 10])
            assert ledger.ratings == rate(part) and ledger.standings == standings(part, ROLES)
            assert len(ledger.payoff.names) == len(part.names)
    games = games_of(log)
    assert ledger.ratings == rate(games)
    assert ledger.standings == standings(games, ROLES) == ledger.shown
    for ours, theirs in ((ledger.payoff, payoff_of(games)), (ledger.scores, payoff_of(games, "score"))):
        assert (ours.names, ours.unit) == (theirs.names, theirs.unit)
        np.testing.assert_array_equal(ours.games, theirs.games)
        np.testing.assert_array_equal(ours.total, theirs.total)


def test_nothing_is_worked_out_twice() -> None:
    ledger = Ledger(games_of(duels("a", "b", 5)), dict)
    table, ratings = ledger.standings, ledger.ratings
    ledger.add(games_of([]))
    assert ledger.standings is table and ledger.ratings is ratings
    ledger.add(games_of(duels("b", "c", 5)))
    assert ledger.standings is not table and len(ledger.standings) == 3


def test_a_log_without_games() -> None:
    ledger = Ledger(games_of([]), dict)
    assert (ledger.standings, ledger.ratings, ledger.payoff.names) == ([], {}, ())
    ledger.add(games_of(duels("a", "b", 5)))
    assert set(ledger.ratings) == {"a", "b"}


def test_ratings_of_before() -> None:
    log = [*duels("a", "b", 5), *duels("b", "c", 5), *duels("a", "b", 5)]
    ledger = Ledger(games_of(log), dict)
    assert ledger.before("c") == rate(log[:5])
    assert ledger.before("a") == {}


def test_standings_that_take_long_are_not_made_whenever_somebody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("time.monotonic", lambda: now)

    def slow(*_: object) -> list[object]:
        nonlocal now
        now += module.LONG + 1
        return [now]

    monkeypatch.setattr(module, "standings", slow)
    ledger = Ledger(games_of(duels("a", "b", 5)), dict)
    first = ledger.shown
    ledger.add(games_of(duels("a", "b", 5)))
    assert ledger.shown is first
    assert ledger.standings is not first  # who must know, knows
    second = ledger.shown
    ledger.add(games_of(duels("a", "b", 5)))
    now += module.PATIENCE * (module.LONG + 1) - 0.1
    assert ledger.shown is second
    now += 0.2
    assert ledger.shown is not second


def test_who_does_not_wait_may_know_a_little_less(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    real = Ledger._rated

    def slow(self: Ledger) -> dict[str, Rating]:
        nonlocal now
        now += module.LONG + 1
        return real(self)

    monkeypatch.setattr(Ledger, "_rated", slow)
    ledger = Ledger(games_of(duels("a", "b", 5)), dict)
    ledger.patience = 3.0
    first = ledger.ratings
    ledger.add(games_of(duels("b", "c", 5)))
    assert ledger.ratings is first
    assert {one.name for one in ledger.standings} == {"a", "b", "c"}  # which are never out of date
    assert set(ledger.ratings) == {"a", "b", "c"}
    ledger.add(games_of(duels("c", "d", 5)))
    now += 3 * (module.LONG + 1) + 0.1
    assert set(ledger.ratings) == {"a", "b", "c", "d"}
    assert len(ledger.payoff.names) == 4
    ledger.add(games_of(duels("d", "e", 5)))
    assert len(ledger.payoff.names) == 5  # which took no time
