"""Blocks of games as jobs: the same results wherever and in whatever order they are played, by who was meant."""

from __future__ import annotations

import os
import pickle
import shutil
import signal
from pathlib import Path

import pytest

from arena.execution import Executor, in_turn
from arena.execution.files import contents, received
from arena.execution.job import MatchJob, Pinned, loaded, pinned
from arena.execution.process import ProcessExecutor
from arena.execution.serial import SerialExecutor
from arena.ladder import rung_file
from arena.match import run_block
from arena.players import load_player
from arena.result import Result
from arena.store import RunFolder
from envs.errors import InputError
from envs.registry import build
from tests.runs import Run

ENV = "SlimeVolley-v0"
OPTIONS = {"lives": 1, "max_steps": 200}


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    return Path(shutil.copy(rung_file("novice"), tmp_path / "nova-100.safetensors"))


def job(snapshot: Path, seed: int, greedy: bool = True) -> MatchJob:
    return MatchJob(ENV, (pinned(str(snapshot)), pinned("baseline")), ("nova", "old"), 6, seed, OPTIONS, greedy=greedy)


def play(executor: Executor, jobs: list[MatchJob], kill: bool = False) -> list[list[Result]]:
    """Results by place in `jobs`; with `kill`, workers are killed, each after another job."""
    found: dict[int, list[Result]] = {}
    for place, outcome in in_turn(executor, jobs):
        assert place not in found
        found[place] = outcome.result()
        if kill and isinstance(executor, ProcessExecutor) and place in (1, 4):
            os.kill(executor.pids[0], signal.SIGKILL)  # the oldest: not the one that has a lost job now
    return [found[place] for place in range(len(jobs))]


def test_a_job_is_its_block(snapshot: Path) -> None:
    spec = build(ENV, 1, OPTIONS).spec
    sides = [load_player(str(snapshot), spec), load_player("baseline", spec)]
    plain = run_block(ENV, OPTIONS, sides, 6, 3)
    results = job(snapshot, 3)()
    assert [(one.score, one.steps, one.seed) for one in results] == [(one.score, one.steps, one.seed) for one in plain]
    assert [one.players for one in results[:2]] == [("nova", "old"), ("old", "nova")]
    assert pickle.loads(pickle.dumps(job(snapshot, 3))) == job(snapshot, 3)


@pytest.mark.parametrize("greedy", [True, False])
def test_same_results_wherever_they_are_played(snapshot: Path, greedy: bool) -> None:
    jobs = [job(snapshot, seed, greedy) for seed in range(7)]
    expected = play(SerialExecutor(), jobs)
    assert len({str(results) for results in expected}) == 7
    assert play(SerialExecutor(), jobs[::-1])[::-1] == expected
    for workers in (1, 2, 3):
        with ProcessExecutor(workers) as executor:
            assert play(executor, jobs[::-1])[::-1] == expected
            assert play(executor, jobs, kill=True) == expected


def test_who_plays_is_settled_when_the_job_is_made(snapshot: Path) -> None:
    player = pinned(str(snapshot))
    shutil.copy(rung_file("player"), snapshot)
    with pytest.raises(InputError, match=r"nova-100.safetensors has changed since the games began"):
        loaded(player, ENV, OPTIONS)
    snapshot.unlink()
    with pytest.raises(InputError, match="No such file"):
        loaded(player, ENV, OPTIONS)
    assert loaded(pinned("novice"), ENV, OPTIONS).name == "novice"


def test_champions_become_files(tmp_path: Path) -> None:
    with RunFolder.create(tmp_path / "run", Run(), 0) as run:
        run.add_member("ada", "main", {})
        for step, games in ((100, 1.0), (200, -1.0)):
            shutil.copy(rung_file("novice"), run.snapshot_path("ada", step))
            run.add_snapshot("ada", step)
            scores = (games, -games)
            run.append_block(f"{step}", [Result(ENV, (f"ada:{step}", "baseline"), scores, 9, 1, "rules")] * 4)
    best = pinned(f"{tmp_path}/run@champion")
    assert Path(best.text) == tmp_path / "run" / "snapshots" / "ada-100.safetensors"
    assert best == pinned(f"{tmp_path}/run@ada:100")
    assert len(best.hash) == 64


def test_files_travel(snapshot: Path, tmp_path: Path) -> None:
    """As they do to machines that do not have them."""
    made = job(snapshot, 3)
    expected = made()
    files = {hash: contents(hash, path) for hash, path in made.files.items()}
    assert list(made.files.values()) == [str(snapshot)]
    away = MatchJob(ENV, (Pinned(str(tmp_path / "elsewhere.safetensors"), made.players[0].hash), made.players[1]),
                    made.names, 6, 3, OPTIONS)  # fmt: skip
    with pytest.raises(InputError, match="No such file"):
        away()
    with received(files):
        assert away() == expected


def test_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no run folder"):
        pinned(f"{tmp_path}@champion")
    nobody = MatchJob(ENV, (pinned("basline"), pinned("baseline")), ("a", "b"), 2, 0, {})
    with ProcessExecutor(1) as executor:
        executor.submit(nobody)
        with pytest.raises(InputError, match="did you mean 'baseline'"):
            executor.done()[0].result()
