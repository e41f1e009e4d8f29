"""Film: a whole game as the scenes of its steps, small enough to be kept in a page, played there by `player.js`.

Scenes of the same make-up (kinds of shapes in paint order) are a take: a table with a row for each of them and a column
for each number that they hold, quantised. Columns are stored one after the other as differences of neighbours, in
as few bytes as each needs, and all of it is deflated. Most numbers of a game never change or move evenly.

A film, as JSON:

    steps     T; frame 0 is before the first action, frame T the end
    seconds   of one step
    width     natural width of the picture, pixels
    jump      share of the visible width: discs that move further in one step are not shown in between
    fields    {letter of a kind: [its fields]}
    shapes    [takes] a word with one letter for each shape
    units     [2] size of one count of places (game units), and of points
    colors    ["#rrggbb"], texts [str], pictures [data URL, "" for the one before]: what columns of indices refer to
    data      base64 of raw deflate of numbers, each as zigzag and base 128 with the low groups first
    names, ratings, score, title, env   of the game

Numbers: for each frame its take; the points of each seat, a column for each; then take by take, with the frames
that are of it as rows: left, right, bottom, top and background, and shape by shape its fields. A column is a mode
and its values: mode 0 one value for all rows; 1 differences (of the first to 0); 2 differences of differences.
"""

from __future__ import annotations

import base64
import math
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import fields
from io import BytesIO
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from arena.replay.replay import Replay
from arena.replay.simulate import simulation_of
from envs.scene import Circle, Color, HalfDisc, Line, Picture, Rectangle, Scene, Text

Ints = NDArray[np.int64]
LETTERS: dict[type[Any], str] = {
    Circle: "c", HalfDisc: "h", Rectangle: "r", Line: "l", Text: "t", Picture: "p",
}  # fmt: skip
"""Of the kinds of shapes."""
UNSAID = ("width", "height")
"""Fields of a picture that it says itself."""
PICTURE_WIDTH, PICTURE_QUALITY = 240, 55
"""Pixels, and quality of WebP, of pictures in a film."""
PICTURES = 200_000
"""Bytes of pictures in a film; where there are more, only every second, third, ... different one is kept."""
FINENESS = 1 << 14
"""Counts to the width of the picture: less than a tenth of a pixel."""
POINT = 1e-3
"""Count of points and rewards."""
JUMP = 1 / 12
"""As in `arena.viewer.playback`: a share of the visible width."""
HEAD = ("left", "right", "bottom", "top", "background")
"""Of a scene, before its shapes."""


class Frame(NamedTuple):
    """What is to be seen after a step."""

    scene: Scene
    points: Sequence[float]
    """[P] rewards added up so far."""


class Unfilmable(Exception):
    """A scene has a shape that films do not know."""


def film(replay: Replay) -> dict[str, Any]:
    """The film of `replay`, which is played again for it, with its names and result.

    Raises:
        InputError: it cannot be played here.
        Unfilmable: a shape of an unknown kind.
    """
    simulation = simulation_of(replay)
    moments = map(simulation.at, range(simulation.steps + 1))
    shown = film_of(
        (Frame(moment.scene, moment.total.tolist()) for moment in moments), simulation.env.spec.step_seconds
    )
    return {
        **shown,
        "env": replay.env,
        "title": replay.title,
        "names": list(replay.players),
        "ratings": list(replay.ratings),
        "score": list(replay.score),
        "ended": replay.ended,
    }


def film_of(frames: Iterable[Frame], seconds: float) -> dict[str, Any]:
    """The film of `frames`, one for each step and one before the first, at least one, with `seconds` between them.

    Names, score and the like are left to the caller.

    Raises:
        Unfilmable: a shape of an unknown kind.
    """
    reel = _Reel()
    for frame in frames:
        reel.add(frame)
    return reel.film(seconds)


class _Index:
    """Things that are kept once, and where."""

    def __init__(self) -> None:
        self.place: dict[str, int] = {}

    def of(self, thing: str) -> int:
        return self.place.setdefault(thing, len(self.place))


class _Reel:
    """Frames as rows of numbers, take by take."""

    def __init__(self) -> None:
        self.colors, self.texts, self.shapes = _Index(), _Index(), _Index()
        self.pictures: dict[bytes, str] = {}
        self.picture_places: dict[bytes, int] = {}
        self.takes: list[int] = []
        self.rows: list[list[list[int]]] = []
        self.points: list[list[int]] = []
        self.width, self.unit = 0, 1.0

    def add(self, frame: Frame) -> None:
        scene = frame.scene
        if not self.takes:
            self.width, self.unit = scene.width, (scene.right - scene.left) / FINENESS
        try:
            word = "".join(LETTERS[type(shape)] for shape in scene.shapes)
        except KeyError as kind:
            raise Unfilmable(f"shapes of kind {kind} cannot be kept in a page") from None
        row = [self._number(getattr(scene, name)) for name in HEAD]
        for shape in scene.shapes:
            if isinstance(shape, Picture) and shape.pixels not in self.pictures:
                self.picture_places[shape.pixels] = len(self.pictures)
                self.pictures[shape.pixels] = _data_url(shape)
            row += [self._number(getattr(shape, name)) for name in FIELDS[type(shape)]]
        take = self.shapes.of(word)
        if take == len(self.rows):
            self.rows.append([])
        self.takes.append(take)
        self.rows[take].append(row)
        self.points.append([round(float(point) / POINT) for point in frame.points])

    def film(self, seconds: float) -> dict[str, Any]:
        columns = [np.array(self.takes), *np.array(self.points).T]
        for rows in self.rows:
            columns += [*np.array(rows).T]
        data = zlib.compress(b"".join(map(_packed, columns)), 9, -zlib.MAX_WBITS)
        return {
            "steps": len(self.takes) - 1,
            "seats": len(self.points[0]),
            "seconds": seconds,
            "width": self.width,
            "jump": JUMP,
            "fields": {letter: FIELDS[kind] for kind, letter in LETTERS.items()},
            "shapes": list(self.shapes.place),
            "units": [self.unit, POINT],
            "colors": list(self.colors.place),
            "texts": list(self.texts.place),
            "pictures": _thinned(list(self.pictures.values())),
            "data": base64.b64encode(data).decode(),
        }

    def _number(self, value: float | str | Color | bytes) -> int:
        if isinstance(value, str):
            return self.texts.of(value)
        if isinstance(value, tuple):
            return self.colors.of("#{:02x}{:02x}{:02x}".format(*value))
        if isinstance(value, bytes):
            return self.picture_places[value]
        return round(value / self.unit) if math.isfinite(value) else 0


FIELDS = {
    kind: [field.name for field in fields(kind) if kind is not Picture or field.name not in UNSAID] for kind in LETTERS
}
"""Of the kinds of shapes, in the order of their columns."""


def _data_url(shape: Picture) -> str:
    picture = Image.frombytes("RGB", (shape.width, shape.height), shape.pixels)
    picture.thumbnail((PICTURE_WIDTH, 2 * PICTURE_WIDTH))
    buffer = BytesIO()
    picture.save(buffer, "WEBP", quality=PICTURE_QUALITY)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _thinned(pictures: list[str]) -> list[str]:
    every = max(1, -(-sum(map(len, pictures)) // PICTURES))
    return [picture if number % every == 0 else "" for number, picture in enumerate(pictures)]


def _packed(column: Ints) -> bytes:
    """A mode and the values of one column."""
    if (column == column[0]).all():
        return _varints(np.array([0, column[0]]))
    first = np.diff(column, prepend=0)
    second = np.diff(first, prepend=0)
    mode, best = min((1, first), (2, second), key=lambda each: int(np.abs(each[1]).sum()))
    return _varints(np.concatenate([[mode], best]))


def _varints(values: Ints) -> bytes:
    """Signed numbers as bytes: zigzag, then seven bits in each byte, low ones first; the eighth bit says that more
    follow."""
    left = np.where(values < 0, -2 * values - 1, 2 * values)
    groups: list[Ints] = []
    more = np.ones(len(left), np.bool_)
    while more.any():
        groups.append(np.where(more, left % 128 + 128 * (left > 127), -1))
        more = left > 127
        left = left // 128
    table = np.stack(groups, axis=1)
    return table[table >= 0].astype(np.uint8).tobytes()
