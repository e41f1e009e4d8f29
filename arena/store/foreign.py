"""Foreign results: games that were played elsewhere, read from a table as `arena.store.exchange` writes it.

Only players and score must be there. What is left out: env is the run's own game, steps 0, seed one that no other
game has, ended "rules", and games without block and time form one block of the time of the import.
"""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple, TextIO, get_args

from arena.result import Ending, Result
from arena.store.exchange import COLUMNS, SEPARATOR
from arena.store.files import sha256
from arena.store.folder import RunFolder
from envs.errors import InputError, unknown

NEEDED = ("players", "score")
SUFFIXES = (".csv", ".json", ".jsonl")
SEEDS = 2**53
Cells = Mapping[str, Any]
"""Values of a line by column; in CSV they are text."""


class Line(NamedTuple):
    """A game, and of its block what its line says."""

    block: str | None
    time: float | None
    """s since 1970."""
    result: Result


class _Text(str):
    """A cell of CSV, which may mean a number or a list; text in JSON means itself."""


class _Unfit(ValueError):
    """What is wrong with a value."""


def import_results(folder: RunFolder, path: Path, env: str) -> int | None:
    """Log the games in `path`, all or none; how many they are, or None if this very file was imported before.

    Games in a row that have the same block and time stay a block.

    Args:
        folder: open to be written.
        env: the game where the file does not say it.

    Raises:
        InputError: the file cannot be read, or a line of it cannot; nothing is logged then.
    """
    if path.suffix not in SUFFIXES:
        raise InputError(f"{path} is neither CSV nor JSON Lines: its name must end in {', '.join(SUFFIXES)}.")
    try:
        digest = sha256(path)
        with folder.transaction(), path.open(encoding="utf-8-sig", newline="") as file:
            key = f"import|{digest}"
            if any(event.key == key for event in folder.events()):
                return None
            before = folder.games()
            lines = _lines(file, path, env, first_seed=int(digest[:12], 16))
            for number, ((block, time), group) in enumerate(groupby(lines, key=lambda line: line[:2])):
                name = f"import|{digest[:16]}|{number}" + (f"|{block}" if block else "")
                folder.append_block(name, (line.result for line in group), time)
            count = folder.games() - before
            if not count:
                raise InputError(f"{path} holds no games.")
            folder.append_event("imported", None, {"file": path.name, "sha256": digest, "games": count}, key)
            return count
    except OSError as fault:
        raise InputError(f"cannot read {path}: {fault.strerror or fault}.") from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is not a text file in UTF-8.") from None


def _lines(file: TextIO, path: Path, env: str, first_seed: int) -> Iterator[Line]:
    """The games of a file; those without a seed get one each, from `first_seed` on."""
    rows = _csv(file, path) if path.suffix == ".csv" else _json(file, path)
    for game, (number, cells) in enumerate(rows):
        values: dict[str, Any] = {"env": env, "steps": 0, "seed": (first_seed + game) % SEEDS, "ended": "rules"}
        for column, cell in cells.items():
            try:
                values[column] = READERS[column](cell)
            except _Unfit as fault:
                raise _fault(path, number, column, str(fault)) from None
        for column in NEEDED:
            if column not in values:
                raise _fault(path, number, column, "it must be given.")
        if len(values["players"]) != len(values["score"]):
            counts = f"{len(values['score'])} for {len(values['players'])} players"
            raise _fault(path, number, "score", f"it must have one number for each player, not {counts}.")
        block, time = values.pop("block", None), values.pop("time", None)
        yield Line(block, time, Result(**values))


def _csv(file: TextIO, path: Path) -> Iterator[tuple[int, Cells]]:
    """Lines of a CSV file by their numbers; empty cells are left out."""
    rows = csv.reader(file, strict=True)
    try:
        header = next(rows, [])
        _check_columns(header, path, 1)
        if missing := [column for column in NEEDED if column not in header]:
            raise InputError(f"{path}, line 1: there must be a column {missing[0]}.")
        for row in rows:
            if not row:  # an empty line
                continue
            if len(row) != len(header):
                raise InputError(f"{path}, line {rows.line_num}: {len(row)} cells, but line 1 has {len(header)}.")
            yield rows.line_num, {column: _Text(cell) for column, cell in zip(header, row, strict=True) if cell}
    except csv.Error as fault:
        raise InputError(f"{path}, line {rows.line_num}: {fault}.") from None


def _json(file: TextIO, path: Path) -> Iterator[tuple[int, Cells]]:
    """Lines of a JSON Lines file by their numbers; nulls are left out."""
    for number, line in enumerate(file, start=1):
        try:
            cells = json.loads(line)
        except (ValueError, RecursionError):
            cells = None
        if not isinstance(cells, dict):
            raise InputError(f"{path}, line {number}: each line must be one JSON object, a game.")
        _check_columns(cells, path, number)
        yield number, {column: cell for column, cell in cells.items() if cell is not None}


def _check_columns(names: Iterable[str], path: Path, line: int) -> None:
    seen: set[str] = set()
    for name in names:
        if name not in COLUMNS:
            raise InputError(f"{path}, line {line}: {unknown('column', name, COLUMNS)}")
        if name in seen:
            raise InputError(f"{path}, line {line}: column {name} is there twice.")
        seen.add(name)


def _fault(path: Path, line: int, column: str, problem: str) -> InputError:
    return InputError(f"{path}, line {line}, column {column}: {problem}")


def _name(cell: Any) -> str:
    if not isinstance(cell, str) or not cell or not cell.isprintable() or cell != cell.strip():
        raise _Unfit(f"{cell!r} is no name.")
    return str(cell)


def _text(cell: Any) -> str:
    if not isinstance(cell, str) or not cell.isprintable():
        raise _Unfit(f"{cell!r} is no line of text.")
    return str(cell)


def _list(cell: Any) -> list[Any]:
    if isinstance(cell, _Text):
        with suppress(csv.Error):
            return list(map(_Text, next(csv.reader([cell], delimiter=SEPARATOR, strict=True))))
    if not isinstance(cell, list) or not cell:
        raise _Unfit(f"{cell!r} is no list.")
    return cell


def _number(cell: Any) -> float:
    number = math.nan
    if isinstance(cell, _Text | int | float) and not isinstance(cell, bool) and "_" not in str(cell):
        with suppress(ValueError, OverflowError):
            number = float(cell)
    if not math.isfinite(number):
        raise _Unfit(f"{cell!r} is no finite number.")
    return number


def _count(cell: Any) -> int:
    number = int(cell) if isinstance(cell, _Text) and re.fullmatch("[0-9]{1,16}", cell) else cell
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < SEEDS:
        raise _Unfit(f"{cell!r} is no whole number from 0 to 2**53 - 1.")
    return number


def _ended(cell: Any) -> str:
    if cell not in get_args(Ending):
        raise _Unfit(str(unknown("ending", str(cell), get_args(Ending))))
    return str(cell)


def _time(cell: Any) -> float:
    number = _number(cell)
    if number < 0:
        raise _Unfit(f"{cell!r} is before 1970.")
    return number


READERS: dict[str, Callable[[Any], Any]] = {
    "block": _name,
    "env": _name,
    "players": lambda cell: tuple(map(_name, _list(cell))),
    "score": lambda cell: tuple(map(_number, _list(cell))),
    "steps": _count,
    "seed": _count,
    "ended": _ended,
    "reason": _text,
    "time": _time,
}
