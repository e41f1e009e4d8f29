"""CartPole: a pole on a cart that is pushed left or right. Rules of Barto, Sutton and Anderson (1983).

Equations of motion after Florian (2007), "Correct equations for the dynamics of the cart-pole system", without
friction; explicit Euler steps. The order of operations is Gymnasium's, so that the results are too.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from envs.classic_control.starts import begin
from envs.compiled import compiled

Number: Any = Any
LIMIT, PENALTY = 0, 1
"""Places in `settings`: steps until truncation; whether the reward is -1 at the end and 0 before (else always 1)."""

GRAVITY, FORCE, TAU = 9.8, 10.0, 0.02
POLE_MASS, TOTAL_MASS, HALF_LENGTH = 0.1, 0.1 + 1.0, 0.5
POLE_MOMENT = POLE_MASS * HALF_LENGTH
FARTHEST, STEEPEST = 2.4, 12 * 2 * math.pi / 360
HIGH = np.full(4, 0.05)
LOW = -HIGH
"""[4] bounds of the state in which a game starts."""


@compiled
def observe(state: Number, obs: Number) -> None:
    """The state as it is."""
    for k in range(4):
        obs[k] = state[k]


@compiled
def start_games(over: Number, state: Number, clock: Number, total: Number, stream: Number,
                obs: Number, score: Number) -> None:  # fmt: skip
    """Begin a new game wherever one is `over` [2, B]: upright and still, nearly."""
    for row in range(len(clock)):
        if over[0, row] or over[1, row]:
            begin(row, state, clock, total, stream, LOW, HIGH, score)
            observe(state[row], obs[row, 0])


@compiled
def step_games(state: Number, clock: Number, total: Number, settings: Number, action: Number,
               obs: Number, reward: Number, over: Number) -> int:  # fmt: skip
    """One step of B games: `state` [B, 4] x, m; its velocity; angle of the pole, rad; its velocity."""
    for row in range(len(clock)):
        if action[row, 0] < 0 or action[row, 0] > 1:
            return -1
    limit, penalty = settings[LIMIT], settings[PENALTY] > 0
    ended = 0
    for row in range(len(clock)):
        x, x_dot, theta, theta_dot = state[row, 0], state[row, 1], state[row, 2], state[row, 3]
        force = FORCE if action[row, 0] == 1 else -FORCE
        cosine, sine = math.cos(theta), math.sin(theta)
        pushed = (force + POLE_MOMENT * (theta_dot * theta_dot) * sine) / TOTAL_MASS
        theta_acc = (GRAVITY * sine - cosine * pushed) / (
            HALF_LENGTH * (4.0 / 3.0 - POLE_MASS * (cosine * cosine) / TOTAL_MASS)
        )
        x_acc = pushed - POLE_MOMENT * theta_acc * cosine / TOTAL_MASS
        x = x + TAU * x_dot
        x_dot = x_dot + TAU * x_acc
        theta = theta + TAU * theta_dot
        theta_dot = theta_dot + TAU * theta_acc
        state[row, 0], state[row, 1], state[row, 2], state[row, 3] = x, x_dot, theta, theta_dot
        observe(state[row], obs[row, 0])
        terminated = x < -FARTHEST or x > FARTHEST or theta < -STEEPEST or theta > STEEPEST
        gained = (-1.0 if terminated else 0.0) if penalty else 1.0
        clock[row] += 1
        total[row] += gained
        reward[row, 0] = gained
        truncated = clock[row] >= limit and not terminated
        over[0, row], over[1, row] = terminated, truncated
        ended += terminated or truncated
    return ended
