"""Parts: the blocks of a match as jobs, which come to what `arena.match.match` comes to, wherever they run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arena.cast import Anybody
from arena.execution.executor import Executor, Outcome, in_turn
from arena.execution.job import Pinned, loaded, pinned
from arena.guests.limits import Limits
from arena.match import Draw, Lineup, Tape, run_block
from arena.players import player_of
from arena.result import Result
from envs.registry import build


@dataclass(frozen=True, slots=True)
class PartJob:
    """A block of a match. Calling it plays: results in the order in which the games started, and the tape."""

    env: str
    """Id of the game."""
    options: Mapping[str, Any]
    """Of the game."""
    players: tuple[Pinned | Anybody, ...]
    """[S] everybody who may sit: data, or objects of the program, which travel as they are."""
    names: tuple[str, ...]
    """[S] what results call them, all different."""
    lineup: Lineup
    """See `arena.match.match`, as what follows."""
    draw: Draw
    limits: Limits
    greedy: bool
    """Whether snapshots take their most probable action."""
    trust: bool
    """Whether files may be read that hold pickles."""
    logs: Path | None
    """Folder for what programs write to standard error."""
    games: int
    seed: int
    """Of the block."""
    tape: Tape | None
    """What is done goes on it, and comes back."""

    @property
    def files(self) -> dict[str, str]:
        """Paths by hash, of what another machine needs to play it."""
        return {who.hash: who.text for who in self.players if isinstance(who, Pinned) and who.hash}

    def __call__(self) -> tuple[list[Result], Tape | None]:
        """Play.

        Raises:
            InputError: a file that is not the one it was, or that another machine does not have.
        """
        spec, how = build(self.env, 1, self.options).spec, (self.trust, self.logs)
        sides = [
            loaded(who, self.env, self.options, self.greedy, *how)
            if isinstance(who, Pinned)
            else player_of(who, spec, self.greedy, trust=self.trust, logs=self.logs)
            for who in self.players
        ]
        results = run_block(
            self.env, self.options, sides, self.games, self.seed,
            lineup=self.lineup, tape=self.tape, limits=self.limits, names=self.names, draw=self.draw,
        )  # fmt: skip
        return results, self.tape


def travelling(players: Iterable[Anybody]) -> tuple[Pinned | Anybody, ...]:
    """`players` as they travel: those who are named, as they are now.

    Raises:
        InputError: nobody of that name in a run, or a file that cannot be read.
    """
    return tuple(pinned(str(who)) if isinstance(who, str | Path) else who for who in players)


def play_parts(executor: Executor, jobs: Sequence[PartJob], enough: Callable[[list[Result]], bool]) -> list[Result]:
    """Results of `jobs` in their order, whatever the order in which they ran.

    Args:
        enough: told of all results so far when those of one more job have come to them; whether to stop there.

    Raises:
        InputError: as for `PartJob`, or it cannot be sent to another process.
        JobFault: a job failed.
    """
    results: list[Result] = []
    ahead: dict[int, Outcome] = {}
    place = 0
    running = in_turn(executor, jobs)
    try:
        for found, outcome in running:
            ahead[found] = outcome
            while place in ahead:
                part, tape = ahead.pop(place).result()
                mine = jobs[place].tape
                if mine is not None and tape is not None:
                    mine.take(tape)
                results += part
                place += 1
                if enough(results):
                    return results
    finally:
        running.close()
    return results
