"""`arena bench`: speed, measured on this machine."""

from __future__ import annotations

import json as jsonlib
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from tyro.conf import Positional

from envs.errors import InputError

if TYPE_CHECKING:
    from arena.bench.figure import Figure


def env(seconds: float = 0.5, json: bool = False) -> int:
    """Speed of slime volleyball on one core: the compiled batch, one game, PettingZoo and Gymnasium.

    Args:
        seconds: length of each of the five stretches that are timed per figure.
        json: print one object: a key per figure with value (median), unit, low, high and settings.
    """
    from arena.bench.env import measure

    return _print(measure(seconds), json)


def train(threads: int = 0, seconds: float = 1.0, peer_steps: int = 20_000, json: bool = False) -> int:
    """Speed of self-play PPO with a 64-64 network, beside the bound that its parts set.

    Shares are of the wall time of training, averaged over the threads; what is missing to 1 is storage and waiting.
    With stable-baselines3 installed (the extra `bench`), its PPO is timed on the same game.

    Args:
        threads: how many; 0: one per core.
        seconds: length of each of the five stretches that are timed per part, and half of that of the whole.
        peer_steps: env steps of each stable-baselines3 run; 0 leaves it out.
        json: print one object: a key per figure with value (median), unit, low, high and settings.
    """
    from agents.parallel import cores
    from arena.bench.train import measure, stable_baselines3

    count = threads or cores()
    figures = measure(count, seconds)
    if peer_steps:
        figures |= stable_baselines3(peer_steps, count)
    return _print(figures, json)


def match(
    a: Positional[str] = "tracker",
    b: Positional[str] = "baseline",
    games: int = 1000,
    env: str = "SlimeVolley-v0",
    workers: int = 1,
    json: bool = False,
) -> int:
    """Time of a match of five-life games.

    Args:
        a: first player, as for `arena match`, such as DIR@champion.
        b: second player.
        games: how many.
        env: id of the game.
        workers: processes, which share blocks of 256 games; 1: in this process.
        json: print one object: a key per figure with value (median), unit, low, high and settings.
    """
    from arena.bench.match import measure

    return _print(measure(env, a, b, games, workers), json)


def ratings(games: int = 1_000_000, seconds: float = 0.5, json: bool = False) -> int:
    """Speed of the ratings on one core: online updates, the whole-history fit, the leaderboard of a long log.

    Updates and fits are of 100,000 games among 200 players; `fit` starts from what `read` makes of the results, and
    `bootstrap` fits 200 logs drawn anew. The long log is written to a temporary folder.

    Args:
        games: of the long log.
        seconds: length of each of the five stretches that are timed per online rating.
        json: print one object: a key per figure with value (median), unit, low, high and settings.
    """
    from arena.bench.ratings import measure

    return _print(measure(seconds, games), json)


def league(
    preset: Positional[str] = "slime-laptop",
    games: int = 2048,
    share: float = 0.5,
    seconds: float = 0.5,
    json: bool = False,
) -> int:
    """What a step of self-play costs on one core as the number of frozen opponents grows from 1 to 32.

    Args:
        preset: whose game and network are taken, or a run file.
        games: side by side.
        share: of them against the opponents; in the others the learner plays itself.
        seconds: length of each of the five stretches that are timed per figure.
        json: print one object: a key per figure with value (median), unit, low, high and settings.
    """
    from arena.bench.league import measure

    if games < 2 or not 0 < share <= 1:
        raise InputError("--games must be at least 2, and --share above 0 and at most 1.")
    return _print(measure(preset, games, share, seconds), json)


def scale(
    executor: tuple[str, ...] = ("process",),
    workers: tuple[int, ...] = (),
    ray_address: str = "",
    blocks: int = 24,
    games: int = 300,
    stretches: int = 8,
    steps: int = 131_072,
    preset: str = "slime-laptop",
    rounds: int = 3,
    json: bool = False,
) -> int:
    """How tournament games and training scale with workers on each executor, and what a job costs.

    Every setting is measured once in each round, and compared with serial in the same round: times serial, the share of
    what as many workers would ideally do, and the same by processor time, which tells more on a machine that does
    something else too. Overhead is what a job takes that does nothing. The games must be the same everywhere, else the
    exit code is 1.

    Args:
        executor: process, ray or both; serial is measured in any case.
        workers: numbers of workers; unless they are said, 1, 2, 4 and so on up to the cores of this machine.
        ray_address: as for `arena tournament`.
        blocks: jobs of games, pairings of the players in the box.
        games: of a block.
        stretches: jobs of training; 0 leaves it out.
        steps: about so many env steps of each.
        preset: whose first learner trains, against itself, or a run file.
        rounds: how often everything is measured.
        json: print one object: a key per figure with value (median over the rounds), unit, low, high and settings.
    """
    from agents.parallel import cores
    from arena.bench.scale import games_of, measure, training_of
    from arena.execution.connection import imported
    from envs.errors import unknown

    for kind in executor:
        if kind not in ("process", "ray"):
            raise unknown("executor to compare with serial", kind, ("process", "ray"))
    if min(workers, default=1) < 1:
        raise InputError(f"--workers must be 1 or more, not {min(workers)}.")
    if ray_address and "ray" not in executor:
        raise InputError(f"--ray-address {ray_address} is for --executor ray: give both, or neither.")
    if "ray" in executor:
        imported(ray_address)  # else a missing one would be missed late
    if blocks < 1 or games < 2 or stretches < 0 or steps < 1 or rounds < 1:
        raise InputError("--blocks, --steps and --rounds must be 1 or more, --games 2, --stretches 0.")
    counts = workers or tuple(2**power for power in range(cores().bit_length()))
    works = [games_of(blocks, games), *([training_of(preset, stretches, steps)] if stretches else [])]
    figures = measure(executor, counts, works, rounds, ray_address)
    same = all(figure.settings.get("same", True) for figure in figures.values())
    if not same:
        print("the games are not the same everywhere", file=sys.stderr)
    return _print(figures, json) or int(not same)


def _print(figures: Mapping[str, Figure], json: bool) -> int:
    if json:
        print(jsonlib.dumps({name: figure.to_json() for name, figure in figures.items()}))
        return 0
    width = max(map(len, figures))
    for name, figure in figures.items():
        print(f"{name:<{width}}  {figure}")
    return 0
