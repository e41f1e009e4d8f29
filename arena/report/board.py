"""Board: the leaderboard of a page, with intervals, which can be sorted."""

from __future__ import annotations

from collections.abc import Sequence

from arena.cli.leaderboard import chosen
from arena.league.standings import Standing, met
from arena.ratings.rating import Rating
from arena.report.facts import signed
from arena.report.html import escape, tag
from arena.report.league import LeagueNumbers
from arena.report.section import scrolling
from arena.result import MatchSummary

SHOWN = 25
"""Rows that are there before more are asked for."""
CAPTION = (
    "Skill: TrueSkill mean and standard deviation. Rating: Elo points from one fit to all games, 0 the mean of all "
    "players, with its 95 % interval. vs an anchor: mean score per game. ★ the champion: surest by that fit."
)


def leaderboard(numbers: LeagueNumbers) -> str:
    """The table, with a button for the rows after the first `SHOWN`."""
    rows = chosen(numbers.table)
    if not rows:
        return tag("p", "No rated games yet.", class_="note")
    several = any(one.part for _, one in rows)
    anchors = met(numbers.table, [one.name.partition("@")[0] for one in numbers.table if one.anchor])
    scale = _scale([one.fit for _, one in rows])
    best = {one.name for one in numbers.champions}
    heads = [
        _head("#"), _head("player", word=True), _head("rating"), tag("th", "95 % interval", scope="col", class_="word"),
        _head("skill"), _head("role", word=True), *([_head("plays", word=True)] if several else []),
        _head("games"), _head("won / drawn / lost"), *(_head(f"vs {name}") for name in anchors),
    ]  # fmt: skip
    body = [
        _row(rank, one, numbers.owners.get(one.name), one.name in best, several, anchors, scale, at >= SHOWN)
        for at, (rank, one) in enumerate(rows)
    ]
    folded = len(rows) > SHOWN
    table = tag(
        "table",
        tag("caption", "Everybody who has been rated, best first", class_="hidden-text"),
        tag("thead", tag("tr", *heads)),
        tag("tbody", *body),
        id="leaderboard-table", class_="sortable folded" if folded else "sortable",
    )  # fmt: skip
    more = f"Show all {len(rows)} players"
    button = tag("button", more, type="button", class_="unfold", aria_controls="leaderboard-table") if folded else ""
    return tag("p", CAPTION, class_="note wide") + scrolling(table, "Leaderboard") + button


def _scale(ratings: Sequence[Rating]) -> tuple[float, float]:
    """Ends of the picture of intervals: those of the better three quarters; a few beginners are far below."""
    better = sorted(ratings, key=lambda one: -one.mean)[: -(-3 * len(ratings) // 4)]
    return min(one.interval()[0] for one in better), max(one.interval()[1] for one in better)


def _head(name: str, word: bool = False) -> str:
    """A column that can be sorted."""
    button = tag("button", escape(name), type="button")
    return tag("th", button, scope="col", class_="word" if word else None)


def _row(
    rank: int,
    one: Standing,
    owner: int | None,
    best: bool,
    several: bool,
    anchors: Sequence[str],
    scale: tuple[float, float],
    hidden: bool,
) -> str:
    summary = one.summary
    own = "own-anchor" if owner is None else f"own{owner % 8}"
    name = tag("span", class_=f"swatch {own}", aria_hidden="true") + escape(one.name)
    if best:
        name += tag("span", " (champion)", class_="hidden-text")
    won = f"{summary.wins:,} / {summary.draws:,} / {summary.losses:,}"
    cells = [
        _cell(str(rank), rank),
        tag("th", name, scope="row", class_="word", data_value=one.name),
        _cell(signed(one.fit.mean, 0), one.fit.mean),
        tag("td", _whisker(one.fit, scale, own), class_="word"),
        _cell(f"{one.rating.mean:.1f} ± {one.rating.stderr:.1f}", one.rating.mean),
        tag("td", escape(one.role), class_="word"),
        *([tag("td", escape(one.part), class_="word")] if several else []),
        _cell(f"{summary.games:,}", summary.games),
        _cell(won, (summary.wins + summary.draws / 2) / summary.games),
        *(_score(one.against.get(anchor)) for anchor in anchors),
    ]
    kinds = [kind for kind, there in (("more", hidden), ("anchor", one.anchor), ("champion", best)) if there]
    return tag("tr", *cells, class_=" ".join(kinds) or None)


def _cell(text: str, value: float) -> str:
    return tag("td", escape(text), data_value=f"{value:.6g}")


def _score(summary: MatchSummary | None) -> str:
    if summary is None:
        return tag("td", "–", data_value="")
    half = f" ± {summary.score_ci95[1] - summary.score_mean:.2f}" if summary.score_ci95 else ""
    return _cell(signed(summary.score_mean) + half, summary.score_mean)


def _whisker(rating: Rating, scale: tuple[float, float], own: str) -> str:
    """An interval as a bar; its ends in words for those who do not see it."""
    low, high = rating.interval()
    span = max(scale[1] - scale[0], 1e-9)
    clipped = (min(max(value, scale[0]), scale[1]) for value in (low, rating.mean, high, 0.0))
    left, middle, right, zero = (f"{5 + 160 * (value - scale[0]) / span:.1f}" for value in clipped)
    dot, arrow = tag("circle", cx=middle, cy="9", r="4"), tag("path", d="M10 5l-5 4 5 4", class_="out")
    said = f"{signed(low, 0)} to {signed(high, 0)}"
    return tag(
        "svg",
        tag("title", said),
        tag("line", x1=zero, x2=zero, y1="0", y2="18", class_="zero"),
        tag("line", x1=left, x2=right, y1="9", y2="9", class_="range"),
        dot if rating.mean >= scale[0] else arrow,
        viewBox="0 0 170 18", class_=f"whisker {own}", role="img", aria_label=said,
    )  # fmt: skip
