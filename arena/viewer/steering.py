"""Steering: what keys do to a playback. The window has it, and whatever else shows games can."""

from __future__ import annotations

from collections.abc import Collection

from arena.viewer.overlay import OVERLAYS, available
from arena.viewer.playback import Playback

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
LONGEST_TICK = 0.1
"""s; where playing is slower than real time, the match slows down instead of skipping ever more."""
JUMP = 5.0
"""s of game time that shift and an arrow skip."""
HOLDING = 0.35
"""s for which an arrow is down before it winds."""
WINDING = 4.0
"""Times as fast as the game, at least."""
MOVING = (
    "space\tpause, go on",
    "right left\tone step; held down: wind",
    "shift+right shift+left\tfive seconds on, back",
    "home end\tto the beginning, to the end",
    "] [\tnext point, back to the serve",
    "n b\tnext game, the one before",
    "up down\tfaster, slower",
    "r\tbackwards, forwards",
)
DRAWN = {
    "velocity": "speed of ball and slimes",
    "landing": "where the ball will land",
    "actions": "what everybody does",
    "probabilities": "what they might have done",
    "chance": "chance to win",
}


class Steering:
    """A playback, how fast it runs, and whether it does."""

    def __init__(self, playback: Playback, speed: float = 1.0, stays: bool | None = None) -> None:
        """`stays`: after the last game, stand still instead of closing (None: where games were stored)."""
        self.playback = playback
        self.speed = speed
        self.stays = not playback.live if stays is None else stays
        self.paused = self.helping = self.closed = self.backwards = False
        self._held = 0.0
        """s for which an arrow has been down."""
        self._all: set[str] = set()

    @property
    def keys(self) -> list[str]:
        """The help: what each key does here, "key TAB meaning"."""
        playback = self.playback
        known = available(playback.game)
        drawn = [f"{key}\t{DRAWN[name]}" for name, key in OVERLAYS.items() if name in known]
        drawn += ["o\tall of these, none"] if len(known) > 1 else []
        night = ["t\tday, night"] if playback.game.has_day else []
        return [*MOVING, *drawn, *night, "h\tthese keys", "q esc\tquit"]

    @property
    def status(self) -> str:
        """Whether it runs, and how fast."""
        if self.playback.seeking:
            return "seeking"
        if self.paused or self.playback.over:
            return "paused"
        return f"{'−' if self.backwards else ''}{self.speed:g}x"

    def pass_time(self, seconds: float, held: Collection[str] = ()) -> bool:
        """Let `seconds` pass while the keys `held` are down; False once there is nothing more to show."""
        seconds, playback = min(seconds, LONGEST_TICK), self.playback
        wind = ("right" in held) - ("left" in held) if not {"left shift", "right shift"} & {*held} else 0
        self._held = self._held + seconds if wind else 0.0
        if playback.seeking:
            playback.advance(seconds)
        elif self._held > HOLDING:
            if not (wind > 0 and playback.ended):
                playback.advance(seconds, wind * max(self.speed, WINDING))
        elif not self.paused:
            playback.advance(seconds, -self.speed if self.backwards else self.speed)
        if playback.over and self.stays and not self.closed:
            self.paused, playback.over = True, False
        return not (self.closed or playback.over)

    def obey(self, key: str) -> None:
        """Do what `key` means; nothing where it means nothing."""
        playback = self.playback
        match key:
            case "space":
                self.paused = not self.paused
            case "right" | ".":
                self.paused = True
                playback.step()
            case "left" | ",":
                self.paused = True
                playback.step(-1)
            case "shift+right":
                playback.jump(JUMP)
            case "shift+left":
                playback.jump(-JUMP)
            case "home":
                playback.seek(0)
            case "end":
                playback.seek(float("inf"))
            case "]" | "page down":
                playback.next_point()
            case "[" | "page up":
                playback.last_point()
            case "n":
                playback.next_game()
            case "b":
                playback.last_game()
            case "up" | "+" | "=":
                self.speed = min((s for s in SPEEDS if s > self.speed), default=self.speed)
            case "down" | "-":
                self.speed = max((s for s in SPEEDS if s < self.speed), default=self.speed)
            case "r":
                self.backwards = not self.backwards
            case "h":
                self.helping = not self.helping
            case "q" | "escape" | "quit":
                self.closed = True
            case _:
                self._draw(key)

    def _draw(self, key: str) -> None:
        """Keys that change what is drawn."""
        playback = self.playback
        known = available(playback.game)
        if key == "o":
            playback.overlays = set() if playback.overlays & {*known} == {*known} else {*known}
        elif key == "t" and playback.game.has_day:
            playback.day = not playback.day
        elif name := next((name for name, own in OVERLAYS.items() if own == key and name in known), None):
            playback.overlays = playback.overlays ^ {name}
