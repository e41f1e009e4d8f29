"""Verify the log: SQLite's own checks, every block against its seal, every other row against its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any

from arena.store.database import Database, seal
from arena.store.findings import Findings
from arena.store.log import BlockSeal, reason_of
from arena.store.packs import pack
from arena.store.schema import SEALED

LOG = "league.sqlite"
GAMES = """
SELECT g.block, g.lineup, g.game, l.env, l.players, g.score, g.steps, g.seed, g.ended, {reason}
FROM games g LEFT JOIN lineups l ON l.id = g.lineup ORDER BY g.id
"""
STRAY_PACKS = """
SELECT block FROM packs
WHERE block NOT BETWEEN 1 AND (SELECT ifnull(max(seq), 0) FROM sqlite_sequence WHERE name = 'blocks')
"""
STRAY_LINEUPS = "SELECT id FROM lineups WHERE id NOT IN (SELECT lineup FROM games)"


def check_log(db: Database, findings: Findings) -> None:
    """Add what is wrong with the log at this moment.

    Raises:
        sqlite3.Error: it is damaged so badly that it cannot be read.
    """
    db.execute("BEGIN")
    for (said,) in db.execute("PRAGMA integrity_check"):
        if said != "ok":
            findings.add("damaged", LOG, f"{LOG} is damaged: {' '.join(said.split()).rstrip('.')}.")
    for table, id, target, _ in db.execute("PRAGMA foreign_key_check").fetchall():
        sentence = f"row {id} of {table} in {LOG} refers to a row of {target} that is missing."
        findings.add("missing", f"{LOG}: {target}", sentence)
    for (id,) in db.execute(STRAY_LINEUPS):
        findings.add("unknown", f"{LOG}: lineups {id}", f"lineup {id} in {LOG} belongs to no game.")
    for (block,) in db.execute(STRAY_PACKS) if db.has_packs else ():
        findings.add("unknown", f"{LOG}: packs {block}", f"pack {block} in {LOG} belongs to no block.")
    _check_blocks(db, findings)
    for table in SEALED:
        _check_rows(db, table, findings)
    db.execute("COMMIT")


def _check_blocks(db: Database, findings: Findings) -> None:
    """Walk through blocks and games side by side; both are in the order in which they were appended."""
    before, expected, packs = "", 1, _packs(db)
    groups = groupby(db.execute(GAMES.format(reason=reason_of(db))), key=itemgetter(0))
    waiting = next(groups, None)
    for number, key, time, noted in db.execute("SELECT id, key, time, seal FROM blocks ORDER BY id"):
        while waiting and waiting[0] < number:
            _misplaced(*waiting, findings)
            waiting = next(groups, None)
        check, games = BlockSeal(number, key, time, before), []
        if waiting and waiting[0] == number:
            games = _add_all(check, waiting[1])
            findings.games += len(games)
            waiting = next(groups, None)
        missing = range(expected, number)
        if missing:
            sentence = f"{_numbered('block', missing)} missing in {LOG}, so block {number} ({key}) cannot be checked."
            findings.add("missing", f"{LOG}: blocks", sentence)
        elif check.text() != noted:
            sentence = f"block {number} ({key}) in {LOG} has been changed: it does not fit its hash."
            findings.add("changed", f"{LOG}: block {number}", sentence)
        elif packs(number) not in (None, _pack(games)):
            sentence = f"the pack of block {number} ({key}) in {LOG} has been changed: it does not fit its games."
            findings.add("changed", f"{LOG}: packs {number}", sentence)
        before, expected = noted, number + 1
        findings.blocks += 1
    while waiting:
        _misplaced(*waiting, findings)
        waiting = next(groups, None)
    _check_end(db, "blocks", expected, findings)


def _packs(db: Database) -> Callable[[int], tuple[str, bytes] | None]:
    """The pack of a block, None for one without."""
    if not db.has_packs:
        return lambda block: None
    return lambda block: db.execute("SELECT form, data FROM packs WHERE block = ?", (block,)).fetchone()


def _add_all(check: BlockSeal, games: Iterator[tuple[Any, ...]]) -> list[tuple[int, str, int, int]]:
    """Add the games of a block to its hash; what its pack has of them."""
    added = []
    for _, lineup, game, env, players, score, steps, seed, *rest in games:
        check.add(game, env, players, score, steps, seed, *rest)
        added.append((lineup, score, steps, seed))
    return added


def _pack(games: list[tuple[int, str, int, int]]) -> tuple[str, bytes] | None:
    lineup, score, steps, seed = zip(*games, strict=True) if games else ((), (), (), ())
    return pack(lineup, [json.loads(text) for text in score], steps, seed)


def _misplaced(block: int, games: Iterator[tuple[Any, ...]], findings: Findings) -> None:
    count = sum(1 for _ in games)
    sentence = f"{count} game{'s' * (count != 1)} of block {block} in {LOG} lie where that block does not."
    findings.add("changed", f"{LOG}: block {block}", sentence)


def _check_rows(db: Database, table: str, findings: Findings) -> None:
    """Rows that are sealed one by one."""
    expected = 1
    for *row, noted in db.execute(f"SELECT * FROM {table} ORDER BY id"):
        number = row[0]
        _missing(table, range(expected, number), findings)
        if seal(table, row) != noted:
            sentence = f"row {number} of {table} in {LOG} has been changed: it does not fit its hash."
            findings.add("changed", f"{LOG}: {table} {number}", sentence)
        expected = number + 1
    _check_end(db, table, expected, findings)


def _check_end(db: Database, table: str, expected: int, findings: Findings) -> None:
    """Whether the rows from `expected` on have never been there."""
    last = db.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).fetchone()
    _missing(table, range(expected, (last[0] if last else 0) + 1), findings)


def _missing(table: str, numbers: range, findings: Findings) -> None:
    if numbers:
        findings.add("missing", f"{LOG}: {table}", f"{_numbered('row', numbers)} missing in {table} of {LOG}.")


def _numbered(noun: str, numbers: range) -> str:
    """ "row 3 is" or "rows 3 to 5 are"."""
    if len(numbers) == 1:
        return f"{noun} {numbers[0]} is"
    return f"{noun}s {numbers[0]} to {numbers[-1]} are"
