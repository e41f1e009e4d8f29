"""Process: jobs run on worker processes of this machine, which are kept from job to job."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.reduction import ForkingPickler
from typing import Self

from arena.execution import worker
from arena.execution.executor import DEATHS, Job, JobFault, Outcome, Ticket
from arena.execution.nursery import Nursery, shared
from arena.execution.worker import Answer, Main, Place
from envs.errors import InputError

GUARD = 'if __name__ == "__main__":'


@dataclass(slots=True)
class _Task:
    """A job that has been submitted."""

    ticket: Ticket
    main: Main | None
    data: bytes
    deaths: list[str] = field(default_factory=list)
    """How each worker ended that tried it."""


@dataclass(slots=True)
class _Worker:
    """A process."""

    nursery: Nursery
    """That has forked it."""
    pid: int
    pipe: Connection
    task: _Task | None = None
    """What it works at."""


class ProcessExecutor:
    """An `Executor` whose jobs must be picklable: data, and functions and classes by the module they are in.

    A worker that dies is replaced, and its job run again by another one; a job that has lost `DEATHS` workers is a
    `JobFault`. Workers end with this process, however it ends.
    """

    def __init__(self, workers: int) -> None:
        """Processes start when there is something to do.

        Raises:
            InputError: this is a worker itself, or the system cannot fork processes.
        """
        if worker.working:
            raise InputError(f"a worker cannot start workers: put what your program does below `{GUARD}`.")
        if not hasattr(os, "fork"):
            raise InputError("this system cannot fork processes: use the executor serial here.")
        self.workers = workers
        self._staff: list[_Worker] = []
        self._waiting: deque[_Task] = deque()
        self._finished: list[Outcome] = []
        self._count = 0
        self._open = True

    @property
    def room(self) -> int:
        """One for each worker, and as many that wait."""
        return (2 * self.workers - self.unfinished) * self._open

    @property
    def unfinished(self) -> int:
        """Those that wait, run or have finished."""
        return len(self._waiting) + len(self._finished) + sum(one.task is not None for one in self._staff)

    @property
    def pids(self) -> list[int]:
        """Of the workers that live, as far as is known."""
        return [one.pid for one in self._staff]

    def submit(self, job: Job) -> Ticket:
        """Take a job; it starts at once if a worker is idle."""
        if not self.room:
            raise RuntimeError("no room for another job" if self._open else "the executor is closed")
        task = _Task(Ticket(self._count), *_packed(job))
        self._count += 1
        self._waiting.append(task)
        self._hand_out()
        return task.ticket

    def done(self, timeout: float | None = None) -> list[Outcome]:
        """Wait for workers, and give them what is next."""
        until = None if timeout is None else time.monotonic() + timeout
        while not self._finished:
            busy = {one.pipe: one for one in self._staff if one.task}
            if not busy:
                break
            ready = wait(list(busy), None if until is None else max(0.0, until - time.monotonic()))
            if not ready:
                break
            for pipe in ready:
                self._hear(busy[pipe])  # type: ignore[index]
            self._hand_out()
        finished, self._finished = self._finished, []
        return finished

    def cancel(self, ticket: Ticket) -> bool:
        """Drop a job; a worker that is at it is ended."""
        for one in [one for one in self._staff if one.task and one.task.ticket == ticket]:
            self._bury(one)
            self._hand_out()
            return True
        before = self.unfinished
        self._waiting = deque(task for task in self._waiting if task.ticket != ticket)
        self._finished = [outcome for outcome in self._finished if outcome.ticket != ticket]
        return self.unfinished < before

    def close(self) -> None:
        """End all workers."""
        self._open = False
        self._waiting.clear()
        self._finished.clear()
        for one in self._staff:
            _kill(one)
        while self._staff:
            self._bury(self._staff[-1])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *fault: object) -> None:
        self.close()

    def _hand_out(self) -> None:
        """Give what waits to whoever is idle; workers start as they are needed."""
        while self._waiting:
            idle = next((one for one in self._staff if one.task is None), None)
            if idle is None:
                if len(self._staff) == self.workers:
                    return
                idle = self._hire()
            try:
                idle.pipe.send((self._waiting[0].main, self._waiting[0].data))
                idle.task = self._waiting.popleft()
            except OSError:  # it died while it had nothing to do
                self._bury(idle)

    def _hire(self) -> _Worker:
        """A new worker."""
        nursery = shared()
        try:
            born = nursery.fork()
        except OSError:  # somebody has killed it; what has been forked lives on
            nursery = shared()
            born = nursery.fork()
        one = _Worker(nursery, *born)
        self._staff.append(one)
        one.pipe.send(Place(os.getcwd(), sys.path, dict(os.environ)))
        return one

    def _hear(self, one: _Worker) -> None:
        """Take what a worker says of its job, or its end."""
        task = one.task
        assert task is not None
        try:
            said = one.pipe.recv_bytes()
        except (EOFError, OSError):
            task.deaths.append(self._bury(one))
            if len(task.deaths) < DEATHS:
                self._waiting.appendleft(task)
                return
            ends = " and ".join(task.deaths)
            self._finished.append(Outcome(task.ticket, fault=JobFault(f"a job ended {DEATHS} workers: {ends}.")))
            return
        one.task = None
        self._finished.append(outcome_of(task.ticket, ForkingPickler.loads(said)))

    def _bury(self, one: _Worker) -> str:
        """End a worker, if it has not ended; how it did."""
        self._staff.remove(one)
        _kill(one)
        try:
            status = one.nursery.reap(one.pid)
        except OSError:
            return "for an unknown reason"
        return f"by signal {signal.Signals(-status).name}" if status < 0 else f"with exit code {status}"


def _kill(one: _Worker) -> None:
    """End a worker, and all that it has started."""
    with suppress(OSError):
        os.killpg(one.pid, signal.SIGKILL)
    one.pipe.close()


def outcome_of(ticket: Ticket, answer: Answer) -> Outcome:
    """What a worker has told."""
    if answer.wrong:
        return Outcome(ticket, fault=InputError(answer.wrong))
    if answer.failed:
        return Outcome(ticket, fault=JobFault(answer.failed, answer.trace))
    return Outcome(ticket, answer.value)


def _packed(job: Job) -> tuple[Main | None, bytes]:
    """A job for sending, and the main program if it is of that."""
    try:
        data = bytes(ForkingPickler.dumps(job))
    except Exception as fault:
        raise InputError(
            f"this cannot be sent to a worker process, because it is no data and no function of a module ({fault}): "
            "define it at the top of a module, or use the executor serial."
        ) from None
    return (_main() if b"__main__" in data else None), data


def _main() -> Main:
    """The main program."""
    module = sys.modules["__main__"]
    spec = getattr(module, "__spec__", None)
    path = getattr(module, "__file__", None)
    if spec is None and path is None:
        raise InputError("workers cannot know what is defined in a console: put it into a file, and import that.")
    return Main(spec.name if spec else "", "" if spec else os.path.abspath(str(path)))
