"""TrueSkill of players in mixed teams: what each brings to whatever team it is in (Herbrich et al. 2006).

A team's performance is the sum of its players'. The other raters know sides that are one player each.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import fmean
from typing import Any

from arena.ratings.games import Played
from arena.ratings.rating import Rating
from arena.ratings.trueskill import TrueSkillSettings
from envs.errors import InputError


def mixed(result: Played, teams: Sequence[int]) -> bool:
    """Whether players of different names are in one team; `teams` [P] are the env's."""
    return len(set(zip(teams, result.players, strict=True))) > len(set(teams))


def rate(
    results: Iterable[Played], teams: Sequence[int], settings: TrueSkillSettings | None = None
) -> dict[str, Rating]:
    """Rate everybody who appears in `results`, read in order, by the package's update for any number of teams.

    Somebody in several seats of a team is there once, with as much weight as all of them have. Games in which somebody
    is in two teams are left out.

    Args:
        teams: [P] team of each seat, as `EnvSpec.teams`.

    Raises:
        InputError: results of another number of seats, or draws although `draw_probability` is 0.
    """
    import trueskill

    settings, known = settings or TrueSkillSettings(), list(results)
    wrong = next((result for result in known if len(result.players) != len(teams)), None)
    if wrong:
        raise InputError(f"a game of {len(wrong.players)} seats among those of {len(teams)}: rate one kind at a time.")
    lineups = [_lineup(result, teams) for result in known]
    played = [(sides, score) for sides, score in lineups if len(set().union(*sides)) == sum(map(len, sides))]
    model: Any = trueskill.TrueSkill(
        mu=settings.mu, sigma=settings.sigma, beta=settings.beta, tau=settings.tau,
        draw_probability=_draws([score for _, score in played], settings),
    )  # fmt: skip
    ratings: dict[str, Any] = {}
    counts: dict[str, int] = {}
    for sides, score in played:
        for name in (name for side in sides for name in side):
            ratings.setdefault(name, model.create_rating())
            counts[name] = counts.get(name, 0) + 1
        after = model.rate(
            rating_groups=[tuple(ratings[name] for name in side) for side in sides],
            ranks=[sum(other > own for other in score) for own in score],
            weights=[tuple(side.values()) for side in sides],
        )
        for side, found in zip(sides, after, strict=True):
            ratings.update(zip(side, found, strict=True))
    return {name: Rating(rating.mu, rating.sigma, counts[name]) for name, rating in ratings.items()}


def _lineup(result: Played, teams: Sequence[int]) -> tuple[list[dict[str, float]], list[float]]:
    """[T] weight of each player of each team, and [T] its mean score."""
    sides, scores = [], []
    for team in sorted(set(teams)):
        seats = [seat for seat, own in enumerate(teams) if own == team]
        names = [result.players[seat] for seat in seats]
        sides.append({name: float(names.count(name)) for name in names})
        scores.append(fmean(result.score[seat] for seat in seats))
    return sides, scores


def _draws(scores: Sequence[Sequence[float]], settings: TrueSkillSettings) -> float:
    """Draw probability: as it is set, or the share of ties among neighbours in the order of finish."""
    ties = [a == b for score in map(sorted, scores) for a, b in pairwise(score)]
    seen = fmean(ties) if ties else 0.0
    if settings.draw_probability == 0 and seen > 0:
        raise InputError("draw_probability is 0, but the log has draws: give their chance, or leave it out.")
    if settings.draw_probability is not None:
        return settings.draw_probability
    return min(seen, len(scores) / (len(scores) + 1))
