"""Process: jobs run on worker processes of this machine, which are kept from job to job."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import Counter, deque
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.reduction import ForkingPickler
from typing import Self

from arena.execution import worker
from arena.execution.executor import DEATHS, KILLS, Job, JobFault, Outcome, Ticket
from arena.execution.needs import Gpus, Needs, needs
from arena.execution.news import tell
from arena.execution.nursery import Nursery, shared
from arena.execution.worker import Answer, Main, News, Place
from envs.errors import InputError

GUARD = 'if __name__ == "__main__":'
OUTSIDE = {signal.SIGKILL, signal.SIGTERM, signal.SIGINT}
"""Signals that come from somebody else: a person, or the system when memory is short."""


@dataclass(slots=True)
class _Task:
    """A job that has been submitted."""

    ticket: Ticket
    main: Main | None
    data: bytes
    needs: Needs
    deaths: list[int | None] = field(default_factory=list)
    """How each worker ended that tried it: its exit code, or the number of a signal below 0."""

    @property
    def hopeless(self) -> bool:
        """Whether it is not to be tried again."""
        own = sum(status is not None and -status not in OUTSIDE for status in self.deaths)
        return own >= DEATHS or len(self.deaths) >= KILLS


@dataclass(slots=True)
class _Worker:
    """A process."""

    nursery: Nursery
    """That has forked it."""
    pid: int
    pipe: Connection
    task: _Task | None = None
    """What it works at."""
    gpus: tuple[int, ...] = ()
    """Those that it uses now, or used last: it holds memory of them."""


class ProcessExecutor:
    """An `Executor` whose jobs must be picklable: data, and functions and classes by the module they are in.

    The cores of the jobs that run are as many as there are workers, at most; a job that wants more runs alone. GPUs are
    shared out, too. A worker that dies is replaced, and its job run again by another one; a job that has crashed
    `DEATHS` workers, or lost `KILLS` in any way, is a `JobFault`. Workers end with this process, however it ends.
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
        self._gpus = Gpus()
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
        wanted = needs(job)
        self._gpus.check(wanted)
        task = _Task(Ticket(self._count), *_packed(job), wanted)
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
        """Start what is next, as long as there are cores and GPUs for it; workers start as they are needed."""
        while self._waiting:
            task = self._waiting[0]
            taken = sum(one.task.needs.cpus for one in self._staff if one.task)
            if taken and taken + task.needs.cpus > self.workers:
                return
            gpus = self._gpus.take(task.needs.gpus)
            if gpus is None:
                return
            one = self._idle(gpus) or self._hire()
            try:
                one.pipe.send((task.main, task.data, gpus))
            except OSError:  # it died while it had nothing to do
                self._gpus.give_back(gpus, task.needs.gpus)
                self._bury(one)
            else:
                one.task, one.gpus = self._waiting.popleft(), gpus or one.gpus

    def _idle(self, gpus: tuple[int, ...]) -> _Worker | None:
        """Who has nothing to do; rather one that has used these GPUs before, or none."""
        idle = [one for one in self._staff if one.task is None]
        return min(idle, key=lambda one: (one.gpus != gpus, len(one.gpus)), default=None)

    def _free(self, one: _Worker) -> _Task:
        """A worker does not work at its job any more."""
        task, one.task = one.task, None
        assert task is not None
        self._gpus.give_back(one.gpus if task.needs.gpus else (), task.needs.gpus)
        return task

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
        try:
            said = ForkingPickler.loads(one.pipe.recv_bytes())
        except (EOFError, OSError):
            task = self._free(one)
            task.deaths.append(self._bury(one))
            if not task.hopeless:
                self._waiting.appendleft(task)
                return
            ends = " and ".join(_told(*how) for how in Counter(task.deaths).items())
            fault = JobFault(f"a job ended {len(task.deaths)} workers: {ends}.")
            self._finished.append(Outcome(task.ticket, fault=fault))
            return
        if isinstance(said, News):
            tell(said.value)
        else:
            self._finished.append(outcome_of(self._free(one).ticket, said))

    def _bury(self, one: _Worker) -> int | None:
        """End a worker, if it has not ended; how it did, None if nobody knows."""
        if one.task:
            self._free(one)
        self._staff.remove(one)
        _kill(one)
        try:
            return one.nursery.reap(one.pid)
        except OSError:
            return None


def _told(status: int | None, times: int) -> str:
    """How a worker ended, so many times."""
    if status is None:
        said = "for an unknown reason"
    else:
        said = f"by signal {signal.Signals(-status).name}" if status < 0 else f"with exit code {status}"
    return said + (f" ({times} times)" if times > 1 else "")


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
