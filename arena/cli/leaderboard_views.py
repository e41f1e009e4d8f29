"""What can be said of a log: ratings, shares in an equilibrium, matrices, cycles. For people and for programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

import numpy as np
from rich.text import Text

from arena.cli.leaderboard import WORDS, print_leaderboard, standings_json
from arena.cli.table import plain_table, print_table
from arena.league.history import parts
from arena.league.overview import history, spec_of
from arena.league.standings import champion, met, role_of, standings
from arena.ratings import raters
from arena.ratings.bradley_terry import fit_history
from arena.ratings.cycles import cycles
from arena.ratings.disagreement import disagreements
from arena.ratings.games import Games, games_of
from arena.ratings.meta import alpha_rank, nash
from arena.ratings.payoff import payoff_of
from arena.ratings.seats import by_seat, unseated
from arena.ratings.superiority import superiority
from arena.store import RunFolder
from envs.core import Floats

DEFAULT = "trueskill"
RATED = ("#", "player", "role", "plays", "mean", "95 % interval", "games", "won/drawn/lost")
SHARED = ("#", "player", "role", "share", "payoff", "games")
SPARE = ("games", "role")
"""Columns that a narrow terminal does without, in this order."""
TOLD = 5
"""Disagreements that are told in full."""
FEW = 10
"""Players of a printed matrix, and cycles, unless it is said how many."""
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Scope:
    """A log, and how to look at it."""

    games: Games
    roles: Mapping[str, str]
    """Of every player in it."""
    anchors: Sequence[str]
    """Players against whom the default leaderboard has a column."""
    seats: bool
    """Whether whoever sits in another seat is another player."""
    most: int | None
    """Players to show, best first."""
    parts: Mapping[str, str] = field(default_factory=dict)
    """See `arena.league.history.parts`."""


@dataclass(frozen=True, slots=True)
class View:
    """What is said."""

    figures: Callable[[], dict[str, Any]]
    """For --json."""
    show: Callable[[str], None]
    """Prints it under a title."""


def read(folder: RunFolder, roles: Mapping[str, str], anchors: Sequence[str], seats: bool, most: int | None) -> Scope:
    """The log of `folder`; `roles` of its members by name."""
    if not seats:
        games = history(folder)
        given = {name: role_of(name, roles) for name in games.names}
        return Scope(games, given, anchors, seats, most, parts(folder.meetings(), spec_of(folder)))
    games = games_of(by_seat(folder.results()))
    return Scope(games, {name: role_of(unseated(name)[0], roles) for name in games.names}, anchors, seats, most)


def ratings(name: str, scope: Scope) -> View:
    """Everybody's mean with its interval; of the default rating, also where the fit to all games contradicts it."""
    rater = raters.rater(name)
    fit = fit_history(scope.games)
    table = standings(scope.games, scope.roles, rater.rate, scope.parts, fit)
    found = disagreements({one.name: one.rating for one in table}, fit) if name == DEFAULT else []

    def figures() -> dict[str, Any]:
        said: dict[str, Any] = {"unit": rater.unit, "players": standings_json(table, scope.most)}
        if name == DEFAULT:
            best = champion(table)
            said |= {"champion": best.name if best else None, "disagreements": [asdict(one) for one in found]}
        return said

    def show(title: str) -> None:
        if name == DEFAULT and not scope.seats:
            print_leaderboard(table, met(table, scope.anchors), title, scope.most)
        else:
            caption = (
                f"{name}: {rater.summary}. Mean in {rater.unit}; 95 % interval: mean ± 1.96 standard errors; in the "
                "order of mean - 3 standard errors"
            )
            print_leaderboard(table, (), title, scope.most, RATED, caption)
        for disagreement in found[:TOLD]:
            print(disagreement)
        if found[TOLD:]:
            print(f"and {len(found) - TOLD:,} more such pairs")

    return View(figures, show)


def shares(solve: Callable[[Floats], Floats], caption: str, scope: Scope) -> View:
    """How much of a meta-solver's mixture everybody is."""
    payoff = payoff_of(scope.games).filled()
    share = solve(payoff) if payoff.size else np.zeros(0)
    against = payoff @ share
    shown, even = share.round(6), against.round(6)  # shares of 1e-13 are 0, and must not decide who comes first
    names, games = scope.games.names, scope.games.counts()
    order = sorted(range(len(names)), key=lambda at: (-shown[at], -even[at], names[at]))
    rows = [
        {**row, "share": float(share[at]), "payoff": float(against[at]), "games": int(games[at])}
        for row, at in zip(_listed(scope, [names[at] for at in order]), order, strict=True)
    ]

    def show(title: str) -> None:
        cells = [
            (*_named(row), f"{row['share']:.3f}", f"{round(row['payoff'], 3) + 0.0:+.3f}", str(row["games"]))
            for row in rows[: scope.most]
        ]
        _print(title, SHARED, SPARE, cells, len(rows), caption)

    return View(lambda: {"players": rows[: scope.most]}, show)


def win_shares(scope: Scope) -> View:
    """Who wins how much against whom."""
    payoff = payoff_of(scope.games)
    payoff = payoff.among([one.name for one in standings(scope.games, scope.roles)][: scope.most])
    share = payoff.win_share

    def figures() -> dict[str, Any]:
        shown = [[None if np.isnan(x) else x for x in row] for row in share.tolist()]
        return {"win_share": shown, "met": payoff.games.tolist()}

    caption = (
        "wins and half the draws of the row against the column, as a share of their games; -: they never met; "
        "in the order of TrueSkill"
    )
    return _matrix(scope, payoff.names, share, figures, caption)


def likelihoods(scope: Scope) -> View:
    """Who is better than whom, and how surely."""
    fit = fit_history(scope.games)
    table = fit.ratings()
    best = sorted(table, key=lambda name: -table[name].exposed)[: scope.most]
    rows = np.array([fit.names.index(name) for name in best], np.int64)
    chance = superiority(fit.mean[rows], fit.covariance[np.ix_(rows, rows)])
    caption = "likelihood that the row is better than the column, by the whole-history fit, in its order"
    return _matrix(scope, best, chance, lambda: {"superiority": chance.tolist()}, caption)


def rings(scope: Scope) -> View:
    """Who beats whom in a circle."""
    found = cycles(payoff_of(scope.games), most=scope.most or FEW)

    def show(title: str) -> None:
        print(title)
        for cycle in found:
            print(f"{cycle}: strength {cycle.strength:.2f}, {min(cycle.games):,} games or more for each margin")
        if not found:
            print("no three players beat each other in a circle so clearly that it cannot be luck")

    return View(lambda: {"cycles": [{**asdict(cycle), "strength": cycle.strength} for cycle in found]}, show)


VIEWS: dict[str, Callable[[Scope], View]] = {
    **{name: partial(ratings, name) for name in raters.RATERS},
    "nash": partial(
        shares,
        nash,
        "Nash averaging: share of the equilibrium that takes no sides; payoff against it: (wins - losses) / games, 0 "
        "for those in it. Two who never met count as even",
    ),
    "alpha-rank": partial(
        shares,
        alpha_rank,
        "alpha-rank: share of time that evolution spends at each player; payoff against these shares: (wins - losses) "
        "/ games. Two who never met count as even",
    ),
    "payoff": win_shares,
    "superiority": likelihoods,
    "cycles": rings,
}
"""What --rating may be."""


def _listed(scope: Scope, names: Sequence[str]) -> list[Row]:
    """Ranks, names and roles."""
    return [{"rank": rank, "name": name, "role": scope.roles[name]} for rank, name in enumerate(names, start=1)]


def _named(row: Row) -> tuple[str, str, str]:
    return str(row["rank"]), row["name"], row["role"]


def _matrix(
    scope: Scope, names: Sequence[str], values: Floats, figures: Callable[[], dict[str, Any]], caption: str
) -> View:
    """A table of every one of `names`, best first, against every other; printed, only some of them."""
    rows = _listed(scope, names)

    def show(title: str) -> None:
        few = rows[: scope.most or FEW]
        cells = [
            (str(row["rank"]), row["name"], *("" if i == j else _number(values[i, j]) for j in range(len(few))))
            for i, row in enumerate(few)
        ]
        ranks = [str(row["rank"]) for row in few]
        _print(title, ("#", "player", *ranks), ranks[::-1], cells, len(scope.games.names), caption)

    return View(lambda: {"players": rows, **figures()}, show)


def _number(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.2f}"


def _print(
    title: str, columns: Sequence[str], spare: Sequence[str], rows: Sequence[Sequence[str]], of: int, caption: str
) -> None:
    """Print a table of `rows`, which are `of` in all; a narrow terminal does without `spare`, in this order."""

    def draw(shown: Sequence[str]) -> Any:
        drawn = plain_table(title, shown, WORDS)
        for row in rows:
            cells = dict(zip(columns, row, strict=True))
            drawn.add_row(*(Text(cells[column]) for column in shown))
        return drawn

    notes = [Text(f"and {of - len(rows)} more")] if len(rows) < of else []
    print_table(draw, columns, spare, [*notes, Text(caption, style="dim")])
