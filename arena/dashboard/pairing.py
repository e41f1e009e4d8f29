"""Pairing: whom the dashboard lets play: the champion, and who was champion before it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arena.league.history import compared, parts
from arena.league.overview import outline, roles, spec_of
from arena.league.standings import Standing, champion, standings
from arena.store import RunFolder
from envs.bots import bot
from envs.side import Side, team_count, unlike

if TYPE_CHECKING:
    from collections.abc import Sequence

    from arena.store.log import Meeting
    from envs.core import EnvSpec

BOT = "bot"
"""What a member's settings have, if it is a scripted player: which."""


@dataclass(frozen=True, slots=True)
class Seat:
    """Who plays a team."""

    name: str
    source: Path | str
    """A snapshot file, or the name of a bot."""


@dataclass(frozen=True, slots=True)
class Pairing:
    """A game that can be played without the run folder's log."""

    env: str
    options: dict[str, Any]
    seats: tuple[Seat, ...]
    """One for each team."""
    title: str


def pairing(run: RunFolder) -> Pairing | None:
    """The champion of `run` against the one before it: who was champion in the games before the first of its own. None
    before anybody that may be champion has been rated.

    Where there was none before, an anchor plays; where teams are not alike, the champions of both sides; in a game that
    is played alone, the champion.

    Raises:
        InputError: a config that cannot be read.
    """
    game, spec = outline(run).game, spec_of(run)
    games = list(run.meetings())
    table = _table(run, games, spec)
    if unlike(spec):
        chosen = [best for part in dict.fromkeys(spec.roles) if (best := champion(table, part))]
        names = [one.name for one in chosen]
        title = f"The champions of both sides: {' and '.join(names)}"
    else:
        best = champion(table)
        if best is None:
            return None
        earlier = list(takewhile(lambda met: best.name not in met.players, games))
        before = champion(_table(run, earlier, spec)) if earlier else None
        other = before or next((one for one in table if one.anchor), best)
        names = [best.name, *[other.name] * (team_count(spec) - 1)]
        title = f"The champion {best.name}"
        if team_count(spec) > 1:
            title += f" against the champion before it, {other.name}" if before else f" against {other.name}"
    seats = tuple(seat for name in names if (seat := _seat(run, name)))
    return Pairing(game.id, game.options, seats, title) if len(seats) == team_count(spec) else None


def players(wanted: Pairing, spec: EnvSpec) -> list[Side]:
    """Those of `wanted`, ready to sit down; they take their most probable actions.

    Raises:
        InputError: a snapshot that cannot be read.
    """
    from agents.player import seated
    from agents.snapshot import load_snapshot

    return [
        bot(seat.source, spec) if isinstance(seat.source, str)
        else seated(load_snapshot(seat.source).policies, seat.name, greedy=True)
        for seat in wanted.seats
    ]  # fmt: skip


def _table(run: RunFolder, games: Sequence[Meeting], spec: EnvSpec) -> list[Standing]:
    return standings(compared(games, spec), roles(run), parts=parts(games, spec))


def _seat(run: RunFolder, name: str) -> Seat | None:
    """None for a player whose file is not in the folder, such as one of imported games."""
    for member in run.members():
        if member.name == name and BOT in member.spec:
            return Seat(name, str(member.spec[BOT]))
    file = next((one.file for one in run.snapshots() if one.name == name), None)
    return Seat(name, run.path / file) if file else None
