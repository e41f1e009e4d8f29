"""Teams and roles that agents' names stand for, since PettingZoo has no word for either."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from gymnasium import spaces

from envs.core import PLAYER
from envs.errors import InputError

TOGETHER = frozenset({
    "simple", "simple_spread", "simple_speaker_listener", "simple_reference", "simple_line", "simple_formation",
    "collect_treasure", "pistonball", "cooperative_pong", "knights_archers_zombies", "pursuit", "multiwalker",
    "waterworld", "hanabi",
})  # fmt: skip
"""Environments of PettingZoo and MPE in which all agents are one team."""
OPPOSED = frozenset({"simple_tag", "simple_adversary", "simple_push", "simple_crypto", "simple_world_comm"})
"""Those of MPE in which the `OPPONENTS` play against all others."""
OPPONENTS = frozenset({"adversary", "leadadversary", "eve"})
COLOURS = frozenset({"go"})
"""Environments whose agents are called by their colours, but play the same game."""
NUMBER = re.compile(r"_?\d+$")

Kind = tuple[spaces.Space[Any], spaces.Space[Any]]
"""What a seat sees and does."""


def teams(title: str, agents: Sequence[str]) -> tuple[int, ...]:
    """[P] of an environment that is called `title`: what is known of it, else each agent for itself."""
    if title in TOGETHER:
        return (0,) * len(agents)
    if title in OPPOSED:
        opposed = [prefix(agent) in OPPONENTS for agent in agents]
        return tuple(int(side != opposed[0]) for side in opposed)
    return tuple(range(len(agents)))


def chosen_teams(given: Sequence[int], seats: int, where: str) -> tuple[int, ...]:
    """`given`, if it is a team for each seat.

    Raises:
        InputError: too many, too few, or numbers that are not 0, 1 and so on.
    """
    if len(given) != seats:
        raise InputError(f"{where}: teams needs {seats} numbers, one for each seat, not {len(given)}.")
    if set(given) != set(range(len(set(given)))):
        raise InputError(f"{where}: teams are numbered 0, 1 and so on without gaps, not {sorted(set(given))}.")
    return tuple(given)


def roles(title: str, agents: Sequence[str], kinds: Sequence[Kind]) -> tuple[str, ...]:
    """[P]: the name without its number, unless seats of that name see or do different things; then the name."""
    if title in COLOURS:
        return (PLAYER,) * len(agents)
    found: dict[str, list[Kind]] = {}
    for agent, kind in zip(agents, kinds, strict=True):
        found.setdefault(prefix(agent), []).append(kind)
    alike = {name for name, members in found.items() if all(kind == members[0] for kind in members)}
    return tuple(name if (name := prefix(agent)) in alike else agent for agent in agents)


def chosen_roles(given: Sequence[str], kinds: Sequence[Kind], where: str) -> tuple[str, ...]:
    """`given`, if it is a role for each seat.

    Raises:
        InputError: too many, too few, or seats of one role that see or do different things.
    """
    if len(given) != len(kinds):
        raise InputError(f"{where}: roles needs {len(kinds)} names, one for each seat, not {len(given)}.")
    for role in given:
        members = [kind for name, kind in zip(given, kinds, strict=True) if name == role]
        if any(kind != members[0] for kind in members):
            raise InputError(f"{where}: seats of role {role!r} see or do different things.")
    return tuple(given)


def symmetric(teams: Sequence[int], roles: Sequence[str]) -> bool:
    """Whether all play the same part in teams of one size, so that teams can change sides."""
    return len(set(roles)) == 1 and len({list(teams).count(team) for team in teams}) == 1


def prefix(agent: str) -> str:
    """ "adversary" of "adversary_0"; a name that is all number stays."""
    return NUMBER.sub("", agent) or agent
