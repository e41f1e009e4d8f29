"""Terminal: games drawn with characters, over any connection, steered with the keys of the window."""

from __future__ import annotations

from arena.viewer.cells import Style, cells_of
from arena.viewer.playback import Playback
from arena.viewer.screen import Screen, lines
from arena.viewer.steering import Steering
from envs.errors import InputError
from envs.scene import Scene

FPS = 30
"""Pictures per second, at most: as many as most games have steps."""
BAR = ("━", "─", "●", "╂"), ("=", "-", "o", "+")
"""Of the line below the picture: what has been shown, what has not, the present, a point; and the same in ASCII."""


class Terminal:
    """Shows a playback in the terminal of standard output and obeys keys."""

    def __init__(self, playback: Playback, *, speed: float = 1.0, stays: bool | None = None) -> None:
        """Take the terminal over; `stays` is as for `Steering`.

        Raises:
            InputError: if standard output is none.
        """
        self.playback = playback
        self.steering = Steering(playback, speed, stays)
        try:
            self._screen = Screen()
        except InputError:
            raise InputError(
                "--terminal draws in a terminal, and standard output is none that can: write the match to a file with "
                "--record match.webp."
            ) from None

    def run(self, fps: float = FPS, max_seconds: float | None = None) -> float:
        """Show the match until it is over, closed or `max_seconds` long; returns the seconds."""
        seconds, fps = 0.0, min(fps, FPS)
        try:
            self._screen.pace(fps)
            while self.tick(elapsed := self._screen.pace(fps)):
                seconds += elapsed
                if max_seconds is not None and seconds >= max_seconds:
                    break
        except OSError:  # the terminal hung up
            self.steering.closed = True
        finally:
            self.close()
        return seconds

    def tick(self, seconds: float) -> bool:
        """Obey the keys, let `seconds` pass and draw; False once there is nothing more to show."""
        steering = self.steering
        for key in self._screen.pressed():
            steering.obey(key)
        if not steering.pass_time(seconds):
            return False
        self._screen.show(self.playback.scene(), self._keys() if steering.helping else (), self._line())
        return True

    def close(self) -> None:
        """Give the terminal back; a second call does nothing."""
        self._screen.close()

    @property
    def written(self) -> int:
        """Bytes sent to the terminal so far."""
        return self._screen.written

    def _keys(self) -> list[str]:
        """The help; terminals do not tell how long a key is down."""
        return [line.partition("; held down")[0] for line in self.steering.keys]

    def _line(self) -> str:
        """How far the game is, where points were won, and how fast it runs."""
        playback = self.playback
        seconds = int(playback.position * playback.spec.step_seconds)
        head, tail = f"{seconds // 60}:{seconds % 60:02} ", f" {self.steering.status:<7} h keys  q quit"
        room = max(1, self._screen.size[0] - len(head) - len(tail) - 2)
        done, rest, here, point = BAR[not self._screen.style.unicode]
        at = round(playback.position / max(playback.length, 1) * (room - 1))
        bar = [done if place < at else rest for place in range(room)]
        for step, _ in playback.game.points:
            bar[min(round(step / max(playback.length, 1) * (room - 1)), room - 1)] = point
        bar[min(at, room - 1)] = here
        return f" {head}{''.join(bar)}{tail}"


def scene_text(scene: Scene, columns: int, rows: int, style: Style | None = None) -> str:
    """One scene as `rows` lines of `columns` characters, for a file or a message: without colours unless `style` has
    them."""
    return "\n".join(lines(cells_of(scene, columns, rows, style or Style())))
