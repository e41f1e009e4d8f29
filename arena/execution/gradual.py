"""Gradual: jobs run in this process at first, and on worker processes if there is much to do.

Workers import torch before they start, which takes longer than all of a small tournament, and on another core at that.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Self

from arena.execution.executor import Executor, Job, Outcome, Ticket
from arena.execution.nursery import shared
from arena.execution.process import ProcessExecutor
from arena.execution.serial import SerialExecutor

WARM = 1.0
"""Seconds of jobs in this process, after which the process starts that workers come from."""
ENOUGH = 3.0
"""The same, after which jobs run on workers."""


class GradualExecutor:
    """An `Executor`: first as `SerialExecutor`, then as `ProcessExecutor`."""

    def __init__(self, workers: int) -> None:
        """So many processes, later."""
        self._processes = ProcessExecutor(workers)
        self._now: Executor = SerialExecutor()
        self._spent = 0.0
        self._before = 0
        """Jobs that were submitted before workers were used: theirs are counted from there."""

    @property
    def workers(self) -> int:
        """1, and later as many as there are processes."""
        return self._now.workers

    @property
    def room(self) -> int:
        """See `Executor`."""
        return self._now.room

    @property
    def unfinished(self) -> int:
        """See `Executor`."""
        return self._now.unfinished

    def submit(self, job: Job) -> Ticket:
        """Take a job."""
        return Ticket(self._now.submit(job) + self._before)

    def done(self, timeout: float | None = None) -> list[Outcome]:
        """Run the job here, however long it takes, or wait for workers."""
        if self._now is self._processes:
            return [replace(one, ticket=Ticket(one.ticket + self._before)) for one in self._now.done(timeout)]
        began = time.monotonic()
        outcomes = self._now.done()
        self._spent += time.monotonic() - began
        if self._spent > WARM:
            shared()  # returns at once
        if outcomes and self._spent > ENOUGH:
            self._before = outcomes[-1].ticket + 1
            self._now = self._processes
        return outcomes

    def cancel(self, ticket: Ticket) -> bool:
        """Drop a job."""
        return self._now.cancel(Ticket(ticket - self._before))

    def close(self) -> None:
        """Drop all jobs, and end all workers."""
        self._now.close()
        self._processes.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *fault: object) -> None:
        self.close()
