"""Speaker and listener: one knows the goal and can only speak, the other can only move. What they see and are paid."""

from __future__ import annotations

from typing import Any

from envs.compiled import compiled
from envs.mpe.world import relative

Number: Any = Any
BRIGHT, DARK = 0.65, 0.15
"""Colour of a landmark: its own component, one of red, green and blue, and the others."""


@compiled
def look(position: Number, velocity: Number, said: Number, goal: Number, hunters: Number, obs: Number) -> None:
    """Write both views, [B, 2, 11]; the speaker's are 3 numbers."""
    words = said.shape[1]
    for row in range(len(position)):
        obs[row, 0] = 0.0
        for k in range(words):
            obs[row, 0, k] = BRIGHT if k == goal[row] else DARK
        view = obs[row, 1]
        view[0], view[1] = velocity[row, 1, 0], velocity[row, 1, 1]
        at = relative(position[row], 1, 2, position.shape[1], view, 2)
        for k in range(words):
            view[at + k] = said[row, k]


@compiled
def pay(position: Number, goal: Number, size: Number, hunters: Number, share: Number, reward: Number) -> None:
    """Write both rewards [B, 2]; see `Scenario.rules` for the arguments."""
    for row in range(len(position)):
        aim = 2 + goal[row]
        dx = position[row, 1, 0] - position[row, aim, 0]
        dy = position[row, 1, 1] - position[row, aim, 1]
        reward[row, 0] = reward[row, 1] = -(dx * dx + dy * dy)
