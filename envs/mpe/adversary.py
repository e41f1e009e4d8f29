"""Adversary: agents keep near the goal without giving it away. What agents see and are paid."""

from __future__ import annotations

from typing import Any

from envs.compiled import compiled
from envs.mpe.world import distance, relative

Number: Any = Any


@compiled
def look(position: Number, velocity: Number, said: Number, goal: Number, hunters: Number, obs: Number) -> None:
    """Write all views, [B, P, 2 E]; the adversary lacks the goal, 2 numbers."""
    agents, entities = velocity.shape[1], position.shape[1]
    for row in range(len(position)):
        aim = agents + goal[row]
        for me in range(agents):
            view = obs[row, me]
            at = relative(position[row], me, aim, aim + 1, view, 0) if me >= hunters else 0
            at = relative(position[row], me, agents, entities, view, at)
            at = relative(position[row], me, 0, agents, view, at)
            view[at:] = 0.0


@compiled
def pay(position: Number, goal: Number, size: Number, hunters: Number, share: Number, reward: Number) -> None:
    """Write all rewards [B, P]; see `Scenario.rules` for the arguments."""
    agents = reward.shape[1]
    for row in range(len(position)):
        places, aim = position[row], agents + goal[row]
        nearest = distance(places, hunters, aim)
        for agent in range(hunters + 1, agents):
            nearest = min(nearest, distance(places, agent, aim))
        fooled = 0.0
        for hunter in range(hunters):
            away = distance(places, hunter, aim)
            fooled += away
            reward[row, hunter] = -away
        for agent in range(hunters, agents):
            reward[row, agent] = fooled - nearest
