"""A running league on standard error: a live display in a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from arena.cli.leaderboard import draw, score, skill

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

    from arena.league import Progress
    from arena.league.standings import Standing

QUIET = 15.0
"""Seconds between plain lines when nothing is rated."""
REFRESH = 2.0
"""Pictures per second of the live display; more would take time from training."""
ROWS = 12
"""Ratings in the live display, at most."""
WIDE = 100
"""Columns of a terminal that has room for roles and games, too."""
EVENTS = 4
"""Things that happened lately in the live display."""


class Display(Protocol):
    """What a command shows while a league runs."""

    last: Progress | None
    """The latest report."""

    def __call__(self, progress: Progress) -> None:
        """Take a report."""
        ...

    def tell(self, text: str) -> None:
        """Say something at once, also from within a signal handler."""
        ...


@contextmanager
def display(path: Path, anchors: Sequence[str]) -> Iterator[Display]:
    """The display that fits standard error, for the league in `path`."""
    if not in_terminal():
        yield Lines(anchors)
        return
    picture = Picture(path, anchors)
    with live(picture):
        yield picture


def in_terminal() -> bool:
    """Whether standard error can show a picture that changes."""
    return sys.stderr.isatty() and os.environ.get("TERM", "") not in ("", "dumb")


@contextmanager
def live(picture: RenderableType) -> Iterator[None]:
    """Draw `picture` on standard error, anew as long as the context is open."""
    from rich.console import Console
    from rich.live import Live

    with Live(picture, console=Console(stderr=True), refresh_per_second=REFRESH, transient=True):
        yield


class Lines:
    """One line per rated snapshot, and one every QUIET seconds."""

    def __init__(self, anchors: Sequence[str]) -> None:
        """`anchors` whose scores are named."""
        self.last: Progress | None = None
        self._anchors = anchors
        self._known: set[str] = set()
        self._spoke = 0.0

    def __call__(self, progress: Progress) -> None:
        """See `Display`."""
        before, self.last = self.last, progress
        if before is None:
            self._known = {standing.name for standing in progress.standings}
        for event in fresh(before.told if before else (), progress.told):
            self._say(progress, event)
        if before and before.standings is not progress.standings:
            self._rated(progress)
        elif time.monotonic() - self._spoke >= QUIET:
            self._say(
                progress,
                f"{progress.steps:,} env steps, {progress.speed:,.0f} steps/s, {progress.phase}",
            )

    def tell(self, text: str) -> None:
        """See `Display`."""
        os.write(2, f"{text}\n".encode())  # print() must not be called while it runs, as in a signal handler

    def _rated(self, progress: Progress) -> None:
        """A line for each player that is new in the standings, or one for the best."""
        fresh = [s for s in progress.standings if not s.anchor and s.name not in self._known]
        self._known |= {standing.name for standing in fresh}
        for standing in fresh:
            self._say(progress, f"rated {self._line(standing)}")
        best = next((s for s in progress.standings if not s.anchor), None)
        if best and not fresh:
            self._say(progress, f"best {self._line(best)}")

    def _line(self, standing: Standing) -> str:
        from arena.league.standings import met

        against = {name: standing.against[name] for name in met([standing], self._anchors)}
        scores = ", ".join(f"{score(summary)} against {name}" for name, summary in against.items())
        return f"{standing.name}: skill {skill(standing.rating)}" + (f", mean score {scores}" if scores else "")

    def _say(self, progress: Progress, text: str) -> None:
        print(f"{progress.seconds:7.1f} s {progress.share:5.0%}  {text}", file=sys.stderr, flush=True)
        self._spoke = time.monotonic()


class Picture:
    """Budget, steps, speed, phase, and the latest ratings, drawn anew as often as rich asks."""

    def __init__(self, path: Path, anchors: Sequence[str]) -> None:
        """`path` of the league; `anchors` whose scores are shown."""
        self.last: Progress | None = None
        self._path, self._anchors = path, anchors
        self._when = time.monotonic()
        self._said = "Ctrl-C ends it after this stretch"

    def __call__(self, progress: Progress) -> None:
        """See `Display`."""
        self.last, self._when = progress, time.monotonic()

    def tell(self, text: str) -> None:
        """See `Display`."""
        self._said = text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The present picture."""
        yield self._drawn(options.max_width)

    def _drawn(self, width: int) -> RenderableType:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        progress = self.last
        head = Text(f"league {self._path}", style="bold").append(f"  {self._said}", style="not bold yellow")
        if progress is None:
            return Group(head, Text("starting"))
        seconds = progress.seconds + time.monotonic() - self._when
        line = Table.grid(padding=(0, 2, 0, 0))
        bar = ProgressBar(total=1.0, completed=progress.share, width=30)
        words = Text(f"{progress.steps:,} env steps  {progress.speed:,.0f} steps/s  {progress.phase}")
        line.add_row(clock(seconds), bar, f"{progress.share:.0%}")
        more = ("role", "skill", "games") if width >= WIDE else ("skill",)
        from arena.league.standings import met

        columns = ["#", "player", *more, *met(progress.standings, self._anchors)]
        table = draw(latest(progress.standings), columns, "") if progress.standings else ""
        events = [Text(event, style="yellow") for event in progress.told[-EVENTS:]]
        return Group(head, line, words, "", table, *([""] if events else []), *events)


def fresh(before: Sequence[str], now: Sequence[str]) -> Sequence[str]:
    """What of `now`, the latest last, came after `before`, of which only the latest are known."""
    for known in range(min(len(before), len(now)), -1, -1):
        if not known or before[-known:] == now[:known]:
            return now[known:]
    return now


def clock(seconds: float) -> str:
    """Minutes and seconds, with hours where there are any."""
    minutes, left = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def latest(standings: Sequence[Standing]) -> list[tuple[int, Standing]]:
    """Ranks and standings of the anchors, the best snapshot, and each member's newest one."""
    newest: dict[str, tuple[int, str]] = {}
    for standing in standings:
        member, _, step = standing.name.rpartition(":")
        if not standing.anchor and step.isdecimal():
            newest[member] = max(newest.get(member, (0, "")), (int(step), standing.name))
    chosen = {name for _, name in newest.values()}
    chosen |= {standing.name for standing in standings if standing.anchor}
    chosen |= {next((standing.name for standing in standings if not standing.anchor), "")}
    return [row for row in enumerate(standings, start=1) if row[1].name in chosen][:ROWS]
