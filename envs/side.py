"""Side: whoever sits in the seats of one team. A player sits in any of them; a squad has a player for each post.

A post is a role ("predator"), for a player who sits in all seats of it, or "role.k", the k-th seat of that role in its
team ("predator.0").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from envs.core import EnvSpec
from envs.errors import InputError
from envs.player import Player
from envs.seats import seat_kinds


@dataclass(frozen=True, slots=True)
class Squad:
    """A player for each post that its name can fill."""

    name: str
    players: Mapping[str, Player]
    """By post."""


Side = Player | Squad


def posts(spec: EnvSpec) -> list[tuple[str, str]]:
    """[P] the two posts that cover each seat: its role, and "role.k"."""
    counts: dict[tuple[int, str], int] = {}
    covering = []
    for team, role in zip(spec.teams, spec.roles, strict=True):
        number = counts.get((team, role), 0)
        counts[team, role] = number + 1
        covering.append((role, f"{role}.{number}"))
    return covering


def post_of(names: Mapping[str, object], spec: EnvSpec, seat: int) -> str | None:
    """Which of the posts `names` covers `seat`; the seat's own before its role's."""
    role, own = posts(spec)[seat]
    return own if own in names else role if role in names else None


def team_count(spec: EnvSpec) -> int:
    """T."""
    return max(spec.teams) + 1


def covers(names: Mapping[str, object], spec: EnvSpec, team: int) -> bool:
    """Whether the posts `names` cover all seats of `team`."""
    return all(post_of(names, spec, seat) for seat, own in enumerate(spec.teams) if own == team)


def filled(names: Mapping[str, object], spec: EnvSpec) -> list[int]:
    """The teams of which the posts `names` cover all seats."""
    return [team for team in range(team_count(spec)) if covers(names, spec, team)]


def unlike(spec: EnvSpec) -> bool:
    """Whether there are several teams and they are not alike, so that who plays one cannot change to another."""
    return team_count(spec) > 1 and not spec.symmetric


def can_sit(side: Side, spec: EnvSpec, team: int) -> bool:
    """Whether `side` has somebody for all seats of `team`; a plain player has wherever seats are of one kind."""
    return not isinstance(side, Squad) or covers(side.players, spec, team)


def rotations(sides: Sequence[Side], spec: EnvSpec) -> list[tuple[int, ...]]:
    """[R][T] orders in which `sides` may sit down, one for each team: by turns everybody everywhere, or, where not
    everybody can sit in every team, as far as they can.

    Raises:
        InputError: a wrong number of sides, or no order that fits.
    """
    teams = team_count(spec)
    if len(sides) != teams:
        raise InputError(f"{spec.id} is played by {teams}, not by {len(sides)}.")
    turned = [tuple((team + turn) % teams for team in range(teams)) for turn in range(teams)]
    able = [[can_sit(side, spec, team) for team in range(teams)] for side in sides]
    fitting = [order for order in turned if all(able[index][team] for team, index in enumerate(order))]
    if fitting:
        return fitting
    lost = next((index for index, row in enumerate(able) if not any(row)), None)
    who = sides[0 if lost is None else lost].name
    roles = " or ".join(dict.fromkeys(spec.roles))
    if lost is not None:
        raise InputError(f"{who} has nobody for the seats of any team of {spec.id}, whose roles are {roles}.")
    raise InputError(f"{spec.id}: {', '.join(side.name for side in sides)} cannot fill its teams ({roles}) among them.")


def seated(spec: EnvSpec, sides: Sequence[Side], lineup: NDArray[np.int64]) -> tuple[list[Player], NDArray[np.int64]]:
    """Players, and who of them sits where [B, P], as `play` takes them, for sides that sit as `lineup` [B, P] says.

    Raises:
        InputError: a side without a post for a seat that it is to take.
    """
    players: list[Player] = []
    seating = np.zeros_like(lineup)
    kinds = seat_kinds(spec)
    for index, side in enumerate(sides):
        place: dict[tuple[str, int], int] = {}
        for seat in range(spec.seats):
            rows = lineup[:, seat] == index
            if not rows.any():
                continue
            post = post_of(side.players, spec, seat) if isinstance(side, Squad) else ""
            if post is None:
                raise InputError(f"{side.name} has nobody for the seat {spec.seat_names[seat]} of {spec.id}.")
            key = post, kinds[seat]
            if key not in place:
                place[key] = len(players)
                players.append(side.players[post] if isinstance(side, Squad) else side)
            seating[rows, seat] = place[key]
    return players, seating
