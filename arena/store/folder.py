"""RunFolder: one run on disk. Whatever moment its process dies at, the folder stays whole and readable.

run.json         format, versions, seed, command: written once
config.yaml      the resolved config; `arena league run DIR/config.yaml` starts the same run again
league.sqlite    results in order, members, events, requests, and the hashes of all files, see `arena.store.schema`
snapshots/       one safetensors file per frozen policy
metrics.jsonl    one JSON object per line, appended
replays/         games that are worth watching; they follow from the log (`arena.replay.picks`)
resume/          what training needs to go on, one file per learner
lock             held by the process that writes
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel

from arena.config import dump_yaml
from arena.result import Result
from arena.store.about import about_now, advice, kind_of, read_about, refuse_taken
from arena.store.database import Database
from arena.store.files import (
    append_line,
    drop_torn_line,
    make_folder,
    read_lines,
    sha256,
    sweep_drafts,
    write_atomic,
)
from arena.store.inbox import Inbox, Request
from arena.store.lock import Lock, holder
from arena.store.log import Entry, Log, Meeting
from arena.store.manifest import Manifest, Snapshot
from arena.store.packs import Batch
from arena.store.roster import Event, Member, Roster
from envs.errors import InputError


class RunFolder:
    """An open run. One process may write, any number may read meanwhile; used by one thread."""

    def __init__(self, path: Path, about: dict[str, Any], lock: Lock | None, still: bool = False) -> None:
        """Use `create` or `open`."""
        self.path = path
        self.about = about
        """What run.json says: format, kind, created, seed, command, python, versions."""
        self._lock = lock
        self._db = Database(path / "league.sqlite", lock is not None, still)
        self._log, self._manifest = Log(self._db), Manifest(self._db, path)
        self._roster, self._inbox = Roster(self._db), Inbox(self._db)
        if lock:
            drop_torn_line(path / "metrics.jsonl")
            sweep_drafts(path)

    @classmethod
    def create(
        cls, path: str | Path, config: BaseModel, seed: int, command: Sequence[str] = (), kind: str = "league"
    ) -> Self:
        """Start a run in a new (or empty) folder and open it for writing. It appears whole or not at all.

        Args:
            config: written in full, so that the run can be started again from its folder.
            command: the words that it was started with, for the record.
            kind: "league", "training" or "tournament".

        Raises:
            InputError: the folder holds something already, or cannot be written; nothing has changed then.
        """
        about = json.dumps(about_now(seed, command, kind), indent=2).encode()
        files = {"config.yaml": dump_yaml(config).encode(), "run.json": about}  # with the last one it is a run

        def fill(folder: Path) -> None:
            (folder / "snapshots").mkdir()
            (folder / "resume").mkdir()
            (folder / "metrics.jsonl").touch()
            Database.create(folder / "league.sqlite")
            with closing(Database(folder / "league.sqlite", write=True)) as db:
                for name, data in files.items():
                    Manifest(db, folder).note(name, len(data), hashlib.sha256(data).hexdigest())
            for name, data in files.items():
                write_atomic(folder / name, data)

        try:
            refuse_taken(Path(path))
            make_folder(Path(path).absolute(), fill)
        except OSError as fault:
            raise InputError(f"cannot write to {path}: {fault.strerror or fault}.") from None
        return cls.open(path, write=True)

    @classmethod
    def open(cls, path: str | Path, write: bool = False, still: bool = False) -> Self:
        """Open a run to read it or, with `write`, to go on with it.

        Args:
            still: nobody writes it, see `arena.store.database.Database`; `arena.dashboard.reading` makes sure of that.

        Raises:
            InputError: no run there, one of another format, or, for writing, one that another process writes.
        """
        path = Path(path)
        about = read_about(path)
        lock = _take_lock(path) if write else None
        try:
            return cls(path, about, lock, still)
        except BaseException:
            if lock:
                lock.release()
            raise

    def close(self) -> None:
        """Close the log and let others write."""
        self._db.close()
        if self._lock:
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *fault: object) -> None:
        self.close()

    def expect(self, kind: str) -> None:
        """Raise an InputError if this is a run of another kind."""
        own = kind_of(self.about)
        if own != kind:
            raise InputError(f"{self.path} is a {own} run: {advice(self.path, own)}.")

    def writer(self) -> str | None:
        """Process id of whoever writes this run now; None if nobody does."""
        return holder(self.path / "lock")

    def transaction(self) -> AbstractContextManager[None]:
        """What is logged inside, of games, members, events and requests, is written together or not at all.

        A request is dealt with exactly once if what it asks for and `done` are in one.
        """
        return self._db.transaction()

    def append_block(self, key: str, results: Iterable[Result], when: float | None = None) -> bool:
        """Log a block of games in one transaction; False, and nothing changes, if `key` is logged already.

        Args:
            when: its time if not now, s since 1970.
        """
        return self._log.append(key, results, when)

    def blocks(self) -> set[str]:
        """Keys of all blocks in the log."""
        return self._log.keys()

    def results(self) -> Iterator[Result]:
        """All games, in the order they were logged."""
        return self._log.results()

    def entries(self) -> Iterator[Entry]:
        """All games with their blocks."""
        return self._log.entries()

    def meetings(self) -> Iterator[Meeting]:
        """All games, less what ratings do not need, and sooner than `results`: for `arena.ratings.games.games_of`."""
        return self._log.meetings()

    def batches(self) -> Iterator[Batch]:
        """The same as arrays, and sooner still; their lineups are keys of `lineups`: for `games_of_batches`."""
        return self._log.batches()

    def lineups(self) -> dict[int, tuple[str, ...]]:
        """Players by seat of every lineup of `batches`; to be asked after the last of them."""
        return self._log.lineups()

    def games(self) -> int:
        """How many games are in the log."""
        return len(self._log)

    def snapshot_path(self, member: str, step: int) -> Path:
        """Where the snapshot of `member` at `step` belongs.

        Raises:
            InputError: a member's name that cannot be part of a file's name, or of member:step.
        """
        _check_name(member)
        return self.path / "snapshots" / f"{member}-{step}.safetensors"

    def add_snapshot(self, member: str, step: int, parent: str | None = None) -> Snapshot:
        """Index the file at `snapshot_path(member, step)`, which must be complete.

        A snapshot that is indexed already keeps its place, so a stretch of training may be repeated.
        """
        path = self.snapshot_path(member, step)
        file = path.relative_to(self.path).as_posix()
        snapshot = Snapshot(f"{member}:{step}", member, step, file, parent, time.time(), sha256(path))
        self._manifest.add_snapshot(snapshot, path.stat().st_size)
        return snapshot

    def snapshots(self) -> list[Snapshot]:
        """All snapshots, in the order they were added."""
        return self._manifest.snapshots()

    def append_metrics(self, record: Mapping[str, Any]) -> None:
        """Add one line to metrics.jsonl; NaN and infinity become null."""
        append_line(self.path / "metrics.jsonl", record)

    def metrics(self) -> Iterator[dict[str, Any]]:
        """The lines of metrics.jsonl."""
        return read_lines(self.path / "metrics.jsonl")

    def write_atomic(self, name: str, data: bytes) -> None:
        """Replace the file `name` (such as "resume/ada.pt") as a whole; its hash is on file before it is."""
        self._manifest.announce(name, data)
        write_atomic(self.path / name, data)
        self._manifest.settle(name)

    def add_member(self, name: str, role: str, spec: Mapping[str, Any], parent: str | None = None) -> Member:
        """Add an active member, and an event "added".

        Args:
            role: what it is in the league, such as "main" or "anchor".
            spec: what the league needs to make it.
            parent: the member or snapshot that it descends from.

        Raises:
            InputError: a name that is taken, also by a retired one, or that cannot be part of a file's name.
        """
        _check_name(name)
        return self._roster.add(name, role, spec, parent)

    def retire_member(self, name: str) -> bool:
        """Retire a member, and add an event "retired"; False, and nothing changes, if it is retired already.

        Raises:
            InputError: there is none of that name.
        """
        return self._roster.retire(name)

    def members(self) -> list[Member]:
        """All members, the retired ones too, in the order they were added."""
        return self._roster.members()

    def append_event(
        self, kind: str, member: str | None = None, detail: Mapping[str, Any] | None = None, key: str | None = None
    ) -> bool:
        """Log something that happened; False, and nothing changes, if an event with this `key` is logged already."""
        return self._roster.tell(kind, member, detail or {}, key)

    def events(self, after: int = 0) -> list[Event]:
        """What happened, in order: all of it, or what came after the event with the id `after`."""
        return self._roster.events(after)

    def request(self, kind: str, payload: Mapping[str, Any]) -> int:
        """Ask whoever writes this run, now or later, for something; the id of the request.

        Nobody needs the lock for it, nor to have opened the folder for writing.

        Raises:
            InputError: the folder cannot be written to.
        """
        if self._lock:
            return self._inbox.put(kind, payload)
        try:
            with closing(Database(self.path / "league.sqlite", write=True)) as db:
                return Inbox(db).put(kind, payload)
        except sqlite3.Error as fault:
            raise InputError(f"cannot write to {self.path}: {fault}.") from None

    def requests(self, with_done: bool = False) -> list[Request]:
        """Requests that wait, in the order they were made; with `with_done`, all there ever were."""
        return self._inbox.requests(with_done)

    def done(self, request_id: int, answer: str | None = None) -> bool:
        """Note that a request has been dealt with; False, and nothing changes, if it had been before.

        Args:
            answer: a sentence for whoever asked, such as why it was refused.
        """
        return self._inbox.done(request_id, answer)


def _check_name(member: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", member):
        raise InputError(f"member name {member!r} may only have letters, digits, '_', '.' and '-'.")


def _take_lock(path: Path) -> Lock:
    lock = Lock(path / "lock")
    try:
        holder = lock.take()
    except OSError as fault:
        raise InputError(f"cannot write to {path}: {fault.strerror or fault}.") from None
    if holder:
        raise InputError(f"{path} is being written by process {holder}: wait until it ends, or stop it.")
    return lock
