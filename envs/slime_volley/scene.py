"""Slime volleyball as a picture: the shapes and colours of the 2020 game, with smooth edges.

48 x 20 units at 25 pixels each. A slime is half a disc with one eye that follows the ball; whoever lost the
last point looks down until the next serve flies. The coins are a side's lives but its last. In doubles the back
players are dimmer.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, replace
from itertools import takewhile

from envs.core import Floats
from envs.scene import Circle, Color, HalfDisc, Picture, Rectangle, Scene, Shape
from envs.slime_volley.court import Court

COURT = Court()
WIDTH = 1200
"""Pixels."""
TOP = 20.0
"""Highest visible point; a ball above it is marked at the edge."""
EYE_AT = 0.9
EYE_ANGLE = math.radians(60)
EYE_RADIUS = 0.45
PUPIL_RADIUS = 0.15
PUPIL_SHIFT = 0.225
"""How far a pupil moves towards the ball."""
COIN_GAP = 2.0
MARK_RADIUS = 0.2


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours of everything that can be seen."""

    background: Color
    ball: Color
    left: Color
    right: Color
    fence: Color
    """Also the coins."""
    ground: Color
    eye: Color = (255, 255, 255)
    pupil: Color = (0, 0, 0)


NIGHT = Palette(
    background=(11, 16, 19),
    ball=(217, 79, 0),
    left=(35, 93, 188),
    right=(255, 236, 0),
    fence=(102, 56, 35),
    ground=(116, 114, 117),
)
DAY = Palette(
    background=(255, 255, 255),
    ball=(255, 200, 20),
    left=(240, 75, 0),
    right=(0, 150, 255),
    fence=(240, 210, 130),
    ground=(128, 227, 153),
)


def in_palette(scene: Scene, palette: Palette, drawn: Palette = NIGHT) -> Scene:
    """`scene`, which was `drawn` in another palette, in the colours of `palette`; as it is if it was not."""
    if scene.background != drawn.background:
        return scene
    colors = dict(zip(astuple(drawn), astuple(palette), strict=True))
    for side in ("left", "right"):
        dim = _dimmed(getattr(drawn, side), drawn.background)
        colors[dim] = _dimmed(getattr(palette, side), palette.background)
    shapes = tuple(
        shape if isinstance(shape, Picture) else replace(shape, color=colors.get(shape.color, shape.color))
        for shape in scene.shapes
    )
    return replace(scene, background=palette.background, shapes=shapes)


def slime_scene(
    ball: Floats,
    players: Floats,
    sides: Sequence[int],
    lives: Sequence[int],
    delay: int,
    loser: int | None,
    palette: Palette = NIGHT,
    court: Court = COURT,
) -> Scene:
    """One moment of a game.

    Args:
        ball: [4] x, y, vx, vy; game units and units/s, world frame (as all here).
        players: [P, 4] the same of every player.
        sides: [P] -1 for a player on the left, +1 on the right.
        lives: [2] of the left and the right side.
        delay: steps until the served ball moves.
        loser: side that lost the last point, None before the first.
    """
    x, y = float(ball[0]), float(ball[1])
    sad = loser if delay > 0 else None
    shapes: list[Shape] = [*_fence(court, palette), *_coins(lives, court, palette)]
    for seat, (player, side) in enumerate(zip(players, sides, strict=True)):
        color = palette.left if side < 0 else palette.right
        if side in sides[:seat]:
            color = _dimmed(color, palette.background)
        shapes += _slime(float(player[0]), float(player[1]), side, x, y, side == sad, color, court, palette)
    shapes.append(Circle(x, y, court.ball_radius, palette.ball))
    if y - court.ball_radius > TOP:
        shapes.append(Circle(x, TOP - 1.5 * MARK_RADIUS, MARK_RADIUS, palette.ball))
    # Last, over everything: what lies below the ground line is underground.
    shapes.append(Rectangle(-court.half_width, 0.0, court.half_width, court.ground, palette.ground))
    return Scene(-court.half_width, court.half_width, 0.0, TOP, palette.background, tuple(shapes), WIDTH)


def _fence(court: Court, palette: Palette) -> Iterator[Shape]:
    """The board and the round stub on top of it."""
    half = court.fence_half_width
    yield Rectangle(-half, court.ground, half, court.fence_top, palette.fence)
    yield Circle(0.0, court.fence_top, half, palette.fence)


def _coins(lives: Sequence[int], court: Court, palette: Palette) -> Iterator[Shape]:
    """One coin for each life but the last, from the outer edge inwards as far as they fit."""
    for side, left in zip((-1, 1), lives, strict=True):
        places = (court.half_width + 0.5 - COIN_GAP * place for place in range(1, left))
        for x in takewhile(lambda x: x > COIN_GAP, places):
            yield Circle(side * x, TOP - 1.5, 0.5, palette.fence)


def _slime(
    x: float,
    y: float,
    side: int,
    ball_x: float,
    ball_y: float,
    sad: bool,
    color: Color,
    court: Court,
    palette: Palette,
) -> Iterator[Shape]:
    """Body, eye and pupil; the eye is on the side of the fence."""
    yield HalfDisc(x, y, court.player_radius, color)
    eye_x, eye_y = x - side * EYE_AT * math.cos(EYE_ANGLE), y + EYE_AT * math.sin(EYE_ANGLE)
    yield Circle(eye_x, eye_y, EYE_RADIUS, palette.eye)
    look_x, look_y = (-side, -3.0) if sad else (ball_x - eye_x, ball_y - eye_y)
    shift = PUPIL_SHIFT / (math.hypot(look_x, look_y) or 1.0)
    yield Circle(eye_x + look_x * shift, eye_y + look_y * shift, PUPIL_RADIUS, palette.pupil)


def _dimmed(color: Color, background: Color) -> Color:
    """Of the second player of a side: a third of the way to the `background`."""
    red, green, blue = (round((2 * own + other) / 3) for own, other in zip(color, background, strict=True))
    return red, green, blue
