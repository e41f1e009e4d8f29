"""Exchange: games as a table that other programs read and write, CSV or JSON Lines, one game in each line.

block     key of its block in the log
env       registered id of the game
players   names by seat; in CSV one cell, a;b
score     their scores, in the game's own units; in CSV one cell, 1.0;-1.0
steps     length of the game
seed      of the game itself, below 2**53: games with the same seed had the same serves
ended     rules, limit or forfeit
reason    of a forfeit: who did what; else empty
time      when its block was logged, s since 1970
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable
from functools import lru_cache
from io import StringIO, TextIOWrapper
from pathlib import Path
from typing import Literal, TextIO

from arena.store.files import replacing
from arena.store.log import Entry
from envs.errors import InputError

COLUMNS = ("block", "env", "players", "score", "steps", "seed", "ended", "reason", "time")
SEPARATOR = ";"
"""Between names, and between scores, in a cell of CSV; a name that has one is quoted, as in CSV itself."""
Kind = Literal["csv", "json"]


def export(entries: Iterable[Entry], path: Path, kind: Kind) -> int:
    """Write games to `path`, whole or not at all; how many they are.

    Raises:
        InputError: the file cannot be written.
    """
    try:
        with replacing(path) as file:
            text = TextIOWrapper(file, encoding="utf-8", newline="")
            count = WRITERS[kind](entries, text)
            text.detach()  # flushes, and leaves `file` open
            return count
    except OSError as fault:
        raise InputError(f"cannot write {path}: {fault.strerror or fault}.") from None


def write_csv(entries: Iterable[Entry], file: TextIO) -> int:
    """Write games with a line of column names; how many they are."""
    names = lru_cache(_names)
    out = csv.writer(file, lineterminator="\n")
    out.writerow(COLUMNS)
    count = 0
    for block, time, game in entries:
        score = SEPARATOR.join(map(repr, game.score))
        rest = (game.steps, game.seed, game.ended, game.reason, repr(time))
        out.writerow((block, game.env, names(game.players), score, *rest))
        count += 1
    return count


def _names(players: tuple[str, ...]) -> str:
    text = StringIO()
    csv.writer(text, delimiter=SEPARATOR, lineterminator="").writerow(players)
    return text.getvalue()


def write_json(entries: Iterable[Entry], file: TextIO) -> int:
    """Write games as one JSON object per line; how many they are."""
    count = 0
    for block, time, game in entries:
        values = (block, game.env, game.players, game.score, game.steps, game.seed, game.ended, game.reason, time)
        file.write(json.dumps(dict(zip(COLUMNS, values, strict=True)), ensure_ascii=False) + "\n")
        count += 1
    return count


WRITERS: dict[Kind, Callable[[Iterable[Entry], TextIO], int]] = {"csv": write_csv, "json": write_json}
