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
from itertools import groupby
from typing import NamedTuple

import numpy as np

from arena.result import Result
from arena.store.database import Database
from arena.store.packs import Batch, pack, unpack

INSERT = "INSERT INTO games (block, game, lineup, score, steps, seed, ended, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
INSERT_PACK = "INSERT INTO packs (block, form, data) VALUES (?, ?, ?)"
CACHED = 1 << 16
"""Different scores that are read once only: few in most games, nearly all of them in others."""
BATCH = 2_000
"""Blocks, or games without packs, that are read at a time."""


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
            seal, played = BlockSeal(block, key, moment, last[0] if last else ""), list(results)
            rows = self._rows(block, played, seal)
            db.executemany(INSERT, rows)
            db.execute("UPDATE blocks SET seal = ? WHERE id = ?", (seal.text(), block))
            packed = pack(
                [row[2] for row in rows], [game.score for game in played], [game.steps for game in played],
                [game.seed for game in played],
            )  # fmt: skip
            if packed:
                db.execute(INSERT_PACK, (block, *packed))
        return True

    def _rows(
        self, block: int, results: Iterable[Result], seal: BlockSeal
    ) -> list[tuple[int, int, int, str, int, int, str, str]]:
        """Rows for `INSERT`; what they say goes into `seal`."""
        lineups: dict[tuple[str, tuple[str, ...]], tuple[int, str]] = {}
        rows: list[tuple[int, int, int, str, int, int, str, str]] = []
        for number, result in enumerate(results):
            lineup = (result.env, result.players)
            if lineup not in lineups:
                lineups[lineup] = self._lineup(*lineup)
            id, players = lineups[lineup]
            score, steps, seed, ended, reason = _text(result), result.steps, result.seed, result.ended, result.reason
            seal.add(number, result.env, players, score, steps, seed, ended, reason)
            rows.append((block, number, id, score, steps, seed, ended, reason))
        return rows

    def _lineup(self, env: str, players: tuple[str, ...]) -> tuple[int, str]:
        """Id of a lineup, made if it is new, and its players as JSON."""
        names = json.dumps(players, ensure_ascii=False)
        row = self._db.execute("SELECT id FROM lineups WHERE env = ? AND players = ?", (env, names)).fetchone()
        if row:
            return int(row[0]), names
        id = self._db.execute("INSERT INTO lineups (env, players) VALUES (?, ?)", (env, names)).lastrowid
        assert id is not None
        return id, names

    def keys(self) -> set[str]:
        """Keys of all blocks."""
        return {key for (key,) in self._db.execute("SELECT key FROM blocks")}

    def __len__(self) -> int:
        """Number of games, which are numbered without gaps."""
        return self._last()

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

    def batches(self) -> Iterator[Batch]:
        """The same games as arrays, in a fiftieth of the time where blocks have packs. Lineups are numbers."""
        last = self._db.execute("SELECT max(id) FROM blocks").fetchone()[0] or 0
        if not self._db.has_packs:
            yield from self._unpacked(1, last)
            return
        sql = (
            "SELECT b.id, p.form, p.data FROM blocks b LEFT JOIN packs p ON p.block = b.id "
            "WHERE b.id BETWEEN ? AND ? ORDER BY b.id"
        )
        for first in range(1, last + 1, BATCH):
            rows = self._db.execute(sql, (first, min(first + BATCH - 1, last))).fetchall()
            for form, run in groupby(rows, key=lambda row: row[1]):
                blocks = list(run)
                if form is None:
                    yield from self._unpacked(blocks[0][0], blocks[-1][0])
                else:
                    games = unpack(form, b"".join(data for _, _, data in blocks))
                    yield Batch(games["lineup"], games["score"], games["seed"], games["steps"])

    def _unpacked(self, first: int, last: int) -> Iterator[Batch]:
        """The games of the blocks `first` to `last`, read one by one."""
        scores = _score_reader()
        begin, end = self._first_game(first), self._first_game(last + 1)
        cursor = self._db.execute(
            "SELECT lineup, score, seed, steps FROM games WHERE id >= ? AND id < ? ORDER BY id", (begin, end)
        )
        while rows := cursor.fetchmany(BATCH):
            read = [(lineup, scores(score), seed, steps) for lineup, score, seed, steps in rows]
            for _, alike in groupby(read, key=lambda row: len(row[1])):
                lineup, score, seed, steps = zip(*alike, strict=True)
                yield Batch(
                    np.array(lineup, np.int32), np.array(score, np.float64), np.array(seed, np.int64),
                    np.array(steps, np.int64),
                )  # fmt: skip

    def _first_game(self, block: int) -> int:
        """Id of the first game that is not of a block before `block`: by halving, as games and blocks are in the same
        order, and SQLite has no index of blocks."""
        low, high = 1, self._last() + 1
        while low < high:
            middle = (low + high) // 2
            found = self._db.execute("SELECT block FROM games WHERE id >= ? ORDER BY id LIMIT 1", (middle,)).fetchone()
            low, high = (low, middle) if found is None or found[0] >= block else (middle + 1, high)
        return low

    def lineups(self) -> dict[int, tuple[str, ...]]:
        """Players by seat of every lineup, by its number; to be asked after the last of `batches`."""
        return {id: players for id, (_, players) in self._lineups().items()}

    def _last(self) -> int:
        """Id of the last game; to be asked before the lineups are read, which then are all there."""
        return self._db.execute("SELECT max(id) FROM games").fetchone()[0] or 0

    def _lineups(self) -> dict[int, tuple[str, tuple[str, ...]]]:
        rows = self._db.execute("SELECT id, env, players FROM lineups").fetchall()
        names = json.loads(f"[{','.join(players for _, _, players in rows)}]")  # all at once: there may be many
        return {id: (env, tuple(players)) for (id, env, _), players in zip(rows, names, strict=True)}


class BlockSeal:
    """Hash of a block, game by game."""

    def __init__(self, number: int, key: str, time: float, before: str) -> None:
        """Begin with the row of the block; `before` is the seal of the one before it, "" for the first."""
        self._lines = [json.dumps([number, key, time, before])]

    def add(
        self, game: int, env: str, players: str, score: str, steps: int, seed: int, ended: str, reason: str
    ) -> None:
        """The next game, as it is stored; `players` and `score` are JSON. One without a reason has the seal that it had
        before there were reasons."""
        why = f"\t{reason}" if reason else ""
        self._lines.append(f"{game}\t{env}\t{players}\t{score}\t{steps}\t{seed}\t{ended}{why}")

    def text(self) -> str:
        """The seal, hexadecimal."""
        return hashlib.sha256("\n".join(self._lines).encode()).hexdigest()


def _text(result: Result) -> str:
    """Its score as JSON; most games have one of few."""
    word = repr(result.score)
    text = _TEXTS.get(word)
    if text is None:
        if len(_TEXTS) >= CACHED:
            _TEXTS.clear()
        text = _TEXTS[word] = json.dumps(result.score, allow_nan=False)
    return text


_TEXTS: dict[str, str] = {}
"""JSON by what Python calls the same; equal numbers, such as 0.0 and -0.0, may be different words."""


def reason_of(db: Database) -> str:
    """SQL for why the game g was forfeited."""
    return "g.reason" if db.has_reasons else "''"


def _score_reader() -> Callable[[str], tuple[float, ...]]:
    """Reads a JSON list of numbers, three times as fast as `json` does."""
    return lru_cache(CACHED)(lambda text: tuple(map(float, text[1:-1].split(","))))
