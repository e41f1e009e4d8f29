"""The leaderboard, as a table for people and as an object for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from arena.cli.table import plain_table, print_table

if TYPE_CHECKING:
    from rich.table import Table

    from arena.league.standings import Standing
    from arena.ratings.rating import Rating
    from arena.result import MatchSummary

COLUMNS = ("#", "player", "role", "plays", "skill", "sure", "games", "won/drawn/lost")
"""What is said of everybody; a column for each anchor follows. "plays" is left out where all play everything."""
SPARE = ("games", "won/drawn/lost", "role", "sure")
"""Columns that a narrow terminal does without, in this order."""
WORDS = ("player", "role", "plays")
"""Columns of words."""
CAPTION = "skill: TrueSkill mean ± sigma; sure: mean - 3 sigma; then: mean score per game against each anchor ± 95 %"


def chosen(table: Sequence[Standing], most: int | None = None) -> list[tuple[int, Standing]]:
    """Ranks and standings of the best `most` players and all anchors, best first; None: of everybody. Each part of a
    game whose teams are not alike is counted apart."""
    rows: list[tuple[int, Standing]] = []
    for part in dict.fromkeys(standing.part for standing in table):
        own = list(enumerate((standing for standing in table if standing.part == part), start=1))
        best = set([rank for rank, standing in own if not standing.anchor][:most])
        rows += [(rank, standing) for rank, standing in own if standing.anchor or rank in best]
    return rows


def standings_json(table: Sequence[Standing], most: int | None = None) -> list[dict[str, Any]]:
    """Rows for --json, best first, as `chosen`."""
    return [
        {
            "rank": rank,
            "name": standing.name,
            "anchor": standing.anchor,
            "role": standing.role,
            "plays": standing.part or None,
            "mean": standing.rating.mean,
            "sigma": standing.rating.stderr,
            "exposed": standing.rating.exposed,
            **standing.summary.figures(),
            "against": {anchor: met.figures() for anchor, met in standing.against.items()},
        }
        for rank, standing in chosen(table, most)
    ]


def print_leaderboard(
    table: Sequence[Standing],
    anchors: Sequence[str],
    title: str,
    most: int | None = None,
    columns: Sequence[str] = COLUMNS,
    caption: str = CAPTION,
) -> None:
    """Print it on standard output, in as many columns as the terminal has room for.

    Args:
        anchors: players, the mean score against whom has a column.
        most: snapshots to show, best first; anchors are always there.
        columns: what is said before that, as `draw` knows it.
    """
    from rich.text import Text

    shown = chosen(table, most)
    notes = [Text(f"and {len(table) - len(shown)} more")] if len(shown) < len(table) else []
    notes.append(Text(caption, style="dim"))
    columns = [column for column in columns if column != "plays" or any(standing.part for standing in table)]
    print_table(lambda columns: draw(shown, columns, title), [*columns, *anchors], SPARE, notes)


def draw(rows: Sequence[tuple[int, Standing]], columns: Sequence[str], title: str) -> Table:
    """A table of ranks and standings; `columns` are of `COLUMNS`, "mean", "95 % interval" or names of anchors."""
    drawn = plain_table(title, columns, WORDS)
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
            return standing.name
        case "role":
            return standing.role
        case "plays":
            return standing.part
        case "skill":
            return skill(rating)
        case "sure":
            return f"{rating.exposed:.1f}"
        case "mean":
            return f"{rating.mean:.1f}"
        case "95 % interval":
            return "{:.1f} to {:.1f}".format(*rating.interval())
        case "games":
            return str(summary.games)
        case "won/drawn/lost":
            return f"{summary.wins}/{summary.draws}/{summary.losses}"
    return score(standing.against.get(column))
