"""Keeper: stores the games of a tournament that are worth watching as replays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arena.guests.forms import is_guest
from arena.replay.again import Again, file_of, is_stored
from arena.replay.picks import picks
from arena.replay.replay import write_replay
from envs.errors import InputError

if TYPE_CHECKING:
    from arena.tournaments.tournament import Tournament


def keep(tournament: Tournament) -> list[str]:
    """Write DIR/replays, as far as it is not there; why games could not be stored.

    Games of agents that are programs of their own are left out: nobody knows whether they would do the same again.
    """
    folder = tournament.folder
    guests = {one.name for one in tournament.config.entrants if is_guest(one.player)}
    faults: list[str] = []
    again: Again | None = None
    for pick in picks(folder):
        if (pick.result and guests.intersection(pick.result.players)) or is_stored(folder.path, pick):
            continue
        again = again or Again(folder)
        (folder.path / "replays").mkdir(exist_ok=True)
        try:
            write_replay(again.replays([pick])[0], file_of(folder.path, pick))
        except InputError as fault:  # what was played counts, whether it can be shown or not
            faults.append(f"{pick.label}: {fault}")
    return faults
