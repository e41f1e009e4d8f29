"""Threads: results in order, one failure told, nothing left running behind it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

import pytest

from agents.parallel import Threads, cores


def test_results_come_in_the_order_of_the_shards() -> None:
    """Also where the last one ends first."""
    last_done = threading.Event()

    def first() -> str:
        assert last_done.wait(30)
        return "first"

    def last() -> str:
        last_done.set()
        return "last"

    assert Threads(2).run([first, last]) == ["first", "last"]
    assert Threads(3).run([partial(int, number) for number in range(50)]) == list(range(50))
    assert Threads(3).run([]) == []


def test_one_thread_works_in_place() -> None:
    here = threading.get_ident()
    assert Threads(1).run([threading.get_ident] * 3) == [here] * 3
    assert Threads(2).run([threading.get_ident]) == [here]
    assert here not in Threads(2).run([threading.get_ident] * 2)


@pytest.mark.parametrize("count", [1, 2])
def test_a_failure_is_told_and_ends_the_rest(count: int) -> None:
    """What has begun ends in its own time; what has not never begins."""
    done: list[int] = []
    begun, told = threading.Event(), threading.Event()

    def fail() -> None:
        assert count == 1 or begun.wait(30)
        raise ValueError("shard 0")

    def work(number: int) -> None:
        begun.set()
        assert told.wait(30)
        done.append(number)

    shards: list[Callable[[], None]] = [fail, *(partial(work, number) for number in range(1, 100))]
    threads = Threads(count)
    with pytest.raises(ValueError, match="shard 0"):
        threads.run(shards)
    told.set()
    assert threads.run([partial(int, 1), partial(int, 2)]) == [1, 2]
    assert set(done) <= {1, 2}


def test_threads_are_counted_from_the_cores() -> None:
    assert Threads().count == cores() >= 1
    assert Threads(5).count == 5
