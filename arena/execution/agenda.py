"""Agenda: several works side by side on one executor. A work is a generator: it asks for jobs that may run at the same
time, and goes on with what came of all of them.

    def work() -> Work[int]:
        halves = yield [partial(count, first), partial(count, second)]
        return sum(halves)

Works run in the thread that looks at the agenda, one at a time, so they may share what they change.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast

from arena.execution.executor import Executor, Job, Ticket

Value = TypeVar("Value")
Work = Generator[Sequence[Job], list[Any], Value]
"""Yields jobs, is sent what they came to in the same order, and returns its own value."""
WAIT = 0.25
"""Seconds between two looks, at most."""


@dataclass(slots=True, eq=False)
class _Item(Generic[Value]):
    """A work that has begun."""

    work: Work[Value]
    values: list[Any] = field(default_factory=list)
    """What the jobs came to that it asked for last."""
    missing: int = 0
    """How many of them have not ended."""
    ended: bool = False
    value: Value | None = None


class Agenda:
    """The works that go on; none of them waits for another."""

    def __init__(self, executor: Executor) -> None:
        """All jobs of the executor are from here."""
        self._executor = executor
        self._items: list[_Item[Any]] = []
        self._waiting: deque[tuple[_Item[Any], int, Job]] = deque()
        self._flying: dict[Ticket, tuple[_Item[Any], int]] = {}

    def __len__(self) -> int:
        """Works that have not ended."""
        return len(self._items)

    def add(self, work: Work[Any]) -> None:
        """Begin a work, up to the first jobs that it asks for."""
        self._begin(work)

    def look(self, timeout: float | None = None) -> None:
        """Hand out jobs, wait for the first that ends, and let works go on.

        Args:
            timeout: seconds to wait at most; None: as long as it takes.

        Raises:
            InputError: a job or a work did.
            JobFault: a job failed, and its work did not deal with that.
        """
        while self._waiting and self._executor.room:
            item, place, job = self._waiting.popleft()
            self._flying[self._executor.submit(job)] = item, place
        outcomes = self._executor.done(timeout) if self._flying else []
        faults: list[tuple[_Item[Any], Exception]] = []
        for outcome in outcomes:  # what went well counts, whatever happened to the others
            item, place = self._flying.pop(outcome.ticket)
            if outcome.fault is not None:
                faults.append((item, outcome.fault))
                continue
            item.values[place] = outcome.value
            item.missing -= 1
            if not item.missing:
                self._go_on(item, item.values)
        for item, fault in faults:
            self._go_on(item, fault)

    def finish(self, work: Work[Value], show: Callable[[], None] = lambda: None) -> Value:
        """Begin a work and wait for its end; what it returned. Others go on meanwhile.

        Args:
            show: called several times per second.
        """
        item = self._begin(work)
        while not item.ended:
            show()
            self.look(WAIT)
        return cast("Value", item.value)

    def drop(self) -> None:
        """Forget all works and their jobs."""
        for ticket in self._flying:
            self._executor.cancel(ticket)
        for item in self._items:
            item.work.close()
        self._items.clear()
        self._waiting.clear()
        self._flying.clear()

    def _begin(self, work: Work[Value]) -> _Item[Value]:
        item = _Item(work)
        self._items.append(item)
        self._go_on(item, None)
        return item

    def _go_on(self, item: _Item[Any], with_: list[Any] | Exception | None) -> None:
        """Let a work take its next step, with values or a fault, or its first; and those after it that need no jobs."""
        jobs: Sequence[Job] = ()
        try:
            jobs = item.work.throw(with_) if isinstance(with_, Exception) else item.work.send(with_)  # type: ignore[arg-type]
            while not jobs:
                jobs = item.work.send([])
        except BaseException as end:
            item.ended = True
            self._items.remove(item)
            if not isinstance(end, StopIteration):
                raise
            item.value = end.value
        item.values, item.missing = [None] * len(jobs), len(jobs)
        self._waiting.extend((item, place, job) for place, job in enumerate(jobs))


def finish(work: Work[Value], executor: Executor) -> Value:
    """Do one work to its end; what it returned.

    Raises:
        InputError: as for `Agenda.look`.
        JobFault: likewise.
    """
    agenda = Agenda(executor)
    try:
        return agenda.finish(work)
    finally:
        agenda.drop()
