"""Standings: what the match log says of everybody. A pure function of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from arena.ratings.rating import Rating
from arena.ratings.trueskill import rate
from arena.result import MatchSummary, Result, summarise


@dataclass(frozen=True, slots=True)
class Standing:
    """One line of the leaderboard."""

    name: str
    anchor: bool
    """A scripted player: a fixed point of the scale."""
    rating: Rating
    """TrueSkill."""
    summary: MatchSummary
    """All its games."""
    against: dict[str, MatchSummary]
    """Its games against each anchor it met."""


def standings(results: Sequence[Result], anchors: Sequence[str]) -> list[Standing]:
    """Everybody in the log, surest skill first (TrueSkill mean - 3 sigma)."""
    if not results:
        return []
    ratings = rate(results)
    games: dict[str, list[Result]] = {name: [] for name in ratings}
    for result in results:
        for name in result.players:
            games[name].append(result)
    table = [
        Standing(
            name,
            name in anchors,
            ratings[name],
            summarise(own, name),
            {
                anchor: summarise(met, name)
                for anchor in anchors
                if anchor != name and (met := [result for result in own if anchor in result.players])
            },
        )
        for name, own in games.items()
    ]
    return sorted(table, key=lambda standing: -standing.rating.exposed)


def champion(table: Sequence[Standing]) -> Standing | None:
    """The best that is no anchor."""
    return next((standing for standing in table if not standing.anchor), None)
