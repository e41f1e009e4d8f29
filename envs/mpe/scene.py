"""Particle games as pictures: discs on white paper, in mpe2's colours; what the agents know is shown too."""

from __future__ import annotations

from collections.abc import Iterator

from envs.core import Floats
from envs.mpe.scenarios import Scenario
from envs.scene import Circle, Color, Scene, Shape, Text

PAPER, INK, RIM, GOAL = (255, 255, 255), (60, 60, 60), (20, 20, 20), (70, 170, 70)
WIDTH = 700
"""Pixels."""
LEAST = 1.1
"""Half the width of what is seen; more where somebody is farther out."""
EDGE = 0.006
"""Width of a disc's rim."""


def mpe_scene(game: Scenario, position: Floats, goal: int, said: Floats) -> Scene:
    """One moment of `game`: `position` [E, 2], which landmark is the goal, and `said` [W], the words of the step."""
    bodies = (*game.agents, *game.landmarks)
    reach = max(LEAST, *(float(abs(place).max()) + body.size for place, body in zip(position, bodies, strict=True)))
    shapes: list[Shape] = []
    for number in reversed(range(len(bodies))):  # landmarks lie below
        x, y = map(float, position[number])
        body, landmark = bodies[number], number - len(game.agents)
        color: Color = body.color
        if game.goals > 1 and landmark == goal:
            shapes += _disc(x, y, 1.5 * body.size, PAPER if game.words else GOAL)
        if game.words and number == 1:  # the listener wears the colour that it should reach
            own = game.landmarks[goal].color
            color = (own[0] + 80, own[1] + 80, own[2] + 80)
        shapes += _disc(x, y, body.size, color)
    if game.words:
        words = ", ".join(f"{loud:.2f}" for loud in said)
        shapes.append(Text(0.0, -0.93 * reach, f"{game.names[0]} says {words}", 0.07 * reach, INK))
    return Scene(-reach, reach, -reach, reach, PAPER, tuple(shapes), WIDTH)


def _disc(x: float, y: float, radius: float, color: Color) -> Iterator[Shape]:
    yield Circle(x, y, radius + EDGE, RIM)
    yield Circle(x, y, radius, color)
