"""What jobs tell while they run."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from arena.execution import Executor, make_executor
from arena.execution.news import PACE, heard, paced, tell
from tests.jobs import Telling, double

WORDS = ("one", "two", "three")


def told(executor: Executor, job: Any) -> list[Any]:
    """News until the job has ended."""
    found: list[Any] = []
    with heard(found.append):
        executor.submit(partial(double, 1))
        executor.submit(job)
        ended: list[Any] = []
        while len(ended) < 2:
            ended += executor.done(timeout=PACE / 4)
    assert sorted(one.result() for one in ended) == [2, 3]
    return found


def test_news_come_before_the_job_has_ended() -> None:
    with make_executor("process", 2) as executor:
        assert told(executor, Telling(WORDS, 1.2 * PACE)) == list(WORDS)
        assert told(executor, Telling(WORDS, 0.0)) == ["one"]  # the others came too soon


def test_in_this_process_all_is_heard_at_once() -> None:
    found: list[Any] = []
    with make_executor("serial") as executor, heard(found.append):
        executor.submit(Telling(WORDS, 0.0))
        (outcome,) = executor.done()
    tell("nobody hears")
    assert (outcome.result(), found) == (3, list(WORDS))


def test_a_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter((0.0, 0.0, 0.4 * PACE, 1.1 * PACE, 1.1 * PACE, 1.5 * PACE))
    monkeypatch.setattr("arena.execution.news.time.monotonic", lambda: next(now))
    found: list[Any] = []
    hear = paced(found.append)
    for word in ("first", "soon", "later", "soon again"):
        hear(word)
    assert found == ["first", "later"]
