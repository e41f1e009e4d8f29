"""The leaderboard, as a table for people and as an object for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

    from arena.league.standings import Standing
    from arena.ratings.rating import Rating
    from arena.result import MatchSummary

WIDE = 200
"""Columns of text that does not go to a terminal."""
COLUMNS = ("#", "player", "skill", "sure", "games", "won/drawn/lost")
"""What is said of everybody; a column for each anchor follows."""
SPARE = ("games", "won/drawn/lost", "sure")
"""Columns that a narrow terminal does without, in this order."""
CAPTION = "skill: TrueSkill mean ± sigma; sure: mean - 3 sigma; then: mean score per game against each anchor ± 95 %"


def standings_json(table: Sequence[Standing]) -> list[dict[str, Any]]:
    """Rows for --json, best first."""
    return [
        {
            "rank": rank,
            "name": standing.name,
            "anchor": standing.anchor,
            "mean": standing.rating.mean,
            "sigma": standing.rating.stderr,
            "exposed": standing.rating.exposed,
            **standing.summary.figures(),
            "against": {anchor: met.figures() for anchor, met in standing.against.items()},
        }
        for rank, standing in enumerate(table, start=1)
    ]


def print_leaderboard(table: Sequence[Standing], anchors: Sequence[str], title: str, most: int | None = None) -> None:
    """Print it on standard output, in as many columns as the terminal has room for.

    Args:
        most: snapshots to show, best first; anchors are always there.
    """
    from rich.console import Console

    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDE)
    rows = list(enumerate(table, start=1))
    shown = [row for row in rows if row[1].anchor] + [row for row in rows if not row[1].anchor][:most]
    columns = [*COLUMNS, *anchors]
    for spare in (None, *SPARE):
        columns = [column for column in columns if column != spare]
        drawn = draw(sorted(shown, key=lambda row: row[0]), columns, title)
        if console.measure(drawn, options=console.options.update(max_width=WIDE)).maximum <= console.width:
            break
    with console.capture() as captured:  # rich would end the process where the reader has gone away
        console.print(drawn)
        if len(shown) < len(rows):
            console.print(f"and {len(rows) - len(shown)} more")
        console.print(CAPTION, style="dim")
    print("\n".join(line.rstrip() for line in captured.get().splitlines()))


def draw(rows: Sequence[tuple[int, Standing]], columns: Sequence[str], title: str) -> Table:
    """A table of ranks and standings; `columns` are of `COLUMNS` or names of anchors."""
    from rich.table import Table
    from rich.text import Text

    drawn = Table(title=Text(title), title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        drawn.add_column(column, justify="left" if column == "player" else "right", no_wrap=True)
    for rank, standing in rows:
        cells = (_cell(column, rank, standing) for column in columns)
        drawn.add_row(*cells, style="dim" if standing.anchor else None)
    return drawn


def skill(rating: Rating) -> str:
    """Mean and standard error."""
    return f"{rating.mean:.1f} ±{rating.stderr:.1f}"


def score(summary: MatchSummary | None) -> str:
    """Mean and 95 % interval."""
    if summary is None:
        return "-"
    if summary.score_ci95 is None:
        return f"{summary.score_mean:+.2f}"
    return f"{summary.score_mean:+.2f} ±{summary.score_ci95[1] - summary.score_mean:.2f}"


def _cell(column: str, rank: int, standing: Standing) -> str:
    summary, rating = standing.summary, standing.rating
    match column:
        case "#":
            return str(rank)
        case "player":
            return f"{standing.name} (anchor)" if standing.anchor else standing.name
        case "skill":
            return skill(rating)
        case "sure":
            return f"{rating.exposed:.1f}"
        case "games":
            return str(summary.games)
        case "won/drawn/lost":
            return f"{summary.wins}/{summary.draws}/{summary.losses}"
    return score(standing.against.get(column))
