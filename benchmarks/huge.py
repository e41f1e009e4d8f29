"""What a league of 10,000 snapshots and 10 million games costs the one process that owns its folder, piece by piece.

python -m benchmarks.huge [--snapshots 10000] [--games 10000000] [--members 16] [--keep DIR] [--dir DIR]

The folder is made up, but through the package's own store: snapshots of members whose skill grows, each of which met
the anchors, the best so far and seven at random in blocks of 64 games, seats swapped, and some of them again; results
by Davidson's model. The commands and the driver run in processes of their own, from nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from arena.ratings.rating import ELO
from arena.result import Result
from arena.store import RunFolder
from benchmarks.report import BLOCK, ENV, STEP, note_metrics

ANCHORS = {"baseline": 0.0, "tracker": -200.0, "random": -1200.0}
"""Skill in Elo points."""
RIVALS = 8
"""Snapshots that each snapshot met."""


def make(path: Path, snapshots: int, games: int, members: int, seed: int = 0) -> None:
    """A league of `members` learners, `snapshots` and about `games` games in the new folder `path`."""
    from agents.snapshot import snapshot_bytes
    from arena.league.config import LeagueConfig
    from arena.league.population import Population
    from envs.config import parse

    names = [f"m{number:02}" for number in range(members)]
    told = {
        "budget": "100h", "game": {"id": ENV}, "anchors": list(ANCHORS), "evaluation": {"rivals": RIVALS},
        "matchmaking": {"mirror": 0.35, "hard": 0.5, "forgotten": 0.15}, "replays": False, "threads": 1,
        "promotion": {"rule": "win_share"},
        "learners": [{"name": name, "policy": {"hold": 3}} for name in names],
    }  # fmt: skip
    config = parse(LeagueConfig, told, "benchmarks.huge")
    with RunFolder.create(path, config, seed, ["benchmarks.huge"]) as run:
        Population.enrol(run, config)
        crews = _crews(run, config)
        world = World(np.random.default_rng(seed), games / BLOCK / snapshots)
        for number in range(snapshots):
            member, age = names[number % members], number // members
            parent = f"{member}:{(age - 1) * STEP}" if age else None
            meta = {"env": ENV, "member": member, "step": age * STEP, "parent": parent}
            run.snapshot_path(member, age * STEP).write_bytes(snapshot_bytes(crews[member], meta))
            name = run.add_snapshot(member, age * STEP, parent).name
            skill = -1200 + 2000 * (1 - np.exp(-4 * number / snapshots)) + world.rng.normal(0, 40)
            for key, block in world.enter(name, float(skill)):
                run.append_block(key, block)
            note_metrics(run, world.rng, number, member, age * STEP, name)


class World:
    """Who is how good, and the games that this makes."""

    def __init__(self, rng: np.random.Generator, blocks: float) -> None:
        """Args:
        blocks: of each snapshot, on average.
        """
        self.rng, self._blocks = rng, blocks
        self._skill = dict(ANCHORS)
        self._names: list[str] = []
        self._best: str | None = None

    def enter(self, name: str, skill: float) -> list[tuple[str, list[Result]]]:
        """Keys and games of the blocks that rate the new snapshot `name`."""
        self._skill[name] = skill
        several = self.rng.choice(len(self._names), min(RIVALS, len(self._names)), replace=False).tolist()
        rivals = dict.fromkeys([*([self._best] if self._best else []), *(self._names[at] for at in several)])
        met = [*ANCHORS, *islice(rivals, RIVALS)]
        count = int(self._blocks + self.rng.random())
        wanted = [(f"more{turn - 1}" if turn else "rating", other) for turn in range(9) for other in met][:count]
        lead = {other: skill - self._skill[other] for other in met}
        blocks = [
            (f"{kind}|{name}|{other}|{BLOCK}", self.games(name, other, lead[other], BLOCK)) for kind, other in wanted
        ]
        self._names.append(name)
        if self._best is None or skill > self._skill[self._best]:
            self._best = name
        return blocks

    def games(self, name: str, other: str, lead: float, count: int) -> list[Result]:
        """Games of two players, of whom the first is better by `lead` Elo points; two of each seed, seats swapped."""
        weights = np.array([np.exp(lead / ELO / 2), 0.5, np.exp(-lead / ELO / 2)])
        scores = (1.0 - self.rng.choice(3, count, p=weights / weights.sum())).tolist()
        steps = self.rng.integers(200, 3000, count).tolist()
        seeds = self.rng.integers(2**53, size=count // 2).repeat(2).tolist()
        first, second = (name, other), (other, name)
        return [
            Result(ENV, second if at % 2 else first, (-own, own) if at % 2 else (own, -own), length, seed, "rules")
            for at, (own, length, seed) in enumerate(zip(scores, steps, seeds, strict=True))
        ]


def _crews(run: RunFolder, config: Any) -> dict[str, Any]:
    from arena.league.population import Population
    from envs.registry import build

    population = Population(run, config, build(ENV, 1, config.game.options).spec)
    return {learner.name: learner.crew.policies for learner in population.everybody}


Row = tuple[str, float, float, float]
"""What was done, seconds on the clock, seconds of a core, peak memory in GB."""


class Timer:
    """Seconds of pieces of one process, and its memory after each."""

    def __init__(self) -> None:
        """Nothing has been measured yet."""
        self.rows: list[Row] = []

    def __call__(self, what: str, piece: Callable[[], Any]) -> Any:
        """Do `piece`; what it returns."""
        began, busy = time.perf_counter(), time.process_time()
        value = piece()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        self.rows.append((what, time.perf_counter() - began, time.process_time() - busy, peak / 2**20))
        return value


def driver(path: Path) -> list[Row]:
    """The process that owns the folder: opens it, matches a learner, promotes it, and takes in its rated games.

    Leaves one more snapshot and its games in the folder.
    """
    timed = Timer()
    timed("driver: import torch and the rest", _import)
    from arena.league import League
    from arena.league.matchmaking import BRANCHES, MatchmakingConfig, mixture

    league = timed("driver: open the folder, read the log", lambda: League.open(path, write=True))
    with league:
        rated, changes = league.rated, league.changes
        timed("driver: TrueSkill of everybody", lambda: rated.ratings)
        timed("driver: payoff of wins and of scores", lambda: (rated.payoff, rated.scores))
        learner = league.learners[0]
        own = [one for one in league.folder.snapshots() if one.member == learner.name]
        learner.parent, learner.steps, learner.stretches = own[-1].name, own[-1].step, len(own)
        view = timed("matchmaking: what is known", lambda: changes.view(learner))
        for name in ("mirror", *BRANCHES):
            config = MatchmakingConfig(**{name: 1.0})
            mirror, shares = timed(f"matchmaking: {name}", lambda config=config: mixture(config, view))
            assert abs(mirror + shares.sum() - 1) < 1e-9
        timed("standings of everybody", lambda: rated.standings)
        timed("cycles", changes.find_cycles)
        timed("promotion: all of it", lambda: _promote(league, learner, timed))
        timed("standings after it", lambda: rated.standings)
    return timed.rows


def _import() -> None:
    from arena.league import League, matchmaking  # noqa: F401


def _promote(league: Any, learner: Any, timed: Timer) -> None:
    """What the driver does between the end of a stretch and the start of the next, but for playing the games."""
    from agents.snapshot import save_snapshot

    world = World(np.random.default_rng(learner.stretches), 1.0)  # other games each time
    learner.steps += STEP
    learner.stretches += 1
    name, before = learner.latest, learner.parent

    def decide() -> None:
        work = league.changes.promote(learner)
        (trial,) = next(work)
        assert _finish(work, [world.games(name, "before", 200.0, trial.games)])

    def freeze() -> None:
        meta = {"env": ENV, "member": learner.name, "step": learner.steps, "parent": before}
        save_snapshot(league.folder.snapshot_path(learner.name, learner.steps), learner.crew.policies, meta)
        league.folder.add_snapshot(learner.name, learner.steps, before)

    def rate() -> None:
        work = league.rated.play("rating", pairs, BLOCK)
        jobs = next(work)
        _finish(work, [(world.games(*pair, 50.0, BLOCK), None) for pair, _ in zip(pairs, jobs, strict=True)])

    timed("promotion: judge the games of the candidate", decide)
    timed("promotion: freeze and index it", freeze)
    rivals = timed("promotion: choose its rivals", lambda: league.rated.rivals(name))
    pairs = [(name, other) for other in (*league.population.anchors, *rivals)]
    timed(f"promotion: append {len(pairs)} blocks, {len(pairs) * BLOCK} games", rate)
    learner.parent = name
    timed("promotion: TrueSkill of everybody", lambda: league.rated.ratings)
    timed("promotion: payoff and what is known for the next match", lambda: league.changes.view(learner))
    timed("promotion: cycles", league.changes.find_cycles)


def _finish(work: Any, values: list[Any]) -> Any:
    """Send a work what its jobs came to; what it returns."""
    try:
        work.send(values)
    except StopIteration as ended:
        return ended.value
    raise AssertionError("the work wants more jobs")


def command(what: str, *words: str) -> Row:
    """A command in a process of its own."""
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, *words], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(words)} failed")
    return what, time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 2**20


def appended(path: Path, blocks: int = 2000) -> str:
    """How fast one process appends blocks to the log of `path`: made up beforehand, in a copy of an empty one."""
    world = World(np.random.default_rng(2), 1.0)
    some = [(f"rating|{at}", world.games(f"m00:{at}", "m01:0", 50.0, BLOCK)) for at in range(blocks)]
    with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        from arena.league.config import LeagueConfig
        from envs.config import parse

        config = parse(LeagueConfig, {"game": {"id": ENV}, "learners": [{"name": "m00"}]}, "benchmarks.huge")
        with RunFolder.create(Path(scratch) / "run", config, 0) as run:
            began = time.perf_counter()
            for key, games in some:
                run.append_block(key, games)
            took = time.perf_counter() - began
    return f"append: {blocks / took:,.0f} blocks/s, {blocks * BLOCK / took:,.0f} games/s"


def sizes(path: Path) -> str:
    """What the folder holds."""
    with RunFolder.open(path) as run:
        snapshots, games = len(run.snapshots()), run.games()
    log = sum(file.stat().st_size for file in path.glob("league.sqlite*"))
    frozen = sum(file.stat().st_size for file in (path / "snapshots").iterdir())
    return (
        f"{snapshots:,} snapshots, {frozen / 1e6:,.0f} MB; {games:,} games, {log / 1e6:,.0f} MB, "
        f"{log / games:.0f} bytes a game"
    )


def main() -> None:
    """Read the command line, make the folder, and print what each piece takes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--snapshots", type=int, default=10_000)
    parser.add_argument("--games", type=int, default=10_000_000)
    parser.add_argument("--members", type=int, default=16)
    parser.add_argument("--keep", type=Path, help="make the folder here, and leave it")
    parser.add_argument("--dir", type=Path, help="a folder that was made before; the driver adds a snapshot to it")
    parser.add_argument("--driver", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.driver:
        print(json.dumps(driver(arguments.dir)))
        return
    with tempfile.TemporaryDirectory() as scratch:
        path = arguments.dir or arguments.keep or Path(scratch) / "league"
        if not arguments.dir:
            began = time.perf_counter()
            make(path, arguments.snapshots, arguments.games, arguments.members)
            print(f"made in {time.perf_counter() - began:.0f} s")
        print(sizes(path))
        print(appended(path))
        best = ("--most", "10")
        rows = [command("arena league leaderboard", "-m", "arena", "league", "leaderboard", str(path), *best)]
        rows.append(command("arena league status", "-m", "arena", "league", "status", str(path)))
        told = subprocess.run(
            [sys.executable, "-m", "benchmarks.huge", "--driver", "--dir", str(path)], check=True, capture_output=True
        )
        rows += json.loads(told.stdout)
    print(f"{'seconds':>8} {'of a core':>9} {'GB':>5}  peak of its process so far")
    for what, seconds, busy, peak in rows:
        print(f"{seconds:8.2f} {busy:9.2f} {peak:5.2f}  {what}")


if __name__ == "__main__":
    main()
