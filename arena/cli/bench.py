"""`arena bench`: speed, measured on this machine."""

from __future__ import annotations

import json as jsonlib
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
        workers: threads.
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


def _print(figures: Mapping[str, Figure], json: bool) -> int:
    if json:
        print(jsonlib.dumps({name: figure.to_json() for name, figure in figures.items()}))
        return 0
    width = max(map(len, figures))
    for name, figure in figures.items():
        print(f"{name:<{width}}  {figure}")
    return 0
