"""Warden: a small process that ends guests when the process that they play for is gone, however it went.

It reads lines from its standard input, "+ GROUP MARK" and "- GROUP MARK" for a guest that has been started or has
ended; where the input ends, so does every guest that is left. Run as a script, by itself, with the standard library.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress

VARIABLE = "ARENA_GUEST"
"""Its mark, in the environment of a guest and of all that it starts."""
ROUNDS = 20
"""Times that the list of processes is gone through, at most: somebody may fork while it is."""


def end(group: int, mark: str) -> None:
    """Kill a process group, and whoever has left it but has its mark still (where /proc tells)."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
    for _ in range(ROUNDS):
        found = _marked(mark)
        if not found:
            return
        for pid in found:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.005)


def _marked(mark: str) -> list[int]:
    """Processes with this mark, without those that are dead and only wait to be noticed."""
    wanted = f"{VARIABLE}={mark}".encode()
    found = []
    try:
        names = os.listdir("/proc")
    except OSError:  # not Linux
        return []
    for name in names:
        if not name.isdigit():
            continue
        with suppress(OSError), open(f"/proc/{name}/environ", "rb") as file:
            if wanted in file.read().split(b"\0"):
                found.append(int(name))
    return found


def main() -> None:
    """Wait for the end."""
    guests: set[tuple[int, str]] = set()
    for line in sys.stdin:
        sign, group, mark = line.split()
        (guests.add if sign == "+" else guests.discard)((int(group), mark))
    for group, mark in guests:
        end(group, mark)


if __name__ == "__main__":
    main()
