"""How long the report of a large league takes, its peak memory, and how large the page is.

python -m benchmarks.report [--snapshots 200] [--games 100000] [--keep DIR]

The folder is made up: snapshots of four members whose skill grows, games by Davidson's model between each new snapshot,
the anchors and some others, and metrics of every stretch. Making it does not count.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from arena.ratings.rating import ELO
from arena.result import Result
from arena.store import RunFolder
from envs.config import Config

ENV = "SlimeVolley-v0"
MEMBERS = ("ada", "bob", "cleo", "dan")
ANCHORS = {"baseline": 0.0, "tracker": -200.0, "random": -1200.0}
"""Skill in Elo points."""
STEP = 2_500_000
"""Env steps between two snapshots of a member."""
BLOCK = 64
"""Games of a pairing."""
SECONDS = 20.0
"""Of a stretch."""


class Settings(Config):
    """The part of a league's config that its readers need."""

    budget: str = "2h"
    """See `arena.league.LeagueConfig`, as the others."""
    game: dict[str, object] = {"id": ENV, "options": {}}
    """The game."""
    anchors: tuple[str, ...] = tuple(ANCHORS)
    """Scripted players."""
    learners: tuple[dict[str, str], ...] = tuple({"name": name} for name in MEMBERS)
    """Members that learn."""


def make(path: Path, snapshots: int, games: int, seed: int = 0) -> None:
    """A league of `snapshots` and about `games` games in the new folder `path`."""
    rng = np.random.default_rng(seed)
    skill = dict(ANCHORS)
    with RunFolder.create(path, Settings(), seed, ["benchmarks.report"]) as run:
        for name in ANCHORS:
            run.add_member(name, "anchor", {"bot": name})
        for name in MEMBERS:
            run.add_member(name, "main", {"learner": {"name": name}})
        rivals = max(1, round(games / BLOCK / snapshots) - len(ANCHORS))
        names: list[str] = []
        for number in range(snapshots):
            member, age = MEMBERS[number % len(MEMBERS)], number // len(MEMBERS)
            step = age * STEP
            run.snapshot_path(member, step).write_bytes(b"%d" % number)
            parent = f"{member}:{step - STEP}" if age else None
            name = run.add_snapshot(member, step, parent).name
            skill[name] = -1200 + 1600 * (1 - np.exp(-age / 8)) + rng.normal(0, 30)
            met = [*ANCHORS, *rng.permutation(names)[:rivals].tolist()]
            for other in met:
                run.append_block(f"rating|{name}|{other}|{BLOCK}", _games(rng, name, other, skill[name] - skill[other]))
            names.append(name)
            note_metrics(run, rng, number, member, step, name)


def _games(rng: np.random.Generator, name: str, other: str, lead: float) -> Iterator[Result]:
    weights = np.array([np.exp(lead / ELO / 2), 0.5, np.exp(-lead / ELO / 2)])
    for number, score in enumerate((1 - rng.choice(3, BLOCK, p=weights / weights.sum())).tolist()):
        if number % 2 == 0:
            seed = int(rng.integers(2**53))
        players, own = ((name, other), score) if number % 2 else ((other, name), -score)
        yield Result(ENV, players, (float(own), float(-own)), int(rng.integers(200, 3000)), seed, "rules")


def note_metrics(run: RunFolder, rng: np.random.Generator, number: int, member: str, step: int, name: str) -> None:
    """The lines of one stretch, and of rating the snapshot `name`, which is the `number`-th of the run."""
    common = {"member": member, "step": step, "seconds": SECONDS * (number + 1), "steps": STEP * number}
    noise = rng.normal(size=12).tolist()
    losses = {f"metric_{at}": value for at, value in enumerate(noise)}
    run.append_metrics({"kind": "training", **common, "steps_per_second": 150_000 + 1000 * noise[0], **losses})
    run.append_metrics({"kind": "rating", **common, "snapshot": name, "mean": 25.0, "sigma": 1.0, "scores": {}})


def main() -> None:
    """Read the command line, make the folder, write its report in another process, and print what that took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--snapshots", type=int, default=200)
    parser.add_argument("--games", type=int, default=100_000)
    parser.add_argument("--keep", type=Path, help="make the folder here, and leave it")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        path = arguments.keep or Path(scratch) / "league"
        make(path, arguments.snapshots, arguments.games)
        with RunFolder.open(path) as run:
            print(f"{len(run.snapshots()):,} snapshots, {run.games():,} games")
        began = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "arena", "report", str(path)], check=True)
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = ended.ru_utime + ended.ru_stime - began.ru_utime - began.ru_stime
        size = (path / "report.html").stat().st_size
    print(f"{seconds:.1f} s of one core, {ended.ru_maxrss / 1024:,.0f} MB at most, page of {size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
