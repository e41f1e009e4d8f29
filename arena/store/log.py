"""Log: results in the order they were played.

Games are only ever appended, a whole block in one transaction. A block has a key, and a key counts once: if
it is not known whether a block was written before the process died, play it and append it again.

A block is sealed with a hash over its rows and the seal of the block before it. So a game that is changed, added
or taken away breaks its block, a block that is taken away, added or exchanged breaks the next, and the last seal
stands for the whole log.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from arena.result import Result
from arena.store.database import Database, Value

INSERT = "INSERT INTO games (block, game, lineup, score, steps, seed, ended, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
CACHED = 1 << 16
"""Different scores that are read once only: few in most games, nearly all of them in others."""


class Entry(NamedTuple):
    """A game and its block."""

    block: str
    """Key of the block."""
    time: float
    """When the block was appended, s since 1970."""
    result: Result


class Meeting(NamedTuple):
    """What ratings and standings need of a game; the fields mean what they do in `Result`."""

    players: tuple[str, ...]
    score: tuple[float, ...]
    seed: int
    steps: int


class Log:
    """The games of a run."""

    def __init__(self, db: Database) -> None:
        """Read and write them in `db`."""
        self._db = db

    def append(self, key: str, results: Iterable[Result], when: float | None = None) -> bool:
        """Add a block of games, all or none; False, and nothing changes, if `key` is there already.

        Args:
            when: its time if not now, s since 1970.
        """
        db = self._db
        with db.transaction():
            if db.execute("SELECT 1 FROM blocks WHERE key = ?", (key,)).fetchone():
                return False
            moment = time.time() if when is None else float(when)
            last = db.execute("SELECT seal FROM blocks ORDER BY id DESC LIMIT 1").fetchone()
            block = db.execute("INSERT INTO blocks (key, time, seal) VALUES (?, ?, '')", (key, moment)).lastrowid
            assert block is not None
            seal = BlockSeal(block, key, moment, last[0] if last else "")
            db.executemany(INSERT, self._rows(block, results, seal))
            db.execute("UPDATE blocks SET seal = ? WHERE id = ?", (seal.text(), block))
        return True

    def _rows(self, block: int, results: Iterable[Result], seal: BlockSeal) -> Iterator[tuple[Value, ...]]:
        """Rows for `INSERT`; what they say goes into `seal`."""
        lineups: dict[tuple[str, tuple[str, ...]], tuple[int, str]] = {}
        for number, result in enumerate(results):
            lineup = (result.env, result.players)
            if lineup not in lineups:
                lineups[lineup] = self._lineup(*lineup)
            id, players = lineups[lineup]
            score = json.dumps(result.score, allow_nan=False)
            seal.add(number, result.env, players, score, result.steps, result.seed, result.ended, result.reason)
            yield block, number, id, score, result.steps, result.seed, result.ended, result.reason

    def _lineup(self, env: str, players: tuple[str, ...]) -> tuple[int, str]:
        """Id of a lineup, made if it is new, and its players as JSON."""
        names = json.dumps(players, ensure_ascii=False)
        self._db.execute("INSERT OR IGNORE INTO lineups (env, players) VALUES (?, ?)", (env, names))
        row = self._db.execute("SELECT id FROM lineups WHERE env = ? AND players = ?", (env, names)).fetchone()
        return int(row[0]), names

    def keys(self) -> set[str]:
        """Keys of all blocks."""
        return {key for (key,) in self._db.execute("SELECT key FROM blocks")}

    def __len__(self) -> int:
        """Number of games."""
        count: int = self._db.execute("SELECT count(*) FROM games").fetchone()[0]
        return count

    def results(self) -> Iterator[Result]:
        """All games in order. The log as it is at the first one: what is appended meanwhile is not seen."""
        return (entry.result for entry in self.entries())

    def entries(self) -> Iterator[Entry]:
        """The same, each with its block."""
        last, lineups, scores = self._last(), self._lineups(), _score_reader()
        rows = self._db.execute(
            f"SELECT b.key, b.time, g.lineup, g.score, g.steps, g.seed, g.ended, {reason_of(self._db)} "
            "FROM games g JOIN blocks b ON b.id = g.block WHERE g.id <= ? ORDER BY g.id",
            (last,),
        )
        for key, moment, lineup, score, steps, seed, ended, reason in rows:
            env, names = lineups[lineup]
            yield Entry(key, moment, Result(env, names, scores(score), steps, seed, ended, reason))

    def meetings(self) -> Iterator[Meeting]:
        """The same games as `results` has, in less time."""
        last, lineups, scores = self._last(), self._lineups(), _score_reader()
        names = {id: players for id, (_, players) in lineups.items()}
        rows = self._db.execute("SELECT lineup, score, seed, steps FROM games WHERE id <= ? ORDER BY id", (last,))
        for lineup, score, seed, steps in rows:
            yield Meeting(names[lineup], scores(score), seed, steps)

    def _last(self) -> int:
        """Id of the last game; to be asked before the lineups are read, which then are all there."""
        return self._db.execute("SELECT max(id) FROM games").fetchone()[0] or 0

    def _lineups(self) -> dict[int, tuple[str, tuple[str, ...]]]:
        rows = self._db.execute("SELECT id, env, players FROM lineups")
        return {id: (env, tuple(json.loads(players))) for id, env, players in rows}


class BlockSeal:
    """Hash of a block, game by game."""

    def __init__(self, number: int, key: str, time: float, before: str) -> None:
        """Begin with the row of the block; `before` is the seal of the one before it, "" for the first."""
        self._hash = hashlib.sha256(json.dumps([number, key, time, before]).encode())

    def add(
        self, game: int, env: str, players: str, score: str, steps: int, seed: int, ended: str, reason: str
    ) -> None:
        """The next game, as it is stored; `players` and `score` are JSON. One without a reason has the seal that it had
        before there were reasons."""
        why = f"\t{reason}" if reason else ""
        self._hash.update(f"\n{game}\t{env}\t{players}\t{score}\t{steps}\t{seed}\t{ended}{why}".encode())

    def text(self) -> str:
        """The seal, hexadecimal."""
        return self._hash.hexdigest()


def reason_of(db: Database) -> str:
    """SQL for why the game g was forfeited."""
    return "g.reason" if db.has_reasons else "''"


def _score_reader() -> Callable[[str], tuple[float, ...]]:
    """Reads a JSON list of numbers, three times as fast as `json` does."""
    return lru_cache(CACHED)(lambda text: tuple(map(float, text[1:-1].split(","))))
