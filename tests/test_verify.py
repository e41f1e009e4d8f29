"""`arena league verify`: every kind of damage is found, and nothing else is called one."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from arena.cli.arguments import bind
from arena.cli.league_verify import verify as command
from arena.store import RunFolder
from arena.store.files import sha256
from arena.store.manifest import Manifest
from arena.store.verify import examine, verify
from envs.errors import InputError
from tests.runs import make, result

Damage = Callable[[Path], object]
context = multiprocessing.get_context("forkserver")
context.set_forkserver_preload([__name__])


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("runs") / "whole")


@pytest.fixture
def run(whole: Path, tmp_path: Path) -> Path:
    """A copy to be damaged."""
    return shutil.copytree(whole, tmp_path / "run")


def sql(*statements: str) -> Damage:
    """Damage to the log."""

    def damage(run: Path) -> None:
        with closing(sqlite3.connect(run / "league.sqlite", isolation_level=None)) as db:
            for statement in statements:
                db.execute(statement)

    return damage


def cut(name: str, keep: int) -> Damage:
    return lambda run: (run / name).write_bytes((run / name).read_bytes()[:keep])


def flip(name: str) -> Damage:
    """One bit of its middle."""

    def damage(run: Path) -> None:
        data = bytearray((run / name).read_bytes())
        data[len(data) // 2] ^= 1
        (run / name).write_bytes(data)

    return damage


def write(name: str, text: str) -> Damage:
    return lambda run: (run / name).write_text(text)


def delete(name: str) -> Damage:
    return lambda run: (run / name).unlink()


SNAPSHOT, RESUME = "snapshots/ada-1000.safetensors", "resume/ada.pt"
GAME = (
    "INSERT INTO games (block, game, lineup, score, steps, seed, ended) VALUES (2, 4, 1, '[1.0, 0.0]', 9, 9, 'rules')"
)
FILES: dict[str, tuple[Damage, str, str]] = {
    "snapshot deleted": (delete(SNAPSHOT), "missing", SNAPSHOT),
    "snapshot truncated": (cut(SNAPSHOT, 399), "truncated", SNAPSHOT),
    "snapshot changed": (flip(SNAPSHOT), "changed", SNAPSHOT),
    "snapshot grown": (write(SNAPSHOT, "1000" * 101), "changed", SNAPSHOT),
    "snapshot emptied": (cut(SNAPSHOT, 0), "truncated", SNAPSHOT),
    "resume file deleted": (delete(RESUME), "missing", RESUME),
    "resume file truncated": (cut(RESUME, 10), "truncated", RESUME),
    "resume file changed": (flip(RESUME), "changed", RESUME),
    "resume file of before": (write(RESUME, "0" * 2000), "changed", RESUME),
    "config changed": (flip("config.yaml"), "changed", "config.yaml"),
    "config deleted": (delete("config.yaml"), "missing", "config.yaml"),
    "run.json changed": (lambda run: _other_seed(run / "run.json"), "changed", "run.json"),
    "run.json deleted": (delete("run.json"), "missing", "run.json"),
    "run.json truncated": (cut("run.json", 30), "truncated", "run.json"),
    "stray file": (write("thesis.txt", "mine"), "unknown", "thesis.txt"),
    "stray resume file": (write("resume/eve.pt", "hers"), "unknown", "resume/eve.pt"),
    "stray snapshot": (write("snapshots/ada.bin", "hers"), "unknown", "snapshots/ada.bin"),
    "metrics deleted": (delete("metrics.jsonl"), "missing", "metrics.jsonl"),
    "metrics changed": (write("metrics.jsonl", '{"a": 1}\n{"a" 1}\n{}\n'), "damaged", "metrics.jsonl: line 2"),
    "metrics of no object": (write("metrics.jsonl", "[1]\n"), "damaged", "metrics.jsonl: line 1"),
    "log deleted": (delete("league.sqlite"), "missing", "league.sqlite"),
    "log emptied": (cut("league.sqlite", 0), "damaged", "league.sqlite"),
    "log overwritten": (write("league.sqlite", "no database " * 999), "damaged", "league.sqlite"),
}
ROWS: dict[str, tuple[Damage, str, str]] = {
    "score": (sql("UPDATE games SET score = '[-1.5, 1.5]' WHERE id = 6"), "changed", "block 2"),
    "score of the last": (sql("UPDATE games SET score = '[-1.5, 1.5]' WHERE id = 16"), "changed", "block 4"),
    "steps": (sql("UPDATE games SET steps = steps + 1 WHERE id = 1"), "changed", "block 1"),
    "seed": (sql("UPDATE games SET seed = 5 WHERE id = 1"), "changed", "block 1"),
    "ending": (sql("UPDATE games SET ended = 'limit' WHERE id = 9"), "changed", "block 3"),
    "players": (sql("UPDATE games SET lineup = 3 - lineup WHERE id = 9"), "changed", "block 3"),
    "game deleted": (sql("DELETE FROM games WHERE id = 16"), "changed", "block 4"),
    "game added": (sql(GAME), "changed", "block 2"),
    "games exchanged": (
        sql("UPDATE games SET id = 99 WHERE id = 1", "UPDATE games SET id = 1 WHERE id = 2",
            "UPDATE games SET id = 2 WHERE id = 99"), "changed", "block 1",
    ),
    "key": (sql("UPDATE blocks SET key = 'c' WHERE id = 2"), "changed", "block 2"),
    "time": (sql("UPDATE blocks SET time = time + 1 WHERE id = 4"), "changed", "block 4"),
    "block deleted": (
        sql("DELETE FROM games WHERE block = 2", "DELETE FROM blocks WHERE id = 2"), "missing", "blocks",
    ),
    "last block deleted": (
        sql("DELETE FROM games WHERE block = 4", "DELETE FROM blocks WHERE id = 4"), "missing", "blocks",
    ),
    "block added": (sql("INSERT INTO blocks (key, time, seal) VALUES ('c', 1.0, '')"), "changed", "block 5"),
    "lineup added": (sql("INSERT INTO lineups (env, players) VALUES ('x', '[]')"), "unknown", "lineups 3"),
    "snapshot": (sql("UPDATE snapshots SET step = 1 WHERE id = 1"), "changed", "snapshots 1"),
    "first snapshot deleted": (sql("DELETE FROM snapshots WHERE id = 1"), "missing", "snapshots"),
    "last snapshot deleted": (sql("DELETE FROM snapshots WHERE id = 2"), "missing", "snapshots"),
    "member": (sql("UPDATE members SET status = 'active' WHERE id = 2"), "changed", "members 2"),
    "member added": (
        sql("INSERT INTO members (name, role, status, spec, added, seal) VALUES ('x', '', 'active', '{}', 1.0, '')"),
        "changed", "members 3",
    ),
    "event": (sql("UPDATE events SET detail = '{}' WHERE id = 1"), "changed", "events 1"),
    "event deleted": (sql("DELETE FROM events WHERE id > 1"), "missing", "events"),
    "request": (sql("UPDATE requests SET payload = x'00' WHERE id = 1"), "changed", "requests 1"),
    "request deleted": (sql("DELETE FROM requests WHERE id = 1"), "missing", "requests"),
    "seal": (sql("UPDATE members SET seal = 'x' WHERE id = 1"), "changed", "members 1"),
}  # fmt: skip


def _other_seed(about: Path) -> None:
    about.write_text(about.read_text().replace('"seed": 3', '"seed": 4'))


def test_a_whole_run_is_clean(run: Path) -> None:
    found = examine(run)
    assert (found.faults, found.notes) == ([], [])
    assert (found.files, found.blocks, found.games) == (7, 4, 16)  # the manifest's five, log and metrics


@pytest.mark.parametrize(("damage", "kind", "where"), FILES.values(), ids=FILES)
def test_damage_to_files(run: Path, damage: Damage, kind: str, where: str) -> None:
    damage(run)
    (fault,) = verify(run)
    assert (fault.kind, fault.where) == (kind, where)
    assert where.split(": line")[0] in str(fault)
    assert str(fault).endswith(".") and "\n" not in str(fault)


@pytest.mark.parametrize(("damage", "kind", "where"), ROWS.values(), ids=ROWS)
def test_damage_to_rows(run: Path, damage: Damage, kind: str, where: str) -> None:
    damage(run)
    (fault,) = verify(run)
    assert (fault.kind, fault.where) == (kind, f"league.sqlite: {where}")
    assert str(fault).endswith(".")


def test_a_block_of_another_run_does_not_fit(run: Path, tmp_path: Path) -> None:
    """Although its own rows are whole: it does not follow on the block before it."""
    other = make(tmp_path / "other")
    with closing(sqlite3.connect(run / "league.sqlite", isolation_level=None)) as db:
        db.execute("ATTACH ? AS other", (str(other / "league.sqlite"),))
        db.execute("DELETE FROM blocks WHERE id = 3")
        db.execute("INSERT INTO blocks SELECT * FROM other.blocks WHERE id = 3")
    assert [(fault.kind, fault.where) for fault in verify(run)] == [
        ("changed", "league.sqlite: block 3"), ("changed", "league.sqlite: block 4"),
    ]  # fmt: skip


def test_several_faults_are_all_named(run: Path) -> None:
    delete(SNAPSHOT)(run)
    sql("UPDATE games SET seed = 5 WHERE id IN (1, 6)", "DELETE FROM lineups WHERE id = 2")(run)
    found = [(fault.kind, fault.where) for fault in verify(run)]
    assert found.count(("missing", "league.sqlite: lineups")) == 8  # each of its games refers to it
    assert {where for _, where in found} >= {SNAPSHOT, *(f"league.sqlite: block {id}" for id in (1, 2, 3, 4))}


@pytest.mark.parametrize("page", range(1, 12))
def test_a_damaged_page_of_the_log_is_found(run: Path, page: int) -> None:
    """Where it holds something; the page is overwritten behind SQLite's back."""
    with (run / "league.sqlite").open("r+b") as file:
        file.seek(4096 * page)
        assert any(file.read(4096))
        file.seek(4096 * page)
        file.write(b"\x55" * 4096)
    assert verify(run)


def test_what_killed_writers_leave_is_no_fault(run: Path) -> None:
    (run / ".run.json.0123abcd").write_bytes(b"half")
    (run / "snapshots" / ".ada-2000.safetensors.4711").write_bytes(b"half")
    (run / "snapshots" / "ada-2000.safetensors").write_bytes(b"whole, but not indexed")
    (run / "tensorboard").mkdir()
    (run / "tensorboard" / "events.out.tfevents.1").write_bytes(b"curves")
    with (run / "metrics.jsonl").open("a") as file:
        file.write('{"steps": 2, "lo')
    found = examine(run)
    assert found.faults == []
    assert [note.split()[0] for note in found.notes] == [
        "the", ".run.json.0123abcd", "snapshots/.ada-2000.safetensors.4711", "snapshots/ada-2000.safetensors",
    ]  # fmt: skip
    with RunFolder.open(run, write=True) as folder:
        folder.add_snapshot("ada", 2000)
    found = examine(run)
    assert (found.faults, found.notes) == ([], [])


class Killed(BaseException):
    """What ends a process in mid-work."""


@pytest.mark.parametrize("name", ["resume/ada.pt", "resume/new.pt"])
@pytest.mark.parametrize("place", ["arena.store.folder.write_atomic", "settle"])
def test_a_file_is_whole_between_any_two_steps_of_its_writer(
    run: Path, name: str, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once it is announced, and once it is written; the next writer does not mind."""

    def killed(*given: object) -> None:
        raise Killed

    with RunFolder.open(run, write=True) as folder, monkeypatch.context() as patch:
        if place == "settle":
            settle, asked = Manifest.settle, iter([True, False])
            patch.setattr(Manifest, "settle", lambda *given: settle(*given) if next(asked) else killed())
        else:
            patch.setattr(place, killed)
        with pytest.raises(Killed):
            folder.write_atomic(name, b"new")
    assert (run / name).exists() == (name == "resume/ada.pt" or place == "settle")
    assert verify(run) == []
    with RunFolder.open(run, write=True) as folder:
        with monkeypatch.context() as patch:
            patch.setattr("arena.store.folder.write_atomic", killed)
            with pytest.raises(Killed):
                folder.write_atomic(name, b"newer")
        assert verify(run) == []
        folder.write_atomic(name, b"newest")
    assert (run / name).read_bytes() == b"newest"
    assert verify(run) == []
    (run / name).write_bytes(b"newer!")
    assert [fault.where for fault in verify(run)] == [name]


def test_a_file_that_is_replaced_while_it_is_checked_is_no_fault(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its row was read before, its bytes after."""
    coming = [b"new", b"newer"]

    def late(path: Path) -> str:
        if path.name == "ada.pt" and coming:
            folder.write_atomic("resume/ada.pt", coming.pop(0))
        return sha256(path)

    monkeypatch.setattr("arena.store.verify.sha256", late)
    with RunFolder.open(run, write=True) as folder:
        assert verify(run) == []
    assert coming == []


@pytest.mark.parametrize(("about", "sentence"), [('{"format": 1}', "has format 1"), ('{"format": 3}', "has format 3")])
def test_other_formats_are_refused(tmp_path: Path, about: str, sentence: str) -> None:
    (tmp_path / "run.json").write_text(about)
    with pytest.raises(InputError, match=sentence):
        verify(tmp_path)


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no run folder"):
        verify(tmp_path / "none")
    with pytest.raises(InputError, match="is no run folder"):
        verify(tmp_path)
    assert list(tmp_path.iterdir()) == []


def write_on(run: Path, ready: Connection) -> None:
    """Write all the time; every block that is committed is told to `ready`, and first that it begins."""
    with RunFolder.open(run, write=True) as folder:
        first = len(folder.blocks())
        ready.send(first - 1)
        for number in range(first, first + 100_000):
            folder.append_block(f"k/{number}", [result(8 * number + game) for game in range(8)])
            ready.send(number)
            path = folder.snapshot_path("ada", number)
            draft = path.with_name(f".{path.name}.{os.getpid()}")
            draft.write_bytes(b"%d" % number * 5000)
            draft.replace(path)
            folder.add_snapshot("ada", number, f"ada:{number - 1}")
            folder.append_metrics({"number": number})
            folder.write_atomic("resume/ada.pt", b"%d" % number * 20_000)
            if number % 3 == 0:
                folder.add_member(f"m{number}", "main", {"number": number})
            folder.append_event("promoted", "ada", {"number": number}, key=f"promoted|{number}")


@contextmanager
def writing(run: Path) -> Iterator[tuple[BaseProcess, Connection]]:
    """Another process that writes, until it is killed, and what it says."""
    said, ready = context.Pipe(duplex=False)
    writer = context.Process(target=write_on, args=(run, ready))
    writer.start()
    ready.close()
    try:
        yield writer, said
    finally:
        writer.kill()
        writer.join()


def rest(said: Connection) -> list[int]:
    """All numbers until its end."""
    numbers = []
    with suppress(EOFError):
        while True:
            numbers.append(said.recv())
    return numbers


def test_kill_nine_at_any_moment(tmp_path: Path) -> None:
    """Ten times the same folder; what was committed is there, and at most one block more."""
    run, moments = make(tmp_path / "run"), random.Random(0)
    last = 3
    for _ in range(10):
        with writing(run) as (writer, said):
            assert said.recv() == last
            time.sleep(moments.uniform(0, 0.2))
            writer.kill()
            committed = [last, *rest(said)]
        assert verify(run) == []  # as it was left
        with RunFolder.open(run, write=True) as folder:
            last = len(folder.blocks()) - 1
            assert last - committed[-1] in (0, 1)
            assert committed == list(range(committed[0], committed[-1] + 1))
            numbers = [line["number"] for line in folder.metrics() if "number" in line]
            assert numbers == sorted(numbers)
        found = examine(run)
        assert (found.faults, found.games) == ([], 16 + 8 * (last - 3))
        assert not [note for note in found.notes if "draft" in note]
    assert last > 3


def test_no_false_alarm_while_somebody_writes(run: Path) -> None:
    seen: list[int] = []
    with writing(run):
        while len(set(seen)) < 10:
            found = examine(run)
            assert found.faults == []
            seen.append(found.blocks)
    assert seen == sorted(seen)


def test_the_command(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def arena(*words: str) -> int:
        return bind(command, words, "arena league verify")()

    assert arena(str(run)) == 0
    assert capsys.readouterr().out == f"{run}: clean; 7 files, 4 blocks and 16 games checked\n"
    delete(SNAPSHOT)(run)
    (run / ".run.json.0123abcd").write_bytes(b"half")
    assert arena(str(run)) == 1
    fault, note, verdict = capsys.readouterr().out.splitlines()
    assert fault == f"{SNAPSHOT} is missing."
    assert note.startswith(".run.json.0123abcd is a draft")
    assert verdict.startswith(f"{run}: 1 fault; ")
    assert arena(str(run), "--json") == 1
    said = json.loads(capsys.readouterr().out)
    assert (said["clean"], said["blocks"], said["notes"]) == (False, 4, [note])
    assert said["faults"] == [{"kind": "missing", "where": SNAPSHOT, "sentence": fault}]
