"""Own: tournaments in which players of a Python program take part: functions, classes, mixtures, players as they are.

They live in the process that was started with them, or are sent to its workers. A run folder knows their names and
games, but only the program that has them can go on with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arena.cast import Anybody, Players, cast_of
from arena.execution import Job
from arena.execution.job import MatchJob, Pinned, loaded, pinned
from arena.guests.limits import Limits
from arena.match import run_block
from arena.records import Results
from arena.tournaments.blocks import Block
from arena.tournaments.entrants import OWN, Candidate, check_side, expand, named, unique
from arena.tournaments.tournament import Tournament
from envs.core import EnvSpec
from envs.errors import InputError
from envs.registry import build
from envs.side import team_count

NOBODY = Pinned("")


class Contest(Tournament):
    """A tournament in which players of the program take part, too."""

    here: Mapping[str, Anybody] = {}
    """Who they are, by name."""

    def pinned(self, name: str) -> Pinned:
        """See `Tournament.pinned`; nobody for players of this program."""
        return NOBODY if name in self.here else super().pinned(name)

    def work(self, block: Block) -> Job:
        """See `Tournament.work`."""
        job = self.job(block)
        own = {name: self.here[name] for name in block.players if name in self.here}
        return OwnJob(job, own) if own else job


@dataclass(frozen=True, slots=True)
class OwnJob:
    """A block with players of the program."""

    job: MatchJob
    here: Mapping[str, Anybody]

    @property
    def files(self) -> dict[str, str]:
        """See `MatchJob.files`."""
        return self.job.files

    def __call__(self) -> Results:
        """Play."""
        job = self.job
        how = (job.env, job.options, job.greedy, job.trust, job.logs)
        who: dict[str, Anybody] = {
            name: self.here[name] if name in self.here else loaded(pin, *how)
            for name, pin in zip(job.names, job.players, strict=True)
        }
        spec = build(job.env, 1, job.options).spec
        cast = cast_of(who, spec, job.greedy, trust=job.trust)
        results = run_block(
            job.env, job.options, cast.sides, job.games, job.seed,
            lineup=cast.lineup(spec, job.lineup), limits=job.limits, names=cast.called, draw=cast.draw,
        )  # fmt: skip
        return cast.credited(results)


def entries(players: Players) -> list[tuple[str | None, Anybody]]:
    """Who is to take part, with names of one's own where there are.

    Raises:
        InputError: a name that cannot be, or a run without snapshots.
    """
    if isinstance(players, str):
        raise InputError(f"players are a list, such as [{players!r}, 'baseline'], not one name.")
    if isinstance(players, Mapping):
        wrong = next((name for name in players if not name or "|" in name), None)
        if wrong is not None:
            raise InputError(f"a player cannot be called {wrong!r}: a name has a letter, and no |.")
        return [(name, str(who) if isinstance(who, Path) else who) for name, who in players.items()]
    texts: Iterable[list[Anybody]] = (
        [*expand([str(who)])] if isinstance(who, str | Path) else [who] for who in players
    )
    return [(None, who) for group in texts for who in group]


def entrants(
    given: list[tuple[str | None, Anybody]],
    env: str,
    options: Mapping[str, Any],
    spec: EnvSpec,
    greedy: bool,
    trust: bool,
    limits: Limits | None,
) -> tuple[list[Candidate], dict[str, Anybody]]:
    """Everybody who takes part, and, by name, those who are of this program.

    Args:
        given: what `entries` found.
        limits: those who do not come with arena show in a short game that they play by the rules, and in this time;
            None: they are taken as they are.

    Raises:
        InputError: fewer than two, somebody who cannot take part, or a game that is played by one.
    """
    if team_count(spec) < 2:
        raise InputError(f"a tournament is for games in which sides meet: {spec.id} is played by one.")
    if len(given) < 2:
        raise InputError("a tournament needs two players or more.")
    names, pins = [], []
    for name, who in given:
        pin = pinned(who) if isinstance(who, str) else NOBODY
        cast = cast_of([loaded(pin, env, options, greedy, trust) if pin.text else who], spec, greedy, trust=trust)
        for side in cast.sides:
            check_side(name or cast.names[0], side, env, options, spec, limits)
        names.append(name or named(pin, cast.names[0]))
        pins.append(pin)
    names = unique(names)
    chosen: list[Candidate] = []
    here: dict[str, Anybody] = {}
    for name, (_, who), pin in zip(names, given, pins, strict=True):
        if not isinstance(who, str):
            here[name] = who
        chosen.append(Candidate(name, who if isinstance(who, str) else OWN, pin))
    return chosen, here
