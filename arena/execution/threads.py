"""Threads: jobs run in this process, several at once where they let each other: a serial executor with more hands."""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import Self

from agents.parallel import Threads
from arena.execution.executor import Job, Outcome, Ticket
from arena.execution.serial import run


class ThreadsExecutor:
    """An `Executor` whose jobs run on threads when somebody waits for them. A job that has an attribute `threads` uses
    them itself, and runs alone. Ctrl-C interrupts the jobs, whose outcomes are lost."""

    workers = 1
    """Jobs that use all threads at once."""

    def __init__(self, threads: Threads) -> None:
        """These threads are also what jobs may use."""
        self._threads = threads
        self._waiting: deque[tuple[Ticket, Job]] = deque()
        self._count = 0
        self._open = True

    @property
    def room(self) -> int:
        """As many jobs as keep all threads busy for a while."""
        return (4 * self._threads.count - len(self._waiting)) * self._open

    @property
    def unfinished(self) -> int:
        """Those that wait."""
        return len(self._waiting)

    def submit(self, job: Job) -> Ticket:
        """Take a job."""
        if self.room <= 0:
            raise RuntimeError("no room for another job" if self._open else "the executor is closed")
        ticket = Ticket(self._count)
        self._waiting.append((ticket, job))
        self._count += 1
        return ticket

    def done(self, timeout: float | None = None) -> list[Outcome]:
        """Run what waits up to the first job that must be alone, or that one, however long it takes."""
        batch: list[tuple[Ticket, Job]] = []
        while self._waiting and not (batch and hasattr(self._waiting[0][1], "threads")):
            batch.append(self._waiting.popleft())
            if hasattr(batch[-1][1], "threads"):
                break
        return self._threads.run([partial(run, ticket, job) for ticket, job in batch])

    def cancel(self, ticket: Ticket) -> bool:
        """Drop a job that waits."""
        before = len(self._waiting)
        self._waiting = deque(one for one in self._waiting if one[0] != ticket)
        return len(self._waiting) < before

    def close(self) -> None:
        """Drop all jobs."""
        self._waiting.clear()
        self._open = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *fault: object) -> None:
        self.close()
