"""A league on executors: the same in rounds wherever jobs run, and whole in turns whatever happens to workers."""

from __future__ import annotations

import itertools
import os
import signal
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from arena.execution import JobFault, make_executor
from arena.execution.agenda import Agenda, Work, finish
from arena.execution.process import ProcessExecutor
from arena.execution.serial import SerialExecutor
from arena.league import League
from arena.league.config import ResourcesConfig
from arena.store import RunFolder
from arena.store.verify import verify
from envs.errors import InputError
from tests.jobs import double, fail
from tests.leagues import after, full, outcome, tiny
from tests.test_league_resume import PLACES, Killed, die_at


@pytest.fixture(scope="module")
def rounds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A run by rounds, in this process."""
    path = tmp_path_factory.mktemp("runs") / "rounds"
    with League.create(path, full(sync=True)) as league:
        league.run()
    return outcome(path)


@pytest.mark.parametrize(("kind", "workers"), [("serial", None), ("process", 1), ("process", 3)])
def test_rounds_are_the_same_everywhere(kind: str, workers: int | None, rounds: dict[str, Any], tmp_path: Path) -> None:
    with make_executor(kind, workers) as executor, League.create(tmp_path / "run", full(sync=True)) as league:
        league.run(executor=executor)
        assert executor.unfinished == 0
    assert outcome(tmp_path / "run") == rounds


def test_a_round_is_not_a_series_of_turns(rounds: dict[str, Any], tmp_path: Path) -> None:
    """Nobody sees what the others of its round have learnt."""
    trained = [record for record in rounds["metrics"] if record["kind"] == "training"]
    members = [record["member"] for record in trained]
    assert members == ["ada", "bob", "eve", "lea"] * 4
    for place, record in enumerate(trained):
        newest = max((int(one.rpartition(":")[2]) for one in record["opponents"] if ":" in one), default=0)
        assert newest <= place // 4 * 64
    assert any(record["opponents"] for record in trained[4:])


@pytest.mark.parametrize(
    ("place", "call"), [(place, call) for place, (_, calls) in PLACES.items() for call in calls[::3]]
)
def test_a_round_that_was_cut_off(
    place: str, call: int, rounds: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes on as if it had not been."""
    with monkeypatch.context() as patch:
        die_at(call, PLACES[place][0], patch)
        league = None
        with pytest.raises(Killed):  # noqa: PT012  # it may die while it is made
            league = League.create(tmp_path / "run", full(sync=True))
            league.run()
    if league:
        league.close()
    with League.open(tmp_path / "run", write=True) as league:
        league.run()
    found = outcome(tmp_path / "run")
    assert {**found, "metrics": None} == {**rounds, "metrics": None}


def test_rounds_may_stop_between(rounds: dict[str, Any], tmp_path: Path) -> None:
    League.create(tmp_path / "run", full(sync=True)).close()
    for _ in range(5):
        with League.open(tmp_path / "run", write=True) as league:
            league.run(stop=after(1))
    assert outcome(tmp_path / "run") == rounds


def whole(path: Path, steps: int) -> None:
    """Nothing is missing in the league at `path`, and nothing is there twice."""
    assert list(verify(path)) == []
    with RunFolder.open(path) as run:
        blocks = Counter(entry.block for entry in run.entries())
        for key, games in blocks.items():
            assert games == int(key.rpartition("|")[2]), key
        frozen = {snapshot.name for snapshot in run.snapshots()}
        rated = {name for key in blocks if key.startswith("rating") for name in key.split("|")[1:-1]}
        assert frozen <= rated
    with League.open(path) as league:
        assert league.steps >= steps
        assert {one.name for one in league.leaderboard() if not one.anchor} == frozen


def test_turns_on_workers_that_are_killed(tmp_path: Path) -> None:
    """Every now and then one of them is, whatever it does."""
    seen, kills = itertools.count(), iter(range(5))
    with ProcessExecutor(2) as executor, League.create(tmp_path / "run", tiny(budget="2500-steps")) as league:

        def kill(_: object) -> None:
            if next(seen) % 11 == 5 and executor.pids and next(kills, None) is not None:
                os.kill(executor.pids[0], signal.SIGKILL)

        league.run(executor=executor, report=kill)
        assert 9 <= sum(learner.stretches for learner in league.learners) <= 12
    whole(tmp_path / "run", 2500)


@pytest.mark.parametrize("call", [30, 55])
def test_the_driver_dies(call: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ProcessExecutor(2) as executor:
        with monkeypatch.context() as patch, League.create(tmp_path / "run", tiny()) as league:
            die_at(call, PLACES["at a write"][0], patch)
            with pytest.raises(Killed):
                league.run(executor=executor)
            assert executor.unfinished == 0
        with League.open(tmp_path / "run", write=True) as league:
            league.run(executor=executor)
    whole(tmp_path / "run", 1200)


def test_as_many_turns_as_there_are_cores_for(tmp_path: Path) -> None:
    """Of two workers, a learner that takes two cores leaves none for another."""
    together: set[frozenset[str]] = set()

    def watch(progress: Any) -> None:
        phase = progress.phase.partition("; ")[0]
        if phase.startswith("training "):
            together.add(frozenset(phase.removeprefix("training ").split(", ")))

    for cpus in (1, 2):
        together.clear()
        config = tiny(resources=ResourcesConfig(cpus=cpus), budget="2500-steps")
        with ProcessExecutor(2) as executor, League.create(tmp_path / str(cpus), config) as league:
            league.run(executor=executor, report=watch)
        assert (frozenset({"ada", "bob"}) in together) == (cpus == 1)


def test_a_job_that_fails_ends_the_run_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with League.create(tmp_path / "run", tiny()) as league:
        league.run(stop=after(2))
        (league.folder.path / league.folder.snapshots()[0].file).write_bytes(b"another")
        with SerialExecutor() as executor, pytest.raises(InputError, match="has changed since"):
            league.run(executor=executor)
        assert sum(learner.stretches for learner in league.learners) == 2


def test_an_agenda() -> None:
    """Works go on as their jobs end; one that fails may deal with it."""
    log: list[str] = []

    def count(name: str, waves: int) -> Work[int]:
        total = 0
        for wave in range(waves):
            values = yield [partial(double, wave), partial(double, 1)]
            total += sum(values)
            log.append(f"{name}{wave}")
        return total

    def careful() -> Work[str]:
        try:
            yield [partial(fail, "value", "no")]
        except JobFault as fault:
            return str(fault)
        return "it did not fail"

    def idle() -> Work[int]:
        assert (yield []) == []
        return 7

    with SerialExecutor() as executor:
        agenda = Agenda(executor)
        agenda.add(count("a", 2))
        assert agenda.finish(count("b", 1)) == 2
        assert (log, len(agenda)) == (["a0", "b0"], 1)
        assert agenda.finish(careful()) == "a job failed: ValueError: no"
        assert finish(idle(), executor) == 7
        agenda.drop()
        assert (len(agenda), executor.unfinished) == (0, 0)
        with pytest.raises(InputError, match="no"):
            finish(count_wrong(), executor)


def count_wrong() -> Work[None]:
    """Asks for a job that does not know what it is given."""
    yield [partial(fail, "input", "no")]
