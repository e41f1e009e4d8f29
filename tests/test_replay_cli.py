"""The command line around replays: match --replays, watch, show, list, verify, export."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from arena.cli import main
from arena.league import League
from arena.replay import read_replay
from arena.replay.simulate import simulation_of
from tests.cli import object_of
from tests.leagues import tiny

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def league(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("runs") / "league"
    with League.create(path, tiny()) as made:
        made.run()
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three games of boards."""
    path = tmp_path_factory.mktemp("kept") / "games"
    words = ["match", "random", "one-ply", "--env", "ConnectFour-v0", "--games", "5", "--seed", "2"]
    assert main([*words, "--replays", str(path), "--replays-keep", "3"]) == 0
    return path


def refused(*words: str | Path, capsys: Capture) -> str:
    assert main([*map(str, words)]) == 2
    said = capsys.readouterr().err
    assert said.startswith("arena: ")
    assert said.count("\n") == 1
    return said


def test_a_match_keeps_its_games(folder: Path, capsys: Capture, tmp_path: Path) -> None:
    assert sorted(file.name for file in folder.iterdir()) == [f"game-{number}.replay" for number in (1, 2, 3)]
    words = ("match", "random", "one-ply", "--env", "ConnectFour-v0", "--games", "5", "--seed", "2")
    plain = object_of(*words, capsys=capsys)
    kept = object_of(*words, "--replays", tmp_path / "all", capsys=capsys)
    assert kept == {**plain, "replays": 5}
    first = (tmp_path / "all" / "game-1.replay").read_bytes()
    assert first == (folder / "game-1.replay").read_bytes()
    assert "give both" in refused(*words, "--replays-keep", "3", capsys=capsys)
    assert "1 or more" in refused(*words, "--replays", tmp_path, "--replays-keep", "0", capsys=capsys)
    (tmp_path / "file").touch()
    assert "cannot write to" in refused(*words, "--replays", tmp_path / "file", capsys=capsys)


def test_show(folder: Path, capsys: Capture) -> None:
    file = folder / "game-1.replay"
    replay = read_replay(file)
    said = object_of("replay", "show", file, capsys=capsys)
    assert (said["env"], said["players"], said["score"]) == ("ConnectFour-v0", ["random", "one-ply"], [*replay.score])
    assert (said["steps"], said["seconds"]) == (replay.steps, replay.steps * 0.5)
    assert said["bytes"] == file.stat().st_size < 1000
    assert main(["replay", "show", str(file)]) == 0
    text = capsys.readouterr().out
    assert f"ended by its rules after {replay.steps} steps" in text
    assert "random: -1" in text


def test_verify_and_list(folder: Path, capsys: Capture, tmp_path: Path) -> None:
    steps = sum(read_replay(file).steps for file in folder.iterdir())
    said = object_of("replay", "verify", folder, capsys=capsys)
    assert said == {"replays": 3, "steps": steps, "faults": []}
    bad = tmp_path / "bad.replay"
    bad.write_bytes((folder / "game-1.replay").read_bytes()[:-9])
    assert main(["replay", "verify", str(folder), str(bad)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"{bad} is no replay or has been damaged")
    assert lines[1] == f"4 replays, {steps} steps: 1 of them not"
    listed = object_of("replay", "list", folder, capsys=capsys)
    assert [Path(row["file"]).name for row in listed["replays"]] == [f"game-{number}.replay" for number in (1, 2, 3)]
    assert listed["damaged"] == []
    (tmp_path / "empty").mkdir()
    assert "has no replays" in refused("replay", "list", tmp_path / "empty", capsys=capsys)
    assert "no replay to verify" in refused("replay", "verify", capsys=capsys)
    assert "damaged" in refused("replay", "show", bad, capsys=capsys)


def test_export_as_numbers(folder: Path, capsys: Capture, tmp_path: Path) -> None:
    file, out = folder / "game-1.replay", tmp_path / "game.json"
    assert main(["replay", "export", str(file), "--json", str(out)]) == 0
    told, replay = json.loads(out.read_text()), read_replay(file)
    simulation = simulation_of(replay)
    assert told["steps"] == replay.steps == len(told["actions"]) == len(told["rewards"]) == len(told["states"])
    assert np.array_equal(told["observations"], [simulation.at(step).obs for step in range(replay.steps + 1)])
    assert told["actions"] == replay.actions.tolist()
    assert told["acts"][0] == [True, False]
    cells = np.array([state["cells"] for state in told["states"]])
    assert ((cells > 0).sum(axis=1) == np.arange(replay.steps)).all()  # one more piece before each step
    assert (told["score"], told["players"]) == ([*replay.score], [*replay.players])


def test_export_of_a_game_that_cannot_be_saved(capsys: Capture, tmp_path: Path) -> None:
    folder, out = tmp_path / "games", tmp_path / "game.json"
    words = ["match", "random", "--env", "gym:CartPole-v1", "--games", "1", "--replays", str(folder)]
    assert main(words) == 0
    assert main(["replay", "export", str(folder / "game-1.replay"), "--json", str(out)]) == 0
    told = json.loads(out.read_text())
    assert told["states"] is None
    assert len(told["observations"]) == told["steps"] + 1


def test_export_as_film_and_page(folder: Path, capsys: Capture, tmp_path: Path) -> None:
    file = folder / "game-2.replay"
    made = {suffix: tmp_path / f"game.{suffix}" for suffix in ("gif", "webp", "html")}
    words = [word for suffix, path in made.items() for word in (f"--{suffix}", str(path))]
    assert main(["replay", "export", str(file), *words, "--width", "200", "--fps", "4"]) == 0
    assert made["gif"].read_bytes()[:6] == b"GIF89a"
    assert made["webp"].read_bytes()[8:12] == b"WEBP"
    page = made["html"].read_text()
    assert "one-ply" in page
    said = capsys.readouterr().out
    assert said.count("kB") == 3


def test_what_export_refuses(folder: Path, capsys: Capture, tmp_path: Path) -> None:
    file = folder / "game-1.replay"
    assert "nothing to write" in refused("replay", "export", file, capsys=capsys)
    assert "must end in .html" in refused("replay", "export", file, "--html", "x.htm", capsys=capsys)
    assert "must end in .webp" in refused("replay", "export", file, "--webp", "x.gif", capsys=capsys)
    assert "--fps must be above 0" in refused("replay", "export", file, "--webp", "x.webp", "--fps", "0", capsys=capsys)
    lost = tmp_path / "none" / "x.json"
    assert "cannot write" in refused("replay", "export", file, "--json", lost, capsys=capsys)
    assert "No such file" in refused("replay", "export", "none.replay", "--json", tmp_path / "x.json", capsys=capsys)
    assert list(tmp_path.iterdir()) == []


def test_watching_files(folder: Path, capsys: Capture, tmp_path: Path) -> None:
    film = tmp_path / "film.webp"
    words = (
        "watch",
        folder / "game-1.replay",
        folder / "game-2.replay",
        "--width",
        "160",
        "--fps",
        "2",
        "--speed",
        "8",
    )
    said = object_of(*words, "--record", film, capsys=capsys)
    scores = [[*read_replay(folder / f"game-{number}.replay").score] for number in (1, 2)]
    assert (said["games"], said["scores"]) == (2, scores)
    assert film.stat().st_size > 0


def test_watching_a_league(league: Path, capsys: Capture, tmp_path: Path) -> None:
    rows = object_of("watch", league, "--pick", "list", capsys=capsys)["picks"]
    assert {"longest", "latest", "closest"} <= {row["kind"] for row in rows}
    assert main(["watch", str(league), "--pick", "list"]) == 0
    assert "latest game (" in capsys.readouterr().out
    words = ("--record", tmp_path / "film.webp", "--width", "160", "--fps", "2")
    for pick in ("longest", "ada-vs-random"):
        said = object_of("watch", league, "--pick", pick, *words, capsys=capsys)
        assert said["games"] == 1
    stored = object_of("watch", league / "replays" / "longest.replay", *words, capsys=capsys)
    assert stored["scores"] == [[*read_replay(league / "replays" / "longest.replay").score]]
    everything = object_of("watch", league, *words, "--max-seconds", "1", capsys=capsys)
    assert everything["players"]


def test_what_watch_refuses(league: Path, folder: Path, capsys: Capture, tmp_path: Path) -> None:
    file = folder / "game-1.replay"
    assert "did you mean 'longest'" in refused("watch", league, "--pick", "longst", capsys=capsys)
    assert "no game of kind 'promotion'" in refused("watch", league, "--pick", "promotion", capsys=capsys)
    assert "unknown player 'adda'" in refused("watch", league, "--pick", "adda-vs-bob", capsys=capsys)
    assert "one run folder" in refused("watch", league, folder, "--pick", "latest", capsys=capsys)
    assert "is watched alone" in refused("watch", file, "random", capsys=capsys)
    assert f"{league}@champion" in refused("watch", league, "baseline", capsys=capsys)
    assert "leave it out" in refused("watch", file, "--seed", "3", capsys=capsys)
    assert "leave it out" in refused("watch", league, "--pick", "latest", "--games", "2", capsys=capsys)
    assert "choose one" in refused("watch", file, "--terminal", "--record", tmp_path / "x.webp", capsys=capsys)
    assert "--terminal draws in a terminal" in refused("watch", file, "--terminal", capsys=capsys)
    assert "no run folder" in refused("watch", tmp_path, "--pick", "latest", capsys=capsys)
    damaged = tmp_path / "x.replay"
    damaged.write_bytes(file.read_bytes().replace(b"random", b"rundum"))
    assert "does not fit its seal" in refused("watch", damaged, capsys=capsys)
