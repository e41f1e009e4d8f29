"""Acrobot: two links hanging from a pivot, a motor between them; swing the free end above the line. Sutton (1996).

Equations of Sutton and Barto's book (first edition, section 11.3), one fourth-order Runge-Kutta step of 0.2 s per
move. The system is chaotic, so the order of operations is Gymnasium's down to the last bit. That includes squares,
which NumPy takes with the C library's `pow`: it errs in the last bit where x * x does not. A constant exponent would
be compiled to the latter, so 2.0 comes as a number in `settings`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from envs.classic_control.starts import begin
from envs.compiled import compiled

Number: Any = Any
LIMIT, TWO = 0, 2
"""Places in `settings`: steps until truncation; 2.0."""

GRAVITY, DT = 9.8, 0.2
MASS, LENGTH, CENTRE, INERTIA = 1.0, 1.0, 0.5, 1.0
"""Of both links: kg, m, m from the joint, kg m^2."""
FASTEST_1, FASTEST_2 = 4 * math.pi, 9 * math.pi
HIGH = np.full(4, 0.1)
LOW = -HIGH
"""[4] bounds of the state in which a game starts."""


@compiled
def accelerations(theta1: Number, theta2: Number, speed1: Number, speed2: Number, torque: Number, two: Number) -> Any:
    """Angular accelerations of both joints, rad/s^2."""
    cosine, sine = math.cos(theta2), math.sin(theta2)
    square1, square2 = math.pow(speed1, two), math.pow(speed2, two)
    lever = MASS * LENGTH * CENTRE
    d1 = MASS * CENTRE * CENTRE + MASS * (LENGTH * LENGTH + CENTRE * CENTRE + 2 * LENGTH * CENTRE * cosine)
    d1 = d1 + INERTIA + INERTIA
    d2 = MASS * (CENTRE * CENTRE + LENGTH * CENTRE * cosine) + INERTIA
    phi2 = MASS * CENTRE * GRAVITY * math.cos(theta1 + theta2 - math.pi / 2.0)
    phi1 = (
        -lever * square2 * sine
        - 2 * lever * speed2 * speed1 * sine
        + (MASS * CENTRE + MASS * LENGTH) * GRAVITY * math.cos(theta1 - math.pi / 2)
        + phi2
    )
    second = (torque + d2 / d1 * phi1 - lever * square1 * sine - phi2) / (
        MASS * CENTRE * CENTRE + INERTIA - math.pow(d2, two) / d1
    )
    return -(d2 * second + phi1) / d1, second


@compiled
def runge_kutta(a: Number, b: Number, c: Number, d: Number, torque: Number, two: Number) -> Any:
    """Angles and velocities DT later, neither wrapped nor bounded."""
    half = DT / 2.0
    a1, b1 = c, d
    c1, d1 = accelerations(a, b, c, d, torque, two)
    a2, b2 = c + half * c1, d + half * d1
    c2, d2 = accelerations(a + half * a1, b + half * b1, a2, b2, torque, two)
    a3, b3 = c + half * c2, d + half * d2
    c3, d3 = accelerations(a + half * a2, b + half * b2, a3, b3, torque, two)
    a4, b4 = c + DT * c3, d + DT * d3
    c4, d4 = accelerations(a + DT * a3, b + DT * b3, a4, b4, torque, two)
    sixth = DT / 6.0
    return (
        a + sixth * (a1 + 2 * a2 + 2 * a3 + a4),
        b + sixth * (b1 + 2 * b2 + 2 * b3 + b4),
        c + sixth * (c1 + 2 * c2 + 2 * c3 + c4),
        d + sixth * (d1 + 2 * d2 + 2 * d3 + d4),
    )


@compiled
def wrapped(angle: Number) -> Any:
    """The same angle within a half turn of 0; by subtraction, not by division, which rounds differently."""
    while angle > math.pi:
        angle = angle - (math.pi + math.pi)
    while angle < -math.pi:
        angle = angle + (math.pi + math.pi)
    return angle


@compiled
def observe(state: Number, obs: Number) -> None:
    """Cosine and sine of both angles, then both velocities."""
    obs[0] = math.cos(state[0])
    obs[1] = math.sin(state[0])
    obs[2] = math.cos(state[1])
    obs[3] = math.sin(state[1])
    obs[4] = state[2]
    obs[5] = state[3]


@compiled
def start_games(over: Number, state: Number, clock: Number, total: Number, stream: Number,
                obs: Number, score: Number) -> None:  # fmt: skip
    """Begin a new game wherever one is `over` [2, B]: hanging nearly still."""
    for row in range(len(clock)):
        if over[0, row] or over[1, row]:
            begin(row, state, clock, total, stream, LOW, HIGH, score)
            observe(state[row], obs[row, 0])


@compiled
def step_games(state: Number, clock: Number, total: Number, settings: Number, action: Number,
               obs: Number, reward: Number, over: Number) -> int:  # fmt: skip
    """One step of B games: `state` [B, 4] both angles, rad, 0 hanging, the second relative; both velocities."""
    for row in range(len(clock)):
        if action[row, 0] < 0 or action[row, 0] > 2:
            return -1
    limit, two = settings[LIMIT], settings[TWO]
    ended = 0
    for row in range(len(clock)):
        torque = action[row, 0] - 1.0
        a, b, c, d = runge_kutta(state[row, 0], state[row, 1], state[row, 2], state[row, 3], torque, two)
        a, b = wrapped(a), wrapped(b)
        state[row, 0], state[row, 1] = a, b
        state[row, 2] = min(max(c, -FASTEST_1), FASTEST_1)
        state[row, 3] = min(max(d, -FASTEST_2), FASTEST_2)
        observe(state[row], obs[row, 0])
        terminated = -math.cos(a) - math.cos(b + a) > 1.0
        gained = 0.0 if terminated else -1.0
        clock[row] += 1
        total[row] += gained
        reward[row, 0] = gained
        truncated = clock[row] >= limit and not terminated
        over[0, row], over[1, row] = terminated, truncated
        ended += terminated or truncated
    return ended
