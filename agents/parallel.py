"""The threads that share one process's heavy work: torch and the compiled rules both let go of the GIL.

Work is cut into a fixed number of shards whatever the number of threads, so results do not depend on it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
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
        self.count = count or cores()
        self._pool = ThreadPoolExecutor(self.count, "shard") if self.count > 1 else None

    def run(self, shards: Sequence[Callable[[], Value]]) -> list[Value]:
        """Results in the order of `shards`."""
        if self._pool is None or len(shards) == 1:
            return [shard() for shard in shards]
        futures = [self._pool.submit(shard) for shard in shards]
        return [future.result() for future in futures]
