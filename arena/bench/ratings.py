"""Speed of the ratings: updates of the online ones, the whole-history fit, and the leaderboard of a long log."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import numpy as np

from arena.bench.figure import Figure, rate
from arena.ratings.bradley_terry import BradleyTerrySettings, fit_history
from arena.ratings.games import games_of
from arena.ratings.raters import RATERS
from arena.result import Result

PLAYERS, GAMES, BLOCK = 200, 100_000, 10_000
ONLINE = ("trueskill", "elo", "glicko2")


def measure(seconds: float, logged: int) -> dict[str, Figure]:
    """All figures, on one core.

    Args:
        seconds: for each stretch of an online rating that is timed.
        logged: games of the long log.
    """
    results = [result for block in blocks(GAMES) for result in block]
    games = games_of(results)
    size = {"games": GAMES, "players": PLAYERS}

    def work(name: str) -> Callable[[], int]:
        def rated() -> int:
            RATERS[name].rate(games)
            return GAMES

        return rated

    bootstrap = BradleyTerrySettings(errors="bootstrap")
    return {
        **{name: rate(work(name), "updates/s", seconds, **size) for name in ONLINE},
        "read": _seconds(lambda: games_of(results), **size),
        "fit": _seconds(lambda: fit_history(games), **size),
        "bootstrap": _seconds(lambda: fit_history(games, bootstrap), replicates=bootstrap.replicates, **size),
        **leaderboard(logged),
    }


def leaderboard(logged: int) -> dict[str, Figure]:
    """`arena league leaderboard` of a run with `logged` games, in a process of its own: its time, its memory."""
    from arena.config import load
    from arena.league.config import LeagueConfig
    from arena.store import RunFolder

    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "run"
        began = time.perf_counter()
        with RunFolder.create(path, load(LeagueConfig, "slime-laptop"), seed=0) as run:
            for number, block in enumerate(blocks(logged)):
                run.append_block(f"bench:{number}", block)
        wrote = time.perf_counter() - began
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", f"from {__name__} import show; show({str(path)!r})"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        spent = time.perf_counter() - began
    cpu, peak = json.loads(done.stderr.splitlines()[-1])
    settings = {"games": logged, "players": PLAYERS}
    return {
        "log_append": Figure(logged / wrote, "games/s", logged / wrote, logged / wrote, settings),
        "log_leaderboard": Figure(spent, "s", spent, spent, settings),
        "log_leaderboard_cpu": Figure(cpu, "s", cpu, cpu, settings),
        "log_peak": Figure(peak, "MiB", peak, peak, settings),
    }


def show(path: str) -> None:
    """Print the leaderboard of a run and, on standard error, what this process took: [s of its CPU, MiB at most]."""
    from arena.cli import main

    code = main(["league", "leaderboard", path])
    print(json.dumps([time.process_time(), peak_mib()]), file=sys.stderr)
    sys.exit(code)


def peak_mib() -> float:
    """Most memory that this process had at a time, MiB."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage would count what the parent had before this program was loaded
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def blocks(games: int, seed: int = 0) -> Iterator[list[Result]]:
    """A made-up log of slime volleyball: snapshots that get better, in seat-swapped pairs of games to five points."""
    rng = np.random.default_rng(seed)
    names = [f"ada:{20_000 * number}" for number in range(PLAYERS)]
    skill = np.linspace(-1, 1, PLAYERS)
    for start in range(0, games, BLOCK):
        count = (min(BLOCK, games - start) + 1) // 2
        first = rng.integers(PLAYERS, size=count)
        second = (first + rng.integers(1, PLAYERS, size=count)) % PLAYERS
        serves = rng.integers(2**53, size=count)
        swapped = [np.stack(pair, axis=1).ravel() for pair in ((first, second), (second, first))]
        lead = skill[swapped[0]] - skill[swapped[1]] + rng.normal(0, 1, 2 * count)
        points = np.round(5 * np.tanh(lead)).tolist()
        steps = rng.integers(500, 3000, 2 * count).tolist()
        yield [
            Result("SlimeVolley-v0", (names[a], names[b]), (score, -score), length, seed, "rules")
            for a, b, score, length, seed in zip(
                *(side.tolist() for side in swapped), points, steps, serves.repeat(2).tolist(), strict=True
            )
        ][: games - start]


def _seconds(work: Callable[[], object], **settings: object) -> Figure:
    """Time of one call; three after one that warms up."""
    work()
    times = []
    for _ in range(3):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return Figure(median(times), "s", min(times), max(times), settings)
