"""Difficulty: the player whose rating is nearest to what somebody can cope with."""

from __future__ import annotations

from arena.league.overview import leaderboard, spec_of
from arena.ratings.rating import Rating
from arena.store import RunFolder
from envs.errors import InputError


def ratings(run: RunFolder, team: int | None = None) -> dict[str, Rating]:
    """TrueSkill of every snapshot of `run` that has been rated, by name.

    Args:
        team: only of those who play in it, where teams are not alike.
    """
    spec, snapshots = spec_of(run), {one.name for one in run.snapshots()}
    fits = {role for role, own in zip(spec.roles, spec.teams, strict=True) if team in (None, own)}
    return {
        one.name: one.rating for one in leaderboard(run) if one.name in snapshots and (not one.part or one.part in fits)
    }


def nearest(run: RunFolder, rating: float, team: int | None = None) -> str:
    """The snapshot whose mean is nearest to `rating`.

    Raises:
        InputError: none has been rated.
    """
    known = ratings(run, team)
    if not known:
        raise InputError(f"{run.path} has no rated snapshots yet, so none is near {rating:g}.")
    return min(known, key=lambda name: abs(known[name].mean - rating))
