"""Picks: the games of a run that are worth watching. A pure function of its log.

upset       won against the widest gap of ratings
longest     most steps; of equally long ones the one with the fewest points
closest     decided by the least, as late as possible
latest      the last one, between two snapshots if there is one
best        highest score, where a game is played by one team
promotion   of each promotion by a match, the game that tells most (chosen when the match is played again: promotion
            games are not in the log)
first-win   the first win of anybody over each of its ancestors

Only games that can be played again are picked: rated ones between snapshots and bots of the run.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from arena.league.history import changes_sides
from arena.league.overview import history, spec_of
from arena.ratings.rating import Rating
from arena.ratings.trueskill import TrueSkillSettings, rate
from arena.result import Result
from arena.store import RunFolder
from envs.core import EnvSpec
from envs.errors import InputError, unknown
from envs.side import team_count

PROMOTION, FIRST_WIN = "promotion", "first-win"
KINDS = ("upset", "longest", "closest", "best", "latest", PROMOTION, FIRST_WIN)


PLAYED = r"(rating|final|more\d+|round\d+\.\d+\.\d+)\|"
"""How the keys of blocks begin that can be played again from what the run holds (`arena.league.population`,
`arena.tournaments.blocks`)."""


@dataclass(frozen=True, slots=True)
class Pick:
    """A game, and why."""

    kind: str
    """One of `KINDS`, or "meeting" for one that was asked for by its players."""
    label: str
    """Name of its file without the suffix; no two picks of a run have the same."""
    title: str
    """Why, for people."""
    block: str
    """Key of its block in the log; of a promotion "promotion|candidate|against"."""
    game: int | None
    """Its place in the block; None for a promotion, where it is chosen when the match is played again."""
    result: Result | None
    """What the log says of it; None for a promotion."""


@dataclass(frozen=True, slots=True)
class Logged:
    """A game of the log that can be played again."""

    block: str
    game: int
    result: Result
    sides: Mapping[str, float]
    """Mean score of the seats of each player, by name."""
    winner: str | None
    """Who had more than everybody else."""
    margin: float
    """By how much the first beat the second."""


def prominence(label: str) -> tuple[int, int]:
    """Puts labels of picks into the order in which people want to see them: extremes first, then what is new."""
    kind = next((place for place, kind in enumerate(KINDS) if label.startswith(kind)), len(KINDS))
    step = re.search(r"\d+$", label)
    return kind, -int(step.group()) if step else 0


def picks(run: RunFolder, ratings: Mapping[str, Rating] | None = None) -> list[Pick]:
    """The games of the league `run` that are worth watching, at most one for each label.

    Args:
        ratings: TrueSkill of everybody by the log, if they are known already.

    Raises:
        InputError: not a league, or its config.yaml cannot be read.
    """
    spec = spec_of(run)
    games = logged(run)
    found = [*_promotions(run)]
    if games:
        if ratings is None:
            ratings = rate(history(run))
        parents = {one.name: one.parent for one in run.snapshots()}
        found = [*_extremes(games, ratings, spec), _latest(games, parents), *found, *_first_wins(games, parents)]
    return found


def logged(run: RunFolder) -> list[Logged]:
    """Games of the log that can be played again, in its order."""
    games, block, place = [], "", 0
    outcome = lru_cache(1 << 16)(_outcome)  # few are different
    for entry in run.entries():
        place = place + 1 if entry.block == block else 0
        block = entry.block
        if re.match(PLAYED, block) and entry.result.ended != "forfeit":
            games.append(Logged(block, place, entry.result, *outcome(entry.result.players, entry.result.score)))
    return games


def meeting(run: RunFolder, pair: str) -> Pick:
    """The last game of two, such as "ada-vs-bob", "ada:1200000-vs-baseline": members, snapshots or bots.

    Raises:
        InputError: no such players, or two who never met.
    """
    names = [name.strip() for name in pair.split("-vs-")]
    if len(names) != 2:
        raise InputError(f"{pair!r} names {len(names)} players: say two as A-vs-B, such as ada-vs-baseline.")
    games = logged(run)
    met = {name for game in games for name in game.sides}
    members = {name.rpartition(":")[0] or name for name in met}
    for name in names:
        if name not in met | members:
            raise unknown("player", name, met if ":" in name else members)
    first, second = ({one for one in met if name in (one, one.rpartition(":")[0])} for name in names)
    for game in reversed(games):
        present = set(game.sides)
        if len(present) > 1 and any(a in first and b in second for a in present for b in present - {a}):
            label = "-vs-".join(names).replace(":", "-")
            return _pick("meeting", label, f"last game of {names[0]} and {names[1]}", game)
    others = sorted({name for game in games if first & set(game.sides) for name in set(game.sides) - first})
    raise InputError(f"{names[0]} and {names[1]} have not met: {names[0]} met {', '.join(others) or 'nobody'}.")


def find(run: RunFolder, what: str) -> list[Pick]:
    """The picks that `what` means: a kind, a label, or two players as A-vs-B.

    Raises:
        InputError: none of the run's picks is called so.
    """
    if "-vs-" in what:
        return [meeting(run, what)]
    everything = picks(run)
    chosen = [pick for pick in everything if what in (pick.kind, pick.label)]
    if chosen:
        return chosen
    kinds = dict.fromkeys(pick.kind for pick in everything)
    if what in KINDS:
        there = ", ".join(kinds) or "none yet"
        raise InputError(f"{run.path} has no game of kind {what!r}: it has {there}, or A-vs-B.")
    raise unknown("pick", what, {*kinds, *(pick.label for pick in everything), "A-vs-B"})


def _outcome(players: tuple[str, ...], score: tuple[float, ...]) -> tuple[dict[str, float], str | None, float]:
    """`sides`, `winner` and `margin` of `Logged`."""
    held: dict[str, list[float]] = {}
    for name, points in zip(players, score, strict=True):
        held.setdefault(name, []).append(points)
    sides = {name: math.fsum(own) / len(own) for name, own in held.items()}
    (first, best), *rest = sorted(sides.items(), key=lambda side: -side[1])
    margin = best - rest[0][1] if rest else 0.0
    return sides, first if margin > 0 else None, margin


def _pick(kind: str, label: str, title: str, game: Logged) -> Pick:
    return Pick(kind, label, title, game.block, game.game, game.result)


def _extremes(games: list[Logged], ratings: Mapping[str, Rating], spec: EnvSpec) -> Iterable[Pick]:
    """Of each kind the one game that is most so; the first of equal ones."""
    if changes_sides(spec):  # else winner and loser are not on one scale
        first = {(game.winner, *game.sides): game for game in reversed(games) if game.winner}  # of each such result
        upset = max(first.values(), key=lambda game: _gap(game, ratings), default=None)
        if upset and (gap := _gap(upset, ratings)) > 0:
            yield _pick("upset", "upset", f"biggest upset: won with a chance of {_chance(gap):.1%}", upset)
    longest = max(games, key=lambda game: (game.result.steps, -sum(map(abs, game.result.score))))
    yield _pick("longest", "longest", f"longest game: {longest.result.steps:,} steps", longest)
    decided = [game for game in games if game.winner is not None and len(set(spec.teams)) > 1]
    if decided:
        closest = min(decided, key=lambda game: (game.result.ended != "rules", game.margin, -game.result.steps))
        yield _pick("closest", "closest", f"closest game: decided by {_points(closest, spec)}", closest)
    if team_count(spec) == 1:
        best = max(games, key=lambda game: math.fsum(game.result.score))
        yield _pick("best", "best", f"highest score: {math.fsum(best.result.score) / spec.seats:g}", best)


def _points(game: Logged, spec: EnvSpec) -> str:
    """How much there was between the first two; where what one gets the other loses, each point is there twice."""
    return f"{game.margin / (2 if spec.zero_sum and team_count(spec) == 2 else 1):g}"


def _latest(games: list[Logged], snapshots: Mapping[str, object]) -> Pick:
    between = (game for game in reversed(games) if len(game.sides) > 1 and game.sides.keys() <= snapshots.keys())
    return _pick("latest", "latest", "latest game", next(between, games[-1]))


def _gap(game: Logged, ratings: Mapping[str, Rating]) -> float:
    """How many standard deviations of a game better the best of those who lost is than who won; 0 if nobody did."""
    won = ratings.get(game.winner or "")
    if won is None:
        return 0.0
    lost = [ratings[name] for name in game.sides if name != game.winner and name in ratings]
    noise = 2 * TrueSkillSettings().beta ** 2
    return max(((one.mean - won.mean) / math.sqrt(noise + won.stderr**2 + one.stderr**2) for one in lost), default=0.0)


def _chance(gap: float) -> float:
    """Of a normal number above `gap`: of winning from so far behind."""
    return math.erfc(gap / math.sqrt(2)) / 2


def _promotions(run: RunFolder) -> Iterable[Pick]:
    for event in run.events():
        if event.kind == "promoted":
            candidate, against = event.detail["candidate"], event.detail["against"]
            label = f"{PROMOTION}-{_file(candidate)}"
            yield Pick(PROMOTION, label, f"promotion of {candidate}", f"{PROMOTION}|{candidate}|{against}", None, None)


def _first_wins(games: list[Logged], parents: Mapping[str, str | None]) -> Iterable[Pick]:
    beaten: set[str] = set()
    lines: dict[str, set[str]] = {}
    for game in games:
        winner = game.winner
        if winner is None or winner not in parents:
            continue
        if winner not in lines:
            lines[winner] = _ancestors(winner, parents)
        for loser in game.sides:
            if loser in lines[winner] and loser not in beaten:
                beaten.add(loser)
                title = f"{winner} is the first to beat its ancestor {loser}"
                yield _pick(FIRST_WIN, f"{FIRST_WIN}-over-{_file(loser)}", title, game)


def _ancestors(name: str, parents: Mapping[str, str | None]) -> set[str]:
    found: set[str] = set()
    at = parents.get(name)
    while at is not None and at not in found:
        found.add(at)
        at = parents.get(at)
    return found


def _file(name: str) -> str:
    return name.replace(":", "-")
