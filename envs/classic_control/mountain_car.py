"""MountainCar: a car in a valley, too weak to drive straight up; it has to rock. Moore (1990)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from envs.classic_control.starts import begin
from envs.compiled import compiled

Number: Any = Any
LIMIT, GOAL_SPEED = 0, 1
"""Places in `settings`: steps until truncation; least velocity at the goal."""

LEFT, RIGHT, GOAL, FASTEST = -1.2, 0.6, 0.5, 0.07
FORCE, GRAVITY = 0.001, 0.0025
LOW, HIGH = np.array([-0.6, 0.0]), np.array([-0.4, 0.0])
"""[2] bounds of the state in which a game starts."""


@compiled
def observe(state: Number, obs: Number) -> None:
    """Position and velocity."""
    obs[0] = state[0]
    obs[1] = state[1]


@compiled
def start_games(over: Number, state: Number, clock: Number, total: Number, stream: Number,
                obs: Number, score: Number) -> None:  # fmt: skip
    """Begin a new game wherever one is `over` [2, B]: standing still near the bottom of the valley."""
    for row in range(len(clock)):
        if over[0, row] or over[1, row]:
            begin(row, state, clock, total, stream, LOW, HIGH, score)
            observe(state[row], obs[row, 0])


@compiled
def step_games(state: Number, clock: Number, total: Number, settings: Number, action: Number,
               obs: Number, reward: Number, over: Number) -> int:  # fmt: skip
    """One step of B games: `state` [B, 2] position and velocity along x."""
    for row in range(len(clock)):
        if action[row, 0] < 0 or action[row, 0] > 2:
            return -1
    limit, goal_speed = settings[LIMIT], settings[GOAL_SPEED]
    ended = 0
    for row in range(len(clock)):
        x, speed = state[row, 0], state[row, 1]
        speed = speed + ((action[row, 0] - 1) * FORCE + math.cos(3 * x) * -GRAVITY)
        speed = min(max(speed, -FASTEST), FASTEST)
        x = min(max(x + speed, LEFT), RIGHT)
        if x == LEFT and speed < 0:
            speed = 0.0
        state[row, 0], state[row, 1] = x, speed
        observe(state[row], obs[row, 0])
        terminated = x >= GOAL and speed >= goal_speed
        clock[row] += 1
        total[row] -= 1.0
        reward[row, 0] = -1.0
        truncated = clock[row] >= limit and not terminated
        over[0, row], over[1, row] = terminated, truncated
        ended += terminated or truncated
    return ended
