"""`arena league rate`: more rating games, where they say most."""

from __future__ import annotations

import json as jsonlib
import sys
from pathlib import Path

from tyro.conf import Positional

from arena.cli.executors import RayAddress, Workers
from arena.cli.league import LeagueExecutor, lent
from envs.errors import InputError


def rate(
    dir: Positional[Path],
    until_sigma: float = 1.0,
    games: int = 100_000,
    block: int = 32,
    top: int = 10,
    executor: LeagueExecutor = "",
    workers: Workers = None,
    ray_address: RayAddress = "",
    json: bool = False,
) -> int:
    """Let members of a stopped league meet until everybody's rating is sure enough.

    Each round pairs players from whose game TrueSkill expects to learn most; pairs whose order is in doubt come first.
    Ctrl-C ends it after the present round; games that were played stay.

    Args:
        dir: run folder.
        until_sigma: TrueSkill sigma that everybody but anchors shall have, skill points.
        games: at most so many.
        block: games of a pair in a round, seats swapped in pairs on equal serves.
        top: the players at the top whose order counts more.
        json: print one object: run, games (played now), sigma (the largest left), reached (whether it is enough).
    """
    from functools import partial

    from arena.cli.signals import StopSignals
    from arena.execution.agenda import finish
    from arena.execution.threads import ThreadsExecutor
    from arena.league import League
    from arena.league.rated import settle

    if until_sigma <= 0 or games < 2 or block < 2 or top < 0:
        raise InputError("--until-sigma must be above 0, --games and --block at least 2, --top at least 0.")

    def show(played: int, sigma: float) -> None:
        print(f"{played:,} games, largest sigma {sigma:.2f}", file=sys.stderr, flush=True)

    with (
        lent(executor, workers, ray_address) as hands,
        League.open(dir, write=True) as league,
        StopSignals(lambda: print("finishing this round, press again to stop at once", file=sys.stderr)) as stop,
    ):
        do = partial(finish, executor=hands or ThreadsExecutor(league.population.threads))
        played, sigma = settle(league.rated, do, until_sigma, games, block + block % 2, top, stop.asked, show)
    reached = sigma <= until_sigma
    if json:
        print(jsonlib.dumps({"run": str(dir), "games": played, "sigma": sigma, "reached": reached}))
    else:
        word = "everybody is sure enough" if reached else f"not everybody is: raise --games above {games:,}"
        print(f"{dir}: {played:,} more games, largest sigma {sigma:.2f} of {until_sigma:g} asked: {word}")
    return stop.exit_code if stop.asked() and not reached else 0
