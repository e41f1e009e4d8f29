"""History: the games of a league as raters take them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from arena.ratings.batches import games_of_batches
from arena.ratings.duplicates import duplicates
from arena.ratings.games import Games, Played, games_of
from arena.ratings.teams import mixed
from envs.core import EnvSpec
from envs.side import team_count, unlike

if TYPE_CHECKING:
    from arena.store import RunFolder

PART = "@"
"""Between the name of a bot, which may play any part, and the part that it played."""


def changes_sides(spec: EnvSpec) -> bool:
    """Whether players can sit in each other's place, so that a game between them says who is better. If not they are
    compared in games of the same seed, see `arena.ratings.duplicates`."""
    return team_count(spec) > 1 and spec.symmetric


def compared(results: Iterable[Played], spec: EnvSpec) -> Games:
    """What `results` of the game `spec` say of who is better.

    Where teams are not alike, a bot is another player in each part, such as "random@predator". Games of mixed teams are
    left out: `arena.ratings.teams` rates them.
    """
    if changes_sides(spec):
        alone = len(set(spec.teams)) == spec.seats
        return games_of(results if alone else (result for result in results if not mixed(result, spec.teams)))
    return games_of(duplicates(_parted(results, spec.roles) if unlike(spec) else results))


def read(run: RunFolder, spec: EnvSpec) -> Games:
    """`compared` of all games of `run`; from whole arrays, where every side of the game `spec` is one seat."""
    if changes_sides(spec) and len(set(spec.teams)) == spec.seats:
        return games_of_batches(run.batches(), run.lineups, run.games())
    return compared(run.meetings(), spec)


def parts(results: Iterable[Played], spec: EnvSpec) -> dict[str, str]:
    """Role of the first seat of each player that `compared` names; empty where everybody plays everything."""
    if not unlike(spec):
        return {}
    return {
        name: spec.roles[result.players.index(name)]
        for result in _parted(results, spec.roles)
        for name in dict.fromkeys(result.players)
    }


@dataclass(frozen=True, slots=True)
class _Renamed:
    players: tuple[str, ...]
    score: tuple[float, ...]
    seed: int
    steps: int


def _parted(results: Iterable[Played], roles: Sequence[str]) -> Iterator[Played]:
    for result in results:
        names = (name if ":" in name else f"{name}{PART}{roles[result.players.index(name)]}" for name in result.players)
        yield _Renamed(tuple(names), result.score, result.seed, result.steps)
