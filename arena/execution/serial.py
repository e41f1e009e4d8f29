"""Serial: jobs run in this process, when somebody waits for them."""

from __future__ import annotations

import traceback
from typing import Self

from arena.execution.executor import Job, JobFault, Outcome, Ticket
from arena.execution.needs import Gpus, needs
from envs.errors import InputError


class SerialExecutor:
    """An `Executor` without workers. Ctrl-C interrupts the job, whose outcome is lost."""

    workers = 1

    def __init__(self) -> None:
        self._job: Job | None = None
        self._ticket = Ticket(-1)
        self._open = True
        self._gpus = Gpus()

    @property
    def room(self) -> int:
        """1 or 0."""
        return int(self._open and self._job is None)

    @property
    def unfinished(self) -> int:
        """1 or 0."""
        return int(self._job is not None)

    def submit(self, job: Job) -> Ticket:
        """Take a job, if there is none."""
        if not self.room:
            raise RuntimeError("no room for another job" if self._open else "the executor is closed")
        self._gpus.check(needs(job))
        self._job = job
        self._ticket = Ticket(self._ticket + 1)
        return self._ticket

    def done(self, timeout: float | None = None) -> list[Outcome]:
        """Run the job, however long it takes."""
        if self._job is None:
            return []
        job, self._job = self._job, None
        return [run(self._ticket, job)]

    def cancel(self, ticket: Ticket) -> bool:
        """Drop the job, if it is that."""
        waits = self._job is not None and ticket == self._ticket
        if waits:
            self._job = None
        return waits

    def close(self) -> None:
        """Drop the job."""
        self._job = None
        self._open = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *fault: object) -> None:
        self.close()


def run(ticket: Ticket, job: Job) -> Outcome:
    """What comes of `job`, which runs now."""
    try:
        return Outcome(ticket, job())
    except InputError as fault:
        return Outcome(ticket, fault=fault)
    except (Exception, SystemExit) as fault:
        return Outcome(ticket, fault=JobFault(sentence(fault), traceback.format_exc()))


def sentence(fault: BaseException) -> str:
    """What went wrong in a job, for people."""
    return f"a job failed: {type(fault).__name__}: {fault}".removesuffix(": ")
