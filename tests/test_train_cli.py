"""`arena train`, `arena eval` and `arena algorithms`: what they print, how they stop, and that bad input is told of."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pygame
import pytest
from rich.console import Console

from agents.snapshot import load_snapshot
from arena.cli import main
from arena.cli.train_display import Lines, Picture, display
from arena.config import load
from arena.training import Progress, TrainConfig
from arena.training.evaluation import Evaluation
from arena.viewer.onlooker import Onlooker
from envs.registry import build
from tests.cli import check_refused, done, interrupt_twice, object_of, running, stopped, tree
from tests.test_league_display import Terminal

SMALL = (
    "--games", "4", "--set", "steps=16", "--set", "policy.hidden=[8]", "--set", "stretch_steps=300",
    "--set", "evaluation.episodes=3", "--set", "minibatch_rows=64", "--eval-every", "500", "--plain",
)  # fmt: skip
LINE = ("train", "ppo", "CartPole-v1", *SMALL)
OUTCOME = {
    "run", "algorithm", "env", "tuned", "ended", "budget_share", "seconds", "training_seconds", "steps", "episodes",
    "steps_per_second", "peak_rss_mib", "last", "champion",
}  # fmt: skip
EVALUATION = {"snapshot", "steps", "games", "score_mean", "score_ci95", "score_min", "steps_mean"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def finished(home: Path) -> subprocess.CompletedProcess[str]:
    """A whole run in home/done, with --json."""
    return done(home, *LINE, "--steps", "1200", "--out", "done", "--json")


def test_train_json(finished: subprocess.CompletedProcess[str], home: Path) -> None:
    assert finished.returncode == 0, finished.stderr
    said = json.loads(finished.stdout)
    assert set(said) == OUTCOME
    assert (said["run"], said["algorithm"], said["env"], said["tuned"]) == ("done", "ppo", "CartPole-v1", False)
    assert (said["ended"], said["budget_share"], said["steps"]) == ("budget", 1.0, 1216)
    assert set(said["last"]) == set(said["champion"]) == EVALUATION
    assert said["last"]["snapshot"] == "ppo:1216"
    assert said["champion"]["score_mean"] >= said["last"]["score_mean"]
    assert 0 < said["training_seconds"] < said["seconds"]
    config = load(TrainConfig, home / "done/config.yaml")
    assert (config.games, config.steps, config.settings["minibatch_rows"]) == (4, 16, 64)
    assert (config.evaluation.every, config.policy.hidden, config.seed) == (500, (8,), 0)


def test_progress_is_plain_lines_on_standard_error(finished: subprocess.CompletedProcess[str]) -> None:
    first, *lines = finished.stderr.splitlines()
    assert first == "ppo on CartPole-v1, default settings, 1200-steps, seed 0: done"
    assert [line.partition("%  ")[2].partition(": mean score")[0] for line in lines] == [
        "ppo:0", "ppo:512", "ppo:1024", "ppo:1216",
    ]  # fmt: skip
    assert all(re.search(r"±.* in 3 games; training: return \S+, length \S+, \S+ steps/s$", line) for line in lines)


def test_train_for_people(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(home)
    assert main([*LINE, "--episodes", "20", "--policy", "gru", "--seed", "3"]) == 0
    said = capsys.readouterr().out
    (path,) = (home / "runs").iterdir()
    assert re.fullmatch(r"ppo-CartPole-v1-\d{8}-\d{6}", path.name)
    config = load(TrainConfig, path / "config.yaml")
    assert (config.budget, config.policy.core, config.seed) == ("20-episodes", "gru", 3)
    assert re.search(r"^last: +ppo:\d+, mean score .* in 3 games, the worst ", said, re.MULTILINE)
    for word in ("eval", "watch"):
        assert re.search(rf"{word} runs/{path.name}@champion$", said, re.MULTILINE)
    assert said.rstrip().endswith(f"train --resume runs/{path.name} --steps 50k")


def test_tuned_settings_are_used_and_told_of(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(home)
    monkeypatch.setattr("arena.training.defaults.tuned", lambda algorithm, env: {"settings": {"gamma": 0.5}})
    line = [word for word in LINE if word != "--plain"]
    assert main([*line, "--steps", "100", "--out", "tuned", "--set", "lam=0.5", "--json"]) == 0
    said = capsys.readouterr()
    assert said.err.startswith("ppo on CartPole-v1, tuned settings, 100-steps, seed 0: tuned\n")
    assert json.loads(said.out)["tuned"] is True
    settings = load(TrainConfig, Path("tuned/config.yaml")).settings
    assert (settings["gamma"], settings["lam"]) == (0.5, 0.5)


@pytest.mark.usefixtures("finished")
@pytest.mark.parametrize(("number", "word"), [(signal.SIGINT, "interrupted"), (signal.SIGTERM, "terminated")])
def test_a_signal_ends_it_cleanly_and_resume_goes_on_as_if_never_stopped(
    number: int, word: str, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    line = (*LINE, "--steps", "1200", "--out", home / word, "--json")
    said = json.loads(stopped(number, *line, patch=monkeypatch, capsys=capsys))
    assert (said["ended"], said["steps"]) == (word, 640)
    assert 0 < said["budget_share"] < 1
    resumed = object_of("train", "--resume", home / word, capsys=capsys)
    assert (resumed["ended"], resumed["steps"], resumed["tuned"]) == ("budget", 1216, None)
    snapshots = tree(home / word / "snapshots")
    assert len(snapshots) == 4
    assert snapshots == tree(home / "done/snapshots")


def test_a_second_ctrl_c(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = home / "long"
    line = (*LINE, "--steps", "1G", "--set", "stretch_steps=1_000_000_000", "--out", "long")
    with running(home, *line) as (process, wait_for):
        wait_for("ppo:512")
        assert main(["train", "--resume", str(path)]) == 2
        said = capsys.readouterr().err
        assert re.fullmatch(rf"arena: .* is being written by process {process.pid}: .*\n", said)
        interrupt_twice(process, wait_for, "train --resume long")
    assert object_of("train", "--resume", path, "--steps", "100", capsys=capsys)["steps"] == 128


@pytest.mark.usefixtures("finished")
def test_resume_of_a_run_that_is_done(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(home / "done", home / "copy")
    assert main(["train", "--resume", str(home / "copy"), "--json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["steps"] == 1216
    assert said.err == "the budget of 1200-steps is spent: train on with --steps, such as 50k\n"


def test_eval(finished: subprocess.CompletedProcess[str], home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    champion = json.loads(finished.stdout)["champion"]["snapshot"]
    found = object_of("eval", home / "done@champion", "--episodes", "5", capsys=capsys)
    assert set(found) == {"snapshot", "env", "seed", *EVALUATION} - {"steps"}
    assert (found["snapshot"], found["env"], found["seed"], found["games"]) == (champion, "CartPole-v1", 0, 5)
    assert found["score_mean"] == found["steps_mean"]
    file = home / "done/snapshots/ppo-1216.safetensors"
    greedy = object_of("eval", file, "--episodes", "5", capsys=capsys)
    sampled = object_of("eval", file, "--episodes", "5", "--sample", capsys=capsys)
    other = object_of("eval", file, "--episodes", "5", "--seed", "1", capsys=capsys)
    assert greedy["snapshot"] == "ppo-1216"
    assert greedy["score_mean"] != sampled["score_mean"] and greedy != other
    short = object_of("eval", file, "CartPole-v0", "--set", "max_steps=7", capsys=capsys)
    assert (short["env"], short["games"], short["score_mean"]) == ("CartPole-v0", 100, 7)
    assert main(["eval", str(file), "--episodes", "1"]) == 0
    assert re.fullmatch(r"CartPole-v1, seed 0: ppo-1216: mean score .* steps per game\n", capsys.readouterr().out)


@pytest.mark.usefixtures("finished")
def test_a_trained_player_is_watched_in_its_own_game(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    film = home / "film.gif"
    words = ("--record", film, "--width", "100", "--fps", "10", "--max-seconds", "0.5")
    found = object_of("watch", home / "done@champion", *words, capsys=capsys)
    assert len(found["players"]) == 1
    assert film.stat().st_size > 0


def test_snapshots_remember_the_options_of_their_game(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    object_of(*LINE, "--steps", "100", "--set", "options.max_steps=9", "--out", home / "nine", capsys=capsys)
    assert object_of("eval", home / "nine@ppo", "--episodes", "3", capsys=capsys)["score_mean"] <= 9
    assert load_snapshot(home / "nine/snapshots/ppo-128.safetensors").meta["options"] == {"max_steps": 9}


def test_algorithms(capsys: pytest.CaptureFixture[str]) -> None:
    found = object_of("algorithms", capsys=capsys)
    assert {"summary", "actions", "cores", "games", "steps", "settings"} == found["ppo"].keys()
    assert {"Discrete", "Box"} <= set(found["ppo"]["actions"])
    assert found["ppo"]["cores"] == ["none", "gru", "lstm"]
    assert found["ppo"]["settings"]["clip"] == 0.2
    assert main(["algorithms"]) == 0
    said = capsys.readouterr().out
    assert all(re.search(rf"^{name} ", said, re.MULTILINE) for name in found)
    assert "memory: gru, lstm" in said


def test_render(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = object_of(*LINE, "--steps", "300", "--out", home / "seen", "--render", capsys=capsys)
    assert said["steps"] == 320
    assert not pygame.display.get_init()


def test_render_without_a_display(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("SDL_VIDEODRIVER", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert main([*LINE, "--steps", "100", "--out", str(home / "unseen"), "--render"]) == 2
    said = capsys.readouterr().err
    assert "--render cannot open a window without a display" in said
    assert not (home / "unseen").exists()


def test_keys_of_the_onlooker(monkeypatch: pytest.MonkeyPatch) -> None:
    pressed: list[list[str]] = []
    shown: list[Any] = []
    env = build("CartPole-v1", 3, {})
    env.reset(0)
    onlooker = Onlooker("CartPole-v1", {})
    window = onlooker._window
    monkeypatch.setattr(window, "pressed", lambda: pressed.pop(0) if pressed else [])
    monkeypatch.setattr(window, "show", lambda scene, overlay: shown.append(overlay))
    monkeypatch.setattr(window, "pace", lambda fps: 0.0)
    monkeypatch.setattr("arena.viewer.onlooker.FPS", 1e9)
    pressed[:] = [["h", "s"], ["space"], [], [], ["space"], ["q"]]
    step: Any = None
    onlooker(env, step)
    assert onlooker.slow and len(shown) == 1 and any("pause" in line for line in shown[0])
    onlooker(env, step)  # waits until space is pressed again
    assert not onlooker.paused and len(shown) == 5
    onlooker(env, step)
    assert not window.is_open and len(shown) == 5
    onlooker(env, step)  # it learns on
    assert len(shown) == 5


def progress(share: float = 0.25, seconds: float = 12.0, evaluation: Evaluation | None = None) -> Progress:
    return Progress(share, seconds, 1_234_567, 89, 98_765.4, float("nan"), 20.5, {"value_loss": 0.01234}, evaluation)


def test_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    terminal = Terminal()
    console = Console(file=terminal, width=80, force_terminal=True)
    picture = Picture("ppo on CartPole-v1, runs/[x]")
    console.print(picture)
    assert "starting" in terminal.text()
    picture(progress(evaluation=Evaluation("ppo:1", 20, 480.0, (470.0, 490.0), 400.0, 480.0)))
    picture(progress(evaluation=Evaluation("ppo:2", 20, 50.25, None, 40.0, 50.0)))
    picture.tell("finishing")
    console.print(picture)
    said = terminal.text()
    assert "runs/[x]  finishing" in said and "25%" in said
    for name, value in (
        ("env steps", "1,234,567"), ("games", "89"), ("steps/s", "98,765"), ("return", "-"), ("length", "20.5"),
        ("value loss", "0.01234"), ("evaluation", "mean score 50.25 in 20 games"),
        ("best", "ppo:1: mean score 480 ±10 in 20 games"),
    ):  # fmt: skip
        assert re.search(rf"^{name} +{re.escape(value)} *$", said, re.MULTILINE), name


def test_lines_are_few(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    lines, one = Lines(), Evaluation("ppo:5", 3, 9.0, None, 9.0, 9.0)
    for evaluation in (None, one, one):
        for _ in range(8):
            lines(progress(evaluation=evaluation))
            now += 1
    said = [line.partition("%  ")[2] for line in capsys.readouterr().err.splitlines()]
    assert said == [
        "ppo:5: mean score 9 in 3 games; training: return -, length 20.5, 98,765 steps/s",
        "training: return -, length 20.5, 98,765 steps/s",
    ]


@pytest.mark.parametrize(("terminal", "kind"), [(True, Picture), (False, Lines)])
def test_displays(terminal: bool, kind: type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", Terminal() if terminal else io.StringIO())
    with display("x") as shown:
        assert type(shown) is kind


BAD = [
    ("train", "missing ALGORITHM and ENV"),
    ("train ppo", "missing ALGORITHM and ENV"),
    ("train pp0 CartPole-v1", "unknown algorithm 'pp0': did you mean 'ppo'?"),
    ("train ppo CartPole-v9", "unknown env 'CartPole-v9': did you mean 'CartPole-v"),
    ("train ppo SlimeVolley-v0", "`arena league run` trains players of it by self-play"),
    ("train ppo CartPole-v1 --set gama=1", "unknown key 'settings.gama': did you mean 'settings.gamma'?"),
    ("train ppo CartPole-v1 --set policy.hiden=[1]", "did you mean 'policy.hidden'?"),
    ("train ppo CartPole-v1 --set options.max_step=1", "did you mean 'max_steps'?"),
    ("train ppo CartPole-v1 --set gamma=2", "settings.gamma = 2"),
    ("train ppo CartPole-v1 --set gamma", "is not of the form key=value"),
    ("train ppo CartPole-v1 --steps 10x", "--steps '10x' is no number above 0"),
    ("train ppo CartPole-v1 --steps 10 --episodes 3", "a budget is one of them"),
    ("train ppo CartPole-v1 --games 0", "games = 0"),
    ("train ppo CartPole-v1 --seed -1", "seed = -1"),
    ("train ppo CartPole-v1 --policy cnn", "unknown --policy 'cnn'"),
    ("train ppo CartPole-v1 --eval-every 0", "--eval-every '0'"),
    ("train ppo CartPole-v1 --out done", "already holds a run: `arena train --resume done` goes on"),
    ("train ppo --resume done --seed 3", "leave out ALGORITHM, --seed"),
    ("train --resume nothing", "there is no run folder nothing"),
    ("train --resume done --steps none", "--steps 'none' is no number"),
    ("train --resum done", "did you mean '--resume'?"),
    ("eval", "SNAPSHOT"),
    ("eval done@nobody", "unknown player 'nobody'"),
    ("eval done", "done is a folder: say done@champion"),
    ("eval done@champion Acrobot-v1", "was made for another game"),
    ("eval done@champion SlimeVolley-v0", "`arena match` lets players meet in it"),
    ("eval baseline", "give its id, as in `arena eval baseline ENV`"),
    ("eval done@champion --episodes 0", "--episodes must be 1 or more"),
    ("league resume done", "is a training run: `arena train --resume done` goes on"),
    ("league status done", "is a training run: `arena train --resume done` goes on"),
]


@pytest.mark.usefixtures("finished")
@pytest.mark.parametrize(("line", "sentence"), BAD, ids=[line for line, _ in BAD])
def test_bad_input_is_one_sentence_and_changes_nothing(
    home: Path, line: str, sentence: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(home)
    (home / "done/lock").write_text(f"{os.getpid()}\n")  # as whoever opens it to write leaves it
    check_refused(line, sentence, home, capsys)
