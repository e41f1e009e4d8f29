"""A league that was stopped, or died, goes on as if nothing had happened: with all that a league can have."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import arena.execution.job as job_module
import arena.league.course as course_module
import arena.league.ledger as ledger_module
import arena.league.trial as trial_module
from arena.league import League
from arena.store import RunFolder
from arena.trainer import Stretch
from tests.leagues import after, full, kinds, outcome, run, tiny

WRITES: list[tuple[Any, str]] = [
    (RunFolder, "add_member"),
    (RunFolder, "add_snapshot"),
    (RunFolder, "append_block"),
    (RunFolder, "append_event"),
    (RunFolder, "append_metrics"),
    (RunFolder, "write_atomic"),
    (course_module, "save_snapshot"),
]
"""Everything that changes a run folder while it trains."""
PLACES: dict[str, tuple[list[tuple[Any, str]], list[int]]] = {
    "at a write": (WRITES, [0, 3, *range(5, 140, 12)]),
    "in training": ([(Stretch, "iterate")], [0, 17]),
    "in a rated game": ([(job_module, "run_block")], [1, 20]),
    "in a game for promotion": ([(trial_module, "run_block")], [0, 9]),
    "before standings": ([(ledger_module, "standings")], [5]),
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The run that the others are compared with."""
    return run(tmp_path_factory.mktemp("runs") / "whole", full())


def test_everything_happens(whole: dict[str, Any]) -> None:
    """Or the tests below would not say much."""
    happened = set(kinds(whole))
    assert {("reset", "eve"), ("reset", "lea"), ("promoted", "ada"), ("not promoted", "ada")} <= happened
    assert ("copied", "bob") in happened and ("cycle", None) in happened
    assert sum(record["kind"] == "training" for record in whole["metrics"]) == 16


def test_equal_seeds_give_equal_runs(whole: dict[str, Any], tmp_path: Path) -> None:
    assert run(tmp_path / "again", full()) == whole
    other = run(tmp_path / "other", full(seed=1))
    assert other["results"] != whole["results"] and other["events"] != whole["events"]


def test_threads_change_nothing(whole: dict[str, Any], tmp_path: Path) -> None:
    assert run(tmp_path / "two", full(threads=2)) == whole


@pytest.mark.parametrize("stretches", [1, 4, 7, 10, 14])
def test_resuming_is_never_having_stopped(stretches: int, whole: dict[str, Any], tmp_path: Path) -> None:
    with League.create(tmp_path / "run", full()) as league:
        league.run(stop=after(stretches))
        assert sum(learner.stretches for learner in league.learners) == stretches
    with League.open(tmp_path / "run", write=True) as league:
        league.run()
    assert outcome(tmp_path / "run") == whole


def test_stopping_all_the_time(whole: dict[str, Any], tmp_path: Path) -> None:
    League.create(tmp_path / "run", full()).close()
    for _ in range(17):
        with League.open(tmp_path / "run", write=True) as league:
            league.run(stop=after(1))
    assert outcome(tmp_path / "run") == whole


def test_going_on_in_the_same_process(whole: dict[str, Any], tmp_path: Path) -> None:
    with League.create(tmp_path / "run", full()) as league:
        for _ in range(17):
            league.run(stop=after(1))
    assert outcome(tmp_path / "run") == whole


def test_a_game_of_many_steps_goes_on_too(tmp_path: Path) -> None:
    """With two streams, games that are cut by the end of a rollout, and mirrored ones."""
    whole = run(tmp_path / "whole", tiny())
    with League.create(tmp_path / "run", tiny(threads=2)) as league:
        league.run(stop=after(2))
    with League.open(tmp_path / "run", write=True) as league:
        league.run()
    assert outcome(tmp_path / "run") == whole


class Killed(BaseException):
    """What ends a process in mid-work."""


def die_at(call: int, places: list[tuple[Any, str]], patch: pytest.MonkeyPatch) -> None:
    """The call of this number (from 0), of all calls of functions at `places`, raises and does nothing."""
    count = itertools.count()

    def failing(function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*given: Any, **named: Any) -> Any:
            if next(count) == call:
                raise Killed
            return function(*given, **named)

        return wrapped

    for owner, name in places:
        patch.setattr(owner, name, failing(getattr(owner, name)))


@pytest.mark.parametrize(
    ("place", "call", "reopen"),
    [
        *((place, call, True) for place, (_, calls) in PLACES.items() for call in calls),
        *((place, calls[-1], False) for place, (_, calls) in PLACES.items()),
    ],
)
def test_dying_anywhere_loses_nothing(
    place: str, call: int, reopen: bool, whole: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was begun is begun again: the same games, the same bytes; metrics may tell of it twice or not at all."""
    league = None
    with monkeypatch.context() as patch:
        die_at(call, PLACES[place][0], patch)
        with pytest.raises(Killed):  # noqa: PT012  # it may die while it is made
            league = League.create(tmp_path / "run", full())
            league.run()
    if reopen or league is None:
        if league:
            league.close()
        league = League.open(tmp_path / "run", write=True)
    with league:
        league.run()
    found = outcome(tmp_path / "run")
    assert {**found, "metrics": None} == {**whole, "metrics": None}
