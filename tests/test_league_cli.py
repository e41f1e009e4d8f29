"""`arena league`: what it prints, how it stops, and that bad input changes nothing."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from arena.cli import main
from tests.cli import check_refused, done, environment, interrupt_twice, object_of, running, stopped, tree

TINY = """
budget = "3000-steps"
anchors = ["baseline", "random"]
game = { options = { lives = 1, max_steps = 50, serve_delay = 0 } }
training = { games = 16, steps = 16, snapshot_steps = 1000 }
evaluation = { games = 4, rivals = 1, final_games = 4 }
learners = [
    { name = "ada", settings = { final_learning_rate = 1e-3 } },
    { name = "bob", settings.final_learning_rate = 1e-3, policy = { hidden = [8], core = "gru", core_width = 4 } },
]
"""
OUTCOME = {
    "run", "env", "ended", "budget_share", "seconds", "steps", "steps_per_second", "games", "peak_rss_mib",
    "above_baseline", "champion", "players",
}  # fmt: skip
MEETING = {"games", "wins", "draws", "losses", "score_mean", "score_ci95"}
PLAYER = {"rank", "name", "role", "plays", "anchor", "mean", "sigma", "exposed", "against", *MEETING}
SNAPSHOTS = ["ada:0", "bob:0", "ada:1024", "bob:1024", "ada:2048"]
NAMES = {*SNAPSHOTS, "baseline", "random"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run file."""
    path = tmp_path_factory.mktemp("home")
    (path / "tiny.toml").write_text(TINY, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def finished(home: Path) -> subprocess.CompletedProcess[str]:
    """A whole run in home/done, with --json."""
    return done(home, "league", "run", "tiny.toml", "--out", "done", "--json")


def test_run_json(finished: subprocess.CompletedProcess[str], home: Path) -> None:
    assert finished.returncode == 0, finished.stderr
    said = json.loads(finished.stdout)
    assert set(said) == OUTCOME
    assert (said["run"], said["env"], said["ended"], said["budget_share"]) == ("done", "SlimeVolley-v0", "budget", 1.0)
    assert said["steps"] == 3072
    assert 50 < said["peak_rss_mib"] < 100_000
    assert {player["name"] for player in said["players"]} == NAMES
    assert said["champion"] == next(player["name"] for player in said["players"] if not player["anchor"])
    for rank, player in enumerate(said["players"], start=1):
        assert set(player) == PLAYER
        assert player["rank"] == rank
        assert set(player["against"]) == (set() if player["anchor"] else {"baseline", "random"})
        assert all(set(met) == MEETING for met in player["against"].values())
    exposed = [player["exposed"] for player in said["players"]]
    assert exposed == sorted(exposed, reverse=True)
    assert {"config.yaml", "league.sqlite", "metrics.jsonl", "snapshots/ada-1024.safetensors"} <= set(
        tree(home / "done")
    )


def test_progress_is_plain_lines_on_standard_error(finished: subprocess.CompletedProcess[str]) -> None:
    lines = finished.stderr.splitlines()
    assert all(re.match(r" *\d+\.\d s +\d+%  ", line) for line in lines)
    rated = [found[1] for line in lines if (found := re.search(r"rated (\S+): skill .* against baseline", line))]
    assert rated == SNAPSHOTS
    assert len(lines) < 12


def test_run_for_people(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(home)
    assert main(["league", "run", "tiny.toml", "--budget", "1000-steps", "--seed", "3"]) == 0
    said = capsys.readouterr().out
    (path,) = (home / "runs").iterdir()
    assert re.fullmatch(r"tiny-\d{8}-\d{6}", path.name)
    run = f"runs/{path.name}"
    assert re.search(r"^1 +baseline +anchor ", said, re.MULTILINE)
    assert re.search(r"ada:1024 .* [+-]\d\.\d\d ±\d\.\d\d", said)
    assert re.search(r"champion: (ada:0|bob:0|ada:1024), skill ", said)
    assert "1,024 env steps" in said
    assert " MiB" in said
    for command in ("watch", "match"):
        assert f"arena {command} {run}@champion baseline --set lives=1 --set max_steps=50" in said
    assert f"arena league resume {run} --budget 5m\n" in said
    config = (path / "config.yaml").read_text()
    assert "budget: 1000-steps" in config
    assert "\nseed: 3\n" in config
    about = json.loads((path / "run.json").read_text())
    assert about["command"][0] == "arena"


def test_a_run_starts_again_from_its_folder(
    finished: subprocess.CompletedProcess[str], home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    again = object_of("league", "run", home / "done/config.yaml", "--out", home / "again", capsys=capsys)
    assert again["players"] == json.loads(finished.stdout)["players"]


@pytest.mark.usefixtures("finished")
def test_leaderboard_and_status(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = home / "done"
    board = object_of("league", "leaderboard", done, capsys=capsys)
    assert set(board) == {"run", "env", "games", "champion", "players", "rating", "seats", "unit", "disagreements"}
    assert {player["role"] for player in board["players"]} == {"anchor", "main"}
    assert {player["name"] for player in board["players"]} == NAMES
    status = object_of("league", "status", done, capsys=capsys)
    assert set(status) == {
        "run", "state", "process", "doing", "created", "budget", "budget_share", "seconds", "seconds_left", "steps",
        "steps_per_second", "games", "games_per_second", "snapshots", "disk_bytes", "champion", "learners", "members",
        "events", "waiting", "exploitability",
    }  # fmt: skip
    assert (status["state"], status["process"], status["budget"]) == ("stopped", None, "3000-steps")
    assert (status["budget_share"], status["steps"], status["snapshots"]) == (1.0, 3072, len(SNAPSHOTS))
    assert status["games"] == board["games"] == sum(player["games"] for player in board["players"]) / 2
    assert [(one["name"], one["role"], one["status"]) for one in status["members"]] == [
        ("baseline", "anchor", "active"), ("random", "anchor", "active"), ("ada", "main", "active"),
        ("bob", "main", "active"),
    ]  # fmt: skip
    assert (status["waiting"], status["exploitability"], status["doing"]) == (0, {}, "done")
    assert status["champion"] == board["champion"]
    assert status["seconds_left"] is None
    assert status["steps_per_second"] > 0 and status["games_per_second"] > 0
    assert status["disk_bytes"] == sum(file.stat().st_size for file in done.rglob("*") if file.is_file())
    ratings = {player["name"]: player["mean"] for player in board["players"]}
    for one in status["members"]:
        assert one["mean"] == ratings[one["snapshot"]]
    assert [one["snapshot"] for one in status["members"]] == ["baseline", "random", "ada:2048", "bob:1024"]
    ada, bob = status["learners"]
    assert (ada["name"], ada["stretches"], ada["steps"]) == ("ada", 2, 2048)
    assert (bob["name"], bob["stretches"], bob["steps"]) == ("bob", 1, 1024)
    assert {"entropy", "steps_per_second"} <= set(bob["metrics"])
    for command in ("status", "leaderboard"):
        assert main(["league", command, str(done)]) == 0
    said = capsys.readouterr().out
    assert "stopped" in said
    assert "ada: 2,048 env steps in 2 stretches; in the last one " in said
    assert "ada:2048" in said


@pytest.mark.usefixtures("finished")
@pytest.mark.parametrize("command", ["status", "leaderboard"])
def test_readers_need_no_torch(home: Path, command: str) -> None:
    code = f"import sys; from arena.cli import main; main(['league', '{command}', 'done']); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=home, env=environment(), capture_output=True, text=True, check=True
    )
    assert "torch" not in done.stdout.splitlines()[-1].split()


@pytest.mark.parametrize("budget", ["3000-steps", "6000-steps"])
def test_resume_of_a_run_that_is_done_plays_nothing(
    home: Path, budget: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Although the final games have changed who is best, and with it who would meet whom."""
    line = ("league", "run", home / "tiny.toml", "--out", home / budget, "--budget", budget)
    before = object_of(*line, capsys=capsys)
    assert main(["league", "resume", str(home / budget), "--json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["players"] == before["players"]
    assert said.err == f"the budget of {budget} is spent: train on with --budget, such as 5m\n"


def test_ctrl_c_ends_cleanly_and_resume_goes_on_as_if_never_stopped(
    home: Path,
    finished: subprocess.CompletedProcess[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = home / "stopped"
    line = ("league", "run", home / "tiny.toml", "--out", path, "--json")
    said = json.loads(stopped(signal.SIGINT, *line, patch=monkeypatch, capsys=capsys))
    assert (said["ended"], said["steps"]) == ("interrupted", 2048)
    assert 0 < said["budget_share"] < 1
    resumed = object_of("league", "resume", path, capsys=capsys)
    assert (resumed["ended"], resumed["steps"]) == ("budget", 3072)
    assert resumed["players"] == json.loads(finished.stdout)["players"]
    assert tree(path / "snapshots") == tree(home / "done/snapshots")


def test_sigterm_ends_cleanly(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(home)
    line = ("league", "run", "tiny.toml", "--out", "terminated")
    out = stopped(signal.SIGTERM, *line, patch=monkeypatch, capsys=capsys)
    assert "champion: " in out
    assert re.search(r"terminated at 68% of the budget", out)
    assert "resume terminated\n" in out


def test_others_while_it_runs_and_a_second_ctrl_c(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = home / "long"
    line = ("league", "run", "tiny.toml", "--out", "long", "--budget", "1G-steps")
    with running(home, *line, "--set", "training.snapshot_steps=1_000_000_000") as (process, wait_for):
        wait_for("training ada")
        status = object_of("league", "status", path, capsys=capsys)
        assert (status["state"], status["process"], status["steps"]) == ("running", process.pid, 0)
        assert main(["league", "leaderboard", str(path)]) == 0
        assert " rated games of SlimeVolley-v0" in capsys.readouterr().out  # those of the untrained networks
        assert main(["league", "resume", str(path), "--budget", "5s"]) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert re.fullmatch(rf"arena: .* is being written by process {process.pid}: .*\n", said.err)
        interrupt_twice(process, wait_for, "league resume long")
    assert object_of("league", "status", path, capsys=capsys)["state"] == "stopped"
    assert main(["league", "resume", str(path), "--budget", "300-steps"]) == 0
    assert re.search(r"champion: (ada:0|bob:0|ada:512),", capsys.readouterr().out)


BAD = [
    ("run slime-latop", "unknown preset 'slime-latop': did you mean 'slime-laptop'?"),
    ("run none.toml", "cannot read none.toml"),
    ("run done", "is no run file"),
    ("run tiny.toml --set sede=1", "unknown key 'sede': did you mean 'seed'?"),
    ("run tiny.toml --set learners.0.settings.gama=1", "did you mean 'learners.0.settings.gamma'?"),
    ("run tiny.toml --set learners=[]", "learners"),
    ("run tiny.toml --set learners.1.name=ada", "two learners have the same name"),
    ("run tiny.toml --set game.id=SlimeVolly-v0", "unknown env 'SlimeVolly-v0': did you mean 'SlimeVolley-v0'?"),
    ("run tiny.toml --set game.options.live=1", "did you mean 'lives'?"),
    ("run tiny.toml --set training.options.lives=0", "lives = 0"),
    ("run tiny.toml --set training.options.actions=box", "training.options must leave observations and actions"),
    ("run tiny.toml --set training.streams=16", "games = 16 cannot be shared by training.streams = 16"),
    ("run tiny.toml --set anchors.0=basline", "unknown player of SlimeVolley-v0 'basline': did you mean 'baseline'?"),
    ("run tiny.toml --budget 0s", "must be above 0"),
    ("run tiny.toml --budget 0-steps", "must be above 0"),
    ("run tiny.toml --budget long", "budget 'long' is not understood"),
    ("run tiny.toml --seed -1", "--seed must be 0 or more"),
    ("run tiny.toml --out done", "already holds a run: `arena league resume done` goes on"),
    ("run tiny.toml --out full", "is not empty"),
    ("run tiny.toml --out tiny.toml/run", "cannot write to tiny.toml/run"),
    ("resume none", "there is no run folder none"),
    ("resume full", "full is no run folder"),
    ("resume done --budget 0m", "must be above 0"),
    ("resume damaged", "resume/ada.pt cannot be resumed from"),
    ("status none", "there is no run folder none"),
    ("leaderboard full", "full is no run folder"),
]


@pytest.fixture(scope="module")
def spoilt(home: Path, finished: subprocess.CompletedProcess[str]) -> Path:
    """`home` with a folder of somebody else's, and a run whose resume file is cut short."""
    assert finished.returncode == 0
    (home / "full").mkdir()
    (home / "full" / "thesis.txt").write_text("mine")
    shutil.copytree(home / "done", home / "damaged")
    whole = (home / "damaged/resume/ada.pt").read_bytes()
    (home / "damaged/resume/ada.pt").write_bytes(whole[: len(whole) // 2])
    (home / "damaged/lock").write_text(f"{os.getpid()}\n")  # as whoever opens it to write leaves it
    return home


@pytest.mark.parametrize(("line", "sentence"), BAD, ids=[line for line, _ in BAD])
def test_bad_input_is_one_sentence_and_changes_nothing(
    spoilt: Path, line: str, sentence: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(spoilt)
    check_refused(f"league {line}", sentence, spoilt, capsys)


def test_cuda_that_is_not_there(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    line = ["league", "run", str(home / "tiny.toml"), "--out", str(home / "gpu"), "--set", "device=cuda"]
    assert main(line) == 2
    assert "torch sees no GPU" in capsys.readouterr().err
    assert not (home / "gpu").exists()
