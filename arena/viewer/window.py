"""Viewer: games in a window at real speed, steered with keys and the mouse."""

from __future__ import annotations

from arena.viewer.playback import Playback
from arena.viewer.steering import Steering
from arena.viewer.timeline import HEIGHT, place, timeline
from envs.draw import size
from envs.errors import InputError
from envs.window import Window


class Viewer:
    """Shows a playback, obeys keys, and goes where the strip below the game is clicked or dragged."""

    def __init__(
        self, playback: Playback, *, speed: float = 1.0, width: int | None = None, stays: bool | None = None
    ) -> None:
        """Open the window, `width` pixels wide (None: as the scene asks); `stays` is as for `Steering`.

        Raises:
            InputError: if there is no display.
        """
        self.playback = playback
        self.steering = Steering(playback, speed, stays)
        title = f"{' - '.join(playback.names)} (h: keys)"
        try:
            self._window = Window(title, *size(playback.scene(), width), strip=HEIGHT)
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
        """Obey keys and mouse, let `seconds` pass and draw; False once there is nothing more to show."""
        steering, window = self.steering, self._window
        for key in window.pressed():
            steering.obey(key)
        grip = window.scrubbed()
        if grip is not None:
            self.playback.seek(place(self.playback, grip, window.size[0]))
        if not steering.pass_time(0.0 if grip is not None else seconds, window.held()):
            return False
        strip = timeline(self.playback, window.size[0], steering.status)
        window.show(self.playback.scene(), steering.keys if steering.helping else (), strip)
        return True

    def close(self) -> None:
        """Close the window; a second call does nothing."""
        self._window.close()
