"""Timeline: the strip below a game: how far it is, where points were won, and which way it runs."""

from __future__ import annotations

from collections.abc import Iterator

from arena.viewer.playback import Playback
from envs.scene import Circle, Color, Rectangle, Scene, Shape, Text
from envs.slime_volley.scene import DAY, NIGHT

HEIGHT = 30
"""Pixels."""
SIDE = 70
"""Pixels at both ends, for the words."""
PAPER, TRACK, DONE, INK = (26, 30, 34), (62, 68, 74), (150, 158, 166), (190, 196, 202)


def timeline(playback: Playback, width: int, status: str) -> Scene:
    """The strip, one unit per pixel: the time, a bar with a mark for each point in its winner's colour, `status`."""
    shapes = tuple(_shapes(playback, width, status))
    return Scene(0.0, float(width), 0.0, float(HEIGHT), PAPER, shapes, width)


def place(playback: Playback, share: float, width: int) -> float:
    """The step that lies at `share` of the strip, which is `width` pixels wide."""
    inside = (share * width - SIDE) / max(width - 2 * SIDE, 1)
    return min(max(inside, 0.0), 1.0) * playback.length


def _shapes(playback: Playback, width: int, status: str) -> Iterator[Shape]:
    game, middle = playback.game, HEIGHT / 2
    left, right = float(SIDE), float(max(width - SIDE, SIDE + 1))
    per_step = (right - left) / max(playback.length, 1)
    here = left + playback.position * per_step
    yield Rectangle(left, middle - 3, right, middle + 3, TRACK)
    yield Rectangle(left, middle - 3, here, middle + 3, DONE)
    palette = DAY if playback.day else NIGHT
    colors: tuple[Color, Color] = (palette.left, palette.right)
    for step, team in game.points:
        x = left + step * per_step
        yield Rectangle(x - 1.5, middle - 8, x + 1.5, middle + 8, colors[team])
    yield Circle(here, middle, 7, INK)
    second = playback.spec.step_seconds
    yield Text(left - 14, middle, _time(playback.position * second), 20, INK, "right", SIDE - 18)
    yield Text(right + 14, middle, status, 20, INK, "left", SIDE - 18)


def _time(seconds: float) -> str:
    """1:05."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
