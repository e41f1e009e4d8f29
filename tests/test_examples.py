"""The examples run."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import arena.league as league_module
from agents.algorithms import registry
from agents.snapshot import load_snapshot
from arena.cli import main
from arena.league import LeagueConfig
from arena.replay.replay import read_replay
from arena.replay.simulate import verify
from tests.sources import ROOT

EXAMPLES = ROOT / "examples"
SMALL = [
    "training.games=8",
    "training.steps=16",
    "training.snapshot_steps=256",
    "game.options.lives=1",
    "game.options.serve_delay=0",
    "evaluation.games=2",
    "evaluation.final_games=2",
]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of my_league.toml."""
    path = tmp_path_factory.mktemp("runs") / "mine"
    changes = [word for change in SMALL for word in ("--set", change)]
    line = ["league", "run", str(EXAMPLES / "my_league.toml"), "--out", str(path), "--budget", "512-steps", *changes]
    assert main(line) == 0
    return path


def test_my_league_trains_two_networks(run: Path) -> None:
    wide, memory = (
        load_snapshot(run / "snapshots" / f"{name}-256.safetensors").policy.config for name in ("wide", "memory")
    )
    assert (wide.hidden, wide.core) == ((128, 64), "none")
    assert (memory.hidden, memory.core, memory.core_width) == ((64,), "gru", 32)


Say = Callable[..., str]
"""Runs an example as a script with these arguments, and gives what it prints."""


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """In this process, which has torch already; a name that is registered is forgotten afterwards."""

    def run(name: str, *words: str | Path) -> str:
        monkeypatch.setattr(sys, "argv", [name, *map(str, words)])
        monkeypatch.setattr(registry, "ENTRIES", dict(registry.ENTRIES))
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        return capsys.readouterr().out

    return run


def test_custom_matchup(run: Path, say: Say) -> None:
    """A match with each, one with all of them by turns, and one in teams."""
    lines = say("custom_matchup.py", f"{run}@champion", "random", "--games", "8").splitlines()
    matches = [line for line in lines if not line.startswith(" ")]
    assert [line.partition(",")[0] for line in matches] == ["SlimeVolley-v0"] * 4 + ["SlimeVolleyDoubles-v0"]
    assert "chaser against baseline" in matches[0]
    assert re.search(r"chaser against (wide|memory):(0|256),", matches[1])
    assert "chaser against random" in matches[2]
    assert all(" in 8 games" in line for line in matches)
    drawn = [re.fullmatch(r"  (\d+) games against (\S+), mean score [+-]\d\.\d\d", line) for line in lines[4:-2]]
    assert sum(int(one[1]) for one in drawn if one) == 8
    assert re.fullmatch(r"  \d+ points, in the mean after \d+ steps", lines[-2])
    assert "chaser against friend against rival" in matches[4]


def test_swiss_with_my_agent(say: Say) -> None:
    """A class of the script itself, for which it makes no difference which process plays."""
    words = ("random", "tracker", "--games", "2")
    alone = say("swiss_with_my_agent.py", *words)
    command = [sys.executable, str(EXAMPLES / "swiss_with_my_agent.py"), *words, "--workers", "2"]
    path = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=path, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, alone)
    lines = alone.splitlines()
    assert re.fullmatch(r"swiss, SlimeVolley-v0, seed 0, \d+ games", lines[0])
    assert sorted(line.split()[1] for line in lines[1:4]) == ["Waiter", "random", "tracker"]
    assert any(re.fullmatch(r"Waiter got \d+% of the points against (random|tracker)", line) for line in lines)
    assert re.fullmatch(r"fingerprint [0-9a-f]{16}: the same for any number of workers", lines[-1])


def test_train_then_challenge(say: Say, tmp_path: Path) -> None:
    """A league of a few steps, whose champion nevertheless plays."""
    changes = [word for change in (*SMALL, "evaluation.final_games=0") for word in ("--set", change)]
    out = tmp_path / "run"
    said = say("train_then_challenge.py", "--budget", "512-steps", "--games", "2", "--out", out, *changes)
    assert "gauntlet, SlimeVolley-v0, seed 0, 8 games" in said
    assert re.search(r"  1 champion +\S+ match points, \S+ of 8 game points", said)
    assert re.search(
        r"one point against the baseline, \d+ steps: score [+-][01]; the champion hoped for [+-]0\.\d\d", said
    )
    verify(read_replay(out / "challenge.replay"))


@pytest.mark.parametrize("algorithm", ["reinforce", "ppo"])
def test_lower_level(algorithm: str, say: Say) -> None:
    """The command; that its functions learn is shown in test_sampler.py."""
    said = say("lower_level.py", algorithm, "--env", "CartPole-v0", "--updates", "1")
    assert re.fullmatch(rf"{algorithm} on CartPole-v0: mean return of 100 games \d+\.\d\n", said)


def test_new_algorithm(say: Say) -> None:
    """It is known by its name, and learns: with this seed it lasts 44 steps at first."""
    said = say("new_algorithm.py", "--steps", "16k", "--seed", "1")
    found = re.fullmatch(r"awr in CartPole-v1, 16k steps: awr: mean score ([0-9.]+) .* in 100 games.*\n", said)
    assert found and float(found[1]) > 150


def test_mixed_doubles(say: Say) -> None:
    """Each pair has its line, and each player what it brings."""
    lines = say("mixed_doubles.py", "tracker", "noop", "random", "--games", "12").splitlines()
    pairs = [re.fullmatch(r"(\w+) and (\w+), left: mean score [+-]\d\.\d\d in 2 games", line) for line in lines[:6]]
    assert len({frozenset(pair.groups()) for pair in pairs if pair}) == 6
    brings = [re.fullmatch(r"(\w+): brings \d+\.\d ± \d\.\d skill points to a team", line) for line in lines[6:]]
    assert sorted(one[1] for one in brings if one) == ["noop", "random", "tracker"]


def test_pettingzoo_league(say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shorter one."""
    monkeypatch.setattr(league_module, "LeagueConfig", lambda **given: LeagueConfig(**{**given, "budget": "9k-steps"}))
    monkeypatch.syspath_prepend(str(EXAMPLES))
    told = say("pettingzoo_league.py", tmp_path / "auction")
    assert sorted(re.findall(r"(\S+) -?\d+\.\d [+-]\d\.\d{3}", told)) == ["ada:0", "ada:8192", "ada:9216", "random"]


def test_every_example_is_tried_here() -> None:
    """The cluster is in `test_ray_league`."""
    names = {path.name for path in EXAMPLES.iterdir() if path.is_file()}
    assert names == {
        "cluster.yaml", "custom_matchup.py", "lower_level.py", "mixed_doubles.py", "my_league.toml", "new_algorithm.py",
        "pettingzoo_league.py", "swiss_with_my_agent.py", "train_then_challenge.py",
    }  # fmt: skip
