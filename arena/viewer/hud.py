"""What is written over a match: names, ratings, score, rally, step, result."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from envs.scene import Color, Scene, Shape, Text

LETTER = 0.62
"""Width of an average digit, as a share of the text height."""
COINS = 0.66
"""Share of the width between the lives of slime volleyball."""
TEAMS: tuple[Color, Color] = ((214, 62, 52), (236, 168, 40))
"""Of two teams in games that have no colours of their own."""
MARGIN = 0.96
"""Share of the width that anything may take."""


@dataclass(frozen=True, slots=True)
class Caption:
    """The words at the top."""

    names: Sequence[str]
    """[teams]."""
    ratings: Sequence[float | None]
    """[teams]."""
    points: Sequence[str]
    """[teams] what each has scored in the present game."""
    title: str
    """Why the game is shown."""
    game: int
    """Number of the present game, from 1."""
    games: int | None
    """How many there are, None without end."""
    won: Sequence[int]
    """[teams] games won so far; empty where games are not of one match."""
    step: int
    rally: int | None
    """How often the ball has crossed the net; None where there is none."""
    status: str
    """Anything else: the speed, or that it is paused."""
    room: float
    """Share of the width that is free at the top."""

    @property
    def small(self) -> str:
        """The small print."""
        parts = [self.title] if self.title else []
        if self.games != 1:
            parts.append(f"game {self.game}" + (f" of {self.games}" if self.games else ""))
        if any(self.won):
            parts.append("won " + " : ".join(map(str, self.won)))
        parts.append(f"step {self.step}")
        if self.rally is not None:
            parts.append(f"rally {self.rally}")
        return " · ".join([*parts, self.status] if self.status else parts)

    @property
    def who(self) -> list[str]:
        """[teams] names with ratings."""
        pairs = zip(self.names, self.ratings, strict=True)
        return [name if rating is None else f"{name} ({rating:.1f})" for name, rating in pairs]


def signed(value: float) -> str:
    """+1, -0.31 or 0, with a real minus sign."""
    return f"{round(value, 2):+g}".replace("-", "−") if abs(value) >= 0.005 else "0"


def unit_of(scene: Scene) -> float:
    """In what the sizes of what is written are given: a 20th of the height, game units."""
    return (scene.top - scene.bottom) / 20


def extended(scene: Scene, more: float) -> Scene:
    """`scene` with `more` game units of room below it, where nothing of the game can be hidden."""
    height = scene.top - scene.bottom
    return replace(scene, bottom=scene.bottom - more) if more and height else scene


def with_caption(scene: Scene, caption: Caption) -> Scene:
    """`scene` with the caption in the middle of its top."""
    _, dim = inks(scene)
    unit, width = unit_of(scene), scene.right - scene.left
    middle = (scene.left + scene.right) / 2
    small = Text(middle, scene.top - 2.9 * unit, caption.small, 1.0 * unit, dim, room=caption.room * MARGIN * width)
    return replace(scene, shapes=(*scene.shapes, *_board(scene, caption), small))


def _board(scene: Scene, caption: Caption) -> Iterator[Shape]:
    """Who has how much: two on both sides of the score, others in one line."""
    bright, _ = inks(scene)
    unit, middle = unit_of(scene), (scene.left + scene.right) / 2
    y, room = scene.top - 1.5 * unit, caption.room * MARGIN * (scene.right - scene.left)
    if len(caption.names) != 2:
        line = "   ".join(f"{who}  {points}" for who, points in zip(caption.who, caption.points, strict=True))
        yield Text(middle, y, line, 1.6 * unit, bright, room=room)
        return
    left, right = caption.points
    half = (LETTER * (2 * max(len(left), len(right)) + 3) / 2) * 1.7 * unit
    half = min(half, 0.2 * room)
    yield Text(middle, y, f"{left} : {right}", 1.7 * unit, bright, room=2 * half)
    aside = room / 2 - half - 0.4 * unit
    yield Text(middle - half - 0.4 * unit, y, caption.who[0], 1.4 * unit, bright, "right", aside)
    yield Text(middle + half + 0.4 * unit, y, caption.who[1], 1.4 * unit, bright, "left", aside)


def with_banner(scene: Scene, names: Sequence[str], score: Sequence[float]) -> Scene:
    """`scene` with the result of its game: who won, and the score [teams]."""
    bright, dim = inks(scene)
    best = max(score)
    winners = [name for name, own in zip(names, score, strict=True) if own == best]
    title = f"{winners[0]} wins" if len(winners) == 1 else "draw"
    if len(names) == 1:
        title = "game over"
    numbers = " : ".join(map(signed, score))
    unit, room = unit_of(scene), 0.9 * MARGIN * (scene.right - scene.left)
    x, y = (scene.left + scene.right) / 2, (scene.bottom + scene.top) / 2
    texts = (
        Text(x, y + 1.5 * unit, title, 3 * unit, bright, room=room),
        Text(x, y - 0.9 * unit, numbers, 2 * unit, dim, room=room),
    )
    return replace(scene, shapes=scene.shapes + texts)


def inks(scene: Scene) -> tuple[Color, Color]:
    """A strong and a soft colour that can be read on the background."""
    red, green, blue = scene.background
    dark = 0.3 * red + 0.6 * green + 0.1 * blue < 128
    return ((235, 235, 235), (150, 155, 160)) if dark else ((30, 30, 30), (110, 110, 110))
