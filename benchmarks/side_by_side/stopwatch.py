"""The two measurements: env steps per second of training, and seconds of training until the game is solved."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median

from benchmarks.side_by_side.pupil import SOLVED, Pupil, Task, mean_return


class Clock:
    """Seconds while it runs: on the wall, and of this process on all its processors."""

    def __init__(self) -> None:
        """It stands at 0 and does not run."""
        self.wall = self.cpu = 0.0

    def start(self) -> None:
        """Run on."""
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def stop(self) -> None:
        """Stand still."""
        self.wall += time.perf_counter() - self._wall
        self.cpu += time.process_time() - self._cpu


@dataclass(frozen=True, slots=True)
class Speed:
    """Env steps per second of training, stretch by stretch."""

    rounds: list[float] = field(default_factory=list)
    """By the wall."""
    cpu_rounds: list[float] = field(default_factory=list)
    """By the processors: what it would be if nothing else ran."""

    @property
    def value(self) -> float:
        """The median, by the wall."""
        return median(self.rounds)

    @property
    def cpu_value(self) -> float:
        """The median, by the processors."""
        return median(self.cpu_rounds)

    def add(self, steps: int, clock: Clock) -> None:
        """Take in a stretch."""
        self.rounds.append(steps / clock.wall)
        self.cpu_rounds.append(steps / clock.cpu)


def alternate(pupils: Mapping[str, Pupil], seconds: float, rounds: int) -> dict[str, Speed]:
    """Speed of each side, in stretches of about `seconds` that alternate, after one that warms up."""
    lengths = {side: _stretch_length(pupil, seconds) for side, pupil in pupils.items()}
    taken = {side: Speed() for side in pupils}
    for _ in range(rounds):
        for side, pupil in pupils.items():
            taken[side].add(*_stretch(pupil, lengths[side]))
    return taken


def _stretch_length(pupil: Pupil, seconds: float) -> int:
    """Env steps in about `seconds`; warms up and compiles on the way."""
    warm_up(pupil)
    done, clock = 500, Clock()
    while clock.wall < 0.2:
        done, clock = _stretch(pupil, done * 2)
    return round(done / clock.wall * seconds)


def warm_up(pupil: Pupil) -> None:
    """Compile, allocate, and fill a replay so far that learning starts."""
    _stretch(pupil, 1500)


def _stretch(pupil: Pupil, steps: int) -> tuple[int, Clock]:
    """Train for `steps` or a few more; how many, and how long it took."""
    before, clock = pupil.steps, Clock()
    clock.start()
    pupil.learn(steps, steps, lambda _: False)
    clock.stop()
    return pupil.steps - before, clock


@dataclass(slots=True)
class Run:
    """A training run towards the goal."""

    seed: int
    reached: bool = False
    seconds: float = 0.0
    """Wall time of training until the goal was met, or until the run was given up."""
    cpu_seconds: float = 0.0
    """The same, of this process on all its processors."""
    steps: int = 0
    """Env steps by then."""
    curve: list[tuple[int, float, float]] = field(default_factory=list)
    """Steps, seconds and mean return of each evaluation."""


def run_to_goal(make: Callable[[int], Pupil], task: Task, seed: int, budget: int, every: int, limit: float) -> Run:
    """Train until an evaluation of 100 games has a mean of 475 or for `limit` seconds.

    Evaluations come after the first update past every `every` env steps; they and building the learner do not count.
    A run that ends its `budget` is continued by another of that length.
    """
    warm_up(make(seed))
    pupil, clock, run = make(seed), Clock(), Run(seed)

    def stop(steps: int) -> bool:
        clock.stop()
        score = mean_return(pupil, task, 1000 * (seed + 1) + len(run.curve))
        run.curve.append((steps, clock.wall, score))
        run.reached = score >= SOLVED
        clock.start()
        return run.reached or clock.wall > limit

    clock.start()
    while not run.reached and clock.wall <= limit:
        pupil.learn(budget, every, stop)
    run.steps, run.seconds = run.curve[-1][:2]
    run.cpu_seconds = clock.cpu
    return run
