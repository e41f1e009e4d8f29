"""A tournament on the screen: live while it is played, and its table or bracket at the end."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from arena.cli.progress import clock, in_terminal, live
from arena.cli.table import plain_table, print_table

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
    from rich.table import Table

    from arena.tournaments.formats.bracket import Match
    from arena.tournaments.formats.elimination import Elimination, Stand
    from arena.tournaments.table import Line
    from arena.tournaments.tournament import Tournament

QUIET = 10.0
"""Seconds between plain lines, at least."""
CROSSED = 20
"""Entrants of whom a table says how each did against each, at most."""
ROWS = 24
"""Entrants in the live table, at most."""
COLUMNS = {
    "swiss": ("match points", "Buchholz", "S.-B.", "points"),
    "round-robin": ("points", "S.-B."),
    "double-round-robin": ("points", "S.-B."),
    "gauntlet": ("points", "match points"),
    "single-elimination": ("matches", "points"),
    "double-elimination": ("matches", "points"),
    "king-of-the-hill": ("match points", "points"),
    "rating-ladder": ("match points", "points"),
}
"""What decides the order in each format, and what else there is to say."""
RATED = ("won/drawn/lost", "mean score", "Elo")
SPARE = ("won/drawn/lost", "mean score")
"""Columns that a narrow terminal does without, after those against each other."""
CAPTION = (
    "points: wins and half the draws; numbered columns: per cent of the points against that player; "
    "mean score ± 95 % interval; Elo: Bradley-Terry fit of all games ± 95 % interval, 0 is their mean"
)


class Display(Protocol):
    """What the command shows while it is played."""

    def __call__(self, tournament: Tournament) -> None:
        """Something has happened."""
        ...

    def tell(self, text: str) -> None:
        """Say something at once, also from within a signal handler."""
        ...


@contextmanager
def display(tournament: Tournament) -> Iterator[Display]:
    """The display that fits standard error."""
    if not in_terminal():
        yield Lines(tournament)
        return
    picture = Picture(tournament)
    with live(picture):
        yield picture


class Lines:
    """A line now and then."""

    def __init__(self, tournament: Tournament) -> None:
        self._began = self._spoke = time.monotonic()
        self._before = tournament.games

    def __call__(self, tournament: Tournament) -> None:
        """See `Display`."""
        now = time.monotonic()
        if now - self._spoke < QUIET:
            return
        self._spoke = now
        speed = (tournament.games - self._before) / (now - self._began)
        words = f"{tournament.games:,} of {tournament.most:,} games, {speed:.1f} games/s, {leader(tournament)}"
        print(f"{now - self._began:7.1f} s  {words}", file=sys.stderr, flush=True)

    def tell(self, text: str) -> None:
        """See `Display`."""
        os.write(2, f"{text}\n".encode())  # print() must not be called while it runs, as in a signal handler


class Picture:
    """Progress, and the table or bracket as it is, drawn anew when a pairing has ended."""

    def __init__(self, tournament: Tournament) -> None:
        self._tournament = tournament
        self._began, self._before = time.monotonic(), tournament.games
        self._said = "Ctrl-C ends it; nothing is lost"
        self._drawn: tuple[int, int, RenderableType] | None = None

    def __call__(self, tournament: Tournament) -> None:
        """See `Display`. The picture is made here, in the thread that plays; the other one only shows it."""
        if self._drawn is None or self._drawn[0] != len(tournament.played):
            self._drawn = (len(tournament.played), tournament.games, standing(tournament))

    def tell(self, text: str) -> None:
        """See `Display`."""
        self._said = text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The present picture."""
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        one = self._tournament
        seconds = time.monotonic() - self._began
        yield Text(f"{one.config.format} {one.folder.path}", style="bold").append(f"  {self._said}", "not bold yellow")
        if self._drawn is None:
            yield Text("starting")
            return
        games, most = self._drawn[1], one.format.most(one.names) * one.config.games
        speed = (games - self._before) / max(seconds, 1e-9)
        row = Table.grid(padding=(0, 2, 0, 0))
        bar = ProgressBar(total=max(most, games), completed=games, width=30)
        row.add_row(clock(seconds), bar, f"{games:,} of {max(most, games):,} games", f"{speed:.1f} games/s")
        yield row
        playing = ", ".join(f"{block.players[0]} - {block.players[1]}" for block in one.running[:4])
        yield Text(f"playing: {playing}" if playing else "", no_wrap=True, overflow="ellipsis")
        yield Text("")
        yield self._drawn[2]


def leader(tournament: Tournament) -> str:
    """Who is ahead, in words."""
    groups = tournament.format.order(tournament.names, tournament.played)
    first = groups[0]
    return f"{', '.join(first)} ahead" if len(first) <= 3 else f"{len(first)} players ahead"


def standing(tournament: Tournament) -> RenderableType:
    """The table as it is, without what takes time; of an elimination the bracket."""
    from rich.text import Text

    from arena.tournaments.formats.elimination import Elimination
    from arena.tournaments.table import table

    if isinstance(tournament.format, Elimination):
        return bracket(tournament, tournament.format)
    lines = table(tournament, rated=False)
    drawn = _table(tournament, lines[:ROWS], [*_columns(tournament), *_crossed(tournament)], "")
    if len(lines) > ROWS:
        drawn.caption = Text(f"and {len(lines) - ROWS} more", style="dim")
    return drawn


def print_outcome(tournament: Tournament, lines: Sequence[Line], ended: str) -> None:
    """Table, bracket and figures on standard output."""
    from rich.console import Console
    from rich.text import Text

    from arena.cli.program import command
    from arena.tournaments.formats.elimination import Elimination

    config = tournament.config
    title = f"{tournament.folder.path}: {config.format} of {tournament.spec.id}, {tournament.games:,} games"
    if ended != "over":
        title += f", {ended}"
    if isinstance(tournament.format, Elimination):
        console = Console(width=None if sys.stdout.isatty() else 400)
        with console.capture() as captured:
            console.print(bracket(tournament, tournament.format))
        print("\n".join(line.rstrip() for line in captured.get().splitlines()), end="\n\n")
    crossed = _crossed(tournament)
    columns = [*_columns(tournament), *crossed, *RATED]
    spare = [*reversed(crossed), *SPARE]
    print_table(lambda some: _table(tournament, lines, some, title), columns, spare, [Text(CAPTION, style="dim")])
    print(f"fingerprint: {tournament.fingerprint()}")
    if ended == "over":
        path = tournament.folder.path
        print(f"look again:  {command('tournament', 'show', path)}")


def _columns(tournament: Tournament) -> list[str]:
    return ["#", "player", *COLUMNS[tournament.config.format]]


def _crossed(tournament: Tournament) -> list[str]:
    """Columns of per cent against each."""
    from arena.tournaments.formats.elimination import Elimination

    few = len(tournament.names) <= CROSSED and not isinstance(tournament.format, Elimination)
    return [f"{place}." for place in range(1, len(tournament.names) + 1)] if few else []


def _table(tournament: Tournament, lines: Sequence[Line], columns: Sequence[str], title: str) -> Table:
    drawn = plain_table(title, columns, ("player",))
    order = [line.name for line in lines]
    for line in lines:
        drawn.add_row(*(_cell(column, line, order) for column in columns))
    return drawn


def _cell(column: str, line: Line, order: Sequence[str]) -> str:
    from arena.cli.leaderboard import score

    own = line.score
    match column:
        case "#":
            return str(line.place)
        case "player":
            return line.name
        case "match points" | "matches":
            return f"{own.matches:g}"
        case "Buchholz":
            return f"{own.buchholz:g}"
        case "S.-B.":
            return f"{own.sonneborn_berger:g}"
        case "points":
            return f"{own.points:g}/{own.games.games}"
        case "won/drawn/lost":
            return f"{own.games.wins}/{own.games.draws}/{own.games.losses}"
        case "mean score":
            return score(line.summary)
        case "Elo":
            rating = line.rating
            return "-" if rating is None else f"{rating.mean:+.0f} ±{1.96 * rating.stderr:.0f}"
    other = order[int(column[:-1]) - 1] if int(column[:-1]) <= len(order) else ""
    seen = own.met.get(other)
    return "·" if other == line.name else "" if seen is None else f"{100 * seen.points / seen.games:.0f}"


def bracket(tournament: Tournament, format: Elimination) -> Table:
    """A bracket in text: a column for each round, below it that of the losers."""
    from rich.table import Table
    from rich.text import Text

    plan = format.plan(tournament.names)
    stands = format.stands(tournament.names, tournament.played)
    rounds = max(match.round for match in plan)
    cells: dict[tuple[int, int], str] = {}
    height = 0
    for side in ("winners", "final", "reset", "losers"):
        base = height + 1 if side == "losers" else 0
        for match, stand, share in _placed(side, plan, stands):
            tall = sum(one.side == "winners" and one.level == 1 for one in plan)
            row = base + int(share * (max(1, tall // 2) if side == "losers" else tall))
            text = _match(match, stand)
            if text:
                cells[row, match.round] = text
                height = max(height, row + 1) if side != "losers" else height
    drawn = Table.grid(padding=(0, 3, 0, 0))
    for _ in range(rounds):
        drawn.add_column(no_wrap=True)
    drawn.add_row(*(Text(f"round {round}", style="dim") for round in range(1, rounds + 1)))
    for row in range(max((row for row, _ in cells), default=0) + 1):
        drawn.add_row(*(Text(cells.get((row, round), "")) for round in range(1, rounds + 1)))
    return drawn


def _placed(side: str, plan: Sequence[Match], stands: Sequence[Stand]) -> Iterator[tuple[Match, Stand, float]]:
    """Matches of a side, with how far down each lies, 0..1."""
    for place, match in enumerate(plan):
        if match.side == side:
            own = [other for other, one in enumerate(plan) if (one.side, one.level) == (side, match.level)]
            yield match, stands[place], (own.index(place) + 0.5) / len(own)


def _match(match: Match, stand: Stand) -> str:
    """One match in a line; "" for a bye, and for a second final that is not played."""
    from arena.tournaments.picture import short, told_of

    if stand.over and (stand.first is None or stand.second is None):
        return ""
    first, second = (short(name) if name else "…" for name in (stand.first, stand.second))
    if match.side == "reset" and stand.first is None:
        return ""
    a, b = told_of(stand)
    mark = {stand.first: ">", stand.second: "<"}.get(stand.winner, "-") if stand.winner else "-"
    return f"{first} {a} {mark} {b} {second}".replace("  ", " ")
