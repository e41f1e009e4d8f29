"""`arena league export` and `import`: games leave and come back as they were, or not at all."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from arena.cli.arguments import bind
from arena.cli.league_export import export
from arena.cli.league_import import import_games
from arena.ratings.trueskill import rate
from arena.result import Ending, Result
from arena.store import RunFolder
from arena.store.exchange import COLUMNS
from arena.store.foreign import import_results
from arena.store.verify import verify
from envs.errors import InputError
from tests.runs import ENV, Run, make

ODD = [
    Result("Kuhn-v0", ("al;ice", 'b"ob'), (1 / 3, -1 / 3), 1, 2**53 - 1, "limit"),
    Result("Kuhn-v0", ("Zoë, 2nd", "a b", "x"), (1e-300, 5.0, -2.5e17), 0, 0, "forfeit", 'x, gave; "up"'),
    Result("Race-v0", ("solo",), (0.1 + 0.2,), 7, 1, "rules"),
]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixteen games in four blocks, and a block of odd ones."""
    path = make(tmp_path_factory.mktemp("runs") / "whole")
    with RunFolder.open(path, write=True) as folder:
        folder.append_block('od"d, block', ODD, 1.25)
    return path


@pytest.fixture
def run(whole: Path, tmp_path: Path) -> Path:
    return shutil.copytree(whole, tmp_path / "run")


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    RunFolder.create(tmp_path / "empty", Run(), seed=0).close()
    return tmp_path / "empty"


def arena(command: Callable[..., int], *words: str | Path) -> int:
    return bind(command, list(map(str, words)), "arena league")()


def bring(path: Path, name: str, text: str) -> int | None:
    """Import a file of this text into the run `path`."""
    file = path.parent / name
    file.write_text(text, encoding="utf-8")
    with RunFolder.open(path, write=True) as folder:
        return import_results(folder, file, ENV)


def read(path: Path) -> list[Result]:
    with RunFolder.open(path) as folder:
        return list(folder.results())


def test_csv_is_what_spreadsheets_read(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert arena(export, run, "--csv", tmp_path / "games.csv") == 0
    assert capsys.readouterr().out == f"{tmp_path}/games.csv: 19 games of {run}\n"
    with (tmp_path / "games.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    first = {**rows[0], "time": ""}
    assert first == {
        "block": "b/0", "env": ENV, "players": "bob:1000;ada:1000", "score": "1.5;-1.5", "steps": "0",
        "seed": str(2**53 - 1), "ended": "rules", "reason": "", "time": "",
    }  # fmt: skip
    assert (rows[-1]["block"], rows[-1]["time"], rows[-1]["score"]) == ('od"d, block', "1.25", "0.30000000000000004")


def test_json_is_one_object_per_line(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert arena(export, run, "--json", "-") == 0
    games = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [tuple(game) for game in games] == [COLUMNS] * 19
    assert games[-2] == {
        "block": 'od"d, block', "env": "Kuhn-v0", "players": ["Zoë, 2nd", "a b", "x"], "score": [1e-300, 5, -2.5e17],
        "steps": 0, "seed": 0, "ended": "forfeit", "reason": 'x, gave; "up"', "time": 1.25,
    }  # fmt: skip


@pytest.mark.parametrize(("option", "name"), [("--csv", "games.csv"), ("--json", "games.jsonl")])
def test_what_is_exported_comes_back(run: Path, empty: Path, tmp_path: Path, option: str, name: str) -> None:
    """With its blocks and their times; and so it is if it is exported again."""
    assert arena(export, run, option, tmp_path / name) == 0
    with RunFolder.open(empty, write=True) as folder:
        assert import_results(folder, tmp_path / name, "Other-v0") == 19
    with RunFolder.open(run) as there, RunFolder.open(empty) as here:
        games, again = list(there.entries()), list(here.entries())
    assert [entry[1:] for entry in again] == [entry[1:] for entry in games]
    blocks = [entry.block.split("|", 3) for entry in again]
    assert [(int(number), block) for _, _, number, block in blocks] == [
        *((game // 4, f"b/{game // 4}") for game in range(16)), *[(4, 'od"d, block')] * 3,
    ]  # fmt: skip
    assert verify(empty) == []


def test_an_export_that_fails_leaves_the_file_as_it_was(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "games.csv").write_text("mine")

    def broken(*given: object) -> Any:
        yield from ()
        raise RuntimeError

    monkeypatch.setattr(RunFolder, "entries", broken)
    with pytest.raises(RuntimeError):
        arena(export, run, "--csv", tmp_path / "games.csv")
    assert (tmp_path / "games.csv").read_text() == "mine"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["games.csv", "run"]


def test_bad_targets_of_an_export(run: Path, tmp_path: Path) -> None:
    for words in ([], ["--csv", "a", "--json", "b"]):
        with pytest.raises(InputError, match="give either --csv FILE or --json FILE"):
            arena(export, run, *words)
    for target in (tmp_path / "none" / "x.csv", run):
        with pytest.raises(InputError, match="cannot write"):
            arena(export, run, "--csv", target)
    assert verify(run) == []


def test_players_and_score_are_enough(empty: Path) -> None:
    assert bring(empty, "few.csv", "score,players\n1;0,eve;ada:1000\n0.5;0.5,eve;mallory\n") == 2
    assert bring(empty, "few.jsonl", '{"players": ["eve", "x"], "score": [1, 0], "steps": null}\n') == 1
    games = read(empty)
    assert [(game.players, game.score) for game in games] == [
        (("eve", "ada:1000"), (1.0, 0.0)), (("eve", "mallory"), (0.5, 0.5)), (("eve", "x"), (1.0, 0.0)),
    ]  # fmt: skip
    assert {(game.env, game.steps, game.ended) for game in games} == {(ENV, 0, "rules")}
    assert len({game.seed for game in games}) == 3  # or they would count as games on equal serves
    assert all(0 <= game.seed < 2**53 for game in games)
    with RunFolder.open(empty) as folder:
        assert len(folder.blocks()) == 2
        first = folder.events()[0]
    assert (first.kind, first.member, first.detail["file"], first.detail["games"]) == ("imported", None, "few.csv", 2)
    assert set(rate(games)) == {"eve", "ada:1000", "mallory", "x"}


@pytest.mark.parametrize("ended", ["rules", "limit", "forfeit"])
def test_every_column_is_read(empty: Path, ended: Ending) -> None:
    line = f"players,score,env,block,steps,seed,ended,time\na;b,1;2,Kuhn-v0,mine,5,6,{ended},7.5\n"
    assert bring(empty, "all.csv", f"\ufeff{line}\n") == 1  # with the mark that spreadsheets set, and an empty line
    with RunFolder.open(empty) as folder:
        (entry,) = folder.entries()
    assert entry.block.endswith("|0|mine")
    assert (entry.time, entry.result) == (7.5, Result("Kuhn-v0", ("a", "b"), (1.0, 2.0), 5, 6, ended))


def test_the_same_file_counts_once(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "games.csv"
    file.write_text("players,score\na;b,1;0\n")
    assert arena(import_games, run, file) == 0
    assert capsys.readouterr().out == f"{run}: 1 game from {file}\n"
    (tmp_path / "copy.csv").write_bytes(file.read_bytes())
    before = read(run)
    assert arena(import_games, run, tmp_path / "copy.csv") == 0
    assert capsys.readouterr().out == f"{tmp_path}/copy.csv was imported into {run} before: nothing has changed\n"
    assert arena(import_games, run, file, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said == {"run": str(run), "file": str(file), "games": 0, "known": True}
    assert read(run) == before
    file.write_text("players,score\na;b,1;0\na;b,1;0\n")
    assert arena(import_games, run, file, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["games"], said["known"]) == (2, False)
    assert len(read(run)) == len(before) + 2
    assert verify(run) == []


GOOD = "players,score\na;b,1;0\n"
BAD = {
    "": "line 1: there must be a column players",
    "players\na;b\n": "line 1: there must be a column score",
    "players,scor\na;b,1;0\n": "line 1: unknown column 'scor': did you mean 'score'?",
    "players,score,score\na;b,1;0,1;0\n": "line 1: column score is there twice",
    "players,score\n": "holds no games",
    f"{GOOD}a;b\n": "line 3: 1 cells, but line 1 has 2",
    f"{GOOD}a;b,\n": "line 3, column score: it must be given",
    f"{GOOD},1;0\n": "line 3, column players: it must be given",
    f"{GOOD}a;b,1\n": "line 3, column score: it must have one number for each player, not 1 for 2 players",
    f"{GOOD}a;b,1;x\n": "line 3, column score: 'x' is no finite number",
    f"{GOOD}a;b,1;nan\n": "line 3, column score: 'nan' is no finite number",
    f"{GOOD}a;b,1;1_0\n": "line 3, column score: '1_0' is no finite number",
    f"{GOOD}a;b,1;1e999\n": "line 3, column score: '1e999' is no finite number",
    f"{GOOD}a;,1;0\n": "line 3, column players: '' is no name",
    f'{GOOD}"a;b\nc",1;0\n': "line 4, column players",
    f'{GOOD}"a;""b",1;0\n': "column players",
    f'{GOOD}"a;b,1;0\n': "line 3: unexpected end of data",
    "players,score,ended\na;b,1;0,rule\n": "line 2, column ended: unknown ending 'rule': did you mean 'rules'?",
    "players,score,steps\na;b,1;0,-1\n": "line 2, column steps: '-1' is no whole number from 0 to 2**53 - 1",
    f"players,score,seed\na;b,1;0,{2**53}\n": f"line 2, column seed: '{2**53}' is no whole number",
    "players,score,time\na;b,1;0,-1\n": "line 2, column time: '-1' is before 1970",
}
BAD_JSON = {
    '[{"players": ["a", "b"], "score": [1, 0]}]\n': "line 1: each line must be one JSON object",
    '{"players": ["a", "b"], "score": [1, 0]}\n\n': "line 2: each line must be one JSON object",
    '{"players": ["a", "b"], "score": [1, 0], "sed": 1}\n': "line 1: unknown column 'sed': did you mean 'seed'?",
    '{"players": ["a", "b"]}\n': "line 1, column score: it must be given",
    '{"players": ["a", 3], "score": [1, 0]}\n': "line 1, column players: 3 is no name",
    '{"players": [], "score": []}\n': "line 1, column players: [] is no list",
    '{"players": ["a", "b"], "score": [1, true]}\n': "line 1, column score: True is no finite number",
    '{"players": ["a", "b"], "score": [1, NaN]}\n': "line 1, column score: nan is no finite number",
    '{"players": ["a", "b"], "score": ["1", 0]}\n': "line 1, column score: '1' is no finite number",
    '{"players": "a;b", "score": [1, 0]}\n': "line 1, column players: 'a;b' is no list",
    '{"players": ["a", "b"], "score": [1, 0], "seed": "1"}\n': "line 1, column seed: '1' is no whole number",
    '{"players": ["a", "b"], "score": 1}\n': "line 1, column score: 1 is no list",
    f'{{"players": ["a", "b"], "score": [1, {10**400}]}}\n': "is no finite number",
    '{"players": ["a", "b"], "score": [1, 0], "steps": 1.5}\n': "line 1, column steps: 1.5 is no whole number",
    '{"players": ["a", "b"], "score": [1, 0], "ended": ["rules"]}\n': "line 1, column ended: unknown ending",
}


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [*(("bad.csv", *item) for item in BAD.items()), *(("bad.jsonl", *item) for item in BAD_JSON.items())],
)
def test_a_bad_file_is_one_sentence_and_changes_nothing(run: Path, name: str, text: str, sentence: str) -> None:
    before = read(run)
    with pytest.raises(InputError) as caught:
        bring(run, name, text)
    assert sentence in str(caught.value)
    assert str(run.parent / name) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert read(run) == before
    with RunFolder.open(run) as folder:
        assert len(folder.blocks()) == 5
        assert "imported" not in {event.kind for event in folder.events()}
    assert verify(run) == []


def test_bad_sources_of_an_import(run: Path, tmp_path: Path) -> None:
    (tmp_path / "latin.csv").write_bytes(b"players,score\nZo\xeb;b,1;0\n")
    for name, sentence in (
        ("games.txt", "its name must end in"), ("none.csv", "cannot read"), ("latin.csv", "not a text file in UTF-8"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=sentence):
            arena(import_games, run, tmp_path / name)
    assert verify(run) == []


def test_import_needs_the_lock_and_export_does_not(run: Path, tmp_path: Path) -> None:
    (tmp_path / "games.csv").write_text(GOOD)
    with RunFolder.open(run, write=True):
        with pytest.raises(InputError, match="is being written by process"):
            arena(import_games, run, tmp_path / "games.csv")
        assert arena(export, run, "--csv", tmp_path / "out.csv") == 0
    assert arena(import_games, run, tmp_path / "out.csv") == 0


def test_only_leagues_take_foreign_games(tmp_path: Path) -> None:
    RunFolder.create(tmp_path / "run", Run(), seed=0, kind="training").close()
    (tmp_path / "games.csv").write_text(GOOD)
    with pytest.raises(InputError, match="is a training run"):
        arena(import_games, tmp_path / "run", tmp_path / "games.csv")
