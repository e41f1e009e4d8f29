"""News: what a job tells while it runs, to whoever waits for its outcome, wherever it runs. Some may be lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

PACE = 0.5
"""Seconds between two news of a job that runs in another process, at least; those between are dropped."""
Hear = Callable[[Any], None]
_ears: list[Hear] = []


def tell(value: object) -> None:
    """Tell all who hear in this process; a worker passes it on to the process that it works for. `value` is data."""
    for hear in _ears:
        hear(value)


@contextmanager
def heard(hear: Hear) -> Iterator[None]:
    """Inside, `hear` is told of what jobs tell, here or on an executor of this process."""
    _ears.append(hear)
    try:
        yield
    finally:
        _ears.remove(hear)


def paced(hear: Hear) -> Hear:
    """The same, but not more often than every `PACE` seconds."""
    last = -PACE

    def seldom(value: object) -> None:
        nonlocal last
        if time.monotonic() - last >= PACE:
            last = time.monotonic()
            hear(value)

    return seldom
