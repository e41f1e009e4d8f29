"""Films: what is drawn in a page is what the game showed."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pytest

from arena.replay.record import record
from arena.replay.simulate import simulation_of
from arena.report.film import FIELDS, FINENESS, Frame, Unfilmable, film, film_of
from envs.scene import Circle, HalfDisc, Line, Picture, Rectangle, Scene, Text

RED, GREEN, BLACK = (200, 10, 20), (0, 180, 90), (0, 0, 0)


def numbers(data: str) -> Iterator[int]:
    """As `film.js` reads them."""
    value = shift = 0
    for byte in zlib.decompress(base64.b64decode(data), -zlib.MAX_WBITS):
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            yield -(value + 1) // 2 if value % 2 else value // 2
            value = shift = 0


def column(source: Iterator[int], rows: int) -> list[int]:
    mode = next(source)
    if mode == 0:
        return [next(source)] * rows
    values = np.array([next(source) for _ in range(rows)])
    return [int(value) for value in (values.cumsum().cumsum() if mode == 2 else values.cumsum())]


def decoded(shown: dict[str, Any]) -> tuple[list[list[float]], list[list[Any]]]:
    """Points, and what is drawn, of every frame: the head's values and then those of each shape."""
    source, frames = numbers(shown["data"]), shown["steps"] + 1
    takes = column(source, frames)
    points = np.array([column(source, frames) for _ in range(shown["seats"])]).T * shown["units"][1]
    lists = {"color": "colors", "background": "colors", "text": "texts", "align": "texts", "pixels": "pictures"}
    rows: list[Iterator[list[Any]]] = []
    for take, word in enumerate(shown["shapes"]):
        names = ["left", "right", "bottom", "top", "background"] + [n for kind in word for n in shown["fields"][kind]]
        table = []
        for name in names:
            values = column(source, takes.count(take))
            kept = shown.get(lists.get(name, ""), [])
            table.append([kept[value] if name in lists else value * shown["units"][0] for value in values])
        rows.append(iter([list(row) for row in zip(*table, strict=True)]))
    assert next(source, None) is None
    return points.tolist(), [next(rows[take]) for take in takes]


def scene(*shapes: Any, right: float = 8.0) -> Scene:
    return Scene(0.0, right, -1.0, 3.0, BLACK, shapes, 400)


def test_every_kind_of_shape_comes_back() -> None:
    frames = []
    for step in range(40):
        shapes = [
            Circle(0.1 * step, 1 + 0.01 * step**2, 0.5, RED),
            HalfDisc(2.0, -0.3 * step, 0.4, GREEN),
            Rectangle(0.0, 0.0, 1.0 + step, 2.0, RED),
            Line(0.0, 1.0, 2.0, 3.0 - step, 0.1, GREEN),
            Text(1.0, 2.0, f"step {step // 3}", 0.5, GREEN if step % 2 else RED, "left"),
        ]
        frames.append(Frame(scene(*shapes[: 5 if step % 7 else 3], right=8.0 + step % 2), [float(step), -0.25 * step]))
    shown = film_of(frames, 0.5)
    points, drawn = decoded(shown)
    assert (shown["steps"], shown["seconds"], shown["width"], shown["shapes"]) == (39, 0.5, 400, ["chr", "chrlt"])
    assert points == [pytest.approx(frame.points) for frame in frames]
    near = 8.0 / FINENESS
    for frame, row in zip(frames, drawn, strict=True):
        told = iter(row)
        assert [next(told) for _ in range(4)] == pytest.approx([0.0, frame.scene.right, -1.0, 3.0], abs=near)
        assert next(told) == "#000000"
        for shape in frame.scene.shapes:
            for name in FIELDS[type(shape)]:
                value = getattr(shape, name)
                if name == "color":
                    assert next(told) == "#{:02x}{:02x}{:02x}".format(*value)
                elif isinstance(value, str) or value == float("inf"):
                    assert next(told) == (value if isinstance(value, str) else 0)
                else:
                    assert next(told) == pytest.approx(value, abs=near)


def test_all_fields_that_shapes_have_are_known() -> None:
    for kind, names in FIELDS.items():
        missing = {field.name for field in fields(kind)} - set(names)
        assert missing == ({"width", "height"} if kind is Picture else set())


def test_pictures_are_kept_once_and_thinned_where_there_are_many() -> None:
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 256, (180, 240, 3), np.uint8).tobytes() for _ in range(40)]
    few = film_of([Frame(scene(Picture(0, 0, 1, 1, 240, 180, noise[step % 2])), [0.0]) for step in range(10)], 0.1)
    assert len(few["pictures"]) == 2 and all(url.startswith("data:image/webp;base64,") for url in few["pictures"])
    many = film_of([Frame(scene(Picture(0, 0, 1, 1, 240, 180, pixels)), [0.0]) for pixels in noise], 0.1)
    kept = [url for url in many["pictures"] if url]
    assert many["pictures"][0] and 1 < len(kept) < 40 and sum(map(len, kept)) < 250_000


def test_a_shape_of_another_kind_is_refused() -> None:
    @dataclass(frozen=True)
    class Star:
        x: float

    with pytest.raises(Unfilmable, match="Star"):
        film_of([Frame(scene(Star(1.0)), [0.0])], 0.1)


def test_a_whole_game_in_few_bytes() -> None:
    _, (replay,) = record("SlimeVolley-v0", ["baseline", "tracker"], games=1, seed=5, options={"max_steps": 600})
    shown = film(replay)
    points, drawn = decoded(shown)
    assert (shown["names"], shown["score"]) == (list(replay.players), list(replay.score))
    assert points[-1] == list(replay.score)
    moment = simulation_of(replay).at(300)
    ball = next(shape for shape in moment.scene.shapes if isinstance(shape, Circle))
    assert any(value == pytest.approx(ball.x, abs=0.01) for value in drawn[300] if isinstance(value, float))
    assert len(shown["data"]) < 20_000
