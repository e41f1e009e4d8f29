"""People at a keyboard, for tests: a window that nobody sees and a session in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from arena.result import Result
from arena.viewer.human_match import HumanMatch
from arena.viewer.session import LONGEST_TICK, Session, SessionOptions
from arena.viewer.session_setup import Set, Wish, set_up
from envs.scene import Scene, Text

TICK = 1 / 30


class Glass:
    """A window without a screen: its keys and clicks are those that a test puts there."""

    def __init__(self) -> None:
        """Nobody presses anything."""
        self.keys: list[str] = []
        self.down: set[str] = set()
        self.click: tuple[float, float] | None = None
        self.scene: Scene | None = None
        self.overlay: Sequence[str] = ()
        self.closed = False

    def clicked(self, scene: Scene) -> tuple[float, float] | None:
        """Once."""
        click, self.click = self.click, None
        return click

    def pressed(self) -> list[str]:
        """Once."""
        keys, self.keys = self.keys, []
        return keys

    def held(self) -> set[str]:
        """As long as a test says."""
        return self.down

    def show(self, scene: Scene, overlay: Sequence[str] = ()) -> None:
        """Keep it."""
        self.scene, self.overlay = scene, overlay

    def pace(self, fps: float) -> float:
        """Time flies."""
        return TICK

    def close(self) -> None:
        """Remember it."""
        self.closed = True

    @property
    def words(self) -> str:
        """Everything that is written."""
        assert self.scene
        return "\n".join(shape.text for shape in self.scene.shapes if isinstance(shape, Text))


class Sitting:
    """A session, its window, and what was set up for it."""

    def __init__(self, *players: str, options: SessionOptions | None = None, **wish: Any) -> None:
        """As `arena play` with these words."""
        self.ready: Set = set_up(Wish(players, **{"seed": 7, **wish}))
        self.glass = Glass()
        self.session = Session(self.ready.match, self.ready.hands, self.glass, None, options or SessionOptions())

    @property
    def match(self) -> HumanMatch:
        """Who plays."""
        return self.ready.match

    @property
    def phase(self) -> str:
        """Of the session."""
        return self.session.phase

    @property
    def results(self) -> list[Result]:
        """Of the games of the match."""
        return [game.result for game in self.match.games if game.result]

    def press(self, *keys: str) -> None:
        """One after the other, and a tick after each."""
        for key in keys:
            self.glass.keys.append(key)
            self.session.tick(TICK)

    def until(self, reached: Callable[[], bool], ticks: int = 20_000) -> None:
        """Let time pass."""
        for _ in range(ticks):
            if reached():
                return
            assert self.session.tick(LONGEST_TICK), "the session has ended"
        raise AssertionError(f"not reached in {ticks} ticks; phase {self.session.phase}")

    def to(self, phase: str) -> None:
        """Let time pass until then."""
        self.until(lambda: self.session.phase == phase)

    def wait(self, seconds: float) -> None:
        """Let so much time pass."""
        for _ in range(round(seconds / TICK)):
            self.session.tick(TICK)
