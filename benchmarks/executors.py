"""What executors cost: games/s of a tournament's blocks by executor and workers, and the overhead of a block.

    python -m benchmarks.executors [--blocks 24] [--games 100] [--workers 1 2] [--ray] [--json]

Blocks are pairings of the five players in the box. The first two blocks for each worker are not measured: they load
the players and the rules. The overhead is what a job that does nothing takes. On a machine that does something else
too, wall-clock time tells little, so there is also the scaling by processor time: that of all blocks when they are
played one after the other, over the most that any worker, or else this process, took in this run.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from hashlib import sha256
from itertools import combinations

from arena.execution import Executor, in_turn, make_executor
from arena.execution.job import MatchJob, pinned
from arena.ladder import LADDER
from arena.match import block_seeds
from arena.result import Result

ENV = "SlimeVolleySimple-v0"
EMPTY = 200
"""Jobs that do nothing."""


@dataclass(frozen=True)
class Row:
    """One executor."""

    executor: str
    workers: int
    games_per_second: float
    wall: float
    """Games/s over those of `serial`."""
    cpu: float
    """The same by processor time."""
    busy: float
    """Share of the time that the workers had, in which they played."""
    overhead_ms: float
    """Time of a job that does nothing, workers together."""
    fingerprint: str
    """The same wherever the games were played."""


@dataclass(frozen=True)
class Played:
    """A block, and what it took where it was played."""

    results: list[Result]
    worker: str
    wall: float
    """s, as the other."""
    cpu: float


def play(job: MatchJob) -> Played:
    """Play a block."""
    wall, cpu = time.monotonic(), time.process_time()
    results = job()
    return Played(results, str(os.getpid()), time.monotonic() - wall, time.process_time() - cpu)


def nothing() -> None:
    """The empty job."""


def plan(blocks: int, games: int) -> list[MatchJob]:
    """Blocks of all pairings by turns."""
    pairs = list(combinations(LADDER, 2))
    seeds = block_seeds(0, blocks)
    return [
        MatchJob(ENV, (pinned(one), pinned(other)), (one, other), games, seed, {})
        for (one, other), seed in zip((pairs[place % len(pairs)] for place in range(blocks)), seeds, strict=True)
    ]


def measure(
    executor: Executor, kind: str, blocks: int, games: int, serial: Row | None, cpu: float
) -> tuple[Row, float]:
    """A row, and the processor time of all blocks."""
    workers = executor.workers
    warm = plan(2 * workers, games)
    for _, outcome in in_turn(executor, map(partial(partial, play), warm)):
        outcome.result()
    began, own = time.monotonic(), time.process_time()
    found = dict(in_turn(executor, map(partial(partial, play), plan(blocks, games))))
    wall, own = time.monotonic() - began, time.process_time() - own
    played: Sequence[Played] = [found[place].result() for place in range(blocks)]
    took: dict[str, float] = {}
    for one in played:
        took[one.worker] = took.get(one.worker, 0.0) + one.cpu
    most = max(*took.values(), own)
    began = time.monotonic()
    for _, outcome in in_turn(executor, [nothing] * EMPTY):
        outcome.result()
    overhead = (time.monotonic() - began) / EMPTY
    rate = blocks * games / wall
    row = Row(
        executor=kind,
        workers=workers,
        games_per_second=round(rate, 1),
        wall=round(rate / serial.games_per_second, 2) if serial else 1.0,
        cpu=round(cpu / most, 2) if serial else 1.0,
        busy=round(sum(one.wall for one in played) / (workers * wall), 3),
        overhead_ms=round(1000 * overhead, 3),
        fingerprint=sha256(repr([one.results for one in played]).encode()).hexdigest(),
    )
    return row, sum(took.values())


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--blocks", type=int, default=24)
    parser.add_argument("--games", type=int, default=100, help="of a block")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--ray", action="store_true", help="measure Ray too, on a cluster that is started here")
    parser.add_argument("--json", action="store_true", help="print one line of JSON and no table")
    asked = parser.parse_args()
    kinds = ["process", "ray"] if asked.ray else ["process"]
    rows: list[Row] = []
    serial, cpu = None, 0.0
    for kind, workers in [("serial", 1), *((kind, workers) for kind in kinds for workers in asked.workers)]:
        with make_executor(kind, workers) as executor:
            row, took = measure(executor, kind, asked.blocks, asked.games, serial, cpu)
        rows.append(row)
        if serial is None:
            serial, cpu = row, took
    if asked.json:
        print(json.dumps({"blocks": asked.blocks, "games": asked.games, "rows": [asdict(row) for row in rows]}))
        return
    print(f"{ENV}, {asked.blocks} blocks of {asked.games} games, {1000 * cpu / asked.blocks:.0f} ms of processor each")
    print(f"{'executor':9} {'workers':>7} {'games/s':>8} {'wall':>6} {'cpu':>6} {'busy':>6} {'ms/job':>7}")
    for row in rows:
        print(
            f"{row.executor:9} {row.workers:7} {row.games_per_second:8.1f} {row.wall:5.2f}x {row.cpu:5.2f}x "
            f"{row.busy:6.1%} {row.overhead_ms:7.2f}"
        )
    print("the same games everywhere" if len({row.fingerprint for row in rows}) == 1 else "THE GAMES DIFFER")


if __name__ == "__main__":
    main()
