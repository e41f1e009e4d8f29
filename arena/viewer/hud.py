"""What is written over a match: names, score, games won, step, result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from envs.scene import Color, Scene, Text

LETTER = 0.45
"""Width of an average letter, as a share of the text height."""
ROOM = 0.58
"""Share of the width that the top line may take."""


@dataclass(frozen=True, slots=True)
class Caption:
    """The words at the top."""

    names: Sequence[str]
    """[players]."""
    points: Sequence[float]
    """[players] rewards added up in the present game."""
    game: int
    """Number of the present game, from 1."""
    games: int | None
    """How many will be played, None without end."""
    won: Sequence[int]
    """[players] games won so far."""
    step: int
    status: str
    """Anything else: the speed, or that it is paused."""

    def lines(self) -> tuple[str, str]:
        """Names and points, and the small print."""
        points = [signed(value) for value in self.points]
        first = "   ".join(f"{name}  {value}" for name, value in zip(self.names, points, strict=True))
        if len(points) == 2:
            first = f"{self.names[0]}   {points[0]} : {points[1]}   {self.names[1]}"
        small = [f"game {self.game}" + (f" of {self.games}" if self.games else "")]
        if any(self.won):
            small.append("won " + " : ".join(map(str, self.won)))
        small.append(f"step {self.step}")
        return first, " · ".join([*small, self.status] if self.status else small)


def signed(value: float) -> str:
    """+1, -0.31 or 0, with a real minus sign."""
    return f"{round(value, 2):+g}".replace("-", "−") if abs(value) >= 0.005 else "0"


def with_caption(scene: Scene, caption: Caption) -> Scene:
    """`scene` with the caption in the middle of its top."""
    bright, dim = _inks(scene)
    first, second = caption.lines()
    unit = (scene.top - scene.bottom) / 20
    x = (scene.left + scene.right) / 2
    texts = (
        Text(x, scene.top - 1.5 * unit, first, _height(scene, first, 1.7 * unit), bright),
        Text(x, scene.top - 2.9 * unit, second, _height(scene, second, 1.0 * unit), dim),
    )
    return replace(scene, shapes=scene.shapes + texts)


def with_banner(scene: Scene, names: Sequence[str], score: Sequence[float]) -> Scene:
    """`scene` with the result of its game: who won, and the score [players]."""
    bright, dim = _inks(scene)
    best = max(score)
    winners = [name for name, own in zip(names, score, strict=True) if own == best]
    title = f"{winners[0]} wins" if len(winners) == 1 else "draw"
    if len(names) == 1:
        title = "game over"
    numbers = " : ".join(map(signed, score))
    unit = (scene.top - scene.bottom) / 20
    x, y = (scene.left + scene.right) / 2, (scene.bottom + scene.top) / 2
    texts = (
        Text(x, y + 1.5 * unit, title, _height(scene, title, 3 * unit), bright),
        Text(x, y - 0.9 * unit, numbers, _height(scene, numbers, 2 * unit), dim),
    )
    return replace(scene, shapes=scene.shapes + texts)


def _height(scene: Scene, text: str, wanted: float) -> float:
    """The wanted height of text, or less where it would be too wide."""
    return min(wanted, ROOM * (scene.right - scene.left) / (LETTER * max(len(text), 1)))


def _inks(scene: Scene) -> tuple[Color, Color]:
    """A strong and a soft colour that can be read on the background."""
    red, green, blue = scene.background
    dark = 0.3 * red + 0.6 * green + 0.1 * blue < 128
    return ((235, 235, 235), (150, 155, 160)) if dark else ((30, 30, 30), (110, 110, 110))
