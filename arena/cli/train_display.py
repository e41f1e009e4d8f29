"""A running training on standard error: a live table in a terminal, plain lines elsewhere."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from arena.cli.progress import QUIET, clock, in_terminal, live

if TYPE_CHECKING:
    from rich.console import RenderableType

    from arena.training import Progress
    from arena.training.evaluation import Evaluation


class Display(Protocol):
    """What a command shows while something learns."""

    last: Progress | None
    """The latest report."""

    def __call__(self, progress: Progress) -> None:
        """Take a report."""
        ...

    def tell(self, text: str) -> None:
        """Say something at once, also from within a signal handler."""
        ...


@contextmanager
def display(title: str) -> Iterator[Display]:
    """The display that fits standard error."""
    if not in_terminal():
        yield Lines()
        return
    picture = Picture(title)
    with live(picture):
        yield picture


class Lines:
    """One line per evaluation, and one every QUIET seconds."""

    def __init__(self) -> None:
        """Nothing has been said yet."""
        self.last: Progress | None = None
        self._spoke = time.monotonic()

    def __call__(self, progress: Progress) -> None:
        """See `Display`."""
        before, self.last = self.last, progress
        evaluation = progress.evaluation
        if evaluation and (before is None or before.evaluation is not evaluation):
            self._say(progress, f"{evaluation.player}: {scored(evaluation)}; {trained(progress)}")
        elif time.monotonic() - self._spoke >= QUIET:
            self._say(progress, trained(progress))

    def tell(self, text: str) -> None:
        """See `Display`."""
        os.write(2, f"{text}\n".encode())  # print() must not be called while it runs, as in a signal handler

    def _say(self, progress: Progress, text: str) -> None:
        print(f"{progress.seconds:7.1f} s {progress.share:5.0%}  {text}", file=sys.stderr, flush=True)
        self._spoke = time.monotonic()


class Picture:
    """Budget, returns, speed, losses and the last evaluations, drawn anew as often as rich asks."""

    def __init__(self, title: str) -> None:
        """`title` of the table."""
        self.last: Progress | None = None
        self._title = title
        self._when = time.monotonic()
        self._said = "Ctrl-C ends it after this stretch"
        self._best: Evaluation | None = None

    def __call__(self, progress: Progress) -> None:
        """See `Display`."""
        self.last, self._when = progress, time.monotonic()
        found = progress.evaluation
        if found and (self._best is None or found.score_mean >= self._best.score_mean):
            self._best = found

    def tell(self, text: str) -> None:
        """See `Display`."""
        self._said = text

    def __rich__(self) -> RenderableType:
        """The present picture."""
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        head = Text(self._title, style="bold").append(f"  {self._said}", style="not bold yellow")
        progress = self.last
        if progress is None:
            return Group(head, Text("starting"))
        line = Table.grid(padding=(0, 2, 0, 0))
        bar = ProgressBar(total=1.0, completed=progress.share, width=30)
        line.add_row(clock(progress.seconds + time.monotonic() - self._when), bar, f"{progress.share:.0%}")
        table = Table.grid(padding=(0, 2, 0, 0))
        for cells in self._rows(progress):
            table.add_row(*cells)
        return Group(head, line, table)

    def _rows(self, progress: Progress) -> Iterator[tuple[str, str]]:
        """Names and values."""
        yield "env steps", f"{progress.steps:,}"
        yield "games", f"{progress.episodes:,}"
        yield "steps/s", f"{progress.speed:,.0f}"
        yield "return", number(progress.score)
        yield "length", number(progress.game_steps)
        for name, value in progress.metrics.items():
            yield name.replace("_", " "), number(value)
        if progress.evaluation:
            yield "evaluation", scored(progress.evaluation)
        if self._best:
            yield "best", f"{self._best.player}: {scored(self._best)}"


def trained(progress: Progress) -> str:
    """What the games of training say."""
    games = f"return {number(progress.score)}, length {number(progress.game_steps)}"
    return f"training: {games}, {progress.speed:,.0f} steps/s"


def scored(evaluation: Evaluation) -> str:
    """The mean score with half its 95 % interval."""
    low, high = evaluation.score_ci95 or (math.nan, math.nan)
    half = "" if math.isnan(low) else f" ±{number((high - low) / 2)}"
    return f"mean score {number(evaluation.score_mean)}{half} in {evaluation.games} games"


def number(value: float) -> str:
    """Four digits, or a dash for what is not known yet."""
    if math.isnan(value):
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
