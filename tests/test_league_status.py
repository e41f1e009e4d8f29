"""`arena league status` of a league that runs: once, live in a terminal, and as lines for programs."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from arena.cli import main
from arena.league.activity import Watcher, activity
from arena.league.standings import Standing
from arena.store import RunFolder
from envs.errors import InputError
from tests.cli import arena, environment, object_of, tree
from tests.dashboards import add_games
from tests.pty_screen import Session
from tests.runs import ENV, Run


def trained(run: RunFolder, steps: int, seconds: float) -> None:
    """A stretch of training has ended."""
    run.append_metrics(
        {"kind": "training", "member": "ada", "step": steps, "steps": steps, "seconds": seconds, "entropy": 0.5,
         "steps_per_second": 123.0}
    )  # fmt: skip


def rated(run: RunFolder, step: int, seconds: float) -> None:
    """A snapshot is on file and has been rated."""
    run.snapshot_path("ada", step).write_bytes(b"weights")
    run.add_snapshot("ada", step)
    add_games(run, f"rating|{step}", f"ada:{step}", "baseline", ENV)
    run.append_metrics({"kind": "rating", "member": "ada", "step": step, "steps": step, "seconds": seconds})


@pytest.fixture
def run(tmp_path: Path) -> Iterator[RunFolder]:
    """A league that this process runs."""
    with RunFolder.create(tmp_path / "run", Run(budget="1k-steps"), seed=3) as folder:
        folder.add_member("baseline", "anchor", {"bot": "baseline"})
        folder.add_member("ada", "main", {"learner": {}})
        yield folder


def test_of_a_running_league(run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    assert object_of("league", "status", run.path, capsys=capsys)["doing"] == "starting"
    trained(run, 100, 10.0)
    seen = object_of("league", "status", run.path, capsys=capsys)
    assert (seen["state"], seen["process"], seen["doing"]) == ("running", os.getpid(), "rating ada")
    assert (seen["steps_per_second"], seen["champion"], seen["games"]) == (10.0, None, 0)
    rated(run, 100, 12.0)
    seen = object_of("league", "status", run.path, capsys=capsys)
    assert (seen["doing"], seen["games"], seen["champion"]) == ("training", 8, "ada:100")
    ada = next(one for one in seen["members"] if one["name"] == "ada")
    assert (ada["snapshot"], ada["snapshots"], ada["status"]) == ("ada:100", 1, "active")
    assert ada["mean"] > 25 > ada["sigma"]
    assert main(["league", "status", str(run.path)]) == 0
    said = capsys.readouterr().out
    assert f"running as process {os.getpid()}, training" in said
    assert "champion: ada:100, skill " in said and "1 snapshot, 8 rated games" in said


def test_the_clock_goes_on_and_what_is_left_shrinks(run: RunFolder) -> None:
    rated(run, 100, 10.0)
    written = (run.path / "metrics.jsonl").stat().st_mtime
    early, late = (activity(run, (), written + passed) for passed in (20.0, 50.0))
    assert (early.seen.seconds, late.seen.seconds) == pytest.approx((30.0, 60.0), abs=0.1)
    assert early.left is not None and late.left is not None
    assert (early.left, late.left) == pytest.approx((900 / 10 - 20, 900 / 10 - 50), abs=0.1)
    assert early.seen.share == late.seen.share == 0.1  # of a budget in steps


def test_a_budget_of_time(tmp_path: Path) -> None:
    with RunFolder.create(tmp_path / "timed", Run(budget="100s"), seed=3) as run:
        run.add_member("ada", "main", {"learner": {}})
        trained(run, 100, 10.0)
        written = (run.path / "metrics.jsonl").stat().st_mtime
        seen = activity(run, (), written + 30.0)
        assert (seen.seen.share, seen.left) == pytest.approx((0.4, 60.0), abs=0.01)
    with RunFolder.open(tmp_path / "timed") as run:
        stopped = activity(run, (), time.time() + 1000)
    assert (stopped.seen.share, stopped.left, stopped.doing, stopped.quiet) == (0.1, None, "stopped", 0.0)


def test_speed_is_that_of_lately(run: RunFolder) -> None:
    trained(run, 100_000, 10.0)
    for number in range(1, 30):
        trained(run, 100_000 + 100 * number, 10.0 + 10 * number)
    assert activity(run, (), time.time()).steps_per_second == pytest.approx(10.0)


def test_ratings_are_made_anew_only_when_there_are_games(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    rated(run, 100, 12.0)
    watcher = Watcher(run.path)
    first = watcher.look()
    made: list[int] = []

    def made_anew(run: RunFolder) -> list[Standing]:
        made.append(1)
        return []

    monkeypatch.setattr("arena.league.activity.leaderboard", made_anew)
    trained(run, 200, 20.0)
    second = watcher.look()
    assert (first.champion, made) == (second.champion, [])
    assert second.seen.steps == 100 and second.doing == "rating ada"
    rated(run, 200, 22.0)
    watcher.look()
    assert made == [1]


def test_live_in_a_terminal(run: RunFolder) -> None:
    rated(run, 100, 12.0)
    before = tree(run.path)
    words = arena("league", "status", run.path, "--live")
    with Session(words, 120, 30, {**environment(), "TERM": "xterm-256color", "COLUMNS": "120"}) as session:
        session.wait_for(lambda screen: any("ada:100" in row for row in screen.text()))
        text = "\n".join(session.screen.text())
        assert f"training, process {os.getpid()}; Ctrl-C leaves it running" in text
        assert "100 env steps at" in text and "8 rated games" in text
        assert tree(run.path) == before
        trained(run, 300, 30.0)
        rated(run, 300, 31.0)
        session.wait_for(lambda screen: any("ada:300" in row for row in screen.text()))
        run.append_event("reset", "ada", {"reason": "it wins"})
        session.wait_for(lambda screen: any("reset ada" in row for row in screen.text()))
        run.close()
        assert session.end() == 0
        assert any(": stopped, made " in row for row in session.screen.text())


def test_ctrl_c_ends_the_looking_alone(run: RunFolder) -> None:
    words = arena("league", "status", run.path, "--live")
    with Session(words, 100, 20, {**environment(), "TERM": "xterm-256color"}) as session:
        session.wait_for(lambda screen: any("starting" in row for row in screen.text()))
        session.type("\x03")
        assert session.end() == 0
        assert "25" in session.screen.modes  # the cursor is there again
    assert run.writer() == str(os.getpid())


def test_live_for_programs(run: RunFolder) -> None:
    words = arena("league", "status", run.path, "--live", "--json")
    with subprocess.Popen(words, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            first = json.loads(process.stdout.readline())
            rated(run, 100, 12.0)
            second = json.loads(process.stdout.readline())
            run.close()
            rest = [json.loads(line) for line in process.stdout]
            assert process.wait(60) == 0
        finally:
            process.kill()
    assert (first["state"], first["games"]) == ("running", 0)
    assert second["games"] >= 0 and rest[-1]["state"] == "stopped" and rest[-1]["games"] == 8


def test_bad_input(tmp_path: Path, run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["league", "status", str(run.path), "--live"]) == 2
    assert "--live draws in a terminal" in capsys.readouterr().err
    assert main(["league", "status", str(tmp_path / "none"), "--live", "--json"]) == 2
    assert "there is no run folder" in capsys.readouterr().err
    RunFolder.create(tmp_path / "trained", Run(), seed=3, kind="training").close()
    with pytest.raises(InputError, match="is a training run"):
        Watcher(tmp_path / "trained").look()
