"""How games and training scale with workers, on any executor, and what sending a job costs.

On a machine that does something else too, the clock tells little by itself. So settings are measured by turns, round
after round, and compared within a round; and there is the scaling by processor time: that of all jobs when they run one
after the other, over the most that any worker, or else this process, took.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import combinations
from statistics import median
from typing import Any, NamedTuple

from agents.parallel import Threads
from arena.bench.figure import Figure
from arena.config import Budget, load
from arena.execution import Executor, Job, in_turn, make_executor
from arena.execution.job import MatchJob, pinned
from arena.ladder import LADDER
from arena.league.config import LeagueConfig
from arena.league.stretch import Clock, StretchJob
from arena.learner import Learner, device
from arena.match import block_seeds
from envs.registry import build

GAME = "SlimeVolleySimple-v0"
EMPTY = 100
"""Jobs that do nothing."""
WARMING = 20
"""Times that every worker is given two blocks before anything is measured, at most, until each has played two."""
SERIAL = "serial", 1


class Work(NamedTuple):
    """Jobs that are measured together."""

    name: str
    unit: str
    jobs: Sequence[Job]
    amount: float
    """Units, of all jobs."""
    hash: Callable[[Sequence[Any]], str]
    """Of what they came to; "" if that is not compared."""


class Timed(NamedTuple):
    """What a job came to, and what it took where it ran."""

    value: Any
    worker: str
    wall: float
    """s, as the other."""
    cpu: float


@dataclass(frozen=True)
class TimedJob:
    """A job that is measured where it runs."""

    job: Any

    @property
    def files(self) -> Mapping[str, str]:
        """Those of the job."""
        found: Mapping[str, str] = getattr(self.job, "files", {})
        return found

    def __call__(self) -> Timed:
        """Run it."""
        wall, cpu = time.monotonic(), time.process_time()
        value = self.job()
        return Timed(value, f"{platform.node()}:{os.getpid()}", time.monotonic() - wall, time.process_time() - cpu)


@dataclass(frozen=True)
class Lap:
    """A work once, on an executor."""

    wall: float
    """s, as the others."""
    cpu: float
    """Of all workers and this process."""
    most: float
    """Of the busiest worker, or of this process."""
    jobs: float
    """Of the jobs themselves, by their own clocks."""
    hash: str


def nothing() -> None:
    """The empty job."""


def games_of(blocks: int, games: int) -> Work:
    """Blocks of so many games, pairings of the players in the box by turns."""
    pairs = list(combinations(LADDER, 2))
    chosen = [pairs[place % len(pairs)] for place in range(blocks)]
    jobs = [
        MatchJob(GAME, (pinned(one), pinned(other)), (one, other), games, seed, {})
        for (one, other), seed in zip(chosen, block_seeds(0, blocks), strict=True)
    ]
    return Work("games", "games/s", jobs, blocks * games, lambda found: sha256(repr(found).encode()).hexdigest())


def training_of(preset: str, stretches: int, steps: int) -> Work:
    """Stretches of training, each of about so many env steps, of the first learner of a preset, who plays itself."""
    config = load(LeagueConfig, preset)
    learner = config.learners[0]
    training = config.training_of(learner).model_copy(update={"snapshot_steps": steps})
    spec = build(config.game.id, 1, config.game.options).spec
    state = Learner(learner.name, learner, spec, 0, device("cpu"), Threads(1)).state(0.0)
    clock = Clock(Budget(steps=10**12), 0.0, 0)
    jobs = [
        StretchJob(learner.name, learner, config.game, training, 0, state, 1.0, (), seed, clock, "cpu", 1)
        for seed in range(stretches)
    ]
    return Work("training", "env steps/s", jobs, sum(job.steps for job in jobs), lambda found: "")


def lap(executor: Executor, work: Work) -> Lap:
    """All jobs of `work` once."""
    began, own = time.monotonic(), time.process_time()
    found = dict(in_turn(executor, map(TimedJob, work.jobs)))
    wall, own = time.monotonic() - began, time.process_time() - own
    timed: list[Timed] = [found[place].result() for place in range(len(work.jobs))]
    took: dict[str, float] = {}
    for one in timed:
        took[one.worker] = took.get(one.worker, 0.0) + one.cpu
    here = f"{platform.node()}:{os.getpid()}" in took
    return Lap(
        wall=wall,
        cpu=own if here else own + sum(took.values()),
        most=max(own, *took.values()),
        jobs=sum(one.wall for one in timed),
        hash=work.hash([one.value for one in timed]),
    )


def warmed(executor: Executor, works: Sequence[Work]) -> None:
    """Let all workers import and load what they need; else those that start late are measured doing so."""
    for work in works:
        done: dict[str, int] = {}
        for _ in range(WARMING):
            for _, outcome in in_turn(executor, map(TimedJob, work.jobs[: 2 * executor.workers])):
                worker = outcome.result().worker
                done[worker] = done.get(worker, 0) + 1
            if sum(count > 1 for count in done.values()) >= executor.workers:
                break


def overhead(executor: Executor) -> float:
    """Seconds that a job takes which does nothing, workers together."""
    began = time.monotonic()
    for _, outcome in in_turn(executor, [nothing] * EMPTY):
        outcome.result()
    return (time.monotonic() - began) / EMPTY


def measure(
    kinds: Sequence[str], counts: Sequence[int], works: Sequence[Work], rounds: int, address: str = ""
) -> dict[str, Figure]:
    """Figures of every work on every executor, over rounds.

    Args:
        kinds: executors besides serial.
        counts: of workers.
        address: of a Ray cluster.
    """
    places = [SERIAL, *((kind, count) for kind in kinds for count in counts)]
    laps: dict[tuple[str, int, str], list[Lap]] = {}
    starts: dict[tuple[str, int], list[float]] = {}
    costs: dict[tuple[str, int], list[float]] = {}
    for _ in range(rounds):
        for kind, count in places:
            began = time.monotonic()
            with make_executor(kind, count, address if kind == "ray" else "") as executor:
                warmed(executor, works)
                starts.setdefault((kind, count), []).append(time.monotonic() - began)
                costs.setdefault((kind, count), []).append(1000 * overhead(executor))
                for work in works:
                    laps.setdefault((kind, count, work.name), []).append(lap(executor, work))
    figures: dict[str, Figure] = {}
    for work in works:
        hashes = {one.hash for place in places for one in laps[*place, work.name]}
        settings = {"jobs": len(work.jobs), "rounds": rounds, "same": len(hashes) == 1}
        for name, values, unit in _compared(work, places, laps):
            figures[name] = _figure(values, unit, settings)
    for (kind, count), values in starts.items():
        figures[f"start_{kind}_{count}"] = _figure(values, "s until all workers are warm", {})
    for (kind, count), values in costs.items():
        figures[f"overhead_{kind}_{count}"] = _figure(values, "ms a job", {})
    return figures


def _compared(
    work: Work, places: Sequence[tuple[str, int]], laps: Mapping[tuple[str, int, str], Sequence[Lap]]
) -> Iterator[tuple[str, list[float], str]]:
    """Name, values by round and unit of what is told of a work."""
    serial = laps[*SERIAL, work.name]
    for kind, count in places:
        own = laps[kind, count, work.name]
        name = f"{work.name}_{kind}_{count}"
        yield name, [work.amount / one.wall for one in own], work.unit
        if (kind, count) == SERIAL:
            yield f"{name}_job", [one.jobs / len(work.jobs) for one in own], "s each"
            continue
        times = [before.wall / one.wall for before, one in zip(serial, own, strict=True)]
        yield f"{name}_scaling", times, "times serial"
        yield f"{name}_ideal", [one / count for one in times], "of ideal"
        cpu = [before.most / one.most for before, one in zip(serial, own, strict=True)]
        yield f"{name}_scaling_cpu", cpu, "times serial, by processor time"
        yield f"{name}_busy", [one.jobs / (count * one.wall) for one in own], "of the workers' time"
        if kind == "ray" and ("process", count) in places:
            other = laps["process", count, work.name]
            more = [100 * (one.wall / process.wall - 1) for one, process in zip(own, other, strict=True)]
            yield f"{name}_over_process", more, "% more time"
            more = [100 * (one.cpu / process.cpu - 1) for one, process in zip(own, other, strict=True)]
            yield f"{name}_over_process_cpu", more, "% more processor time"


def _figure(values: Sequence[float], unit: str, settings: Mapping[str, Any]) -> Figure:
    return Figure(median(values), unit, min(values), max(values), settings)
