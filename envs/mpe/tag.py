"""Tag: adversaries hunt agents around obstacles. What agents see and are paid."""

from __future__ import annotations

import math
from typing import Any

from envs.compiled import compiled
from envs.mpe.world import relative, touching

Number: Any = Any
CAUGHT = 10.0
"""What a touch is worth."""
EDGE, OUTSIDE, WORST = 0.9, 1.0, 10.0
"""Where the cost of leaving the field begins and where it begins to grow fast, and the most that it is per axis."""


@compiled
def look(position: Number, velocity: Number, said: Number, goal: Number, hunters: Number, obs: Number) -> None:
    """Write all views, [B, P, 4 + 2 (E - 1) + 2 G], where G agents are hunted; these see one velocity less."""
    agents, entities = velocity.shape[1], position.shape[1]
    for row in range(len(position)):
        for me in range(agents):
            view = obs[row, me]
            view[0], view[1] = velocity[row, me, 0], velocity[row, me, 1]
            view[2], view[3] = position[row, me, 0], position[row, me, 1]
            at = relative(position[row], me, agents, entities, view, 4)
            at = relative(position[row], me, 0, agents, view, at)
            for other in range(hunters, agents):
                if other != me:
                    view[at], view[at + 1] = velocity[row, other, 0], velocity[row, other, 1]
                    at += 2
            view[at:] = 0.0


@compiled
def leaving(x: Number) -> Any:
    """What a hunted agent pays for being `x` from the middle along one axis."""
    if x < EDGE:
        return 0.0
    if x < OUTSIDE:
        return (x - EDGE) * 10
    return min(math.exp(2 * x - 2), WORST)


@compiled
def pay(position: Number, goal: Number, size: Number, hunters: Number, share: Number, reward: Number) -> None:
    """Write all rewards [B, P]; see `Scenario.rules` for the arguments."""
    agents = reward.shape[1]
    for row in range(len(position)):
        places = position[row]
        touches = 0.0
        for prey in range(hunters, agents):
            caught = 0.0
            for hunter in range(hunters):
                if touching(places, prey, hunter, size):
                    caught += CAUGHT
            touches += caught
            reward[row, prey] = -caught - leaving(abs(places[prey, 0])) - leaving(abs(places[prey, 1]))
        for hunter in range(hunters):
            reward[row, hunter] = touches
