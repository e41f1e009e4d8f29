"""The chance to win as a slim bar and as the history of the game so far."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from arena.viewer.game import Game
from arena.viewer.hud import TEAMS, extended, inks
from envs.scene import Color, Picture, Rectangle, Scene, Shape, Text
from envs.slime_volley.scene import Palette

COLUMNS, ROWS = 200, 40
"""Pixels of the history."""
SHORTEST = 2
"""Steps in a column of a game that has just begun; twice as many whenever all columns are full."""


ROOM = 3.4
"""Units that it takes below games whose ground is not free."""


Box = tuple[float, float, float, float]
"""Left, bottom, right, top; game units."""


def with_chance(scene: Scene, unit: float, game: Game, step: int, palette: Palette) -> Scene:
    """`scene` with the chances of both sides after `step` and before; as it is where nobody has a value.

    Args:
        unit: in what sizes are given, game units.
    """
    insight = game.insight
    if not insight.rated or step >= len(insight.game):
        return scene
    colors = (palette.left, palette.right) if game.scores_points else TEAMS
    history = insight.game[: step + 1]
    chance = next((one for one in reversed(history) if one is not None), None)
    if chance is None:
        return scene
    middle, half = (scene.left + scene.right) / 2, 10 * unit
    if game.scores_points:  # the ground is free
        y, bottom, top = scene.top - 3.95 * unit, 0.3 * unit, 1.2 * unit
        paper = _mixed(palette.ground, palette.background, 0.75)
    else:
        y, top = scene.bottom - 0.6 * unit, scene.bottom - 2.0 * unit
        bottom, half = top - unit, 5 * unit
        paper = _mixed(inks(scene)[1], scene.background, 0.25)
        scene = extended(scene, ROOM * unit)
    shapes: list[Shape] = [*_bar(scene, unit, y, chance, colors)]
    room = min(20 * unit, 0.9 * (scene.right - scene.left))
    shapes.append(Text(middle, y - 0.8 * unit, said(game), 0.75 * unit, inks(scene)[1], room=room))
    shapes.append(_history(history, game.spec.max_steps, colors, paper, (middle - half, bottom, middle + half, top)))
    return replace(scene, shapes=(*scene.shapes, *shapes))


def said(game: Game) -> str:
    """What the number is, and by whom."""
    heads = game.insight.heads
    what = "win" if game.insight.several or not game.scores_points else "win the point"
    by = "both value networks" if all(heads) else f"the value network of {game.names[heads.index(True)]}"
    return f"chance to {what}, by {by}"


def _bar(scene: Scene, unit: float, y: float, chance: float, colors: tuple[Color, Color]) -> Iterator[Shape]:
    middle, half, thick = (scene.left + scene.right) / 2, 5 * unit, 0.2 * unit
    split = middle + (2 * chance - 1) * half
    yield Rectangle(middle - half, y - thick, split, y + thick, colors[0])
    yield Rectangle(split, y - thick, middle + half, y + thick, colors[1])
    bright, _ = inks(scene)
    left = round(100 * chance)
    yield Text(middle - half - 0.3 * unit, y, f"{left}%", 0.95 * unit, bright, "right")
    yield Text(middle + half + 0.3 * unit, y, f"{100 - left}%", 0.95 * unit, bright, "left")


def _history(
    history: Sequence[float | None],
    most: int,
    colors: tuple[Color, Color],
    paper: Color,
    box: tuple[float, float, float, float],
) -> Picture:
    """How far the game leaned to the left side (upwards, in its colour) or to the right one, step after step.

    A column shows the last of its steps, so it does not change any more once it is full. The game has at `most` so
    many steps.
    """
    width = SHORTEST
    while len(history) > COLUMNS * width:
        width *= 2
    known = list(history[width - 1 :: width])
    if len(history) % width:
        known.append(history[-1])
    if most < COLUMNS:  # a game of few steps fills it at its end
        known = [one for one in history for _ in range(COLUMNS // (most + 1))]
    image = np.empty((ROWS, COLUMNS, 3), np.uint8)
    image[:] = paper
    lean = np.array([0.5 if one is None else one for one in known]) - 0.5
    height = (np.arange(ROWS)[::-1, None] + 0.5) / ROWS - 0.5
    played = image[:, : len(known)]
    played[(height > 0) & (height <= lean)] = colors[0]
    played[(height < 0) & (height >= lean)] = colors[1]
    played[ROWS // 2 - 1 : ROWS // 2 + 1] = np.where(lean[:, None] > 0, colors[0], colors[1])
    left, bottom, right, top = box
    return Picture(left, bottom, right, top, COLUMNS, ROWS, image.tobytes())


def _mixed(color: Color, other: Color, share: float) -> Color:
    """`share` of `color`, the rest of `other`."""
    red, green, blue = (round(share * own + (1 - share) * its) for own, its in zip(color, other, strict=True))
    return red, green, blue
