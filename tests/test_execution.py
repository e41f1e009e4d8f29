"""Executors keep one contract: outcomes as jobs finish, each once, faults with their sentence, bounded."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import partial

import pytest

from arena.execution import Executor, JobFault, Outcome, Ticket, in_turn, make_executor
from envs.errors import InputError
from tests.jobs import double, fail


@pytest.fixture(params=["serial", "process"])
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    with make_executor(request.param, {"serial": 1, "process": 2}[request.param]) as made:
        yield made


def values(executor: Executor, count: int) -> list[int]:
    found = dict(in_turn(executor, [partial(double, number) for number in range(count)]))
    return [found[place].result() for place in range(count)]


def test_every_job_once(executor: Executor) -> None:
    assert values(executor, 12) == [2 * number for number in range(12)]
    assert values(executor, 1) == [0]
    assert executor.unfinished == 0


def test_tickets_are_counted(executor: Executor) -> None:
    outcomes: list[Outcome] = []
    for number in range(3):
        assert executor.submit(partial(double, number)) == number
        outcomes += executor.done()
    assert [(one.ticket, one.value) for one in outcomes] == [(0, 0), (1, 2), (2, 4)]


def test_nothing_to_wait_for(executor: Executor) -> None:
    assert executor.done() == []
    assert list(in_turn(executor, [])) == []


def test_faults_keep_their_sentence(executor: Executor) -> None:
    jobs = [partial(fail, kind, "too many") for kind in ("input", "value", "exit")] + [partial(double, 4)]
    found = dict(in_turn(executor, jobs))
    faults = [found[place].fault for place in range(4)]
    assert [type(fault) for fault in faults] == [InputError, JobFault, JobFault, type(None)]
    assert [str(fault) for fault in faults[:3]] == [
        "too many", "a job failed: ValueError: too many", "a job failed: SystemExit: too many",
    ]  # fmt: skip
    assert isinstance(faults[1], JobFault)
    assert "in fail" in faults[1].trace
    with pytest.raises(JobFault, match="too many"):
        found[1].result()


def test_room_is_bounded(executor: Executor) -> None:
    taken = 0
    while executor.room:
        executor.submit(partial(double, taken))
        taken += 1
    assert taken <= 2 * executor.workers
    with pytest.raises(RuntimeError, match="no room"):
        executor.submit(partial(double, 0))
    while executor.unfinished:
        assert executor.done()
    assert executor.room == taken


def test_jobs_are_taken_as_there_is_room(executor: Executor) -> None:
    """A plan of any size costs no memory."""
    made = itertools.count()
    outcomes = in_turn(executor, (partial(double, next(made)) for _ in range(10**9)))
    for _ in range(5):
        next(outcomes)
    assert next(made) <= 5 + 2 * executor.workers


def test_cancelled_jobs_have_no_outcome(executor: Executor) -> None:
    ticket = executor.submit(partial(double, 1))
    assert executor.cancel(ticket)
    assert not executor.cancel(ticket)
    assert not executor.cancel(Ticket(7))
    assert executor.done() == []
    assert values(executor, 3) == [0, 2, 4]


def test_closed_ones_take_nothing(executor: Executor) -> None:
    executor.submit(partial(double, 1))
    executor.close()
    executor.close()
    assert (executor.room, executor.unfinished, executor.done()) == (0, 0, [])
    with pytest.raises(RuntimeError, match="closed"):
        executor.submit(partial(double, 1))


def test_bad_input() -> None:
    with pytest.raises(InputError, match="did you mean 'process'"):
        make_executor("proces")
    with pytest.raises(InputError, match="1 worker or more, not 0"):
        make_executor("process", 0)
    with pytest.raises(InputError, match="serial has one worker, not 2"):
        make_executor("serial", 2)
    with pytest.raises(InputError, match="of a Ray cluster, but the executor is process"):
        make_executor("process", 2, "auto")
