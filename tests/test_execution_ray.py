"""Jobs on a Ray cluster of two nodes on this machine, one of which is killed and another added."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from arena.execution import Executor, Job, JobFault, Ticket, in_turn, make_executor
from arena.execution.job import MatchJob, pinned
from arena.execution.serial import SerialExecutor
from envs.errors import InputError
from tests.clusters import STORE, add_node, cluster_of
from tests.jobs import Greedy, double, end, end_once, fail, stay, wait_for
from tests.test_execution_job import ENV, OPTIONS, play, snapshot

__all__ = ["snapshot"]
"""A fixture."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    with cluster_of(1) as made:
        yield made


@pytest.fixture
def executor(cluster: Any) -> Iterator[Executor]:
    with make_executor("ray", address=cluster.address) as made:
        yield made


def test_the_contract(executor: Executor, tmp_path: Path) -> None:
    assert executor.done() == []
    jobs: list[Job] = [partial(double, 4), partial(fail, "input", "too many"), partial(fail, "value", "too few"),
            partial(end, "kill"), partial(end_once, tmp_path / "mark", 5)]  # fmt: skip
    found = dict(in_turn(executor, jobs))
    assert found[0].result() == 8
    assert isinstance(found[1].fault, InputError)
    assert (str(found[1].fault), str(found[2].fault)) == ("too many", "a job failed: ValueError: too few")
    assert isinstance(found[3].fault, JobFault)
    assert str(found[3].fault).startswith("a job ended 10 workers, the last so: ")
    assert found[4].result() == 10
    ticket = executor.submit(partial(stay, tmp_path))
    assert executor.done(timeout=0.01) == []
    assert executor.cancel(ticket)
    assert (executor.unfinished, executor.done()) == (0, [])
    executor.close()
    with pytest.raises(RuntimeError, match="closed"):
        executor.submit(partial(double, 0))


def test_a_node_dies_and_another_joins(cluster: Any, executor: Executor, snapshot: Path, tmp_path: Path) -> None:
    second = add_node(cluster)
    names = ("nova", "old")
    players = pinned(str(snapshot)), pinned("baseline")
    jobs = [MatchJob(ENV, players, names, 6, seed, OPTIONS) for seed in range(8)]
    expected = play(SerialExecutor(), jobs)
    found: dict[int, Any] = {}
    for place, outcome in in_turn(executor, jobs):
        assert place not in found
        found[place] = outcome.result()
        if len(found) == 2:
            cluster.remove_node(second, allow_graceful=False)
            second = add_node(cluster)
    assert [found[place] for place in range(8)] == expected
    cluster.remove_node(second)


def test_a_job_that_runs_on_a_node_that_dies(cluster: Any, executor: Executor, tmp_path: Path) -> None:
    """It is run again on another one."""
    blocked = executor.submit(partial(wait_for, tmp_path / "mark", 1))  # takes the only core of the head
    executor.done(timeout=0.5)
    second = add_node(cluster)
    moved = executor.submit(partial(wait_for, tmp_path / "mark", 2))
    executor.done(timeout=8)
    cluster.remove_node(second, allow_graceful=False)
    (tmp_path / "mark").touch()
    found: dict[Ticket, int] = {}
    while executor.unfinished:
        found |= {one.ticket: one.result() for one in executor.done()}
    assert found == {blocked: 2, moved: 4}


@pytest.mark.parametrize(
    ("job", "said"),
    [
        (Greedy(3), "asks for 3 cores, but the largest node of the cluster that it could use has 1: say cpus = 1"),
        (Greedy(1, 0.5), "asks for 0.5 of a GPU, but the cluster has no GPU: say gpus = 0 or device = cpu"),
    ],
)
def test_a_job_that_fits_no_node(executor: Executor, job: Job, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is given up when nothing else has run for long; others run meanwhile."""
    monkeypatch.setattr("arena.execution.ray.PATIENCE", 0.1)
    jobs: list[Job] = [job, partial(double, 1), partial(double, 2)]
    *ran, last = in_turn(executor, jobs)
    assert {place: one.result() for place, one in ran} == {1: 2, 2: 4}
    with pytest.raises(InputError, match=said):
        last[1].result()


def test_a_job_waits_for_a_node_that_it_fits(cluster: Any, executor: Executor) -> None:
    executor.submit(Greedy(2, 0.5))
    assert executor.done(timeout=0.2) == []
    large = cluster.add_node(num_cpus=2, num_gpus=1, object_store_memory=STORE)
    assert executor.done()[0].result().cpus == 2
    cluster.remove_node(large)


@pytest.mark.parametrize(
    ("address", "said"), [("127.0.0.1:1", "Connection refused"), ("somewhere", "give auto, local or HOST:PORT")]
)
def test_no_cluster(address: str, said: str) -> None:
    pytest.importorskip("ray", reason="the extra `ray` is not installed")
    with pytest.raises(InputError, match=rf"no Ray cluster at {address}: .*{said}; `ray start --head` starts one"):
        make_executor("ray", address=address)


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r"the executor ray needs .*pip install 'selfplay-arena\[ray\]'"):
        make_executor("ray")
