"""match: fixed players, rotating seats, one Result per game, the same whoever computes it.

A match is cut into blocks of `BLOCK` games. A block has a seed of its own and plays all of its games side by
side, one per row, so what comes out depends neither on the number of workers nor on what else is going on.
Games count by start: each row counts once, however long its game, and what it plays after that is ignored.
(To take the games that finish first would favour short ones.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.play import play
from arena.result import MatchSummary, Result, summarise
from envs.core import EnvSpec
from envs.errors import InputError
from envs.player import Player
from envs.registry import build

__all__ = ["BLOCK", "MatchSummary", "Result", "block_seeds", "match", "names_of", "run_block", "summarise"]

BLOCK = 256
"""Games in a block, at most."""
Progress = Callable[[int], None]
"""Told how many more games have ended."""


def match(
    env_id: str,
    options: Mapping[str, Any],
    players: Sequence[Player],
    games: int,
    seed: int,
    workers: int = 1,
    progress: Progress | None = None,
) -> list[Result]:
    """Let `players` meet `games` times; results in the order in which the games started.

    Seats rotate from game to game on equal serves: with two players, games 2i and 2i + 1 have the same seed
    and the seats swapped. A name that several players share gets a number: "baseline", "baseline#2".

    Args:
        options: of the env, as for `envs.make`.
        players: one for each team of the env.
        workers: threads; they change nothing but the time it takes.
        progress: called from the threads that play.

    Raises:
        InputError: an unknown env or option, a wrong number of players, or a number out of range.
    """
    if games < 1 or workers < 1 or seed < 0:
        raise InputError(f"a match needs games and workers from 1, seed from 0, not {games}, {workers}, {seed}.")
    _seating(build(env_id, 1, options).spec, players, games)
    size = BLOCK - BLOCK % len(players)
    sizes = [min(size, games - start) for start in range(0, games, size)]

    def run(size: int, seed: int) -> list[Result]:
        return run_block(env_id, options, players, size, seed, progress)

    blocks = _in_threads(run, sizes, block_seeds(seed, len(sizes)), workers)
    return [result for block in blocks for result in block]


def block_seeds(seed: int, blocks: int) -> list[int]:
    """Seeds of the blocks 0, 1, ... of a match."""
    sources = (np.random.SeedSequence(seed, spawn_key=(index,)) for index in range(blocks))
    return [_53_bits(source, 1)[0].item() for source in sources]


def run_block(
    env_id: str,
    options: Mapping[str, Any],
    players: Sequence[Player],
    games: int,
    seed: int,
    progress: Progress | None = None,
) -> list[Result]:
    """Play one block: exactly `games` games, one per row, as `match` describes."""
    env = build(env_id, games, options)
    seating = _seating(env.spec, players, games)
    rounds = -(-games // len(players))
    seeds = _53_bits(np.random.SeedSequence(seed), rounds).repeat(len(players))[:games]
    score = np.zeros((games, env.spec.seats))
    steps = np.zeros(games, np.int64)
    limited = np.zeros(games, np.bool_)
    running = np.ones(games, np.bool_)
    for count, step in enumerate(play(env, players, seating, seed, seeds), start=1):
        ended = running & (step.after.terminated | step.after.truncated)
        if not ended.any():
            continue
        score[ended] = step.after.score[ended]
        steps[ended] = count
        limited[ended] = step.after.truncated[ended]
        running &= ~ended
        if progress:
            progress(int(ended.sum()))
        if not running.any():
            break
    names = names_of(players)
    return [
        Result(
            env=env.spec.id,
            players=tuple(names[index] for index in seating[game]),
            score=tuple(score[game].tolist()),
            steps=int(steps[game]),
            seed=int(seeds[game]),
            ended="limit" if limited[game] else "rules",
        )
        for game in range(games)
    ]


def names_of(players: Sequence[Player]) -> list[str]:
    """A different name for each player: what results call them."""
    names: list[str] = []
    for player in players:
        same = sum(other.name == player.name for other in players[: len(names)])
        names.append(f"{player.name}#{same + 1}" if same else player.name)
    return names


def _seating(spec: EnvSpec, players: Sequence[Player], games: int) -> NDArray[np.int64]:
    """[B, P] who sits where: one player per team, moving on by one team from game to game."""
    teams = np.array(spec.teams)
    count = int(teams.max()) + 1
    if len(players) != count:
        raise InputError(f"{spec.id} is played by {count}, not by {len(players)}.")
    return (teams + np.arange(games)[:, None]) % count


def _53_bits(source: np.random.SeedSequence, count: int) -> NDArray[np.uint64]:
    """Seeds that every file format and language can hold, [count]."""
    return source.generate_state(count, np.uint64) >> np.uint64(11)


def _in_threads(
    run: Callable[[int, int], list[Result]], sizes: Sequence[int], seeds: Sequence[int], workers: int
) -> Iterator[list[Result]]:
    """`run` for each block, in order; if one fails or the user interrupts, blocks not begun are dropped."""
    if workers == 1:
        yield from map(run, sizes, seeds)
        return
    with ThreadPoolExecutor(workers, "match") as pool:
        try:
            yield from pool.map(run, sizes, seeds)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
