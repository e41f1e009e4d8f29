"""Keeper: the one reader of a run, whatever number of browsers look. It reads only while somebody looks, only what has
changed, and rests longer than it works, so that the league hardly notices."""

from __future__ import annotations

import gzip
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from arena.dashboard.pairing import Pairing, pairing, players
from arena.dashboard.reading import Stamp, read, stamp
from arena.league.activity import Activity, activity
from arena.store import RunFolder
from envs.errors import InputError

PAUSE = 2.0
"""Seconds between two looks at the folder, at least."""
REST = 19.0
"""Seconds of rest of each kind of work for each second of the processor's time that it took: a twentieth of a core for
figures at most, and as much for games and pages, while somebody looks."""
LOOKING = 15.0
"""Seconds after a request for which somebody is taken to look."""
NICE = 10
"""How far the league goes first where both want the processor."""
GAMES_APART = 60.0
"""Seconds from one game of the same two to the next, or its own length if that is more."""
LARGEST = 4_000_000
"""Bytes of a game that is sent."""


@dataclass(frozen=True, slots=True)
class Part:
    """Something that browsers fetch when its number has changed."""

    number: int
    body: bytes
    zipped: bytes

    @classmethod
    def of(cls, number: int, body: bytes) -> Part:
        """`body` as number so and so."""
        return cls(number, body, gzip.compress(body, 5, mtime=0))


@dataclass(frozen=True, slots=True)
class State:
    """What a browser asks for every few seconds."""

    state: str
    """running, stopped or gone."""
    said: str
    """The same for people."""
    data: int = 0
    """Number of the newest figures."""
    game: int = 0
    """Number of the newest game; 0 if there is none yet."""
    title: str = ""
    """Who plays in it, or why nobody does."""

    def as_json(self) -> bytes:
        """For browsers."""
        words = ("state", "said", "data", "game", "title")
        return json.dumps({word: getattr(self, word) for word in words}).encode()


class Keeper:
    """Makes new figures in one thread of its own, and new games in another."""

    def __init__(self, path: Path, figures: Callable[[RunFolder], Any], page: Callable[[RunFolder], str]) -> None:
        """Read the run once.

        Args:
            figures: what of it is sent whenever it changes, for JSON.
            page: the whole page.

        Raises:
            InputError: no league there.
        """
        self._path, self._figures, self._page = path, figures, page
        self._stamp: Stamp | None = None
        self._wanted: Pairing | None = None
        self._games = -1
        """In the log when it was last asked who shall play."""
        self._seed = 0
        self._due = 0.0
        self._rested: dict[str, float] = {}
        """When each kind of work may be done again."""
        self._asked = time.monotonic()
        self._stop = threading.Event()
        self._state_lock, self._page_lock = threading.Lock(), threading.Lock()
        self._page_kept: Part | None = None
        self.looks = 0
        """Times that the run was read for figures."""
        self.data = Part.of(0, b"{}")
        self.game: Part | None = None
        self.state = State("stopped", "")
        read(path, lambda run: run.expect("league"))
        self._look()
        jobs = (self._look, self._play)
        self._threads = [threading.Thread(target=self._repeat, args=(job,), daemon=True) for job in jobs]

    def start(self) -> None:
        """Begin to follow the run."""
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """End; a piece of work that has begun is not waited for longer than a moment."""
        self._stop.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(timeout=2.0)

    def asked(self) -> None:
        """Somebody looks."""
        self._asked = time.monotonic()

    def page(self) -> Part:
        """The whole page, no older than the figures, or than it takes to make it again without hurry.

        Raises:
            InputError: it cannot be read.
        """
        with self._page_lock:
            number, kept = self.data.number, self._page_kept
            if kept is None or (kept.number != number and self._ready("page")):
                try:
                    with self._working("page"):
                        kept = Part.of(number, read(self._path, self._page).encode())
                except InputError:
                    if kept is None:
                        raise
                self._page_kept = kept
            return kept

    def _repeat(self, job: Callable[[], None]) -> None:
        """Do it every PAUSE while somebody looks."""
        # Only this thread, where the system has that: whoever waits for a page is not to wait for the league.
        with suppress(AttributeError, OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
        while not self._stop.wait(PAUSE):
            if time.monotonic() - self._asked >= LOOKING:
                continue
            try:
                job()
            except InputError as fault:
                gone = not (self._path / "run.json").exists()
                self._stamp = None
                self._tell(state="gone" if gone else "stopped", said=str(fault))
            except Exception as fault:  # a fault in one look must not end all others
                self._tell(said=f"the last look failed: {type(fault).__name__}: {fault}")

    def _tell(self, **changes: Any) -> None:
        """Change some words of the state."""
        with self._state_lock:
            self.state = replace(self.state, **changes)

    def _ready(self, kind: str) -> bool:
        """Whether work of this kind has rested."""
        return time.monotonic() >= self._rested.get(kind, 0.0)

    @contextmanager
    def _working(self, kind: str) -> Iterator[None]:
        """What is done inside is followed by a rest."""
        began = time.thread_time()
        try:
            yield
        finally:
            self._rested[kind] = time.monotonic() + REST * (time.thread_time() - began)

    def _look(self) -> None:
        """What the run is doing; and new figures if anything was written."""
        seen = stamp(self._path)
        if seen != self._stamp and self._ready("figures"):
            with self._working("figures"):
                figures = read(self._path, self._figures)
                body = json.dumps(figures, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
                if body != self.data.body:
                    self.data = Part.of(self.data.number + 1, body)
            self.looks += 1
            self._stamp = seen
        if self._ready("state"):
            with self._working("state"):
                doing = read(self._path, lambda run: activity(run, (), time.time()))
            self._tell(state="running" if doing.seen.writer else "stopped", said=told(doing))
        self._tell(data=self.data.number)

    def _play(self) -> None:
        """Another game, if others shall play or the last one is over."""
        if not self._ready("game"):
            return
        games = read(self._path, lambda run: run.games())
        wanted = self._wanted
        if games != self._games:
            with self._working("game"):
                wanted, self._games = read(self._path, pairing), games
        now = time.monotonic()
        if wanted is None or (wanted == self._wanted and now < self._due):
            if wanted is None:
                self._tell(title="No game yet: nobody has been rated.")
            return
        self._wanted, self._seed = wanted, self._seed + 1
        with self._working("game"):
            film, seconds = played(wanted, self._seed)
        self._due = now + max(GAMES_APART, seconds)
        if film is None:
            self._tell(title=f"{wanted.title} is not shown: such a game cannot be kept in a page")
            return
        number = self.state.game + 1
        self.game = Part.of(number, film)
        self._tell(game=number, title=wanted.title)


def played(wanted: Pairing, seed: int) -> tuple[bytes | None, float]:
    """A game of `wanted` for `player.js`, None if it cannot be kept in a page, and how long it takes, s."""
    from arena.replay.record import record
    from arena.report.film import Unfilmable, film
    from envs.registry import build

    spec = build(wanted.env, 1, wanted.options).spec
    try:
        _, (replay,) = record(wanted.env, players(wanted, spec), 1, seed, options=wanted.options)
        shown = film(replay)
    except (InputError, Unfilmable):
        return None, 0.0
    body = json.dumps({**shown, "title": wanted.title}, allow_nan=False, separators=(",", ":")).encode()
    return (body if len(body) <= LARGEST else None), replay.steps * spec.step_seconds


def told(doing: Activity) -> str:
    """What the run is doing, in a sentence."""
    seen = doing.seen
    if not seen.writer:
        spent = f"The run has stopped at {seen.share:.0%} of its budget."
        return "The run has ended." if doing.doing == "done" else spent
    words = [f"Running: {doing.doing}", f"{seen.share:.0%} of {seen.budget}"]
    if doing.left is not None:
        minutes, seconds = divmod(int(doing.left), 60)
        words.append(f"{minutes}:{seconds:02} left")
    if doing.steps_per_second:
        words.append(f"{doing.steps_per_second:,.0f} env steps/s")
    return ", ".join(words) + "."
