"""People in a league: members whose games are played by hand, rated like all others, and never played again.

A person has the role "human". Nobody is matched with one, trains against one or becomes champion by being one: all of
these look at snapshots and bots, and a person is neither. Games wait in the inbox of the run until they are logged, so
none is lost while another process writes the run.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from arena.league.config import check_name
from arena.league.overview import spec_of
from arena.result import Result
from arena.store import RunFolder
from envs.bots import every_name
from envs.config import Config, parse
from envs.errors import InputError, unknown

ROLE = "human"
REQUEST = "human"
"""Kind of the requests that bring games."""
REFUSED = "refused: "
"""How the answer to a request begins that cannot be done."""


class Played(Config):
    """A game that a person has played."""

    name: str
    """The person."""
    players: tuple[str, ...]
    """[P] by seat."""
    score: tuple[float, ...]
    """[P]."""
    steps: int = Field(ge=1)
    """Length of the game."""
    seed: int = Field(ge=0)
    """Of the game itself."""
    ended: Literal["rules", "limit"]
    """How it ended."""
    time: float
    """When it ended, s since 1970."""

    @property
    def key(self) -> str:
        """Of its block in the log."""
        others = sorted(set(self.players) - {self.name})
        return "|".join([REQUEST, self.name, *others, str(self.seed), f"{self.time:.3f}"])


def check_person(run: RunFolder, name: str) -> None:
    """Raise an InputError unless a person may play in `run` as `name`."""
    check_name(name)
    run.snapshot_path(name, 0)  # refuses what no member may be called
    known = {member.name: member for member in run.members()}
    if name in every_name() or (name in known and known[name].role != ROLE):
        held = f"{known[name].role} of {run.path}" if name in known else "bot"
        raise InputError(f"{name!r} is taken ({held}): a person who joins needs another name.")
    if name in known and known[name].status == "retired":
        raise InputError(f"{name!r} has retired from {run.path}: join under another name.")


def rated_name(run: RunFolder, name: str) -> str:
    """`name`, if rated games against that player can be played in `run`.

    Raises:
        InputError: it is no snapshot of `run` and no bot that is an anchor of it.
    """
    choices = opponents(run)
    if name not in choices:
        raise unknown(f"player of {run.path}", name, choices)
    return name


def opponents(run: RunFolder) -> list[str]:
    """Whom a person can meet: snapshots, and bots that are members."""
    return [one.name for one in run.snapshots()] + [one.name for one in run.members() if "bot" in one.spec]


def record(path: Path, name: str, result: Result) -> str | None:
    """Bring a game of the person `name` into the run at `path`: into the log, or, while another process writes the run,
    into its inbox. Returns the process id of that other one.

    Raises:
        InputError: the folder cannot be written to, or the game does not belong into this run.
    """
    played = {"name": name, "players": result.players, "score": result.score, "steps": result.steps}
    ended = {"seed": result.seed, "ended": result.ended, "time": time.time()}
    with RunFolder.open(path) as run:
        number = run.request(REQUEST, {**played, **ended})
    writer = settle(path)
    with RunFolder.open(path) as run:
        answer = next(one.answer for one in run.requests(with_done=True) if one.id == number) or ""
    if answer.startswith(REFUSED):
        raise InputError(f"{path}: {answer.rstrip('.')}.")
    return writer


def settle(path: Path) -> str | None:
    """Log the games that wait in the inbox of the run at `path`, unless another process writes it, whose id is then
    returned.

    Raises:
        InputError: no run there.
    """
    with RunFolder.open(path) as run:
        if not any(request.kind == REQUEST for request in run.requests()):
            return None
        writer = run.writer()
    if writer:
        return writer
    try:
        run = RunFolder.open(path, write=True)
    except InputError:  # somebody was faster
        with RunFolder.open(path) as other:
            return other.writer() or "unknown"
    with run:
        for request in run.requests():
            if request.kind == REQUEST:
                _answer(run, request.id, request.payload)
    return None


def _answer(run: RunFolder, id: int, payload: Mapping[str, Any]) -> None:
    try:
        with run.transaction():
            run.done(id, take_in(run, payload))
    except InputError as fault:
        run.done(id, f"{REFUSED}{fault}")


def take_in(run: RunFolder, payload: Mapping[str, Any]) -> str:
    """Log the game that a request brings, and make the person a member if they are none; a sentence that says so.

    Raises:
        InputError: the game does not belong into this run; nothing has changed then.
    """
    game, spec = parse(Played, payload, REQUEST), spec_of(run)
    check_person(run, game.name)
    for name in {*game.players} - {game.name}:
        rated_name(run, name)
    if len(game.players) != spec.seats or len(game.score) != spec.seats or game.name not in game.players:
        raise InputError(f"a game of {game.name} has {len(game.players)} players, and {spec.id} {spec.seats} seats.")
    if game.name not in {member.name for member in run.members()}:
        run.add_member(game.name, ROLE, {})
    result = Result(spec.id, game.players, game.score, game.steps, game.seed, game.ended)
    fresh = run.append_block(game.key, [result])
    return f"logged a game of {game.name}" if fresh else f"that game of {game.name} was logged already"
