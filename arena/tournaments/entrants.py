"""Entrants: who takes part, from what was typed: names, files, all snapshots of a run, or its best."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from arena.execution.job import Pinned, loaded, pinned
from arena.guests.admission import admit, needs_admission
from arena.guests.limits import Limits
from arena.ladder import rungs
from arena.league.overview import history, leaderboard
from arena.ratings.trueskill import rate
from arena.store import RunFolder
from arena.tournaments.config import Entrant
from envs.core import EnvSpec
from envs.errors import InputError
from envs.side import Side, can_sit, team_count

GROUP = re.compile(r"(?P<folder>.+)@(?P<which>all|top(?P<number>\d+))")
OWN = "a player of a Python program"
"""Who is named so is known to the program that held the tournament, and to nobody else (`arena.tournaments.own`)."""
FOLDER = "players"
"""In a run folder: files of the entrants."""


class Candidate(NamedTuple):
    """Somebody who can take part."""

    name: str
    text: str
    """As it was typed, or would have been."""
    pinned: Pinned

    @property
    def file(self) -> str:
        """Where its file belongs in the run folder; "" if it has none."""
        if not self.pinned.hash:
            return ""
        safe = re.sub(r"[^A-Za-z0-9_.-]", "-", self.name)
        return f"{FOLDER}/{safe}{Path(self.pinned.text).suffix}"

    def entrant(self) -> Entrant:
        """As the config keeps it."""
        return Entrant(name=self.name, player=self.text, file=self.file)


def expand(texts: Sequence[str]) -> list[str]:
    """`texts`, with the players that DIR@all and DIR@top8 stand for: all snapshots of a run, oldest first, or the best
    of its leaderboard, anchors aside.

    Raises:
        InputError: no run there, or one without snapshots.
    """
    found: list[str] = []
    for text in texts:
        group = GROUP.fullmatch(text)
        if group is None:
            found.append(text)
            continue
        with RunFolder.open(group["folder"]) as run:
            names = [snapshot.name for snapshot in run.snapshots()]
            if group["number"]:
                able = set(names)
                names = [one.name for one in leaderboard(run) if one.name in able][: int(group["number"])]
        if not names:
            raise InputError(f"{text} is nobody: {group['folder']} has no snapshots that have been rated yet.")
        found += [f"{group['folder']}@{name}" for name in names]
    return found


def candidates(
    texts: Sequence[str],
    env: str,
    options: Mapping[str, Any],
    spec: EnvSpec,
    trust: bool = False,
    limits: Limits | None = None,
) -> list[Candidate]:
    """The players that `texts` name, each able to take part in a tournament of the game.

    Args:
        trust: files may be read that hold pickles.
        limits: agents from elsewhere show in a short game that they play by the rules, and in this time; None: they are
            taken as they are.

    Raises:
        InputError: fewer than two, somebody who is unknown or plays another game or only one side of this one, an agent
            that does not play by the rules, or a game that is played by one.
    """
    if team_count(spec) < 2:
        raise InputError(f"a tournament is for games in which sides meet: {spec.id} is played by one.")
    if len(texts) < 2:
        raise InputError("a tournament needs two players or more, as in `arena tournament swiss DIR@all baseline`.")
    pins = [pinned(text) for text in texts]
    sides = [loaded(pin, env, options, trust=trust) for pin in pins]
    for text, side in zip(texts, sides, strict=True):
        check_side(text, side, env, options, spec, limits)
    names = [named(pin, side.name) for pin, side in zip(pins, sides, strict=True)]
    return [Candidate(*one) for one in zip(unique(names), texts, pins, strict=True)]


def check_side(
    text: str, side: Side, env: str, options: Mapping[str, Any], spec: EnvSpec, limits: Limits | None
) -> None:
    """Raise an InputError unless `side`, whom `text` names, can take part; the arguments are those of `candidates`."""
    if not all(can_sit(side, spec, team) for team in range(team_count(spec))):
        raise InputError(
            f"{text} plays only one side of {spec.id}: in a tournament everybody plays all sides by turns; "
            "a league compares players of one side."
        )
    if limits is not None and needs_admission(side):
        admit(side, env, options, limits)


def named(pin: Pinned, name: str) -> str:
    """What a player is called: a snapshot of a run as its log calls it, member:step."""
    path = Path(pin.text)
    found = re.fullmatch(r"(.+)-(\d+)", path.stem) if pin.hash and path.parent.name == "snapshots" else None
    return f"{found[1]}:{found[2]}" if found else name.replace("|", "/")


def unique(names: Sequence[str]) -> list[str]:
    """Different names: those that come again get a number."""
    found: list[str] = []
    for name in names:
        number, free = 1, name
        while free in found:
            number += 1
            free = f"{name}#{number}"
        found.append(free)
    return found


def by_rating(chosen: Sequence[Candidate]) -> list[Candidate]:
    """The same, those with the highest rating first: TrueSkill mean in the league that they come from, or of players in
    the box. Others follow in the order that was given."""
    known: dict[str, float] = {rung.name: rung.skill for rung in rungs()}
    for folder in {one.text.rpartition("@")[0] for one in chosen if "@" in one.text}:
        if Path(folder).is_dir():
            with RunFolder.open(folder) as run:
                ratings = rate(history(run)) if run.games() else {}
            known |= {f"{folder}@{name}": rating.mean for name, rating in ratings.items()}

    def worth(one: Candidate) -> float:
        folder, at, _ = one.text.rpartition("@")
        return known.get(f"{folder}@{one.name}" if at else one.text, float("-inf"))

    return sorted(chosen, key=worth, reverse=True)
