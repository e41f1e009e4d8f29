"""Pendulum: swing a rod up and keep it there, with a motor too weak to lift it at once. Gymnasium's Pendulum-v1.

Semi-implicit Euler steps. The torque is a float32, as are the terms that consist of it and of constants only.
Squares are powers with an exponent from `settings`, for the reason given in `acrobot`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from envs.classic_control.starts import begin
from envs.compiled import compiled

Number: Any = Any
LIMIT, GRAVITY, TWO = 0, 1, 2
"""Places in `settings`: steps until truncation; gravity, m/s^2; 2.0."""

MAX_SPEED, MAX_TORQUE, DT = 8.0, np.float32(2), 0.05
TORQUE_COST, TORQUE_GAIN = np.float32(0.001), np.float32(3)
"""Cost of a squared torque; angular acceleration per torque, for a rod of 1 kg and 1 m."""

HIGH = np.array([math.pi, 1.0])
LOW = -HIGH
"""[2] bounds of the state in which a game starts."""


@compiled
def observe(state: Number, obs: Number) -> None:
    """Cosine and sine of the angle, 0 being upright, and the angular velocity."""
    obs[0] = math.cos(state[0])
    obs[1] = math.sin(state[0])
    obs[2] = state[1]


@compiled
def start_games(over: Number, state: Number, clock: Number, total: Number, stream: Number,
                obs: Number, score: Number) -> None:  # fmt: skip
    """Begin a new game wherever one is `over` [2, B]: any angle, and up to 1 rad/s."""
    for row in range(len(clock)):
        if over[0, row] or over[1, row]:
            begin(row, state, clock, total, stream, LOW, HIGH, score)
            observe(state[row], obs[row, 0])


@compiled
def step_games(state: Number, clock: Number, total: Number, settings: Number, action: Number,
               obs: Number, reward: Number, over: Number) -> int:  # fmt: skip
    """One step of B games: `state` [B, 2] angle, rad, and its velocity; `action` [B, 1, 1] torque, N m."""
    for row in range(len(clock)):
        if not math.isfinite(action[row, 0, 0]):
            return -1
    limit, gravity, two = settings[LIMIT], settings[GRAVITY], settings[TWO]
    ended = 0
    for row in range(len(clock)):
        theta, speed = state[row, 0], state[row, 1]
        torque = min(max(action[row, 0, 0], -MAX_TORQUE), MAX_TORQUE)
        angle = (theta + math.pi) % (2 * math.pi) - math.pi
        cost = math.pow(angle, two) + 0.1 * math.pow(speed, two)
        cost += np.float64(TORQUE_COST * torque ** np.float32(two))
        speed = speed + (3.0 * gravity / 2.0 * math.sin(theta) + np.float64(TORQUE_GAIN * torque)) * DT
        speed = min(max(speed, -MAX_SPEED), MAX_SPEED)
        theta = theta + speed * DT
        state[row, 0], state[row, 1] = theta, speed
        observe(state[row], obs[row, 0])
        clock[row] += 1
        total[row] -= cost
        reward[row, 0] = -cost
        truncated = clock[row] >= limit
        over[0, row], over[1, row] = False, truncated
        ended += truncated
    return ended
