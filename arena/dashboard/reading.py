"""Reading: a run folder looked at without leaving anything in it, whether it is being written or not."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from arena.store import RunFolder
from envs.errors import InputError

LOG = "league.sqlite"
WATCHED = (LOG, f"{LOG}-wal", "metrics.jsonl", "lock", "replays")
"""What changes when anything is written."""
TRIES = 3
T = TypeVar("T")
Stamp = tuple[tuple[int, int] | None, ...]
"""Sizes and times of the watched files."""


def stamp(path: Path) -> Stamp:
    """What tells whether the run in `path` has grown: two calls differ if it has."""
    seen: list[tuple[int, int] | None] = []
    for name in WATCHED:
        try:
            found = (path / name).stat()
        except OSError:
            seen.append(None)
        else:
            seen.append((found.st_size, found.st_mtime_ns))
    return tuple(seen)


def read(path: Path, take: Callable[[RunFolder], T]) -> T:
    """What `take` makes of the run in `path`.

    A log that nobody has open is read as a file that does not change, since SQLite would leave files of its own beside
    it otherwise; if somebody has begun to write meanwhile, it is read again.

    Raises:
        InputError: no run there, not any more, or it cannot be read.
    """
    for _ in range(TRIES):
        before = stamp(path)
        still = before[1] is None or not before[1][0]
        try:
            with RunFolder.open(path, still=still) as run:
                made = take(run)
        except sqlite3.Error as fault:
            if not path.is_dir():
                raise InputError(f"there is no run folder {path} any more.") from None
            if still and stamp(path)[:2] != before[:2]:
                continue
            raise InputError(f"cannot read the match log of {path}: {str(fault).rstrip('.')}.") from None
        if not still or stamp(path)[:2] == before[:2]:
            return made
    raise InputError(f"{path} changes faster than it can be read.")
