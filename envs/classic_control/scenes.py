"""The classic control tasks as pictures, each from its state alone."""

from __future__ import annotations

import math
from itertools import pairwise

from envs.core import Floats
from envs.scene import Circle, Color, Line, Rectangle, Scene, Shape

PAPER: Color = (255, 255, 255)
INK: Color = (40, 40, 40)
WOOD: Color = (202, 152, 101)
ROD: Color = (204, 77, 77)
LINK: Color = (0, 170, 190)
JOINT: Color = (204, 190, 0)
WHEEL: Color = (128, 128, 128)
FLAG: Color = (214, 170, 0)
WIDTH = 600
"""Pixels."""


def cartpole_scene(state: Floats) -> Scene:
    """A cart on its rail and the pole on it; `state` [4] x, its velocity, angle, its velocity."""
    x, angle = float(state[0]), float(state[2])
    shapes: tuple[Shape, ...] = (
        Line(-2.4, 0.0, 2.4, 0.0, 0.01, INK),
        Rectangle(x - 0.2, -0.12, x + 0.2, 0.12, INK),
        Line(x, 0.05, x + math.sin(angle), 0.05 + math.cos(angle), 0.08, WOOD),
        Circle(x, 0.05, 0.05, WHEEL),
    )
    return Scene(-2.4, 2.4, -0.8, 1.6, PAPER, shapes, WIDTH)


def pendulum_scene(state: Floats) -> Scene:
    """A rod on its axle; `state` [2] angle from upright, counted anticlockwise, and its velocity."""
    end_x, end_y = -math.sin(state[0]), math.cos(state[0])
    shapes: tuple[Shape, ...] = (
        Line(0.0, 0.0, end_x, end_y, 0.2, ROD),
        Circle(end_x, end_y, 0.1, ROD),
        Circle(0.0, 0.0, 0.1, ROD),
        Circle(0.0, 0.0, 0.05, INK),
    )
    return Scene(-1.4, 1.4, -1.4, 1.4, PAPER, shapes, 500)


def acrobot_scene(state: Floats) -> Scene:
    """Two links and the line to reach; `state` [4] both angles, the second relative to the first; velocities."""
    first, both = float(state[0]), float(state[0] + state[1])
    knee_x, knee_y = math.sin(first), -math.cos(first)
    end_x, end_y = knee_x + math.sin(both), knee_y - math.cos(both)
    shapes: tuple[Shape, ...] = (
        Line(-2.2, 1.0, 2.2, 1.0, 0.02, INK),
        Line(0.0, 0.0, knee_x, knee_y, 0.16, LINK),
        Line(knee_x, knee_y, end_x, end_y, 0.16, LINK),
        Circle(end_x, end_y, 0.08, LINK),
        Circle(0.0, 0.0, 0.1, JOINT),
        Circle(knee_x, knee_y, 0.1, JOINT),
    )
    return Scene(-2.2, 2.2, -2.2, 2.2, PAPER, shapes, 500)


def mountain_car_scene(state: Floats) -> Scene:
    """The hill, the car on it and the flag; `state` [2] position and velocity along x."""
    x = float(state[0])
    corners = [-1.2 + 1.8 * k / 60 for k in range(61)]
    hill = [Line(left, _height(left), right, _height(right), 0.01, INK) for left, right in pairwise(corners)]
    slope = math.atan(1.35 * math.cos(3 * x))
    along, up = (math.cos(slope), math.sin(slope)), (-math.sin(slope), math.cos(slope))
    body_x, body_y = x + 0.055 * up[0], _height(x) + 0.055 * up[1]
    wheels = [
        Circle(x + end * along[0] + 0.025 * up[0], _height(x) + end * along[1] + 0.025 * up[1], 0.025, WHEEL)
        for end in (-0.035, 0.035)
    ]
    body = Line(
        body_x - 0.06 * along[0], body_y - 0.06 * along[1], body_x + 0.06 * along[0], body_y + 0.06 * along[1],
        0.05, INK,
    )  # fmt: skip
    mast = Line(0.5, _height(0.5), 0.5, _height(0.5) + 0.15, 0.008, INK)
    flag = Rectangle(0.5, _height(0.5) + 0.1, 0.57, _height(0.5) + 0.15, FLAG)
    return Scene(-1.2, 0.6, 0.0, 1.3, PAPER, (*hill, mast, flag, body, *wheels), WIDTH)


def _height(x: float) -> float:
    """Of the hill."""
    return math.sin(3 * x) * 0.45 + 0.55
