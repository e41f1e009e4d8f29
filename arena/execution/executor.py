"""Executor: runs jobs somewhere, and hands over what comes out as they finish.

    with make_executor("process", workers=2) as executor:
        while jobs or executor.unfinished:
            while jobs and executor.room:
                executor.submit(jobs.pop())
            for outcome in executor.done():
                log(outcome.result())

A job is data: a `functools.partial` of a function of some module, or a frozen dataclass that can be called, such as
`arena.execution.job.MatchJob`. It must always come to the same value wherever and however often it runs, as that of a
worker that dies is run again elsewhere; its outcome is handed over once. Seconds of work are the right size.

A job may have attributes: `files`, paths by SHA-256, which it finds on other machines too (`arena.execution.files`);
`cpus`, how many cores it takes (1 if it does not say), and `gpus`, how many GPUs, a share of one such as 0.5, or a
whole number (0). Its GPU is what torch calls "cuda" while it runs. torch has one thread when a job begins, whatever
its `cpus`: the job says if it wants more. Jobs start in the order in which they were submitted, so one that wants much
is not overtaken for ever by those that want little.

An executor is used by one thread.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, NewType, Protocol, Self, get_args

from envs.errors import InputError, unknown

Job = Callable[[], Any]
Ticket = NewType("Ticket", int)
"""Stands for a job that was submitted; counted from 0."""
Kind = Literal["serial", "process", "ray"]
DEATHS = 2
"""Workers that a job may end, by a crash or an exit code, before it is not tried again."""
KILLS = 10
"""Workers that it may lose in other ways: to a signal from outside, or with the node that they were on. Who kills
workers at random hits the same job again and again, the more so the longer it is, and that is not its fault."""


class JobFault(RuntimeError):
    """A job failed, by a mistake in what it ran and not in what a user gave: one sentence."""

    def __init__(self, message: str, trace: str = "") -> None:
        super().__init__(message)
        self.trace = trace
        """The traceback where it happened, as text; "" if the worker died."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a job."""

    ticket: Ticket
    value: Any = None
    """What it returned."""
    fault: InputError | JobFault | None = None
    """Why it did not: an `InputError` that it raised; anything else, or the end of its workers, as `JobFault`."""

    def result(self) -> Any:
        """What it returned.

        Raises:
            InputError: the job did.
            JobFault: it failed otherwise.
        """
        if self.fault:
            raise self.fault
        return self.value


class Executor(Protocol):
    """Takes as many jobs at a time as keep its workers busy, so nothing piles up."""

    @property
    def workers(self) -> int:
        """Jobs of one core that it runs at once, now: on a cluster the number changes as nodes come and go."""
        ...

    @property
    def room(self) -> int:
        """How many jobs may be submitted now."""
        ...

    @property
    def unfinished(self) -> int:
        """Jobs whose outcome has not been handed over yet."""
        ...

    def submit(self, job: Job) -> Ticket:
        """Take a job.

        Raises:
            InputError: it cannot be sent to another process, or asks for a GPU where there is none.
            RuntimeError: there is no room, or the executor is closed.
        """
        ...

    def done(self, timeout: float | None = None) -> list[Outcome]:
        """Outcomes that have not been handed over yet, in the order in which jobs finished.

        Args:
            timeout: seconds to wait for the first; None waits as long as it takes.

        Returns an empty list if no job is left, or the time is up.
        """
        ...

    def cancel(self, ticket: Ticket) -> bool:
        """Drop a job, even if it runs; whether there was still an outcome to come, which does not come now."""
        ...

    def close(self) -> None:
        """Drop all jobs, and end all workers at once."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *fault: object) -> None: ...


def in_turn(executor: Executor, jobs: Iterable[Job]) -> Generator[tuple[int, Outcome], None, None]:
    """Run all of `jobs`, which are taken as there is room for them: place of each in `jobs`, and its outcome, as they
    finish. When it is closed, those that have not finished are dropped.

    Raises:
        InputError: as for `Executor.submit`.
    """
    waiting = enumerate(jobs)
    places: dict[Ticket, int] = {}
    more = True
    try:
        while more or places:
            while more and executor.room:
                place, job = next(waiting, (-1, None))
                if job is None:
                    more = False
                else:
                    places[executor.submit(job)] = place
            for outcome in executor.done() if places else ():
                yield places.pop(outcome.ticket), outcome
    finally:
        for ticket in places:
            executor.cancel(ticket)


@contextmanager
def lent(executor: Executor | str | None, workers: int | None) -> Iterator[Executor]:
    """What a program asks for: an executor of its own, which stays open and has no other jobs; or one of a kind, for a
    while. If it names none, several workers are processes.

    Raises:
        InputError: as for `make_executor`, or `workers` of an executor that is there already.
    """
    if executor is None or isinstance(executor, str):
        with make_executor(executor or ("serial" if workers in (None, 1) else "process"), workers) as made:
            yield made
        return
    if workers is not None:
        raise InputError(f"workers = {workers}: the executor that is given has its own.")
    yield executor


def make_executor(kind: str, workers: int | None = None, address: str = "") -> Executor:
    """An executor of a `kind`.

    serial      in this process, one job after the other, when its outcome is asked for
    process     on processes of this machine
    ray         on a Ray cluster, see `arena.execution.ray`

    Args:
        workers: jobs at once; None: as many as there are cores.
        address: of a cluster; "" starts one on this machine.

    Raises:
        InputError: an unknown kind, a number out of range, or something that this kind has no use for.
    """
    if workers is not None and workers < 1:
        raise InputError(f"an executor needs 1 worker or more, not {workers}.")
    if kind != "ray" and address:
        raise InputError(
            f"{address} is the address of a Ray cluster, but the executor is {kind}: say ray, or leave it out."
        )
    if kind == "serial":
        if workers not in (None, 1):
            raise InputError(
                f"the executor serial has one worker, not {workers}: say process, or leave the number out."
            )
        from arena.execution.serial import SerialExecutor

        return SerialExecutor()
    if kind == "process":
        from agents.parallel import cores
        from arena.execution.process import ProcessExecutor

        return ProcessExecutor(workers or cores())
    if kind == "ray":
        from arena.execution.connection import LOCAL
        from arena.execution.ray import RayExecutor

        return RayExecutor(address or LOCAL, workers)
    raise unknown("executor", kind, get_args(Kind))
