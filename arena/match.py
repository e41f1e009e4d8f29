"""match: fixed players, rotating seats, one Result per game, the same whoever computes it.

A match is cut into blocks of `BLOCK` games. A block has a seed of its own and plays all of its games side by
side, one per row, so what comes out depends neither on who computes it (`arena.execution.parts`) nor on what else is
going on.
Games count by start: each row counts once, however long its game, and what it plays after that is ignored.
(To take the games that finish first would favour short ones.)

Guests (`arena.guests`) play a few games at a time, so a block with one of them is played in waves of so many rows.
What they may not do, and what a game is worth that somebody forfeits, is in `arena.guests.referee`. A block without
guests is played as one, and nobody looks at the clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from agents.play import play
from arena.game_step import Seats
from arena.guests.limits import Limits
from arena.guests.referee import Referee, together
from arena.listener import Listener
from arena.result import MatchSummary, Result, summarise
from arena.tape import Tape
from envs.core import BatchEnv, EnvSpec
from envs.errors import InputError
from envs.registry import build
from envs.side import Side, rotations, seated

__all__ = [
    "BLOCK",
    "MatchSummary",
    "Part",
    "Result",
    "Tape",
    "block_seeds",
    "match",
    "names_of",
    "parts",
    "run_block",
    "summarise",
]

BLOCK = 256
"""Games in a block, at most."""
WAVES = 1 << 20
"""Sets the seeds of waves apart from other seeds that follow from that of a block."""
FREE = Limits()
"""Nobody is timed."""
Progress = Callable[[int], None]
"""Told how many more games have ended."""
Lineup = Sequence[Sequence[int]]
"""[R][P] who sits where in each game of a round."""
Draw = Callable[[NDArray[np.int64], int], NDArray[np.int64]]
"""Who sits where [B, P] in place of those who are given, in the block with this seed."""


class Named(Protocol):
    """Whoever has a name."""

    @property
    def name(self) -> str:
        """Need not be different from others'."""


def match(
    env_id: str,
    options: Mapping[str, Any],
    players: Sequence[Side],
    games: int,
    seed: int,
    progress: Progress | None = None,
    lineup: Lineup | None = None,
    tape_of: Callable[[int], Tape | None] = lambda first: None,
    limits: Limits = FREE,
    until: Callable[[Sequence[Result]], bool] = lambda results: False,
    listener: Listener | None = None,
    draw: Draw | None = None,
) -> list[Result]:
    """Let `players` meet `games` times; results in the order in which the games started.

    Teams rotate from game to game on equal serves: with two players, games 2i and 2i + 1 have the same seed
    and the seats swapped. Where not everybody can sit in every team, they rotate as far as they can. A name that
    several players share gets a number: "baseline", "baseline#2".

    Args:
        options: of the env, as for `envs.make`.
        players: one for each team of the env, a `Player` for all of its seats or a `Squad`; with `lineup` any number.
        progress: told as games end.
        lineup: who sits where instead, an index into `players` for each seat of the env, for each game of a round;
            rounds follow each other, and the games of one have the same seed.
        tape_of: the tape for the block whose first game has this place in the match, if it is to have one.
        limits: of time, for guests, and what becomes of a game in which one does not play by the rules.
        until: asked after each block, with all results so far, whether that is enough; the blocks that are played are
            those that would have been played without it.
        listener: told of everything.
        draw: puts others in the seats of those who sit there.

    Raises:
        InputError: an unknown env or option, a wrong number of players, or a number out of range.
    """
    results: list[Result] = []
    for first, count, own in parts(games, seed, len(_round(build(env_id, 1, options).spec, players, lineup))):
        ear = listener and listener.after(first)
        results += run_block(
            env_id, options, players, count, own, progress, lineup, tape_of(first), limits, None, ear, draw
        )
        if until(results):
            break
    return results


class Part(NamedTuple):
    """A block of a match."""

    first: int
    """Place of its first game in the match."""
    games: int
    seed: int


def parts(games: int, seed: int, each: int) -> list[Part]:
    """The blocks of a match, which hold whole rounds of `each` games.

    Raises:
        InputError: a number out of range.
    """
    if games < 1 or seed < 0:
        raise InputError(f"a match needs games from 1 and a seed from 0, not {games} and {seed}.")
    size = max(each, BLOCK - BLOCK % each)
    starts = range(0, games, size)
    seeds = block_seeds(seed, len(starts))
    return [Part(first, min(size, games - first), own) for first, own in zip(starts, seeds, strict=True)]


def block_seeds(seed: int, blocks: int) -> list[int]:
    """Seeds of the blocks 0, 1, ... of a match."""
    sources = (np.random.SeedSequence(seed, spawn_key=(index,)) for index in range(blocks))
    return [_53_bits(source, 1)[0].item() for source in sources]


def round_seeds(seed: int, rounds: int) -> NDArray[np.uint64]:
    """[R] seeds of the games themselves in the rounds of a block."""
    return _53_bits(np.random.SeedSequence(seed), rounds)


def run_block(
    env_id: str,
    options: Mapping[str, Any],
    players: Sequence[Side],
    games: int,
    seed: int,
    progress: Progress | None = None,
    lineup: Lineup | None = None,
    tape: Tape | None = None,
    limits: Limits = FREE,
    names: Sequence[str] | None = None,
    listener: Listener | None = None,
    draw: Draw | None = None,
) -> list[Result]:
    """Play one block: exactly `games` games, one per row, as `match` describes; what is done in them goes on `tape`.

    Args:
        names: what results call the players, all different, if not by their own names.
        listener: told of everything.
        draw: puts others in the seats of those who sit there.
    """
    width = min(games, together(players) or games)
    env = build(env_id, width, options)
    turns = _round(env.spec, players, lineup)
    rounds = -(-games // len(turns))
    who = np.tile(turns, (rounds, 1))[:games]
    if draw:
        who = draw(who, seed)
    seeds = round_seeds(seed, rounds).repeat(len(turns))[:games]
    called = list(names or names_of(players))
    results: list[Result] = []
    if tape:
        tape.begin(games)
    with Referee(env.spec, limits) as referee:
        for wave, first in enumerate(range(0, games, width)):
            own = slice(first, first + width)
            if len(who[own]) < width:
                env = build(env_id, len(who[own]), options)
            source = np.random.SeedSequence(seed, spawn_key=(WAVES, wave))
            chance = _53_bits(source, 1)[0].item() if wave else seed
            part = tape.part(first, len(who[own])) if tape and width < games else tape
            ear = listener and listener.after(first)
            results += _play(env, players, who[own], seeds[own], chance, called, referee, progress, part, ear)
    return results


def _play(
    env: BatchEnv,
    players: Sequence[Side],
    who: NDArray[np.int64],
    seeds: NDArray[np.uint64],
    seed: int,
    called: Sequence[str],
    referee: Referee,
    progress: Progress | None,
    tape: Tape | None,
    listener: Listener | None,
) -> list[Result]:
    """All games of `env`, in which `players` sit as `who` [B, P] says."""
    games = len(who)
    names = [[called[index] for index in row] for row in who]
    sitting, seating = seated(env.spec, players, who)
    seated_players = referee.seat(sitting, seating, names)
    score = np.zeros((games, env.spec.seats))
    steps = np.zeros(games, np.int64)
    limited = np.zeros(games, np.bool_)
    running = np.ones(games, np.bool_)
    reasons: dict[int, str] = {}
    hearing = listener and listener.begin(Seats(env.spec, sitting, seating, names))

    def result(game: int) -> Result:
        return Result(
            env=env.spec.id,
            players=tuple(names[game]),
            score=tuple(score[game].tolist()),
            steps=int(steps[game]),
            seed=int(seeds[game]),
            ended="forfeit" if game in reasons else "limit" if limited[game] else "rules",
            reason=reasons.get(game, ""),
        )

    for count, step in enumerate(play(env, seated_players, seating, seed, seeds), start=1):
        if tape:
            tape.add(step.action)
        ended = running & (step.after.terminated | step.after.truncated)
        lost = referee.losses(step.after.reward) if referee.needed else {}
        ended[[*lost]] = True
        if hearing:
            counts = running.copy()
            counts[[*lost]] = False
            hearing.step(step, counts)
        if not ended.any():
            continue
        score[ended] = step.after.score[ended]
        steps[ended] = count
        limited[ended] = step.after.truncated[ended]
        for game, loss in lost.items():
            score[game], steps[game], reasons[game] = loss.score, count - 1, loss.reason
        if referee.needed:
            referee.over(ended, score)
        running &= ~ended
        if hearing:
            for game in map(int, np.flatnonzero(ended)):
                hearing.over(game, result(game))
        if progress:
            progress(int(ended.sum()))
        if not running.any():
            break
    return [result(game) for game in range(games)]


def names_of(players: Sequence[Named]) -> list[str]:
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
