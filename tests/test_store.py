"""The run folder: what is written is read back, by anybody, whatever happened to the writer."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from arena.config import load
from arena.learner import AgentConfig
from arena.ratings.games import games_of
from arena.result import Result
from arena.store import RunFolder
from envs.config import Config
from envs.errors import InputError

ROOT = Path(__file__).resolve().parent.parent


class Run(Config):
    """A config for the folder."""

    seed: int = 3
    env: str = "SlimeVolley-v0"


def result(number: int) -> Result:
    players = ("ada:1000", "bob:1000") if number % 2 else ("bob:1000", "ada:1000")
    return Result("SlimeVolley-v0", players, (1.5, -1.5), number, seed=2**53 - 1 - number, ended="rules")


BLOCK = [result(number) for number in range(8)]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[RunFolder]:
    with RunFolder.create(tmp_path / "run", Run(), seed=3, command=["league", "run"]) as made:
        yield made


def tree(path: Path) -> set[str]:
    return {str(entry.relative_to(path)) for entry in path.rglob("*")}


def test_what_is_appended_comes_back_in_order(folder: RunFolder) -> None:
    assert folder.append_block("b/0", BLOCK[:5])
    assert folder.append_block("a/1", BLOCK[5:])
    assert list(folder.results()) == BLOCK
    assert folder.games() == 8
    assert folder.blocks() == {"b/0", "a/1"}
    with RunFolder.open(folder.path) as reader:
        assert list(reader.results()) == BLOCK


def test_a_block_counts_once(folder: RunFolder) -> None:
    assert folder.append_block("b/0", BLOCK)
    assert not folder.append_block("b/0", BLOCK)
    assert list(folder.results()) == BLOCK


def test_a_block_that_fails_leaves_nothing(folder: RunFolder) -> None:
    def broken() -> Iterator[Result]:
        yield BLOCK[0]
        raise RuntimeError

    with pytest.raises(RuntimeError):
        folder.append_block("b/0", broken())
    assert folder.games() == 0
    assert folder.append_block("b/0", BLOCK)


def test_a_reader_keeps_its_view_while_games_arrive(folder: RunFolder) -> None:
    folder.append_block("b/0", BLOCK[:5])
    with RunFolder.open(folder.path) as reader:
        results = reader.results()
        first = next(results)
        folder.append_block("b/1", BLOCK[5:])
        assert [first, *results] == BLOCK[:5]
        assert list(reader.results()) == BLOCK


def test_ratings_may_read_less(folder: RunFolder) -> None:
    odd = [
        Result("Race-v0", ("x", "y", "z"), (1 / 3, -1e-300, 2.5e17), 3, 0, "limit"),
        Result("Race-v0", ("solo",), (0.1 + 0.2,), 7, 1, "rules"),
        Result("Race-v0", ("x", "y", "x"), (1.0, 0.0, 1.0), 7, 1, "rules"),
        Result("Race-v0", ("x", "y", "x"), (1.0, 0.0, 2.0), 7, 1, "rules"),
    ]
    folder.append_block("b/0", [*BLOCK, *odd])
    meetings = list(folder.meetings())
    assert meetings == [(result.players, result.score, result.seed, result.steps) for result in folder.results()]
    assert meetings[-4:] == [(result.players, result.score, result.seed, result.steps) for result in odd]
    ours, theirs = games_of(folder.meetings()), games_of([*BLOCK, *odd])
    assert (ours.names, len(ours)) == (theirs.names, len(theirs))
    assert ours.player.tolist() == theirs.player.tolist()
    assert ours.score.tolist() == theirs.score.tolist()
    assert ours.steps.tolist() == theirs.steps.tolist()


def test_entries_know_their_block_and_its_time(folder: RunFolder) -> None:
    before = time.time()
    folder.append_block("b/0", BLOCK[:5])
    folder.append_block("b/1", BLOCK[5:], when=7.5)
    entries = list(folder.entries())
    assert [(entry.block, entry.result) for entry in entries] == [
        *(("b/0", game) for game in BLOCK[:5]), *(("b/1", game) for game in BLOCK[5:]),
    ]  # fmt: skip
    assert {entry.time for entry in entries[5:]} == {7.5}
    assert before <= entries[0].time <= time.time()


def test_snapshots_are_indexed_in_order(folder: RunFolder) -> None:
    for step in (2000, 1000):
        folder.snapshot_path("ada", step).write_bytes(b"%d" % step)
    first = folder.add_snapshot("ada", 2000)
    second = folder.add_snapshot("ada", 1000, parent="ada:2000")
    assert folder.snapshots() == [first, second]
    assert (second.name, second.parent, second.file) == (
        "ada:1000", "ada:2000", "snapshots/ada-1000.safetensors",
    )  # fmt: skip
    folder.snapshot_path("ada", 2000).write_bytes(b"trained again")
    again = folder.add_snapshot("ada", 2000)
    assert [s.hash for s in folder.snapshots()] == [again.hash, second.hash] != [first.hash, second.hash]


def test_a_missing_snapshot_file_is_not_indexed(folder: RunFolder) -> None:
    with pytest.raises(FileNotFoundError):
        folder.add_snapshot("ada", 5)
    assert folder.snapshots() == []


@pytest.mark.parametrize("name", ["", "../ada", "a/b", "a:b", "a@b", ".hidden", "-x"])
def test_member_names_that_are_no_file_names(folder: RunFolder, name: str) -> None:
    with pytest.raises(InputError, match="member name"):
        folder.snapshot_path(name, 1)


def test_metrics_skip_and_mend_a_torn_line(folder: RunFolder) -> None:
    folder.append_metrics({"steps": 1, "loss": float("nan"), "by": {"ada": [float("inf"), 2.0]}})
    with (folder.path / "metrics.jsonl").open("a") as file:
        file.write('{"steps": 2, "lo')
    read = [{"steps": 1, "loss": None, "by": {"ada": [None, 2.0]}}]
    assert list(folder.metrics()) == read
    folder.close()
    with RunFolder.open(folder.path, write=True) as again:
        again.append_metrics({"steps": 2})
        assert list(again.metrics()) == [*read, {"steps": 2}]


def test_config_and_description(folder: RunFolder) -> None:
    assert load(Run, folder.path / "config.yaml") == Run()
    about = json.loads((folder.path / "run.json").read_text())
    assert about == folder.about
    assert (about["format"], about["seed"], about["command"]) == (2, 3, ["league", "run"])
    assert about["versions"]["numpy"]


def test_a_draft_of_a_killed_writer_is_swept(folder: RunFolder) -> None:
    folder.close()
    before = tree(folder.path)
    (folder.path / "resume" / ".ada.pt.0123abcd").write_bytes(b"half")
    (folder.path / "snapshots" / ".ada-1.safetensors.4711").write_bytes(b"half")
    RunFolder.open(folder.path, write=True).close()
    assert tree(folder.path) == before


def test_atomic_write_leaves_no_drafts(folder: RunFolder) -> None:
    before = tree(folder.path)
    folder.write_atomic("resume/ada.pt", b"1")
    folder.write_atomic("resume/ada.pt", b"22")
    assert (folder.path / "resume/ada.pt").read_bytes() == b"22"
    assert tree(folder.path) == before | {"resume/ada.pt"}


def test_create_refuses_a_run_a_file_and_a_full_folder(folder: RunFolder, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    before = tree(tmp_path)
    for path, message in [("run", "arena league resume"), ("file", "is a file"), ("full", "is not empty")]:
        with pytest.raises(InputError, match=message):
            RunFolder.create(tmp_path / path, Run(), seed=0)
    assert tree(tmp_path) == before


def test_create_under_a_file_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for path in ("file/run", "file/deep/run"):
        with pytest.raises(InputError, match="cannot write"):
            RunFolder.create(tmp_path / path, Run(), seed=0)
    assert tree(tmp_path) == {"file"}


@pytest.mark.parametrize("there", [False, True])
def test_create_that_fails_midway_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool) -> None:
    def no_space(path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError("database or disk is full")

    monkeypatch.setattr("arena.store.folder.Database.create", no_space)
    if there:
        (tmp_path / "deep" / "run").mkdir(parents=True)
    before = tree(tmp_path)
    with pytest.raises(InputError, match="disk is full"):
        RunFolder.create(tmp_path / "deep" / "run", Run(), seed=0)
    assert tree(tmp_path) == before


def test_create_makes_parents_and_fills_an_empty_folder(tmp_path: Path) -> None:
    RunFolder.create(tmp_path / "a" / "b", Run(), seed=0).close()
    (tmp_path / "c").mkdir()
    RunFolder.create(tmp_path / "c", Run(), seed=0).close()
    assert tree(tmp_path / "a" / "b") == tree(tmp_path / "c")
    assert {"run.json", "config.yaml", "league.sqlite", "snapshots", "resume"} <= tree(tmp_path / "c")


def test_open_says_what_is_wrong(folder: RunFolder, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with pytest.raises(InputError, match="there is no run folder"):
        RunFolder.open(tmp_path / "none")
    with pytest.raises(InputError, match="is no run folder"):
        RunFolder.open(tmp_path / "other")
    (tmp_path / "other" / "run.json").write_text('{"name": "somebody else\'s"}')
    with pytest.raises(InputError, match="not ours"):
        RunFolder.open(tmp_path / "other")
    for number, advice in ((999, "update it"), (1, "its snapshots still play as files")):
        (tmp_path / "other" / "run.json").write_text(f'{{"format": {number}}}')
        with pytest.raises(InputError, match=f"has format {number}.*{advice}"):
            RunFolder.open(tmp_path / "other")
    assert tree(tmp_path / "other") == {"run.json"}


@pytest.mark.parametrize("damage", [b"", b"not a database " * 99, None])
def test_a_damaged_log_is_one_sentence(folder: RunFolder, damage: bytes | None) -> None:
    folder.close()
    log = folder.path / "league.sqlite"
    log.unlink()
    if damage is not None:
        log.write_bytes(damage)
    for write in (False, True, True):  # the lock is free again after a failure
        with pytest.raises(InputError, match="cannot read the match log"):
            RunFolder.open(folder.path, write=write)


def test_a_second_writer_is_refused_and_readers_are_not(folder: RunFolder) -> None:
    code = (
        "import sys; from arena.store import RunFolder; from envs.errors import InputError\n"
        "assert RunFolder.open(sys.argv[1]).games() == 8\n"
        "try: RunFolder.open(sys.argv[1], write=True)\n"
        "except InputError as fault: print(fault)\n"
    )
    folder.append_block("b/0", BLOCK)
    said = subprocess.run(
        [sys.executable, "-c", code, str(folder.path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=ROOT,
    ).stdout
    assert "is being written by process" in said
    with pytest.raises(InputError, match="is being written by process"):
        RunFolder.open(folder.path, write=True)
    folder.close()
    RunFolder.open(folder.path, write=True).close()


def test_members_come_and_retire(folder: RunFolder) -> None:
    ada = folder.add_member("ada", "main", {"algorithm": "ppo", "settings": {"hidden": (64, 64)}})
    eve = folder.add_member("eve", "exploiter", {}, parent="ada:1000")
    assert (ada.status, ada.spec, ada.parent) == (
        "active",
        {"algorithm": "ppo", "settings": {"hidden": [64, 64]}},
        None,
    )
    assert folder.members() == [ada, eve]
    assert folder.retire_member("ada")
    assert not folder.retire_member("ada")
    with RunFolder.open(folder.path) as reader:
        assert [(member.name, member.status) for member in reader.members()] == [("ada", "retired"), ("eve", "active")]
        assert [(event.kind, event.member) for event in reader.events()] == [
            ("added", "ada"), ("added", "eve"), ("retired", "ada"),
        ]  # fmt: skip
        assert reader.events()[1].detail == {"role": "exploiter", "parent": "ada:1000"}


def test_no_limit_stays_no_limit(folder: RunFolder) -> None:
    """Settings of a member, such as an infinite max_grad_norm, are read back as what they were."""
    settings = AgentConfig(algorithm="ddpg").settings
    assert settings["max_grad_norm"] == float("inf")
    folder.add_member("ida", "main", {"settings": settings})
    kept = next(one for one in folder.members() if one.name == "ida").spec["settings"]
    assert AgentConfig(algorithm="ddpg", settings=kept).settings == settings


def test_bad_members_change_nothing(folder: RunFolder) -> None:
    folder.add_member("ada", "main", {})
    folder.retire_member("ada")
    before = folder.members(), folder.events()
    with pytest.raises(InputError, match=r"there is a member 'ada' already \(retired\)"):
        folder.add_member("ada", "main", {})
    with pytest.raises(InputError, match="member name 'a/b' may only have"):
        folder.add_member("a/b", "main", {})
    with pytest.raises(InputError, match="unknown member 'adda': did you mean 'ada'"):
        folder.retire_member("adda")
    assert (folder.members(), folder.events()) == before


def test_events_are_told_in_order_and_those_with_a_key_once(folder: RunFolder) -> None:
    before = time.time()
    assert folder.append_event("promoted", "ada", {"score": 0.75, "nobody": float("nan")}, key="promoted|ada:1000")
    assert not folder.append_event("promoted", "ada", {"score": 0.8}, key="promoted|ada:1000")
    assert folder.append_event("cycle")
    assert folder.append_event("cycle")
    first, second, third = folder.events()
    assert (first.id, first.kind, first.member, first.key) == (1, "promoted", "ada", "promoted|ada:1000")
    assert first.detail == {"score": 0.75, "nobody": None}
    assert (second.kind, second.member, second.key, second.detail) == ("cycle", None, None, {})
    assert before <= first.time <= second.time <= time.time()
    assert folder.events(after=first.id) == [second, third]


def test_a_transaction_is_all_or_nothing(folder: RunFolder) -> None:
    def everything(then: Callable[[], object]) -> None:
        with folder.transaction():
            folder.append_block("b/0", BLOCK)
            folder.add_member("ada", "main", {})
            folder.request("add", {"name": "bob"})
            with pytest.raises(InputError):  # a part of it that fails and is dealt with
                folder.add_member("ada", "main", {})
            with pytest.raises(AttributeError):
                folder.append_block("b/1", [*BLOCK, None])  # type: ignore[list-item]
            then()

    def seen() -> tuple[int, set[str], int, int, int]:
        with RunFolder.open(folder.path) as reader:
            sizes = (len(reader.members()), len(reader.events()), len(reader.requests()))
            return reader.games(), reader.blocks(), *sizes

    nothing = (0, set[str](), 0, 0, 0)
    with pytest.raises(KeyError):
        everything(lambda: folder.done(99))
    assert seen() == nothing
    during = []
    everything(lambda: during.append(seen()))
    assert during == [nothing]
    assert seen() == (8, {"b/0"}, 1, 1, 1)


def test_another_process_asks_while_the_lock_is_held(folder: RunFolder) -> None:
    code = (
        "import sys; from arena.store import RunFolder\n"
        "with RunFolder.open(sys.argv[1]) as run:\n"
        "    for name in sys.argv[2:]: print(run.request('retire', {'name': name}))\n"
        "    print([request.payload['name'] for request in run.requests()])\n"
    )
    folder.add_member("ada", "main", {})
    folder.add_member("bob", "main", {})
    for words, waiting in ((["bob", "ada"], ["bob", "ada"]), (["eve"], ["bob", "ada", "eve"])):
        said = subprocess.run(
            [sys.executable, "-c", code, str(folder.path), *words],
            capture_output=True, text=True, timeout=60, check=True, cwd=ROOT,
        ).stdout.splitlines()  # fmt: skip
        assert said[-1] == str(waiting)
    assert [request.id for request in folder.requests()] == [1, 2, 3]
    for request in folder.requests():
        with folder.transaction():
            answer = None
            try:
                folder.retire_member(request.payload["name"])
            except InputError as fault:
                answer = str(fault)
            assert folder.done(request.id, answer)
            assert not folder.done(request.id, "again")
    assert folder.requests() == []
    assert [event.member for event in folder.events() if event.kind == "retired"] == ["bob", "ada"]
    with RunFolder.open(folder.path) as reader:
        answers = [request.answer for request in reader.requests(with_done=True)]
        assert answers[:2] == [None, None]
        assert "unknown member 'eve'" in (answers[2] or "")
        assert all(request.done for request in reader.requests(with_done=True))


def test_requests_wait_for_the_next_one_to_write(folder: RunFolder) -> None:
    folder.close()
    with RunFolder.open(folder.path) as reader:
        assert reader.request("add", {"name": "eve"}) == 1
    with RunFolder.open(folder.path, write=True) as again:
        (request,) = again.requests()
        assert (request.kind, request.payload, request.done) == ("add", {"name": "eve"}, None)
        with pytest.raises(InputError):
            deal_with(again, request.id, "no name")
        assert again.requests() == [request]  # and is done the next time
        assert again.members() == []
        deal_with(again, request.id, "eve")
        assert again.requests() == []


def deal_with(folder: RunFolder, request: int, name: str) -> None:
    with folder.transaction():
        folder.done(request)
        folder.add_member(name, "main", {})


WRITER = """
import sys
from arena.store import RunFolder
from tests.test_store import result
with RunFolder.open(sys.argv[1], write=True) as folder:
    print("ready", flush=True)
    for number in range(100_000):
        folder.append_block(f"k/{number}", [result(8 * number + game) for game in range(8)])
        folder.append_metrics({"number": number})
        folder.write_atomic("resume/ada.pt", b"%d" % number * 1000)
        print(number, flush=True)
"""


@pytest.mark.parametrize("after", [0, 1, 7, 20])
def test_kill_nine_loses_nothing_that_was_committed(folder: RunFolder, after: int) -> None:
    folder.close()
    command = [sys.executable, "-c", WRITER, str(folder.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as writer:
        assert writer.stdout
        said = [writer.stdout.readline() for _ in range(after + 1)]
        writer.send_signal(signal.SIGKILL)
    assert said[-1].strip() == (str(after - 1) if after else "ready")
    with RunFolder.open(folder.path) as reader:  # before anybody has repaired anything
        seen = list(reader.results())
    assert seen == [result(number) for number in range(len(seen))]
    assert len(seen) % 8 == 0
    assert len(seen) >= 8 * after
    with RunFolder.open(folder.path, write=True) as again:
        assert again.append_block("more", [result(0)])
        numbers = [line["number"] for line in again.metrics()]
        assert numbers == list(range(len(numbers)))
        assert len(numbers) >= after
        assert not [name for name in tree(folder.path) if Path(name).name.startswith(".")]
    if after:
        data = (folder.path / "resume/ada.pt").read_bytes()
        assert data == data[: len(data) // 1000] * 1000
    with sqlite3.connect(folder.path / "league.sqlite") as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
