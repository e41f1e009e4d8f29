"""Players by name, `arena.play`, and `arena match`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from agents.player import PolicyPlayer
from agents.policy import Policy, PolicyConfig
from agents.snapshot import save_snapshot
from arena.api import make_env, play
from arena.cli import main
from arena.players import load_player
from arena.result import Result
from arena.stats.elo import lead
from arena.stats.units import units
from arena.store import RunFolder
from envs.errors import InputError
from envs.side import Side
from envs.slime_volley.bots import BOTS
from tests.runs import Run

ENV = "SlimeVolley-v0"
SPEC = make_env(ENV).spec
STEPS = {"ada": (100, 900, 500), "bob": (200,)}


def freeze(path: Path, seed: int, actions: str = "discrete") -> None:
    torch.manual_seed(seed)
    spec = make_env(ENV, actions=actions).spec
    policy = Policy(spec.observation_spaces[0], spec.action_spaces[0], PolicyConfig(hidden=(8,)))
    save_snapshot(path, policy, {})


def game(winner: str, loser: str) -> Result:
    return Result(ENV, (winner, loser), (1.0, -1.0), 100, 0, "rules")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with four snapshots, of which ada:100 is best, and an anchor that beats them all."""
    path = tmp_path_factory.mktemp("runs") / "first@home"
    with RunFolder.create(path, Run(), seed=0) as folder:
        folder.add_member("baseline", "anchor", {"bot": "baseline"})
        for member, steps in STEPS.items():
            folder.add_member(member, "main", {})
            for step in steps:
                freeze(folder.snapshot_path(member, step), seed=step)
                folder.add_snapshot(member, step)
        order = ["baseline", "ada:100", "bob:200", "ada:500", "ada:900"]
        pairs = [(a, b) for index, a in enumerate(order) for b in order[index + 1 :]]
        games = [game(*(pair if turn % 3 else pair[::-1])) for pair in pairs for turn in range(30)]  # two of three
        folder.append_block("all", games)
    return path


@pytest.mark.parametrize(
    ("who", "name"),
    [("champion", "ada:100"), ("ada", "ada:900"), ("ada:500", "ada:500"), ("bob", "bob:200")],
)
def test_snapshots_of_a_run(run: Path, who: str, name: str) -> None:
    player = load_player(f"{run}@{who}", SPEC)
    assert isinstance(player, PolicyPlayer)
    assert player.name == name
    torch.manual_seed(int(name.partition(":")[2]))
    first = Policy(SPEC.observation_spaces[0], SPEC.action_spaces[0], PolicyConfig(hidden=(8,))).state_dict()
    assert all(torch.equal(value, first[key]) for key, value in player.policy.state_dict().items())


def test_a_snapshot_file(run: Path) -> None:
    player = load_player(str(run / "snapshots" / "bob-200.safetensors"), SPEC, greedy=False)
    assert isinstance(player, PolicyPlayer)
    assert (player.name, player.greedy) == ("bob-200", False)


@pytest.mark.parametrize("name", BOTS)
def test_bots(name: str) -> None:
    assert load_player(name, SPEC).name == name


def complaint(text: str) -> str:
    with pytest.raises(InputError) as fault:
        load_player(text, SPEC)
    said = str(fault.value)
    assert "\n" not in said
    return said


def test_nobody_of_that_name(run: Path, tmp_path: Path) -> None:
    assert complaint("basline") == "unknown player 'basline': did you mean 'baseline'?"
    assert "give a bot (random, noop, tracker, baseline, one-ply, perfect)" in complaint("xyzzy")
    assert "did you mean 'champion'" in complaint(f"{run}@champon")
    assert "did you mean 'ada:900'" in complaint(f"{run}@ada:901")
    assert "choose one of ada, bob, champion" in complaint(f"{run}@zoe")
    assert "there is no run folder" in complaint(f"{tmp_path}/none@champion")
    assert "is no run folder" in complaint(f"{tmp_path}@champion")
    assert "@champion" in complaint(str(run))
    assert "no snapshot" in complaint(str(tmp_path / "none.safetensors"))


def test_runs_without_snapshots_or_games(tmp_path: Path) -> None:
    with RunFolder.create(tmp_path / "new", Run(), seed=0) as folder:
        assert "has no snapshots yet" in complaint(f"{tmp_path}/new@champion")
        freeze(folder.snapshot_path("ada", 1), seed=1)
        folder.add_snapshot("ada", 1)
        assert "no rated games yet" in complaint(f"{tmp_path}/new@champion")
    assert load_player(f"{tmp_path}/new@ada", SPEC).name == "ada:1"


def test_files_that_are_no_snapshots_for_this_game(run: Path, tmp_path: Path) -> None:
    whole = (run / "snapshots" / "bob-200.safetensors").read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(whole[:-100])
    (tmp_path / "notes.txt").write_text("not weights")
    freeze(tmp_path / "buttons.safetensors", seed=1, actions="multibinary")
    complaint(str(tmp_path / "cut.safetensors"))
    complaint(str(tmp_path / "notes.txt"))
    said = complaint(str(tmp_path / "buttons.safetensors"))
    assert "was made for another game" in said
    assert "MultiBinary(3)" in said


def test_play_is_the_same_every_time(run: Path) -> None:
    players: list[str | Side] = [f"{run}@champion", load_player("noop", SPEC)]
    outcome = play(ENV, players, games=6, seed=4, options={"lives": 1}, greedy=False)
    assert outcome.players == ("ada:100", "noop")
    assert len(outcome.results) == outcome.summary.games == 6
    assert {abs(score) for result in outcome.results for score in result.score} == {1.0}
    assert play(ENV, players, games=6, seed=4, options={"lives": 1}, greedy=False, workers=2) == outcome
    assert str(outcome).startswith("SlimeVolley-v0, ada:100 against noop, seed 4: ada:100: ")


def test_command(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = [f"{run}@bob", "noop", "--games", "4", "--seed", "2", "--set", "lives=2"]
    assert main(["match", *line, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    outcome = play(ENV, [f"{run}@bob", "noop"], games=4, seed=2, options={"lives": 2})
    summary, own = outcome.summary, lead(units(outcome.results, "bob:200"))
    assert said == {
        "env": ENV, "players": ["bob:200", "noop"], "seed": 2, "games": 4,
        "wins": summary.wins, "draws": summary.draws, "losses": summary.losses,
        "score_mean": summary.score_mean, "score_ci95": list(summary.score_ci95 or ()),
        "steps_mean": summary.steps_mean,
        **own.figures(), "pairs": said["pairs"],
    }  # fmt: skip
    assert sum(said["pairs"].values()) == 2  # of four games
    assert main(["match", *line]) == 0
    table = capsys.readouterr().out
    assert f"{summary.score_mean:+.3f}" in table


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("basline noop", "did you mean 'baseline'"),
        ("baseline noop --env SlimeVolly-v0", "did you mean 'SlimeVolley-v0'"),
        ("baseline noop --set live=3", "did you mean 'lives'"),
        ("baseline noop --set lives", "key=value"),
        ("baseline noop --games 0", "games"),
    ],
)
def test_bad_commands(line: str, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["match", *line.split()]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("arena: ")
    assert said.err.count("\n") == 1
    assert sentence in said.err
