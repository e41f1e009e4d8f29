"""Standings: what the match log says of everybody. A pure function of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from arena.league.history import PART
from arena.league.summaries import Summaries
from arena.ratings.bradley_terry import fit_history
from arena.ratings.fit import Fit
from arena.ratings.games import Games, History, games_of
from arena.ratings.rating import Rating
from arena.ratings.trueskill import rate
from arena.result import MatchSummary


@dataclass(frozen=True, slots=True)
class Standing:
    """One line of the leaderboard."""

    name: str
    role: str
    """Of its member: main, main-exploiter, league-exploiter, historical, anchor, human or retired; "guest" for one that
    is none, such as a player of imported games."""
    rating: Rating
    """TrueSkill, unless another was asked for."""
    summary: MatchSummary
    """All its games."""
    against: dict[str, MatchSummary]
    """Its games against each anchor it met."""
    fit: Rating
    """By the whole-history fit, which does not depend on the order of the games, as online ratings do."""
    part: str = ""
    """Role of its seats, in games whose teams are not alike."""

    @property
    def anchor(self) -> bool:
        """A fixed point of the scale."""
        return self.role == "anchor"


def standings(
    results: History,
    roles: Mapping[str, str],
    rate: Callable[[Games], dict[str, Rating]] = rate,
    parts: Mapping[str, str] | None = None,
    fit: Fit | None = None,
) -> list[Standing]:
    """Everybody in the log, surest skill first (TrueSkill mean - 3 sigma).

    Games that `games_of` leaves out, such as those against oneself, count for nobody.

    Args:
        roles: of the members, by name.
        rate: another rater, whose ratings the standings then have.
        parts: what each player is a specialist for, if they are: only those of one part are compared, so each part
            follows the other.
        fit: the whole-history fit of `results`, where it is known already.
    """
    games = games_of(results)
    if not len(games):
        return []
    anchors = [name for name in games.names if role_of(name, roles) == "anchor"]
    with ThreadPoolExecutor(2) as pool:  # what is compiled runs side by side
        rated = pool.submit(rate, games)
        fitting = pool.submit(lambda: (fit or fit_history(games)).ratings())
        summaries = Summaries(games)
        everybody = summaries.all()
        against = {anchor: summaries.against(anchor) for anchor in anchors}
    ratings, fitted = rated.result(), fitting.result()
    table = [
        Standing(
            name,
            role_of(name, roles),
            rating,
            everybody[name],
            {anchor: met[name] for anchor, met in against.items() if name in met},
            fitted[name],
            (parts or {}).get(name, ""),
        )
        for name, rating in ratings.items()
    ]
    return sorted(table, key=lambda standing: (standing.part, -standing.rating.exposed))


def met(table: Sequence[Standing], anchors: Sequence[str]) -> list[str]:
    """Which of `anchors` somebody in the table met, under the names that they have there."""
    names = dict.fromkeys(name for standing in table for name in standing.against)
    return [name for anchor in anchors for name in names if name.partition(PART)[0] == anchor]


def champion(table: Sequence[Standing], part: str | None = None) -> Standing | None:
    """The surest (of `part`) by the whole-history fit, mean - 3 standard errors, that is neither anchor nor exploiter,
    which are good against some."""
    leaders = [one for one in table if one.role in LEADERS and part in (None, one.part)]
    return max(leaders, key=lambda one: one.fit.exposed, default=None)


LEADERS = ("main", "historical")
"""Roles of those who may be champion."""


def role_of(name: str, roles: Mapping[str, str]) -> str:
    """Role of the player `name`: of the member that it is, or is a snapshot of."""
    return roles.get(name) or roles.get(name.rpartition(":")[0]) or roles.get(name.partition(PART)[0], "guest")
