"""Table: where everybody stands, with tie-breaks, intervals and ratings. A pure function of the games."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from arena.league.summaries import Summaries
from arena.ratings.bradley_terry import fit_history
from arena.ratings.games import games_of
from arena.ratings.rating import Rating
from arena.result import MatchSummary
from arena.tournaments.formats.swiss import Swiss
from arena.tournaments.pairing import Format, Names, Played
from arena.tournaments.scores import Score, scores
from arena.tournaments.tournament import Tournament


@dataclass(frozen=True, slots=True)
class Line:
    """One entrant."""

    place: int
    """From 1; who shares a place has the same."""
    seed: int
    """From 1."""
    name: str
    score: Score
    summary: MatchSummary | None
    """All its games; None before the first."""
    rating: Rating | None
    """Bradley-Terry fit of all games of the tournament, in Elo points around 0; None before its first game."""

    def figures(self) -> dict[str, Any]:
        """As --json and --csv say it."""
        score, rating = self.score, self.rating
        low, high = rating.interval() if rating else (None, None)
        ends = self.summary.score_ci95 if self.summary else None
        return {
            "place": self.place,
            "name": self.name,
            "seed": self.seed,
            "match_points": score.matches,
            "pairings": len(score.results),
            "byes": len(score.byes),
            "buchholz": score.buchholz,
            "sonneborn_berger": score.sonneborn_berger,
            "games": score.games.games,
            "wins": score.games.wins,
            "draws": score.games.draws,
            "losses": score.games.losses,
            "points": score.points,
            "score_mean": self.summary.score_mean if self.summary else None,
            "score_low": ends[0] if ends else None,
            "score_high": ends[1] if ends else None,
            "elo": rating.mean if rating else None,
            "elo_low": low,
            "elo_high": high,
        }


def table(tournament: Tournament, rated: bool = True) -> list[Line]:
    """Everybody, the best first.

    Args:
        rated: with ratings and intervals, which take all games and therefore some time.
    """
    names, played = tournament.names, tournament.played
    found = scores(names, played, byes_of(tournament.format, names, played))
    summaries: Mapping[str, MatchSummary] = {}
    ratings: Mapping[str, Rating] = {}
    if rated and tournament.results:
        games = games_of(tournament.ordered())
        summaries = Summaries(games).all()
        ratings = {
            name: Rating(one.mean - INITIAL, one.stderr, one.games)
            for name, one in fit_history(games).ratings().items()
        }
    lines: list[Line] = []
    for group in tournament.format.order(names, played):
        place = len(lines) + 1
        lines += [
            Line(place, names.index(name) + 1, name, found[name], summaries.get(name), ratings.get(name))
            for name in group
        ]
    return lines


INITIAL = 1500.0
"""Mean of the ratings of a Bradley-Terry fit."""


def byes_of(format: Format, names: Names, played: Played) -> Mapping[str, tuple[int, ...]]:
    """Rounds without an opponent that count as won."""
    return format.byes(names, played) if isinstance(format, Swiss) else {}
