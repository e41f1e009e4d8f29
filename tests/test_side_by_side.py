"""The comparison with another library: its stopwatch, its judge and its ratios, without that library."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from benchmarks.side_by_side import stopwatch
from benchmarks.side_by_side.pupil import TASKS, Array, mean_return
from benchmarks.side_by_side.report import ratios
from benchmarks.side_by_side.stopwatch import Run, alternate, run_to_goal


class Watch:
    """A clock that goes on only when it is told to, in place of the module time."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now

    def process_time(self) -> float:
        return self.now / 4  # others have the processor, too


class Balancing:
    """Learns for `lesson` steps of 1 ms each; from then on it balances the pole. It takes an hour over each action."""

    def __init__(self, watch: Watch, lesson: int = 0) -> None:
        self.steps, self._watch, self._lesson, self.seen = 0, watch, lesson, set[int]()

    def learn(self, steps: int, every: int, stop: Callable[[int], bool]) -> None:
        for _ in range(0, steps, every):
            self._watch.now += every / 1000
            self.steps += every
            if stop(self.steps):
                return

    def act(self, obs: Array, memory: Any) -> tuple[Array, Any]:
        self._watch.now += 3600
        self.seen.add(obs.shape[1])
        knows = self.steps >= self._lesson and obs.shape[1] == 4
        lean = obs[:, 2] + 0.3 * obs[:, 3] + 0.1 * obs[:, 1] if knows else np.ones(len(obs))
        return (lean > 0).astype(np.int64), memory


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    fake = Watch()
    monkeypatch.setattr(stopwatch, "time", fake)
    return fake


def test_the_judge_counts_first_games_and_hides_what_a_task_hides() -> None:
    good, blind = Balancing(Watch()), Balancing(Watch())
    assert mean_return(good, TASKS["ppo"], seed=0) > 475
    assert 8 < mean_return(blind, TASKS["recurrent-ppo"], seed=0) < 11  # always pushed to one side
    assert (good.seen, blind.seen) == ({4}, {2})


def test_a_run_ends_at_the_goal_and_counts_training_alone(watch: Watch) -> None:
    run = run_to_goal(lambda _: Balancing(watch, 300), TASKS["ppo"], 0, budget=200, every=100, limit=60.0)
    assert (run.reached, run.steps) == (True, 300)
    assert (run.seconds, run.cpu_seconds) == pytest.approx((0.3, 0.075))
    assert [(steps, round(seconds, 6)) for steps, seconds, _ in run.curve] == [(100, 0.1), (200, 0.2), (300, 0.3)]


def test_a_run_is_given_up_at_the_limit(watch: Watch) -> None:
    run = run_to_goal(lambda _: Balancing(watch, 10**9), TASKS["ppo"], 0, budget=200, every=100, limit=0.35)
    assert (run.reached, run.steps, round(run.seconds, 6)) == (False, 400, 0.4)


def test_speeds_come_from_stretches_in_turn(watch: Watch) -> None:
    speeds = alternate({"ours": Balancing(watch), "peer": Balancing(watch)}, seconds=0.5, rounds=3)
    for speed in speeds.values():
        assert speed.rounds == pytest.approx([1000.0] * 3)
        assert speed.cpu_rounds == pytest.approx([4000.0] * 3)


def test_ratios() -> None:
    ours = [Run(seed, True, seconds, seconds / 2) for seed, seconds in enumerate((1.0, 2.0, 4.0))]
    peer = [Run(seed, True, seconds, seconds) for seed, seconds in enumerate((20.0, 6.0, 10.0))]
    assert ratios({"ours": ours, "peer": peer}) == ("5.0", "10.0", "1.5")
    given_up = [Run(0, False, 30.0, 30.0)] * 3
    assert ratios({"ours": ours, "peer": given_up}) == ("> 15.0", "> 30.0", "> 7.5")
    assert ratios({"ours": given_up, "peer": peer}) == ("-", "-", "-")
    assert ratios({"peer": peer}) == ("-", "-", "-")
