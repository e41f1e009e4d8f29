"""MountainCarContinuous: the car in the valley with a throttle, paid 100 at the goal and charged for each push.

Gymnasium keeps this game's state in float32, but for the float64 state that a game starts with; so do these rules.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from envs.classic_control.starts import begin
from envs.compiled import compiled

Number: Any = Any
LIMIT, GOAL_SPEED = 0, 1
"""Places in `settings`: steps until truncation; least velocity at the goal."""

LEFT, RIGHT, GOAL, FASTEST = -1.2, 0.6, 0.45, 0.07
POWER, GRAVITY, FULL = np.float32(0.0015), 0.0025, np.float32(1)
PRIZE, FUEL_COST = 100.0, 0.1
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
def drive(x: Number, speed: Number, pull: Number, left: Number, right: Number, goal: Number, fastest: Number) -> Any:
    """New position and velocity, and whether the goal is reached, all in the precision of the arguments."""
    speed = min(max(speed + pull, -fastest), fastest)
    x = min(max(x + speed, left), right)
    if x == left and speed < 0:
        speed = speed - speed
    return x, speed, x >= goal


@compiled
def step_games(state: Number, clock: Number, total: Number, settings: Number, action: Number,
               obs: Number, reward: Number, over: Number) -> int:  # fmt: skip
    """One step of B games: `state` [B, 2] position and velocity along x; `action` [B, 1, 1] throttle."""
    for row in range(len(clock)):
        if not math.isfinite(action[row, 0, 0]):
            return -1
    limit, goal_speed = settings[LIMIT], settings[GOAL_SPEED]
    ended = 0
    for row in range(len(clock)):
        throttle = min(max(action[row, 0, 0], -FULL), FULL)
        if clock[row] == 0:
            slope = np.float32(GRAVITY * math.cos(3 * state[row, 0]))
            pull = np.float64(throttle * POWER - slope)
            x, speed, there = drive(state[row, 0], state[row, 1], pull, LEFT, RIGHT, GOAL, FASTEST)
            fast = speed >= goal_speed
            state[row, 0], state[row, 1] = np.float32(x), np.float32(speed)
        else:
            short_x, short_speed = np.float32(state[row, 0]), np.float32(state[row, 1])
            slope = np.float32(GRAVITY * math.cos(np.float64(np.float32(3) * short_x)))
            short_x, short_speed, there = drive(
                short_x, short_speed, throttle * POWER - slope,
                np.float32(LEFT), np.float32(RIGHT), np.float32(GOAL), np.float32(FASTEST),
            )  # fmt: skip
            fast = short_speed >= np.float32(goal_speed)
            state[row, 0], state[row, 1] = short_x, short_speed
        observe(state[row], obs[row, 0])
        terminated = there and fast
        gained = (PRIZE if terminated else 0.0) - np.float64(throttle) * np.float64(throttle) * FUEL_COST
        clock[row] += 1
        total[row] += gained
        reward[row, 0] = gained
        truncated = clock[row] >= limit and not terminated
        over[0, row], over[1, row] = terminated, truncated
        ended += terminated or truncated
    return ended
