"""How much memory this process can still take, and the refusal of what would not fit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from envs.errors import InputError

GIB = 1 << 30
V2 = ("memory.max", "memory.current", "inactive_file")
"""Limit, use, and the part of it that can be taken back (a line of memory.stat), of control groups version 2."""
V1 = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")


def available_bytes(root: Path = Path("/")) -> int | None:
    """Bytes that can be taken without swapping: of the machine, and of every control group around this process.

    Args:
        root: where `proc` and `sys` are mounted.

    Returns:
        None where the system does not say (it is not Linux).
    """
    known = [*_machine(root), *_groups(root)]
    return max(0, min(known)) if known else None


def refuse_beyond(needed: int, rows: int, available: int | None) -> None:
    """Refuse a replay of `rows` that takes `needed` bytes where only `available` (None: unknown) are.

    Raises:
        InputError: says both in GiB, and how many rows would fit.
    """
    if available is not None and needed > available:
        fitting = rows * available // needed
        raise InputError(
            f"a replay of {rows:,} rows needs {needed / GIB:.2f} GiB of memory and {available / GIB:.2f} GiB are "
            f"available: ask for at most {fitting:,} rows."
        )


def _machine(root: Path) -> Iterator[int]:
    for line in _read(root / "proc/meminfo").splitlines():
        if line.startswith("MemAvailable:"):
            yield int(line.split()[1]) * 1024


def _groups(root: Path) -> Iterator[int]:
    """What is left below each limit; a container may see its own group as the topmost, whatever its path says."""
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        top = root / ("sys/fs/cgroup/memory" if controllers else "sys/fs/cgroup")
        group = top / path.lstrip("/")
        for folder in (group, *group.parents):
            yield from _left(folder, V1 if controllers else V2)
            if folder == top:
                break


def _left(folder: Path, names: tuple[str, str, str]) -> Iterator[int]:
    limit, used = _read(folder / names[0]).strip(), _read(folder / names[1]).strip()
    if limit.isdecimal() and used.isdecimal():  # no limit reads "max"
        stat = dict(line.split() for line in _read(folder / "memory.stat").splitlines())
        yield int(limit) - int(used) + int(stat.get(names[2], 0))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""
