"""Files of jobs that run on other machines: contents travel with the job and are found there by their hash."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from arena.store.files import sha256
from envs.errors import InputError

_received: dict[str, bytes] = {}
"""Contents that came with the job which runs now, by SHA-256."""


def contents(hash: str, path: str) -> bytes:
    """Of the file `path`.

    Raises:
        InputError: it cannot be read, or is not the one with that hash any more.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as fault:
        raise InputError(f"cannot read {path}: {fault.strerror or fault}.") from None
    if hashlib.sha256(data).hexdigest() != hash:
        raise InputError(f"{path} has changed since the games began.")
    return data


@contextmanager
def received(files: Mapping[str, bytes]) -> Iterator[None]:
    """Inside, a job runs that came with `files`, by hash."""
    _received.update(files)
    try:
        yield
    finally:
        _received.clear()


@contextmanager
def opened(hash: str, path: str) -> Iterator[Path]:
    """A file with the contents that `path` had where the job was made.

    Raises:
        InputError: it cannot be read, or is not the one with that hash any more.
    """
    if hash in _received:
        with TemporaryDirectory(prefix="arena-") as folder:
            copy = Path(folder) / Path(path).name
            copy.write_bytes(_received[hash])
            yield copy
        return
    if hash_of(path) != hash:
        raise InputError(f"{path} has changed since the games began.")
    yield Path(path)


def hash_of(path: str | Path) -> str:
    """SHA-256 of a file, hexadecimal.

    Raises:
        InputError: it cannot be read.
    """
    try:
        return sha256(Path(path))
    except OSError as fault:
        raise InputError(f"cannot read {path}: {fault.strerror or fault}.") from None
