"""Session: people at the keyboard, in real time: countdown, play, pause, instant replay, results, another match."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from arena.viewer.gamepad import Gamepads, Pads
from arena.viewer.human import Hands
from arena.viewer.human_match import HumanMatch
from arena.viewer.human_window import PlayWindow, Screen
from arena.viewer.session_scene import Board, dressed, framed, legends
from arena.viewer.tween import between
from envs.draw import size
from envs.errors import InputError
from envs.scene import Scene

Phase = Literal["countdown", "play", "paused", "replay", "result", "over"]
KEYS = (
    "space, start\tpause, go on",
    "r\tlast point again, slowly; r, space: skip",
    "t\tdo so after every point, or not",
    "- +\tslower, faster",
    "tab\tsteer all of my seats, or one",
    "n\twhile paused: start the match again",
    "h\tthese keys",
    "q esc\tquit",
)
SPEEDS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
COUNTDOWN, READY, RESULT = 3.0, 1.0, 2.5
"""s: before a game, before it goes on, and for which its result is shown."""
REPLAY_SPEED = 0.4
LONGEST_TICK = 0.1
"""s; where drawing is slower than real time, the game slows down instead of running away from whoever plays."""


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """How a session runs."""

    speed: float = 1.0
    """Game time per time."""
    replays: bool = False
    """Show every point again."""
    rated: bool = False
    """Games count: always at the same speed, and a match that has begun is not started again."""
    fps: float = 60.0
    """Pictures per second."""


class Session:
    """Runs a match with people in a window."""

    def __init__(
        self,
        match: HumanMatch,
        hands: Sequence[Hands],
        screen: Screen,
        pads: Pads | None = None,
        options: SessionOptions = SessionOptions(),
    ) -> None:
        """`hands` of each person; those of the first have the first gamepad, and so on."""
        self.match, self._hands, self._screen, self._pads = match, tuple(hands), screen, pads
        self.options = options
        self.speed, self.replays = options.speed, options.replays
        self.phase: Phase = "play"
        self.helping = self.closed = False
        self._left = 0.0
        """s until the phase ends, of those that do."""
        self._share = 1.0
        """How far the picture is from the step before to the present one."""
        self._film: Sequence[Scene] = ()
        self._place = 0.0
        """In the film, in scenes."""
        self._after: Phase = "play"
        """What follows a pause or a replay."""
        self._focus = 0
        """0: all seats of one's team are steered alike; k: only the k-th."""
        self._open_game()
        self.shown = self._picture()
        """What was drawn last."""

    @property
    def live(self) -> bool:
        """Whether time goes on without anybody deciding."""
        return self.match.game.live

    def run(self) -> float:
        """Play until the match is over and left, or the window is closed; returns the seconds."""
        seconds = 0.0
        try:
            self._screen.pace(self.options.fps)
            while self.tick(elapsed := self._screen.pace(self.options.fps)):
                seconds += elapsed
        finally:
            self._screen.close()
            if self._pads:
                self._pads.close()
        return seconds

    def tick(self, seconds: float) -> bool:
        """Look at the hands, let `seconds` pass, draw; False once the session has ended."""
        self._feel()
        if self.closed:
            return False
        seconds = min(seconds, LONGEST_TICK)
        match self.phase:
            case "countdown":
                self._left -= seconds
                if self._left <= 0:
                    self.phase = "play"
            case "play":
                self._play(seconds)
            case "replay":
                self._place += seconds * REPLAY_SPEED / self.match.spec.step_seconds
                if self._place >= len(self._film) - 1:
                    self._resume()
            case "result":
                self._left -= seconds
                if self._left <= 0:
                    self._next()
            case _:
                pass
        self._draw()
        return True

    def _feel(self) -> None:
        click, pressed = self._screen.clicked(self.shown), self._screen.pressed()
        if self._pads:
            self._pads.look()
            if self._pads.pauses():
                pressed.append("space")
        rest = [key for key in pressed if not self._obey(key)]
        held = self._screen.held()
        playing = self.phase == "play"  # what is pressed meanwhile shall not count later
        for number, hands in enumerate(self._hands):
            pad = self._pads.ways(number) if self._pads else frozenset[str]()
            hands.feel(held, rest if playing else (), pad, click if playing else None)

    def _obey(self, key: str) -> bool:
        """Do what `key` asks of the session; False if it asks nothing."""
        match key:
            case "q" | "escape" | "quit":
                self.closed = True
            case "h":
                self.helping = not self.helping
            case "space" | "return" if self.phase in ("replay", "result", "over", "paused") or key == "space":
                self._go_on()
            case "r":
                self._replay()
            case "t":
                self.replays = not self.replays
            case "-" | "+" | "=":
                self._change_speed(key)
            case "tab":
                self._focus += 1
                self._steer()
            case "n" if self.phase == "over" or (self.phase == "paused" and not self.options.rated):
                self.match.restart()
                self._open_game()
            case _:
                return False
        return True

    def _go_on(self) -> None:
        """Space: pause, or whatever comes next."""
        match self.phase:
            case "replay":
                self._resume()
            case "result":
                self._next()
            case "over":
                self.match.restart()
                self._open_game()
            case "paused":
                self._ready(READY)
            case _:
                self.phase = "paused"

    def _change_speed(self, key: str) -> None:
        if self.options.rated:
            return
        faster = min((s for s in SPEEDS if s > self.speed), default=self.speed)
        slower = max((s for s in SPEEDS if s < self.speed), default=self.speed)
        self.speed = slower if key == "-" else faster

    def _steer(self) -> None:
        """Give the hands the seats that they have now."""
        seats = list(self.match.game.people)
        if len(self._hands) > 1 or len(seats) < 2:
            self._focus = 0
        self._focus %= len(seats) + 1
        self.match.game.focus(seats if self._focus == 0 else [seats[self._focus - 1]])

    def _open_game(self) -> None:
        """The present game of the match is new."""
        self._share = 1.0 if self.live else 0.0
        self._steer()
        self._ready(COUNTDOWN)

    def _ready(self, seconds: float) -> None:
        """Go on, where time does so by itself after a countdown."""
        self._left = seconds
        self.phase = "countdown" if self.live else "play"

    def _play(self, seconds: float) -> None:
        game = self.match.game
        self._share += seconds * self.speed / self.match.spec.step_seconds
        while self._share > 1 + 1e-9:
            if game.deciding():
                self._share = 1.0
                return
            point = game.step()
            self._share = self._share - 1 if self.live else 0.0
            if game.result:
                self.match.note()
                self._share, self._left, self.phase = 1.0, RESULT, "result"
            if point and self.replays:
                self._replay()
            if point:
                return

    def _replay(self) -> None:
        """Show the last point again, if there was one; what goes on meanwhile waits."""
        film = self.match.game.last_point
        if self.phase == "replay" or self.phase == "over" or len(film) < 2:
            if self.phase == "replay":
                self._resume()
            return
        self._after, self.phase = self.phase, "replay"
        self._film, self._place = film, 0.0

    def _resume(self) -> None:
        """After a replay."""
        self.phase = self._after
        if self.phase == "play":
            self._ready(READY)

    def _next(self) -> None:
        if self.match.over:
            self.phase = "over"
            return
        self.match.next_game()
        self._open_game()

    def _draw(self) -> None:
        self.shown = self._picture()
        self._screen.show(self.shown, (*legends(self.match.game), *KEYS) if self.helping else ())

    def _picture(self) -> Scene:
        game = self.match.game
        if self.phase == "replay":
            place = int(self._place)
            scene = between(self._film[place], self._film[place + 1], self._place - place)
        else:
            scene = between(game.before, game.scene, min(self._share, 1.0)) if self.live else game.scene
        return dressed(scene, self._board())

    def _board(self) -> Board:
        """What is written over the game."""
        match, game = self.match, self.match.game
        mover = next(iter(game.turn()), None)
        return Board(
            match=match,
            phase=self.phase,
            live=self.live,
            left=self._left,
            mover=mover if self.phase == "play" else None,
            speed=self.speed,
            replays=self.replays,
            rated=self.options.rated,
            focus=list(game.people)[self._focus - 1] if self._focus else None,
        )


def open_session(
    match: HumanMatch, hands: Sequence[Hands], options: SessionOptions, width: int | None = None
) -> Session:
    """A session in a window of its own, `width` pixels wide (None: as the game asks), and with the gamepads there are.

    Raises:
        InputError: there is no display.
    """
    title = " - ".join(entrant.name for entrant in match.entrants) + " (h: keys)"
    try:
        screen = PlayWindow(title, *size(framed(match.game.scene, match.spec, match.game.live), width))
    except InputError:
        raise InputError(
            "cannot open a window to play in: there is no display (`arena watch --record match.webp` needs none)."
        ) from None
    return Session(match, hands, screen, Gamepads(), options)
