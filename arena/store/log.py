"""Log: results in the order they were played and the index of snapshots, in one SQLite file.

Games are only ever appended, a whole block in one transaction. A block has a key, and a key counts once: if
it is not known whether a block was written before the process died, play it and append it again.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arena.result import Result
from envs.errors import InputError

BUSY_SECONDS = 30.0
"""How long to wait for another process's transaction."""
SCHEMA = """
CREATE TABLE lineups (
    id INTEGER PRIMARY KEY,
    env TEXT NOT NULL,
    players TEXT NOT NULL,            -- JSON list of names, by seat
    UNIQUE (env, players)
);
CREATE TABLE blocks (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    time REAL NOT NULL                -- when it was appended, s since 1970
);
CREATE TABLE games (
    id INTEGER PRIMARY KEY,
    block INTEGER NOT NULL REFERENCES blocks,
    game INTEGER NOT NULL,            -- place in its block
    lineup INTEGER NOT NULL REFERENCES lineups,
    score TEXT NOT NULL,              -- JSON list of numbers, by seat
    steps INTEGER NOT NULL,
    seed INTEGER NOT NULL,
    ended TEXT NOT NULL               -- rules, limit or forfeit
);
CREATE TABLE snapshots (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,        -- member:step
    member TEXT NOT NULL,
    step INTEGER NOT NULL,            -- env steps its learner had seen
    file TEXT NOT NULL,               -- relative to the run folder
    parent TEXT,                      -- name of the snapshot that it was trained from
    created REAL NOT NULL,            -- s since 1970
    hash TEXT NOT NULL                -- SHA-256 of the file
);
"""


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


class Log:
    """The open file. Used by one thread; any number of processes may read while one writes."""

    def __init__(self, path: Path, write: bool) -> None:
        """Open an existing log.

        Raises:
            InputError: it is missing, damaged, or not a log.
        """
        try:
            self._db = _connect(path, write)
            self._db.execute("SELECT count(*) FROM snapshots").fetchone()
        except sqlite3.Error as fault:
            raise InputError(f"cannot read the match log {path}: {fault}.") from None

    @classmethod
    def create(cls, path: Path) -> None:
        """Write an empty log to `path`.

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

    def append(self, key: str, results: Iterable[Result]) -> bool:
        """Add a block of games, all or none; False, and nothing changes, if `key` is there already."""
        with self._transaction() as db:
            if db.execute("SELECT 1 FROM blocks WHERE key = ?", (key,)).fetchone():
                return False
            block = db.execute("INSERT INTO blocks (key, time) VALUES (?, ?)", (key, time.time())).lastrowid
            lineups: dict[tuple[str, tuple[str, ...]], int] = {}
            rows = []
            for number, result in enumerate(results):
                lineup = (result.env, result.players)
                if lineup not in lineups:
                    lineups[lineup] = _lineup(db, *lineup)
                score = json.dumps(result.score, allow_nan=False)
                rows.append((block, number, lineups[lineup], score, result.steps, result.seed, result.ended))
            db.executemany(
                "INSERT INTO games (block, game, lineup, score, steps, seed, ended) VALUES (?, ?, ?, ?, ?, ?, ?)",
                rows,
            )
        return True

    def keys(self) -> set[str]:
        """Keys of all blocks."""
        return {key for (key,) in self._db.execute("SELECT key FROM blocks")}

    def __len__(self) -> int:
        """Number of games."""
        count: int = self._db.execute("SELECT count(*) FROM games").fetchone()[0]
        return count

    def results(self) -> Iterator[Result]:
        """All games in order. The log as it is at the first one: what is appended meanwhile is not seen."""
        lineups: dict[int, tuple[str, tuple[str, ...]]] = {}
        scores: dict[str, tuple[float, ...]] = {}
        last = self._db.execute("SELECT max(id) FROM games").fetchone()[0] or 0
        for id, env, players in self._db.execute("SELECT id, env, players FROM lineups"):
            lineups[id] = (env, tuple(json.loads(players)))
        rows = self._db.execute(
            "SELECT lineup, score, steps, seed, ended FROM games WHERE id <= ? ORDER BY id", (last,)
        )
        for lineup, score, steps, seed, ended in rows:
            if score not in scores:
                scores[score] = tuple(json.loads(score))
            env, names = lineups[lineup]
            yield Result(env, names, scores[score], steps, seed, ended)

    def add_snapshot(self, snapshot: Snapshot) -> None:
        """Index a snapshot. A name that is there already keeps its place; the rest is brought up to date."""
        with self._transaction() as db:
            db.execute(
                "INSERT INTO snapshots (name, member, step, file, parent, created, hash) "
                "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET "
                "file = excluded.file, parent = excluded.parent, hash = excluded.hash",
                (snapshot.name, snapshot.member, snapshot.step, snapshot.file, snapshot.parent,
                 snapshot.created, snapshot.hash),
            )  # fmt: skip

    def snapshots(self) -> list[Snapshot]:
        """All snapshots, oldest first."""
        columns = "name, member, step, file, parent, created, hash"
        return [Snapshot(*row) for row in self._db.execute(f"SELECT {columns} FROM snapshots ORDER BY id")]

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Everything inside is written together or not at all."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield self._db
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


def _lineup(db: sqlite3.Connection, env: str, players: tuple[str, ...]) -> int:
    """Id of a lineup, made if it is new."""
    names = json.dumps(players, ensure_ascii=False)
    db.execute("INSERT OR IGNORE INTO lineups (env, players) VALUES (?, ?)", (env, names))
    row: Any = db.execute("SELECT id FROM lineups WHERE env = ? AND players = ?", (env, names)).fetchone()
    return int(row[0])


def _connect(path: Path, write: bool) -> sqlite3.Connection:
    """Open the file. A reader who may not make the shared-memory file beside it (a folder on read-only media)
    reads it as one that nobody changes, which is right unless a write-ahead log lies there too."""
    mode = "mode=rw" if write else "mode=ro"
    if not write and not os.access(path.parent, os.W_OK) and not Path(f"{path}-wal").exists():
        mode = "mode=ro&immutable=1"
    uri = f"{path.absolute().as_uri()}?{mode}"
    db = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=BUSY_SECONDS)
    if write:
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute("PRAGMA foreign_keys = ON")
    return db
