"""Overview: how far a run is, read from its folder alone, also while another process writes it. Needs no torch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from arena.config import load, parse_budget
from arena.league.history import parts, read
from arena.league.standings import Standing, standings
from arena.ratings.games import Games, games_of
from arena.store import RunFolder
from arena.store.about import kind_of
from arena.tournaments.blocks import place
from envs.core import EnvSpec
from envs.errors import unknown
from envs.registry import build

TOURNAMENT = "tournament"
"""Kind of such a run."""
Record = Mapping[str, Any]
"""A line of metrics.jsonl."""


class _Game(BaseModel):
    id: str
    options: dict[str, Any]


class _Member(BaseModel):
    name: str


class Outline(BaseModel):
    """The part of a run's config that readers need; `LeagueConfig`, all of it, would bring torch along."""

    game: _Game
    budget: str = ""
    """Of a league; a tournament has none, and no members either."""
    anchors: tuple[str, ...] = ()
    learners: tuple[_Member, ...] = ()
    entrants: tuple[_Member, ...] = ()
    """Of a tournament."""


@dataclass(frozen=True, slots=True)
class LearnerOverview:
    """One learner."""

    name: str
    stretches: int
    """Stretches of training that are on file."""
    steps: int
    """Env steps trained."""
    metrics: Record
    """Means over its last stretch: losses, entropy, steps_per_second, ...; empty before the first."""


@dataclass(frozen=True, slots=True)
class Overview:
    """A run at one moment."""

    writer: str | None
    """Process id of whoever runs it; None if it is stopped."""
    budget: str
    """Of the config; more may have been spent since, on request."""
    share: float
    """0..1 of that budget spent."""
    seconds: float
    """Spent on training and rating."""
    steps: int
    """Env steps trained, all learners."""
    games: int
    """Rated games in the log."""
    snapshots: int
    learners: tuple[LearnerOverview, ...]


def outline(run: RunFolder) -> Outline:
    """The config of `run`.

    Raises:
        InputError: config.yaml cannot be read, or is not that of a league or tournament.
    """
    if kind_of(run.about) != TOURNAMENT:
        run.expect("league")
    path = run.path / "config.yaml"
    try:
        seen = path.stat()
    except OSError:
        return load(Outline, path)  # says what is wrong
    return _outline(path, seen.st_mtime_ns, seen.st_size)


@lru_cache(maxsize=8)
def _outline(path: Path, changed: int, size: int) -> Outline:
    """Read once, as long as the file stays the same: with many learners it is long."""
    return load(Outline, path)


def leaderboard(run: RunFolder) -> list[Standing]:
    """Everybody who has been rated, best first."""
    spec = spec_of(run)
    return standings(history(run), roles(run), parts=parts(run.meetings(), spec))


def spec_of(run: RunFolder) -> EnvSpec:
    """The game of `run`.

    Raises:
        InputError: as for `outline`.
    """
    game = outline(run).game
    return build(game.id, 1, game.options).spec


def history(run: RunFolder) -> Games:
    """All rated games of `run`, as raters take them; those of a tournament, where everybody plays every side, in the
    order of its rounds, since that in which they end is up to the workers.

    Raises:
        InputError: as for `outline`.
    """
    if kind_of(run.about) != TOURNAMENT:
        return read(run, spec_of(run))
    entries = sorted(run.entries(), key=lambda entry: place(entry.block))
    return games_of(entry.result for entry in entries)


def roles(run: RunFolder) -> dict[str, str]:
    """Role of every member by name; "retired" for those who are."""
    members = {one.name: "retired" if one.status == "retired" else one.role for one in run.members()}
    return members if kind_of(run.about) != TOURNAMENT else {one.name: "entrant" for one in outline(run).entrants}


def is_tiny(run: RunFolder) -> bool:
    """Whether the game of `run` is so small that it can be solved (`arena.league.theory`, which needs torch)."""
    from envs.tiny import TinyGame

    game = outline(run).game
    return isinstance(build(game.id, 1, game.options), TinyGame)


def learner_spec_of(run: RunFolder, name: str) -> dict[str, Any]:
    """Settings of the learner `name`, as its league has them.

    Raises:
        InputError: there is no such learner.
    """
    learners = {one.name: one.spec["learner"] for one in run.members() if "learner" in one.spec}
    if name not in learners:
        raise unknown("learner", name, learners)
    return dict(learners[name])


def overview(run: RunFolder) -> Overview:
    """How far the league `run` is: what is on file, so a running stretch counts when it has ended."""
    run.expect("league")
    config = outline(run)
    snapshots, metrics = run.snapshots(), list(run.metrics())
    trained: dict[str, list[int]] = {}
    for snapshot in snapshots:
        if snapshot.step:
            trained.setdefault(snapshot.member, []).append(snapshot.step)
    last = {record["member"]: record for record in metrics if record["kind"] == "training"}
    names = [member.name for member in run.members() if "learner" in member.spec]
    learners = tuple(_learner(name, trained.get(name, []), last.get(name, {})) for name in names)
    seconds = max((record["seconds"] for record in metrics), default=0.0)
    steps = sum(learner.steps for learner in learners)
    budget = parse_budget(config.budget)
    return Overview(
        writer=run.writer(),
        budget=config.budget,
        share=budget.share(seconds, steps),
        seconds=seconds,
        steps=steps,
        games=run.games(),
        snapshots=len(snapshots),
        learners=learners,
    )


def first_above(metrics: Iterable[Record], anchor: str) -> Record | None:
    """The first "rating" record in which the newest snapshot scored above 0 against `anchor`."""
    ratings = (record for record in metrics if record["kind"] == "rating")
    return next((record for record in ratings if (record["scores"].get(anchor) or 0) > 0), None)


def _learner(name: str, steps: Sequence[int], last: Record) -> LearnerOverview:
    """Of the steps of its snapshots, and the line of its last stretch."""
    means = {key: value for key, value in last.items() if key not in ("kind", "member", "step", "steps", "seconds")}
    return LearnerOverview(name, len(steps), max(steps, default=0), means)
