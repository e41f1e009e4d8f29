"""Viewer: a match in a window at real speed, steered from the keyboard."""

from __future__ import annotations

from arena.viewer.playback import Playback
from envs.draw import Window, size
from envs.errors import InputError

KEYS = (
    "space\tpause, go on",
    "right .\tone step",
    "up +\tfaster",
    "down -\tslower",
    "n\tnext game",
    "h\tthese keys",
    "q esc\tquit",
)
SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
SKIP = 100
"""Steps played between two looks at the keyboard on the way to the next game."""
LONGEST_TICK = 0.1
"""s; where playing is slower than real time, the match slows down instead of skipping ever more."""


class Viewer:
    """Shows a playback and obeys keys."""

    def __init__(self, playback: Playback, *, speed: float = 1.0, width: int | None = None) -> None:
        """Open the window, `width` pixels wide (None: as the scene asks).

        Raises:
            InputError: if there is no display.
        """
        self.playback = playback
        self.speed = speed
        self.paused = False
        self.helping = False
        self.closed = False
        self.skipping = False
        """On the way to the next game."""
        title = f"{' - '.join(playback.names)} (h: keys)"
        try:
            self._window = Window(title, *size(playback.scene(), width))
        except InputError:
            raise InputError(
                "cannot open a window without a display: write the match to a file with --record match.webp."
            ) from None

    def run(self, fps: float = 60, max_seconds: float | None = None) -> float:
        """Show the match until it is over, closed or `max_seconds` long; returns the seconds."""
        seconds = 0.0
        try:
            self._window.pace(fps)
            while self.tick(elapsed := self._window.pace(fps)):
                seconds += elapsed
                if max_seconds is not None and seconds >= max_seconds:
                    break
        finally:
            self._window.close()
        return seconds

    def tick(self, seconds: float) -> bool:
        """Obey the keys, let `seconds` pass and draw; False once there is nothing more to show."""
        for key in self._window.pressed():
            self._obey(key)
        if self.skipping:
            self.skipping = not self.playback.skip(SKIP)
        elif not self.paused:
            self.playback.advance(min(seconds, LONGEST_TICK), self.speed)
        if self.closed or self.playback.over:
            return False
        self._window.show(self.playback.scene(self._status()), KEYS if self.helping else ())
        return True

    def close(self) -> None:
        """Close the window; a second call does nothing."""
        self._window.close()

    def _status(self) -> str:
        if self.skipping:
            return "next game..."
        return "paused" if self.paused else f"{self.speed:g}x"

    def _obey(self, key: str) -> None:
        match key:
            case "space":
                self.paused = not self.paused
            case "right" | ".":
                self.paused = True
                self.playback.step()
            case "up" | "+" | "=":
                self.speed = min((s for s in SPEEDS if s > self.speed), default=self.speed)
            case "down" | "-":
                self.speed = max((s for s in SPEEDS if s < self.speed), default=self.speed)
            case "n":
                self.skipping = True
            case "h":
                self.helping = not self.helping
            case "q" | "escape" | "quit":
                self.closed = True
            case _:
                pass
