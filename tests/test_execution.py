"""Executors keep one contract: outcomes as jobs finish, each once, faults with their sentence, bounded."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace

import pytest

from arena.execution import Executor, JobFault, Outcome, Ticket, in_turn, make_executor
from arena.execution.gradual import GradualExecutor
from arena.execution.needs import Gpus, Needs
from envs.errors import InputError
from tests.jobs import Greedy, double, fail


@pytest.fixture(params=["serial", "process", "gradual"])
def executor(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Executor]:
    monkeypatch.setattr("arena.execution.gradual.ENOUGH", 0.0)
    kind = request.param
    with GradualExecutor(2) if kind == "gradual" else make_executor(kind, 1 if kind == "serial" else 2) as made:
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
    assert executor.room >= taken


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


def test_many_jobs_move_to_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """When they have taken long enough; and few do not."""
    monkeypatch.setattr("arena.execution.gradual.WARM", 10.0)
    clock = itertools.count()
    monkeypatch.setattr("arena.execution.gradual.time", SimpleNamespace(monotonic=lambda: next(clock)))
    with GradualExecutor(2) as executor:
        found = dict(in_turn(executor, [os.getpid] * 9))
        assert executor.workers == 2
    pids = [found[place].result() for place in range(9)]
    assert [pid == os.getpid() for pid in pids] == [True] * 4 + [False] * 5  # each takes a second


def test_what_is_left_of_a_plan_is_dropped(executor: Executor) -> None:
    running = in_turn(executor, (partial(double, number) for number in range(100)))
    next(running)
    running.close()
    assert executor.unfinished == 0
    assert values(executor, 3) == [0, 2, 4]


def test_closed_ones_take_nothing(executor: Executor) -> None:
    executor.submit(partial(double, 1))
    executor.close()
    executor.close()
    assert (executor.room, executor.unfinished, executor.done()) == (0, 0, [])
    with pytest.raises(RuntimeError, match="closed"):
        executor.submit(partial(double, 1))


@pytest.mark.parametrize(
    ("job", "said"),
    [
        (Greedy(0), "cpus = 0: a job takes 1 core or more"),
        (Greedy(1, -1.0), "gpus = -1: a job takes a share"),
        (Greedy(1, 1.5), "gpus = 1.5: a job takes a share"),
        (Greedy(1, 1.0), "asks for 1 GPU, but this machine has no GPU: say gpus = 0 or device = cpu"),
        (Greedy(1, 0.5), "asks for 0.5 of a GPU, but this machine has no GPU"),
    ],
)
def test_what_cannot_be_had(executor: Executor, job: Greedy, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    with pytest.raises(InputError, match=said):
        executor.submit(job)
    assert (executor.unfinished, values(executor, 2)) == (0, [0, 2])


def test_gpus_are_shared_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    gpus = Gpus()
    with pytest.raises(InputError, match="asks for 3 GPUs, but this machine has 2 GPUs: say gpus = 2 or less"):
        gpus.check(Needs(1, 3))
    assert gpus.take(0) == ()
    thirds = [gpus.take(1 / 3) for _ in range(7)]
    assert thirds == [(0,)] * 3 + [(1,)] * 3 + [None]
    gpus.give_back((0,), 1 / 3)
    assert gpus.take(1.0) is None and gpus.take(2) is None and gpus.take(1 / 3) == (0,)
    for place in (0, 1) * 3:
        gpus.give_back((place,), 1 / 3)
    assert gpus.take(2) == (0, 1) and gpus.take(0.1) is None
    gpus.give_back((0, 1), 2)
    assert (gpus.take(1.0), gpus.take(0.9), gpus.take(0.2), gpus.take(0.1)) == ((0,), (1,), None, (1,))


def test_bad_input() -> None:
    with pytest.raises(InputError, match="did you mean 'process'"):
        make_executor("proces")
    with pytest.raises(InputError, match="1 worker or more, not 0"):
        make_executor("process", 0)
    with pytest.raises(InputError, match="serial has one worker, not 2"):
        make_executor("serial", 2)
    with pytest.raises(InputError, match="of a Ray cluster, but the executor is process"):
        make_executor("process", 2, "auto")
