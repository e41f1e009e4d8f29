"""Picks: the games of a league that are worth watching, chosen by its log and played again from it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import arena.replay.again as again_module
from arena.league import League
from arena.match import Tape
from arena.replay import read_replay, verify
from arena.replay.again import Again, file_of, is_stored
from arena.replay.batch import check
from arena.replay.picks import find, logged, meeting, picks
from arena.replay.sources import picked
from arena.result import Result
from arena.store import RunFolder
from arena.store.verify import examine
from envs.errors import InputError
from tests.leagues import after, full, outcome, tiny
from tests.parlours import open_house
from tests.runs import ENV, Run
from tests.test_league_seats import LEAGUES, config_of


@pytest.fixture(autouse=True, scope="module")
def games() -> Iterator[None]:
    with open_house():
        yield


def log_of(path: Path, *blocks: tuple[str, list[Result]]) -> RunFolder:
    """A run with such a log, and ada's snapshots 0, 1, 2, each the parent of the next."""
    folder = RunFolder.create(path, Run(), 0)
    folder.add_member("baseline", "anchor", {"bot": "baseline"})
    parent = None
    for step in range(3):
        folder.snapshot_path("ada", step).write_bytes(b"x")
        parent = folder.add_snapshot("ada", step, parent).name
    for key, results in blocks:
        folder.append_block(key, results)
    return folder


def game(a: str, b: str, lead: float, steps: int = 100, ended: str = "rules", seed: int = 1) -> Result:
    return Result(ENV, (a, b), (lead, -lead), steps, seed, ended)  # type: ignore[arg-type]


def chosen(run: RunFolder) -> dict[str, tuple[str, int | None]]:
    return {pick.label: (pick.block, pick.game) for pick in picks(run)}


def test_what_is_picked(tmp_path: Path) -> None:
    strong, weak = [game("ada:2", "baseline", 5)] * 20, [game("ada:2", "ada:0", 5)] * 12
    with log_of(
        tmp_path / "run",
        ("rating|ada:0|baseline|3", [game("ada:0", "baseline", -5), game("baseline", "ada:0", 1, 3000, "limit")]),
        ("rating|ada:1|ada:0|3", [game("ada:1", "ada:0", -1, 900), game("ada:0", "ada:1", -2, 300)]),
        ("final|ada:2|baseline|20", strong),
        ("final|ada:2|ada:0|13", [*weak, game("ada:0", "ada:2", 2)]),
        ("more0|ada:2|ada:1|2", [game("ada:1", "ada:2", 2), game("ada:2", "ada:1", 1, 700)]),
        ("rating|ada:2|baseline|2", [game("baseline", "ada:2", 0, 3000, "limit"), game("ada:2", "baseline", 1, 600)]),
        ("import|abc|0", [game("eve", "ada:2", 5, 9999)]),  # nobody knows how to play it again
        ("human|1", [game("you", "ada:2", 1, 9999)]),
    ) as run:
        assert chosen(run) == {
            "upset": ("final|ada:2|ada:0|13", 12),
            "longest": ("rating|ada:2|baseline|2", 0),  # of two at the limit the one with fewer points
            "closest": ("rating|ada:1|ada:0|3", 0),  # by 2, as others, but latest; by the limit does not count
            "latest": ("more0|ada:2|ada:1|2", 1),  # of two snapshots
            "first-win-over-ada-0": ("rating|ada:1|ada:0|3", 1),
            "first-win-over-ada-1": ("more0|ada:2|ada:1|2", 1),
        }
        assert picks(run) == picks(run)
        upset = find(run, "upset")[0]
        assert upset.title.startswith("biggest upset: won with a chance of ")
        assert upset.result == game("ada:0", "ada:2", 2)
        assert [pick.label for pick in find(run, "first-win")] == ["first-win-over-ada-0", "first-win-over-ada-1"]
        assert find(run, "first-win-over-ada-1")[0].title == "ada:2 is the first to beat its ancestor ada:1"


def test_two_players(tmp_path: Path) -> None:
    with log_of(
        tmp_path / "run",
        ("rating|ada:1|baseline|2", [game("ada:1", "baseline", 1), game("baseline", "ada:1", 1)]),
        ("rating|ada:2|ada:1|2", [game("ada:2", "ada:1", 1), game("ada:1", "ada:2", 1)]),
    ) as run:
        assert (meeting(run, "ada-vs-baseline").block, meeting(run, "ada-vs-baseline").game) == (
            "rating|ada:1|baseline|2",
            1,
        )
        assert meeting(run, "baseline-vs-ada:1").label == "baseline-vs-ada-1"
        assert meeting(run, "ada-vs-ada").block == "rating|ada:2|ada:1|2"
        for what, said in (
            ("ada:2-vs-baseline", "ada:2 and baseline have not met: ada:2 met ada:1"),
            ("adda-vs-baseline", "unknown player 'adda': did you mean 'ada'?"),
            ("ada:7-vs-baseline", "unknown player 'ada:7': did you mean 'ada:[12]'?"),
            ("a-vs-b-vs-c", "A-vs-B"),
            ("upsett", "unknown pick 'upsett': did you mean 'upset'?"),
            ("promotion", "no game of kind 'promotion': it has .*closest"),
            ("best", "no game of kind 'best'"),
        ):
            with pytest.raises(InputError, match=said):
                find(run, what)


def test_a_log_without_games(tmp_path: Path) -> None:
    with log_of(tmp_path / "run") as run:
        assert picks(run) == []
        with pytest.raises(InputError, match="no games yet"):
            picked(run)
        with pytest.raises(InputError, match="none yet"):
            find(run, "upset")


# Leagues keep what is picked.


@pytest.fixture(scope="module")
def duel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("runs") / "duel"
    with League.create(path, tiny()) as league:
        league.run()
    return path


def files(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted((path / "replays").iterdir())}


def test_a_league_keeps_its_picks(duel: Path) -> None:
    with RunFolder.open(duel) as run:
        wanted = picks(run)
        assert {pick.kind for pick in wanted} >= {"longest", "latest", "closest"}
        assert sorted(files(duel)) == sorted(f"{pick.label}.replay" for pick in wanted)
        assert all(is_stored(duel, pick) for pick in wanted)
        results = {(one.block, one.game): one.result for one in logged(run)}
        known = {one.name: one.rating.mean for one in League(run).leaderboard()}
    for pick in wanted:
        stored = read_replay(file_of(duel, pick))
        verify(stored)
        assert pick.game is not None
        assert pick.result == results[pick.block, pick.game]
        assert pick.result is not None
        assert (stored.players, stored.score, stored.seed) == (pick.result.players, pick.result.score, pick.result.seed)
        assert stored.title == pick.title
        assert stored.ratings == tuple(known[name] for name in stored.players)
    assert examine(duel).faults == []


def test_the_files_follow_from_the_log(duel: Path, tmp_path: Path) -> None:
    """Taken down as it was played, or played again by the snapshots: the same bytes."""
    copy = tmp_path / "copy"
    shutil.copytree(duel, copy)
    shutil.rmtree(copy / "replays")
    with League.open(copy, write=True) as league:
        league.run()  # nothing is left to train
    assert files(copy) == files(duel)


def test_a_league_that_was_stopped_keeps_the_same(duel: Path, tmp_path: Path) -> None:
    path = tmp_path / "stopped"
    with League.create(path, tiny()) as league:
        league.run(stop=after(2))
    assert (path / "replays" / "latest.replay").exists()
    with League.open(path, write=True) as league:
        league.run()
    own = files(path)
    assert {name: own[name] for name in files(duel)} == files(duel)


def test_replays_can_be_turned_off(duel: Path, tmp_path: Path) -> None:
    with League.create(tmp_path / "run", tiny(replays=False)) as league:
        league.run()
    assert not (tmp_path / "run" / "replays").exists()
    assert outcome(tmp_path / "run")["results"] == outcome(duel)["results"]


def test_promotions(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with League.create(path, full()) as league:
        league.run()
        promoted = [event for event in league.folder.events() if event.kind == "promoted"]
        wanted = find(league.folder, "promotion")
    assert len(wanted) == len(promoted) > 0
    for pick, event in zip(wanted, promoted, strict=True):
        stored = read_replay(file_of(path, pick))
        verify(stored)
        assert set(stored.players) == {event.detail["candidate"], event.detail["against"]}
        place = stored.players.index(event.detail["candidate"])
        assert stored.score[place] >= stored.score[1 - place]


@pytest.mark.parametrize("kind", LEAGUES)
def test_leagues_of_many_seats(kind: str, tmp_path: Path) -> None:
    with League.create(tmp_path / "run", config_of(kind)) as league:
        league.run()
        wanted = picks(league.folder)
        assert league.replay_faults == []
    kept = [read_replay(file_of(tmp_path / "run", pick)) for pick in wanted]
    assert check(kept) == [None] * len(kept)
    kinds = {pick.kind for pick in wanted}
    assert kinds >= {"longest", "latest"}
    assert ("best" in kinds) == (kind == "one team")
    assert ("upset" in kinds) <= (kind in ("free for all", "pairs"))


def test_a_league_does_not_end_because_a_game_cannot_be_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_way(*_: Any, **__: Any) -> None:
        raise InputError("it plays otherwise.")

    monkeypatch.setattr(again_module, "replays_of", no_way)
    with League.create(tmp_path / "run", tiny(budget="300-steps")) as league:
        league.run()
        assert league.replay_faults
        assert "latest: it plays otherwise." in league.replay_faults
    assert files(tmp_path / "run") == {}


def test_a_game_that_this_machine_plays_otherwise(duel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with RunFolder.open(duel) as run:
        [pick] = find(run, "latest")
        results, tape = Again(run).play(pick.block)
        assert pick.game is not None
        assert results[pick.game] == pick.result
        wrong = [Result(one.env, one.players, one.score, one.steps + 1, one.seed, one.ended) for one in results]

        def otherwise(self: Again, key: str) -> tuple[list[Result], Tape]:
            return wrong, tape

        monkeypatch.setattr(Again, "play", otherwise)
        with pytest.raises(InputError, match="does not play again here as it is logged"):
            Again(run).replays([pick])


def test_a_stored_replay_that_was_changed_is_made_again(duel: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(duel, copy)
    whole = files(copy)
    (copy / "replays" / "latest.replay").write_bytes(whole["longest.replay"])
    (copy / "replays" / "longest.replay").write_bytes(whole["longest.replay"][:100])
    (copy / "replays" / "note.txt").write_text("x")
    assert [(fault.kind, fault.where) for fault in examine(copy).faults] == [
        ("changed", "replays/longest.replay"),
        ("unknown", "replays/note.txt"),
    ]
    with RunFolder.open(copy) as run:
        assert not any(is_stored(copy, pick) for kind in ("latest", "longest") for pick in find(run, kind))
        assert picked(run, "latest")[0].title == "latest game"  # played again
    (copy / "replays" / "note.txt").unlink()
    with League.open(copy, write=True) as league:
        league.run()
    assert files(copy) == whole
