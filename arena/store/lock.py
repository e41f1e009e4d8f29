"""Lock: one writer at a time. The operating system lets go of it when its process ends, however it ends."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

PATIENCE = 5
"""Tries of `take`, 20 ms apart: `holder` of another process holds the lock for an instant too."""


class Lock:
    """An advisory lock on a file that also says who holds it."""

    def __init__(self, path: Path) -> None:
        """Name the file; `take` makes it if need be."""
        self._path = path
        self._file = -1

    def take(self) -> str | None:
        """None if the lock is ours now, otherwise the process id of the holder.

        Raises:
            OSError: the file cannot be written.
        """
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        if not any(_try(file, fcntl.LOCK_EX, wait) for wait in range(PATIENCE)):
            holder = _read(file)
            os.close(file)
            return holder
        os.ftruncate(file, 0)
        os.write(file, f"{os.getpid()}\n".encode())
        self._file = file
        return None

    def release(self) -> None:
        """Let others write. Does nothing if the lock is not held."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def holder(path: Path) -> str | None:
    """Process id of whoever holds the lock on `path`; None if nobody does. Needs no more than to read the file."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return None if _try(file, fcntl.LOCK_SH) else _read(file)
    finally:
        os.close(file)


def _try(file: int, kind: int, wait: int = 0) -> bool:
    """Lock `file` if that is possible at once, or after a moment if `wait` is not 0."""
    time.sleep(0.02 if wait else 0)
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(file: int) -> str:
    return os.read(file, 32).decode("ascii", "replace").strip() or "unknown"
