"""Manifest: every file of a run with its hash, and the index of snapshots.

A file that is replaced is announced first: the hash of what comes is noted beside that of what is there, and only
then the file is replaced. So whenever the machine stops, the file has one of the two.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from arena.store.database import Database, Value
from arena.store.files import sha256


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One frozen policy of a run."""

    name: str
    """member:step, as players are called in the log."""
    member: str
    step: int
    """Env steps its learner had seen."""
    file: str
    """Path relative to the run folder."""
    parent: str | None
    """Name of the snapshot that it was trained from."""
    created: float
    """When it was indexed, s since 1970."""
    hash: str
    """SHA-256 of the file, hexadecimal."""


class Noted(NamedTuple):
    """What the manifest says of a file."""

    id: int
    size: int | None
    """Bytes; None before it was first written."""
    hash: str | None
    """SHA-256, hexadecimal."""
    next_size: int | None
    """Of what is about to replace it; None at rest."""
    next_hash: str | None


class Manifest:
    """Files of the run folder `root`, named by their paths relative to it."""

    def __init__(self, db: Database, root: Path) -> None:
        """Read and write them in `db`."""
        self._db, self._root = db, root

    def noted(self, name: str) -> Noted | None:
        """What is known of a file."""
        row = self._db.execute(
            "SELECT id, size, hash, next_size, next_hash FROM files WHERE name = ?", (name,)
        ).fetchone()
        return Noted(*row) if row else None

    def names(self) -> list[str]:
        """All files that are known, oldest first."""
        return [name for (name,) in self._db.execute("SELECT name FROM files ORDER BY id")]

    def announce(self, name: str, data: bytes) -> None:
        """Note that the file `name` is about to become `data`. On the disk when this returns."""
        assert not self._db.busy, "files are written outside of transactions, which would hide the announcement"
        self.settle(name)
        row = self.noted(name)
        coming: dict[str, Value] = {"next_size": len(data), "next_hash": hashlib.sha256(data).hexdigest()}
        with self._db.durable(), self._db.transaction():
            if row:
                self._db.change("files", row.id, coming)
            else:
                self._db.add("files", {"name": name, **coming})

    def settle(self, name: str) -> None:
        """Note whether what was announced has happened."""
        row = self.noted(name)
        if row is None or row.next_hash is None:
            return
        path = self._root / name
        happened = path.exists() and sha256(path) == row.next_hash
        come: dict[str, Value] = {"size": row.next_size, "hash": row.next_hash} if happened else {}
        with self._db.transaction():
            self._db.change("files", row.id, {**come, "next_size": None, "next_hash": None})

    def note(self, name: str, size: int, hash: str) -> None:
        """Note a file that is there already."""
        row = self.noted(name)
        values: dict[str, Value] = {"size": size, "hash": hash, "next_size": None, "next_hash": None}
        with self._db.transaction():
            if row:
                self._db.change("files", row.id, values)
            else:
                self._db.add("files", {"name": name, **values})

    def add_snapshot(self, snapshot: Snapshot, size: int) -> None:
        """Index a snapshot, whose file has `size` bytes. A name that is there already keeps its place and time."""
        known = self._db.execute("SELECT id FROM snapshots WHERE name = ?", (snapshot.name,)).fetchone()
        with self._db.transaction():
            self.note(snapshot.file, size, snapshot.hash)
            if known:
                self._db.change("snapshots", known[0], {"file": snapshot.file, "parent": snapshot.parent})
                return
            row: dict[str, Value] = {
                "name": snapshot.name, "member": snapshot.member, "step": snapshot.step, "file": snapshot.file,
                "parent": snapshot.parent, "created": snapshot.created,
            }  # fmt: skip
            self._db.add("snapshots", row)

    def snapshots(self) -> list[Snapshot]:
        """All snapshots, oldest first."""
        rows = self._db.execute(
            "SELECT s.name, s.member, s.step, s.file, s.parent, s.created, f.hash "
            "FROM snapshots s JOIN files f ON f.name = s.file ORDER BY s.id"
        )
        return [Snapshot(*row) for row in rows]
