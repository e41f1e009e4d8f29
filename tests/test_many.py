"""The fit of many players against the one that solves for all at once."""

from __future__ import annotations

import math

import numpy as np
import pytest

from arena.ratings import bradley_terry, conjugate, many
from arena.ratings.bradley_terry import BradleyTerrySettings, fit_history
from arena.ratings.disagreement import disagreements
from arena.ratings.fit import Fit
from arena.ratings.games import Games, games_of
from arena.ratings.trueskill import rate
from arena.result import Result
from tests.histories import duels, game

RNG = np.random.default_rng
ROWS = np.array([5, 0, 17, 60, 3])


def league(seed: int, players: int = 70, rivals: int = 5, anchors: int = 2, draws: bool = True) -> list[Result]:
    """Each met all anchors and some of those before, from both seats, as in a league."""
    rng = RNG(seed)
    skill = np.append(np.zeros(anchors), np.linspace(-3, 3, players - anchors)) + rng.normal(0, 0.3, players)
    found = []
    for one in range(anchors, players):
        before = rng.permutation(np.arange(anchors, one))[:rivals].tolist() if one > anchors else []
        for other in [*range(anchors), *before]:
            for number in range(24):
                a, b = (one, other) if number % 2 else (other, one)
                chance = 1 / (1 + math.exp(skill[b] - skill[a] - 0.2))
                score = 0 if draws and rng.random() < 0.2 else 1 if rng.random() < chance else -1
                found.append(game([f"p{a:03}", f"p{b:03}"], [score, -score], number // 2))
    return found


def ladder() -> list[Result]:
    """Everybody only met the next ones, so that what one game says travels far; and two who met nobody else."""
    found = []
    for one in range(60):
        for other in (one + 1, one + 3):
            found += duels(f"p{one:03}", f"p{other:03}", 6 + one % 3, 2, 5)
    return [*found, *duels("x", "y", 5, 1, 3)]


LOGS = {
    "league": league(0),
    "without anchors": league(1, anchors=0),
    "without draws": league(2, draws=False),
    "one seat each": [one for one in league(3) if one.players[0] < one.players[1]],
    "ladder": ladder(),
}


def both(games: Games, settings: BradleyTerrySettings, monkeypatch: pytest.MonkeyPatch) -> tuple[Fit, Fit]:
    whole = fit_history(games, settings)
    with monkeypatch.context() as patch:
        patch.setattr(bradley_terry, "MANY", 10)
        return fit_history(games, settings), whole


@pytest.mark.parametrize("log", LOGS.values(), ids=LOGS)
@pytest.mark.parametrize(
    "settings",
    [
        BradleyTerrySettings(),
        BradleyTerrySettings(anchor="p003", initial=0.0),
        BradleyTerrySettings(prior=100.0, seat_advantage=False),
    ],
    ids=["mean", "anchor", "strong prior"],
)
def test_it_is_the_same_fit(log: list[Result], settings: BradleyTerrySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    found, whole = both(games_of(log), settings, monkeypatch)
    assert not isinstance(found.errors, np.ndarray) and isinstance(whole.errors, np.ndarray)
    assert (found.names, found.games, found.seats) == (whole.names, whole.games, whole.seats)
    np.testing.assert_allclose(found.mean, whole.mean, atol=1e-6)
    np.testing.assert_allclose(found.seat_mean, whole.seat_mean, atol=1e-6)
    np.testing.assert_allclose(found.seat_stderr, whole.seat_stderr, atol=1e-6)
    assert found.draw == pytest.approx(whole.draw, abs=1e-9)
    np.testing.assert_allclose(found.variance, whole.variance, rtol=0.04, atol=1e-6)
    scale = np.sqrt(np.outer(whole.variance, whole.variance)) + 1e-9
    np.testing.assert_allclose(found.covariance / scale, whole.covariance / scale, atol=0.12)
    np.testing.assert_allclose(found.block(ROWS), found.covariance[np.ix_(ROWS, ROWS)], atol=1e-6)
    for a, b in (("p000", "p001"), ("p003", "p050"), ("p010", "p010")):
        ours, theirs = found.difference(a, b), whole.difference(a, b)
        assert ours[0] == pytest.approx(theirs[0], abs=1e-6)
        assert ours[1] == pytest.approx(theirs[1], rel=0.06)
    for name, one in found.ratings().items():
        assert one.stderr == pytest.approx(whole.ratings()[name].stderr, rel=0.02, abs=1e-6)


def test_looking_farther_comes_closer(monkeypatch: pytest.MonkeyPatch) -> None:
    """To the end, which is exact; with a few steps, from below."""
    games, errors = games_of(LOGS["league"]), []
    for close in (0.3, 0.03, 1e-3, 1e-12):
        monkeypatch.setattr(many, "CLOSE", close)
        found, whole = both(games, BradleyTerrySettings(), monkeypatch)
        errors.append(float(np.abs(found.variance / whole.variance - 1).max()))
    assert errors == sorted(errors, reverse=True)
    assert errors[0] > 0.01 and errors[-1] < 1e-6


def test_only_what_is_asked_for_is_worked_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bradley_terry, "MANY", 10)
    games = games_of(LOGS["league"])
    assert isinstance(fit_history(games, BradleyTerrySettings(errors="bootstrap", replicates=3)).errors, np.ndarray)
    assert isinstance(fit_history(games, BradleyTerrySettings(prior=None)).errors, np.ndarray)
    assert fit_history(games_of([])).names == ()


def test_disagreements_among_the_best(monkeypatch: pytest.MonkeyPatch) -> None:
    """A player that beat others on their weak days: the order of games fools online ratings."""
    results = [*duels("a", "c", 40), *duels("b", "c", 0, lost=40), *duels("a", "b", 30, lost=20), *duels("c", "a", 60)]
    results += [*duels("d", "c", 0, lost=50), *duels("e", "d", 0, lost=50)]
    online, fit = rate(results), fit_history(results)
    found = disagreements(online, fit)
    assert found
    best = set(sorted(online, key=lambda name: -online[name].exposed)[:3])
    some = disagreements(online, fit, most=3)
    assert some == [one for one in found if {one.better, one.worse} <= best]
    assert disagreements(online, fit, most=1) == []


def test_groups() -> None:
    start, other = np.array([0, 1, 2, 2, 4, 5, 6]), np.array([1, 0, 4, 5, 3, 3])
    assert conjugate.components(start, other).tolist() == [0, 0, 1, 2, 2, 2]
