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
from envs.registry import build
from envs.side import Side, rotations, seated

__all__ = ["BLOCK", "MatchSummary", "Result", "block_seeds", "match", "names_of", "run_block", "summarise"]

BLOCK = 256
"""Games in a block, at most."""
Progress = Callable[[int], None]
"""Told how many more games have ended."""
Lineup = Sequence[Sequence[int]]
"""[R][P] who sits where in each game of a round."""


def match(
    env_id: str,
    options: Mapping[str, Any],
    players: Sequence[Side],
    games: int,
    seed: int,
    workers: int = 1,
    progress: Progress | None = None,
    lineup: Lineup | None = None,
) -> list[Result]:
    """Let `players` meet `games` times; results in the order in which the games started.

    Teams rotate from game to game on equal serves: with two players, games 2i and 2i + 1 have the same seed
    and the seats swapped. Where not everybody can sit in every team, they rotate as far as they can. A name that
    several players share gets a number: "baseline", "baseline#2".

    Args:
        options: of the env, as for `envs.make`.
        players: one for each team of the env, a `Player` for all of its seats or a `Squad`; with `lineup` any number.
        workers: threads; they change nothing but the time it takes.
        progress: called from the threads that play.
        lineup: who sits where instead, an index into `players` for each seat of the env, for each game of a round;
            rounds follow each other, and the games of one have the same seed.

    Raises:
        InputError: an unknown env or option, a wrong number of players, or a number out of range.
    """
    if games < 1 or workers < 1 or seed < 0:
        raise InputError(f"a match needs games and workers from 1, seed from 0, not {games}, {workers}, {seed}.")
    each = len(_round(build(env_id, 1, options).spec, players, lineup))
    size = max(each, BLOCK - BLOCK % each)
    sizes = [min(size, games - start) for start in range(0, games, size)]

    def run(size: int, seed: int) -> list[Result]:
        return run_block(env_id, options, players, size, seed, progress, lineup)

    blocks = _in_threads(run, sizes, block_seeds(seed, len(sizes)), workers)
    return [result for block in blocks for result in block]


def block_seeds(seed: int, blocks: int) -> list[int]:
    """Seeds of the blocks 0, 1, ... of a match."""
    sources = (np.random.SeedSequence(seed, spawn_key=(index,)) for index in range(blocks))
    return [_53_bits(source, 1)[0].item() for source in sources]


def run_block(
    env_id: str,
    options: Mapping[str, Any],
    players: Sequence[Side],
    games: int,
    seed: int,
    progress: Progress | None = None,
    lineup: Lineup | None = None,
) -> list[Result]:
    """Play one block: exactly `games` games, one per row, as `match` describes."""
    env = build(env_id, games, options)
    turns = _round(env.spec, players, lineup)
    rounds = -(-games // len(turns))
    who = np.tile(turns, (rounds, 1))[:games]
    seeds = _53_bits(np.random.SeedSequence(seed), rounds).repeat(len(turns))[:games]
    seated_players, seating = seated(env.spec, players, who)
    score = np.zeros((games, env.spec.seats))
    steps = np.zeros(games, np.int64)
    limited = np.zeros(games, np.bool_)
    running = np.ones(games, np.bool_)
    for count, step in enumerate(play(env, seated_players, seating, seed, seeds), start=1):
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
            players=tuple(names[index] for index in who[game]),
            score=tuple(score[game].tolist()),
            steps=int(steps[game]),
            seed=int(seeds[game]),
            ended="limit" if limited[game] else "rules",
        )
        for game in range(games)
    ]


def names_of(players: Sequence[Side]) -> list[str]:
    """A different name for each player: what results call them."""
    names: list[str] = []
    for player in players:
        same = sum(other.name == player.name for other in players[: len(names)])
        names.append(f"{player.name}#{same + 1}" if same else player.name)
    return names


def _round(spec: EnvSpec, players: Sequence[Side], lineup: Lineup | None) -> NDArray[np.int64]:
    """[R, P] who sits where in the games of one round."""
    if lineup is None:
        return np.array(rotations(players, spec), np.int64)[:, list(spec.teams)]
    if not lineup or any(len(seats) != spec.seats for seats in lineup):
        raise InputError(f"{spec.id}: a lineup names a player for each of its {spec.seats} seats.")
    turns = np.array(lineup, np.int64)
    if turns.min() < 0 or turns.max() >= len(players):
        raise InputError(f"{spec.id}: a lineup counts the {len(players)} players from 0.")
    return turns


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
