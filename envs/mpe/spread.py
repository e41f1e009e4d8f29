"""Spread: cover all landmarks, do not touch each other. What agents see and are paid."""

from __future__ import annotations

from typing import Any

from envs.compiled import compiled
from envs.mpe.world import distance, relative, touching

Number: Any = Any


@compiled
def look(position: Number, velocity: Number, said: Number, goal: Number, hunters: Number, obs: Number) -> None:
    """Write all views, [B, P, 4 + 2 (E - 1) + 2 (P - 1)]; see `Scenario.rules` for the arguments."""
    agents, entities = velocity.shape[1], position.shape[1]
    for row in range(len(position)):
        for me in range(agents):
            view = obs[row, me]
            view[0], view[1] = velocity[row, me, 0], velocity[row, me, 1]
            view[2], view[3] = position[row, me, 0], position[row, me, 1]
            at = relative(position[row], me, agents, entities, view, 4)
            at = relative(position[row], me, 0, agents, view, at)
            view[at:] = 0.0


@compiled
def pay(position: Number, goal: Number, size: Number, hunters: Number, share: Number, reward: Number) -> None:
    """Write all rewards [B, P]; see `Scenario.rules` for the arguments."""
    agents, entities = reward.shape[1], position.shape[1]
    for row in range(len(position)):
        places = position[row]
        together = 0.0
        for landmark in range(agents, entities):
            nearest = distance(places, 0, landmark)
            for agent in range(1, agents):
                nearest = min(nearest, distance(places, agent, landmark))
            together -= nearest
        for me in range(agents):
            alone = 0.0
            for other in range(agents):
                if other != me and touching(places, other, me, size):
                    alone -= 1.0
            reward[row, me] = together * (1 - share) + alone * share
