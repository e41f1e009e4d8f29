"""Database: the SQLite file of a run, opened; transactions, and rows that carry a hash of themselves."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from arena.store.schema import ADD_PACKS, ADD_REASON, SCHEMA
from envs.errors import InputError

BUSY_SECONDS = 30.0
"""How long to wait for another process's transaction."""
Value = str | int | float | bytes | None
"""What a cell holds."""


class Database:
    """Used by one thread; any number of processes may read while one writes."""

    def __init__(self, path: Path, write: bool, still: bool = False) -> None:
        """Open an existing file.

        Args:
            still: nobody writes it, so a reader need not leave SQLite's own files beside it; whoever says so finds out
                whether somebody has begun to meanwhile, and what was read is worth nothing then.

        Raises:
            InputError: it is missing, damaged, or not that of a run.
        """
        try:
            self._db = _connect(path, write, still)
        except sqlite3.Error as fault:
            raise InputError(f"cannot read the match log {path}: {fault}.") from None
        try:
            self._db.execute("SELECT count(*) FROM requests").fetchone()
            self.has_reasons = any(row[1] == "reason" for row in self._db.execute("PRAGMA table_info(games)"))
            """Whether games say why they were forfeited; runs of old do once they are written."""
            if write and not self.has_reasons:
                self._db.execute(ADD_REASON)
                self.has_reasons = True
            if write:
                self._db.execute(ADD_PACKS)
            self.has_packs = bool(self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'packs'").fetchone())
            """Whether there is room for `arena.store.packs`; runs of old have it once they are written."""
        except sqlite3.Error as fault:
            self._db.close()
            raise InputError(f"cannot read the match log {path}: {fault}.") from None

    @classmethod
    def create(cls, path: Path) -> None:
        """Write one with empty tables to `path`.

        Raises:
            OSError: it cannot be written.
        """
        try:
            with closing(sqlite3.connect(path)) as db:
                db.execute("PRAGMA journal_mode = WAL")
                db.executescript(SCHEMA)
        except sqlite3.Error as fault:
            raise OSError(str(fault)) from None

    def close(self) -> None:
        """Give the file back."""
        self._db.close()

    def execute(self, sql: str, given: Sequence[Value] = ()) -> sqlite3.Cursor:
        """Run one statement."""
        return self._db.execute(sql, given)

    def executemany(self, sql: str, rows: Iterable[Sequence[Value]]) -> None:
        """Run one statement for each of `rows`."""
        self._db.executemany(sql, rows)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside is written together or not at all; inside of another one, if that one is."""
        nested = self.busy
        self._db.execute("SAVEPOINT part" if nested else "BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            if nested:
                self._db.execute("ROLLBACK TO part")
                self._db.execute("RELEASE part")
            elif self.busy:  # SQLite has not given up by itself, as it does where the disk is full
                self._db.execute("ROLLBACK")
            raise
        self._db.execute("RELEASE part" if nested else "COMMIT")

    @property
    def busy(self) -> bool:
        """Whether a transaction is open."""
        return self._db.in_transaction

    @contextmanager
    def durable(self) -> Iterator[None]:
        """What is committed inside, and before, is on the disk afterwards, whatever happens to the machine."""
        self._db.execute("PRAGMA synchronous = FULL")
        try:
            yield
        finally:
            self._db.execute("PRAGMA synchronous = NORMAL")

    def add(self, table: str, row: Mapping[str, Value]) -> int:
        """Append a row to a sealed table, inside of a transaction; its number."""
        names, marks = ", ".join(row), ", ".join("?" * len(row))
        values = tuple(row.values())
        id = self._db.execute(f"INSERT INTO {table} ({names}, seal) VALUES ({marks}, '')", values).lastrowid
        assert id is not None
        self._seal(table, id)
        return id

    def change(self, table: str, id: int, row: Mapping[str, Value]) -> None:
        """Set some cells of a row of a sealed table, inside of a transaction."""
        cells = ", ".join(f"{name} = ?" for name in row)
        self._db.execute(f"UPDATE {table} SET {cells} WHERE id = ?", (*row.values(), id))
        self._seal(table, id)

    def _seal(self, table: str, id: int) -> None:
        """As the row was stored: SQLite makes 5 of the 5.0 in a column of whole numbers."""
        row = self._db.execute(f"SELECT * FROM {table} WHERE id = ?", (id,)).fetchone()
        self._db.execute(f"UPDATE {table} SET seal = ? WHERE id = ?", (seal(table, row[:-1]), id))


def seal(table: str, row: Sequence[Value]) -> str:
    """SHA-256, hexadecimal, of a row of `table` without its own seal."""
    return hashlib.sha256(json.dumps([table, *row], default=repr).encode()).hexdigest()


def _connect(path: Path, write: bool, still: bool) -> sqlite3.Connection:
    """Open the file. A reader who may not make the shared-memory file beside it (a folder on read-only media)
    reads it as one that nobody changes, which is right unless a write-ahead log lies there too."""
    mode = "mode=rw" if write else "mode=ro"
    ahead = Path(f"{path}-wal")
    if not write and (still or not os.access(path.parent, os.W_OK)) and not (ahead.exists() and ahead.stat().st_size):
        mode = "mode=ro&immutable=1"
    uri = f"{path.absolute().as_uri()}?{mode}"
    db = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=BUSY_SECONDS)
    if write:
        try:
            db.execute("PRAGMA synchronous = NORMAL")
            db.execute("PRAGMA foreign_keys = ON")
        except sqlite3.Error:
            db.close()
            raise
    return db
