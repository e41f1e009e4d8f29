"""Admission: a short game in which a player shows that it plays by the rules, before the first that counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

import numpy as np

from agents.play import play
from arena.guests.limits import Limits
from arena.guests.referee import Referee, stranger
from envs.bots import RANDOM, bot
from envs.core import Array
from envs.errors import InputError
from envs.registry import build
from envs.side import Side, Squad, can_sit, seated, team_count

STEPS = 32
"""Env steps of a self-test."""
SEED = 7
"""Of the game that it plays."""


@dataclass(frozen=True, slots=True)
class Admission:
    """How a player did in its self-test."""

    player: str
    env: str
    moves: int
    """For which it was asked."""
    median: float
    """Time for a move, s."""
    longest: float
    """Time for the slowest move, s."""
    repeatable: bool | None
    """Whether it did the same when the same game was played again; None: that was not tried."""

    def figures(self) -> dict[str, Any]:
        """As --json prints it."""
        return asdict(self)


def needs_admission(side: Side) -> bool:
    """Whether `side` is somebody else's code; who comes with arena is known to play by the rules."""
    return any(map(stranger, side.players.values() if isinstance(side, Squad) else [side]))


def admit(
    side: Side, env: str, options: Mapping[str, Any], limits: Limits | None = None, twice: bool = False
) -> Admission:
    """Let `side` play `STEPS` steps of a game against random players.

    Args:
        limits: of time; forfeits are refusals here.
        twice: play it again, to see whether it does the same.

    Raises:
        InputError: it broke a rule, with what it did; or it has nobody for the seats of any team.
    """
    given = limits or Limits()
    limits = Limits(given.move, given.game)
    actions, spent = _played(side, env, options, limits)
    again = _played(side, env, options, limits)[0] if twice else actions
    same = actions.shape == again.shape and np.array_equal(actions, again)
    return Admission(
        player=side.name,
        env=env,
        moves=len(spent),
        median=median(spent) if spent else 0.0,
        longest=max(spent, default=0.0),
        repeatable=bool(same) if twice else None,
    )


def _played(side: Side, env_id: str, options: Mapping[str, Any], limits: Limits) -> tuple[Array, list[float]]:
    """What `side` did, [T, own seats, ...], and its time for each move, s."""
    env = build(env_id, 1, options)
    spec = env.spec
    team = next((team for team in range(team_count(spec)) if can_sit(side, spec, team)), None)
    if team is None:
        raise InputError(f"{side.name} has nobody for the seats of any team of {spec.id}.")
    who = np.array([[int(own != team) for own in spec.teams]])
    players, seating = seated(spec, [side, bot(RANDOM, spec)], who)
    own = [seat for seat, one in enumerate(spec.teams) if one == team]
    actions = []
    with Referee(spec, limits, everybody=True) as referee:
        names = [[(side.name, RANDOM)[index] for index in who[0]]]
        for step in play(env, referee.seat(players, seating, names), seating, SEED):
            for loss in referee.losses(step.after.reward).values():
                raise InputError(f"{side.name} is refused after a self-test in {spec.id}: {loss.reason}.")
            actions.append(step.action[0, own])
            if len(actions) == STEPS:
                break
        return np.stack(actions), referee.spent(side.name)
