"""The threads that share one process's heavy work: torch and the compiled rules both let go of the GIL.

Work is cut into a fixed number of shards whatever the number of threads, so results do not depend on it.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

import torch

Value = TypeVar("Value")


def cores() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Threads:
    """Runs shards, on `count` threads at most; one thread runs them in place."""

    def __init__(self, count: int | None = None) -> None:
        """`count` None takes every core. Each shard uses one torch thread: more lose at these batch sizes."""
        torch.set_num_threads(1)
        _keep_freed_memory()
        self.count = count or cores()
        self._pool = ThreadPoolExecutor(self.count, "shard") if self.count > 1 else None

    def run(self, shards: Sequence[Callable[[], Value]]) -> list[Value]:
        """Results in the order of `shards`."""
        if self._pool is None or len(shards) == 1:
            return [shard() for shard in shards]
        futures = [self._pool.submit(shard) for shard in shards]
        try:
            return [future.result() for future in futures]
        finally:
            for future in futures:  # one failed, or the user interrupts: the rest is not wanted any more
                future.cancel()


@cache
def _keep_freed_memory() -> None:
    """Tell glibc not to give large freed blocks back to the system.

    A training step allocates and frees the same megabytes over and over; by default each round meets fresh pages,
    and the page faults cost a quarter of the time. Nothing happens with another C library.
    """
    mmap_threshold, trim_threshold = -3, -1  # mallopt's names for them in malloc.h
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(mmap_threshold, 1 << 30)
        mallopt(trim_threshold, (1 << 31) - 1)
