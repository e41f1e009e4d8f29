"""Files that are never seen half-written: replaced whole, or appended line by line."""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO


def write_atomic(path: Path, data: bytes) -> None:
    """Put `data` at `path`: whenever the machine stops, the old file is there or the new one."""
    with replacing(path) as file:
        file.write(data)


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write to, which becomes the one at `path` when all is written, and vanishes if that fails."""
    draft = _beside(path)
    try:
        with draft.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def is_draft(path: Path) -> bool:
    """Whether this is the name of something that is being written: hidden, and it ends in a number."""
    return re.fullmatch(r"\..*\.[0-9a-f]+", path.name) is not None


def sweep_drafts(folder: Path) -> None:
    """Remove what killed writers left behind; for the one writer only."""
    for draft in filter(is_draft, folder.rglob(".*")):
        draft.unlink(missing_ok=True)


def make_folder(path: Path, fill: Callable[[Path], None]) -> None:
    """Make the folder `path` with what `fill` writes into the folder it is given.

    An empty folder that is there already is filled in place. If `fill` raises, the disk is as it was.
    """
    made: list[Path] = []
    try:
        if path.is_dir():
            made = [path]
            fill(path)
            return
        made = _make_parents(path)
        draft = _beside(path)
        draft.mkdir()
        made.append(draft)
        fill(draft)
        draft.rename(path)
    except BaseException:
        for folder in reversed(made):
            _remove(folder, keep=folder == path)
        raise


def _beside(path: Path) -> Path:
    """A hidden name in the same folder, which nobody else has."""
    return path.with_name(f".{path.name}.{os.urandom(4).hex()}")


def _make_parents(path: Path) -> list[Path]:
    """The folders above `path` that had to be made, outermost first."""
    made: list[Path] = []
    try:
        for folder in reversed(path.parents):
            if not folder.exists():
                folder.mkdir()
                made.append(folder)
    except OSError:
        for folder in reversed(made):
            folder.rmdir()
        raise
    return made


def _remove(folder: Path, keep: bool) -> None:
    """Take away what was made; of a folder that was there before, only what is in it."""
    if not keep:
        shutil.rmtree(folder, ignore_errors=True)
        return
    for entry in folder.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)


def append_line(path: Path, record: Mapping[str, Any]) -> None:
    """Add one line of JSON. Numbers that JSON cannot hold (NaN, infinity) become null."""
    line = json.dumps(plain(record), allow_nan=False) + "\n"
    with path.open("ab", buffering=0) as file:
        file.write(line.encode())


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of `append_line`, less one that is being written just now; none without a file."""
    if path.exists():
        with path.open("rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    yield json.loads(line)


def drop_torn_line(path: Path) -> None:
    """Cut off the last line if its writer was stopped in the middle of it."""
    if not path.exists():
        return
    with path.open("r+b") as file:
        data = file.read()
        file.truncate(data.rfind(b"\n") + 1)


def sha256(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def plain(value: Any, infinite: bool = False) -> Any:
    """`value` in the types that JSON knows; NaN and infinity, which it does not, become None.

    Args:
        infinite: infinity becomes the word "inf" instead, which settings read as what it was.
    """
    if isinstance(value, Mapping):
        return {str(key): plain(inner, infinite) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner, infinite) for inner in value]
    if hasattr(value, "item"):  # a NumPy or torch number
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value) if infinite and not math.isnan(value) else None
    return value
