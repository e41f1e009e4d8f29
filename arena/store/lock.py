"""Lock: one writer at a time. The operating system lets go of it when its process ends, however it ends."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


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
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(file, 32).decode("ascii", "replace").strip()
            os.close(file)
            return holder or "unknown"
        os.ftruncate(file, 0)
        os.write(file, f"{os.getpid()}\n".encode())
        self._file = file
        return None

    def release(self) -> None:
        """Let others write. Does nothing if the lock is not held."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
