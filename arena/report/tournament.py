"""Tournament: the sections of a tournament's page, from its folder and from nothing else."""

from __future__ import annotations

from arena.ratings.games import games_of
from arena.ratings.payoff import payoff_of
from arena.report.facts import configuration, duration, facts, signed, size
from arena.report.html import Json, tag
from arena.report.payoff import heat
from arena.report.resources import disk
from arena.report.section import Section, figure, table
from arena.store import RunFolder
from arena.tournaments.formats.elimination import Elimination
from arena.tournaments.picture import drawn
from arena.tournaments.table import Line
from arena.tournaments.table import table as lines_of
from arena.tournaments.tournament import Tournament

CAPTION = (
    "Points: games won and half the games drawn. Mean score and Elo with 95 % intervals; Elo is one fit to all games, "
    "0 their mean. S.-B.: Sonneborn-Berger."
)
HEADS = ("#", "player", "match points", "Buchholz", "S.-B.", "points", "won / drawn / lost", "mean score", "Elo")


def told(run: RunFolder) -> tuple[str, dict[str, tuple[str, str]], list[Section], Json]:
    """Title, what is told first, sections, and charts.

    Raises:
        InputError: the folder holds no tournament, or cannot be read.
    """
    tournament = Tournament(run)
    lines, name = lines_of(tournament), run.path.resolve().name
    config = tournament.config
    first = {
        _first(tournament): (lines[0].name, f"{lines[0].score.points:g} points"),
        "format": (config.format.replace("-", " "), f"{len(lines)} players"),
        "games": (f"{tournament.games:,}", "all of them" if tournament.over else f"of {tournament.most:,} at most"),
    }
    bracket = isinstance(tournament.format, Elimination)
    forfeits = _forfeits(tournament)
    sections = [
        Section("table", "Table", tag("p", CAPTION, class_="note wide") + _table(lines)),
        Section("bracket" if bracket else "crosstable", "Bracket" if bracket else "Cross table", _picture(tournament)),
        Section(
            "payoff", "Who beats whom",
            tag("p", "Share of games that the row won against the column, draws half.", class_="lede")
            + figure("payoff"),
        ),
        *([Section("forfeits", "Forfeits", forfeits)] if forfeits else []),
        Section("resources", "Resources", facts(_resources(run, tournament))),
        Section("settings", "Settings", configuration(run)),
    ]  # fmt: skip
    charts: Json = {}
    if tournament.results:
        payoff = payoff_of(games_of(tournament.ordered()))
        order = [line.name for line in lines if line.name in payoff.names]
        charts["payoff"] = heat(payoff, order, order, {one: at for at, one in enumerate(order)})
    return f"{config.game.id}: {name}", first, sections, charts


def _first(tournament: Tournament) -> str:
    """What the first of the table is; in a gauntlet challengers come first, whatever they did."""
    if tournament.config.format == "gauntlet":
        return "challenger"
    return "winner" if tournament.over else "leader"


def _table(lines: list[Line]) -> str:
    rows = []
    for line in lines:
        score, summary, rating = line.score, line.summary, line.rating
        games = score.games
        mean = elo = "–"
        if summary:
            ends = summary.score_ci95
            mean = signed(summary.score_mean) + (f" ± {ends[1] - summary.score_mean:.2f}" if ends else "")
        if rating:
            elo = f"{signed(rating.mean, 0)} ± {rating.interval()[1] - rating.mean:.0f}"
        won = f"{games.wins} / {games.draws} / {games.losses}"
        cells = (line.place, line.name, f"{score.matches:g}", f"{score.buchholz:g}", f"{score.sonneborn_berger:g}")
        rows.append([*map(str, cells), f"{score.points:g}/{games.games}", won, mean, elo])
    return table(HEADS, rows, "Everybody, best first", words=2)


def _picture(tournament: Tournament) -> str:
    return tag("div", drawn(tournament), class_="scroll", tabindex=0, role="region", aria_label="Results")


def _forfeits(tournament: Tournament) -> str:
    """Games that somebody gave away, and why; "" where nobody did."""
    rows = [
        [" – ".join(result.players), result.reason]
        for result in tournament.ordered()
        if result.ended == "forfeit"
    ]  # fmt: skip
    return table(("game", "reason"), rows, "Games that were forfeited", words=2) if rows else ""


def _resources(run: RunFolder, tournament: Tournament) -> dict[str, str]:
    times = [entry.time for entry in run.entries()]
    sizes = disk(run.path)
    return {
        "games in the log": f"{tournament.games:,}",
        "time from first to last block": duration(max(times) - min(times)) if times else "–",
        "disk": f"{size(sum(sizes.values()))}: " + ", ".join(f"{part} {size(bytes)}" for part, bytes in sizes.items()),
    }
