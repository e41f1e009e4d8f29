"""`arena league status`: what a league is doing, running or stopped, once or again and again."""

from __future__ import annotations

import json as jsonlib
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tyro.conf import Positional

from arena.cli.leaderboard import score, skill
from arena.cli.progress import clock
from envs.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
    from rich.table import Table

    from arena.league.activity import Activity, MemberActivity, Watcher
    from arena.league.standings import Standing
    from arena.store import Event

TELLING = {
    "steps_per_second": "{:,.0f} steps/s",
    "entropy": "entropy {:.3f}",
    "explained_variance": "explained variance {:.2f}",
    "kl": "KL {:.4f}",
    "past_score": "{:.0%} of points against past snapshots",
}
"""Metrics that `status` names, and how."""
EXACT = {"newest": "the newest snapshot", "uniform": "all snapshots alike", "nash": "their Nash mixture"}
EVENTS = 10
"""Lately, which are named."""
WAIT = 1.0
"""Seconds between two looks at the folder."""


def status(dir: Positional[Path], live: bool = False, json: bool = False) -> int:
    """What a league is doing, running or stopped: what is on file, up to the last stretch of training that has ended.

    It only reads, so it may be asked from any shell, any number of times. While a league runs, the clock and the share
    of a budget in seconds go on between stretches; speeds and ratings are those of what has ended.

    Args:
        dir: run folder.
        live: draw it again every second until Ctrl-C or the end of the run; with --json, print one object per line
            whenever something has been written.
        json: print one object: run, state (running or stopped), process (id, or null), doing, created, budget,
            budget_share, seconds, seconds_left (null unless it runs and that can be told), steps, steps_per_second
            (lately), games, games_per_second, snapshots, disk_bytes, champion (name or null), learners (name,
            stretches, steps, and metrics: means over its last stretch), members (name, role, status, snapshot: the
            last one, snapshots: how many, and mean and sigma of its rating, null without), events (time, kind, member,
            detail), waiting (requests that are not done yet), exploitability (of tiny games: of the newest snapshot,
            and of all snapshots mixed alike and by the Nash equilibrium of their games; empty for others, and with
            --live).
    """
    from arena.league.activity import Watcher

    if live and not json and not sys.stdout.isatty():
        raise InputError("--live draws in a terminal: leave it out, or add --json for one object per line.")
    watcher = Watcher(dir)
    if live:
        try:
            return _follow(watcher, dir, json)
        except KeyboardInterrupt:  # the usual way to end it
            return 0
    exact = _exploitability(dir)
    seen = watcher.look()
    if json:
        print(jsonlib.dumps(as_json(dir, seen) | {"exploitability": exact}))
    else:
        _print(dir, seen, exact)
    return 0


def _exploitability(path: Path) -> Mapping[str, float]:
    from arena.league.overview import is_tiny
    from arena.store import RunFolder

    with RunFolder.open(path) as folder:
        if not is_tiny(folder):
            return {}
        from arena.league.theory import exploitabilities

        return exploitabilities(folder)


def _follow(watcher: Watcher, dir: Path, json: bool) -> int:
    """Show it until it has stopped."""
    from rich.console import Console
    from rich.live import Live

    seen = watcher.look()
    if json:
        said = None
        while True:
            news = (seen.seen.games, seen.seen.steps, seen.seen.snapshots, seen.doing, len(seen.events), seen.waiting)
            if news != said:
                print(jsonlib.dumps(as_json(dir, seen) | {"exploitability": {}}), flush=True)
            if not seen.seen.writer:
                return 0
            said = news
            time.sleep(WAIT)
            seen = watcher.look()
    picture = Picture(dir, seen)
    drawn = Live(picture, console=Console(), auto_refresh=False, transient=True)
    try:
        drawn.start()
        while seen.seen.writer:
            drawn.refresh()
            time.sleep(WAIT)
            picture.seen = seen = watcher.look()
    finally:
        drawn.stop()  # `with` would not give the cursor back where Ctrl-C comes while it begins
    _print(dir, seen, {})
    return 0


def as_json(dir: Path, seen: Activity) -> dict[str, Any]:
    """The object that --json prints, without exploitability."""
    run = seen.seen
    return {
        "run": str(dir),
        "state": "running" if run.writer else "stopped",
        "process": int(run.writer) if run.writer and run.writer.isdecimal() else None,
        "doing": seen.doing,
        "created": seen.created,
        "budget": run.budget,
        "budget_share": run.share,
        "seconds": run.seconds,
        "seconds_left": seen.left,
        "steps": run.steps,
        "steps_per_second": seen.steps_per_second,
        "games": run.games,
        "games_per_second": seen.games_per_second,
        "snapshots": run.snapshots,
        "disk_bytes": seen.disk,
        "champion": seen.champion.name if seen.champion else None,
        "learners": [asdict(learner) for learner in run.learners],
        "members": [_member_json(member) for member in seen.members],
        "events": [{"time": e.time, "kind": e.kind, "member": e.member, "detail": e.detail} for e in seen.events],
        "waiting": seen.waiting,
    }


def _member_json(member: MemberActivity) -> dict[str, Any]:
    rating = member.standing.rating if member.standing else None
    return {
        "name": member.name,
        "role": member.role,
        "status": member.status,
        "snapshot": member.snapshot,
        "snapshots": member.snapshots,
        "mean": rating.mean if rating else None,
        "sigma": rating.stderr if rating else None,
    }


class Picture:
    """The league as rich draws it."""

    def __init__(self, dir: Path, seen: Activity) -> None:
        """Draw `seen`, which may be set anew."""
        self.dir, self.seen = dir, seen

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The present picture, in no more lines than fit."""
        yield self._drawn(options.max_width, console.height)

    def _drawn(self, width: int, height: int) -> RenderableType:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        seen, run = self.seen, self.seen.seen
        head = Text(f"league {self.dir}\n", style="bold", no_wrap=True)
        head.append(f"{seen.doing}, process {run.writer}; Ctrl-C leaves it running", style="not bold yellow")
        line = Table.grid(padding=(0, 2, 0, 0))
        bar = ProgressBar(total=1.0, completed=run.share, width=min(30, max(5, width - 50)))
        left = f"{clock(seen.left)} left" if seen.left is not None else ""
        line.add_row(clock(run.seconds), bar, f"{run.share:.0%} of {run.budget}", left)
        figures = [Text(words, no_wrap=True) for words in _figures(seen)]
        members = _members(seen, width)
        room = max(0, height - 8 - len(figures) - members.row_count)
        told = [Text(_event(event), style="yellow", no_wrap=True) for event in _lately(seen, min(EVENTS, room))]
        return Group(head, line, *figures, "", members, *([""] if told else []), *told)


def _members(seen: Activity, width: int) -> Table:
    """A table of the members, the last ones left out where it is too narrow for their anchors."""
    from arena.cli.table import plain_table

    columns = ["member", "role", "stretches", "env steps", "last snapshot", "skill", "entropy", "in the last stretch"]
    drawn = plain_table("", columns[: 8 if width >= 110 else 6], ("member", "role", "last snapshot"))
    drawn.title = None
    for member in seen.members:
        learner, standing = member.learner, member.standing
        metrics: Mapping[str, Any] = learner.metrics if learner else {}
        row = (
            member.name,
            member.role if member.status == "active" else member.status,
            f"{learner.stretches}" if learner else "",
            f"{learner.steps:,}" if learner else "",
            member.snapshot or "",
            skill(standing.rating) if standing else "",
            TELLING["entropy"].format(metrics["entropy"])[8:] if metrics.get("entropy") is not None else "",
            TELLING["steps_per_second"].format(metrics["steps_per_second"]) if "steps_per_second" in metrics else "",
        )
        drawn.add_row(*row[: len(drawn.columns)], style=None if learner else "dim")
    return drawn


def _figures(seen: Activity) -> list[str]:
    """Lines with what has been done so far, and how fast."""
    run = seen.seen
    lines = [
        f"{run.steps:,} env steps at {seen.steps_per_second:,.0f}/s; {_count(run.games, 'rated game', 's')} at "
        f"{seen.games_per_second:,.1f}/s; {_count(run.snapshots, 'snapshot', 's')}; {seen.disk / 1e6:.1f} MB"
    ]
    if seen.champion:
        lines.append(f"champion: {_champion(seen.champion)}")
    return lines


def _champion(best: Standing) -> str:
    against = "".join(f", {score(summary)} against {name}" for name, summary in list(best.against.items())[:3])
    return f"{best.name}, skill {skill(best.rating)}{against}"


def _print(dir: Path, seen: Activity, exact: Mapping[str, float]) -> None:
    run = seen.seen
    state = f"running as process {run.writer}, {seen.doing}" if run.writer else "stopped"
    print(f"{dir}: {state}, made {seen.created}")
    left = f", {clock(seen.left)} left" if seen.left is not None else ""
    print(
        f"spent: {run.seconds:.1f} s and {run.steps:,} env steps, {run.share:.0%} of its budget of {run.budget}{left}"
    )
    print(f"stored: {_count(run.snapshots, 'snapshot', 's')}, {_count(run.games, 'rated game', 's')}, "
          f"{seen.disk / 1e6:.1f} MB")  # fmt: skip
    print(f"speed: {seen.steps_per_second:,.0f} env steps/s lately, {seen.games_per_second:,.1f} rated games/s")
    if seen.champion:
        print(f"champion: {_champion(seen.champion)}")
    for member in seen.members:
        if member.learner:
            learner = member.learner
            done = f"{learner.steps:,} env steps in {_count(learner.stretches, 'stretch', 'es')}"
            now = f"; {member.snapshot} has skill {skill(member.standing.rating)}" if member.standing else ""
            print(f"{learner.name}: {done}{_told(learner.metrics)}{now}")
    others = ", ".join(f"{one.name} ({one.role})" for one in seen.members if one.status == "active")
    print(f"members: {others}" + (f"; {_count(seen.waiting, 'request', 's')} waiting" if seen.waiting else ""))
    for name, value in exact.items():
        print(f"exploitability of {EXACT[name]}: {value:.4f} per game")
    for event in _lately(seen, EVENTS):
        print(_event(event))


def _lately(seen: Activity, most: int) -> list[Event]:
    """The last events, but for members that were there from the start."""
    told = [event for event in seen.events if event.kind != "added"]
    return told[len(told) - min(most, len(told)) :]


def _event(event: Event) -> str:
    when = time.strftime("%H:%M:%S", time.localtime(event.time))
    return f"{when}  {event.kind} {event.member or ''}".rstrip()


def _count(number: int, noun: str, plural: str) -> str:
    return f"{number:,} {noun}{plural * (number != 1)}"


def _told(metrics: Mapping[str, Any]) -> str:
    """The numbers of the last stretch that say most, where they are known."""
    told = [words.format(metrics[key]) for key, words in TELLING.items() if metrics.get(key) is not None]
    return f"; in the last one {', '.join(told)}" if told else ""
