"""Activity: what a league is doing, read from its folder alone, from any process. Needs no torch."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from arena.config import parse_budget
from arena.league.overview import LearnerOverview, Overview, leaderboard, overview
from arena.league.standings import Standing, champion
from arena.store import Event, Member, RunFolder, Snapshot

LATELY = 120.0
"""Seconds of training and rating over which speeds are taken, at least."""


@dataclass(frozen=True, slots=True)
class MemberActivity:
    """One member."""

    name: str
    role: str
    status: str
    """active or retired."""
    learner: LearnerOverview | None
    """None for one that does not train."""
    snapshot: str | None
    """Name of its last one, or its own if it is a player itself; None without any."""
    snapshots: int
    standing: Standing | None
    """Of `snapshot`; None before it has been rated, and where it plays several parts."""


@dataclass(frozen=True, slots=True)
class Activity:
    """A league at one moment."""

    seen: Overview
    """What is on file; its seconds, and the share of a budget in seconds, go on while the league runs."""
    created: str
    doing: str
    """For people: "training", "rating ada", "stopped", "done"."""
    quiet: float
    """Seconds since something was written; 0 for one that is stopped."""
    steps_per_second: float
    """Env steps trained per second of training and rating, lately."""
    games_per_second: float
    """Rated games per second of training and rating, all in all."""
    left: float | None
    """Seconds to the end of the budget; None if stopped, or if it cannot be told yet."""
    disk: int
    """Bytes of all files in the folder."""
    champion: Standing | None
    members: tuple[MemberActivity, ...]
    events: tuple[Event, ...]
    """Oldest first."""
    waiting: int
    """Requests that are not done yet."""


class Watcher:
    """Looks at a league again and again; ratings are made anew only when there are more games."""

    def __init__(self, path: Path) -> None:
        """Name the folder; nothing is opened until `look`."""
        self._path = path
        self._key: tuple[int, int] | None = None
        self._board: Sequence[Standing] = ()

    def look(self) -> Activity:
        """The league as it is now.

        Raises:
            InputError: no league there, or not any more.
        """
        with RunFolder.open(self._path) as run:
            key = run.games(), len(run.events())  # roles change with events
            if key != self._key:
                self._board, self._key = leaderboard(run), key
            return activity(run, self._board, time.time())


def activity(run: RunFolder, board: Sequence[Standing], now: float) -> Activity:
    """What `run` is doing at the time `now`, s since 1970; `board` is its leaderboard."""
    seen, metrics, snapshots = overview(run), list(run.metrics()), run.snapshots()
    quiet = max(0.0, now - _touched(run.path)) if seen.writer else 0.0
    budget = parse_budget(seen.budget)
    seconds = seen.seconds + quiet
    if seen.writer:
        seen = replace(seen, seconds=seconds, share=budget.share(seconds, seen.steps))
    speed = _speed(metrics)
    left = None
    if seen.writer and seen.share < 1:
        if budget.seconds:
            left = budget.seconds - seconds
        elif speed:
            left = max(0.0, ((budget.steps or 0) - max(seen.steps, metrics[-1]["steps"])) / speed - quiet)
    learners = {learner.name: learner for learner in seen.learners}
    own: dict[str, list[Snapshot]] = {}
    for snapshot in snapshots:
        own.setdefault(snapshot.member, []).append(snapshot)
    known = {one.name: one for one in reversed(board)}
    people = tuple(
        _member(member, learners.get(member.name), own.get(member.name, []), known) for member in run.members()
    )
    return Activity(
        seen=seen,
        created=run.about["created"],
        doing=_doing(seen, metrics),
        quiet=quiet,
        steps_per_second=speed,
        games_per_second=seen.games / seconds if seconds else 0.0,
        left=left,
        disk=_size(run.path),
        champion=champion(board),
        members=people,
        events=tuple(run.events()),
        waiting=len(run.requests()),
    )


def _touched(path: Path) -> float:
    """When something was last written: a line of metrics, or the lock, when the process began."""
    times = [0.0]
    for name in ("metrics.jsonl", "lock", "league.sqlite-wal"):
        with suppress(OSError):
            times.append((path / name).stat().st_mtime)
    return max(times)


def _speed(metrics: Sequence[Mapping[str, Any]]) -> float:
    """Env steps per second between the last line and the first one that is not older than LATELY, or all lines."""
    lines = [line for line in metrics if "seconds" in line and "steps" in line]
    if not lines:
        return 0.0
    last = lines[-1]
    before: Mapping[str, Any] = {"seconds": 0.0, "steps": 0}
    for line in reversed(lines):
        if last["seconds"] - line["seconds"] >= LATELY:
            before = line
            break
    seconds = last["seconds"] - before["seconds"]
    return float((last["steps"] - before["steps"]) / seconds) if seconds > 0 else 0.0


def _doing(seen: Overview, metrics: Sequence[Mapping[str, Any]]) -> str:
    """As the last line of metrics tells: what it is about has ended."""
    last: Mapping[str, Any] = metrics[-1] if metrics else {}
    if not seen.writer:
        return "done" if last.get("kind") == "final" or seen.share >= 1 else "stopped"
    match last.get("kind"):
        case None:
            return "starting"
        case "training":
            return f"rating {last['member']}"
        case "final":
            return "going on"
        case _:
            return "training" if seen.share < 1 else "final games"


def _member(
    member: Member, learner: LearnerOverview | None, own: Sequence[Snapshot], board: Mapping[str, Standing]
) -> MemberActivity:
    """`own` are its snapshots; `board` is the leaderboard by name."""
    last = max(own, key=lambda snapshot: snapshot.step).name if own else None
    name = last if learner else last or member.name
    standing = board.get(name) if name else None
    return MemberActivity(member.name, member.role, member.status, learner, name, len(own), standing)


def _size(path: Path) -> int:
    """Bytes of all files below `path`; one that has just gone counts nothing."""
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            with suppress(OSError):
                total += os.stat(os.path.join(folder, name)).st_size
    return total
