"""`arena league run|resume|status`: train a population, and see how far it is."""

from __future__ import annotations

import json as jsonlib
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro
from tyro.conf import Positional

from arena.cli.board import board, check_board
from envs.errors import InputError

if TYPE_CHECKING:
    from arena.league import League
    from arena.league.overview import Overview

STOPPING = "finishing this stretch, press again to stop at once"
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
"""Lately, which `status` names."""


def run(
    source: Positional[str],
    out: Path | None = None,
    set: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = (),
    budget: str | None = None,
    seed: int | None = None,
    tensorboard: bool = False,
    json: bool = False,
) -> int:
    """Train and rate a population: players learn by self-play, their snapshots meet, all games are logged.

    Ctrl-C ends it after the present stretch of training (exit code 130; SIGTERM: 143), and a second one at once;
    `arena league resume DIR` goes on either way.

    Args:
        source: name of a preset, or a run file (.toml, .yaml), such as DIR/config.yaml of an earlier run.
        out: run folder to make; without it, runs/NAME-DATE-TIME.
        set: change a key of the run file as dotted.key=value, such as learners.0.settings.gamma=0.99; may be repeated.
        budget: how long, as time (200s, 5m, 1h) or env steps (500k-steps, 20M-steps).
        seed: decides everything random.
        tensorboard: write curves of every member to DIR/tensorboard too.
        json: print one object at the end: run, env, ended (budget, interrupted or terminated), budget_share,
            seconds, steps, steps_per_second (of training and rating), games (rated ones), peak_rss_mib,
            above_baseline (null, or seconds, steps and snapshot of the first rating in which the newest snapshot's
            mean score against the baseline was above 0), champion (name or null), players (as in
            `arena league leaderboard --json`).
    """
    from arena.config import parse_budget
    from arena.league import League

    changes = list(set)
    if budget is not None:
        parse_budget(budget)
        changes.append(f"budget={budget}")
    if seed is not None:
        if seed < 0:
            raise InputError(f"--seed must be 0 or more, not {seed}.")
        changes.append(f"seed={seed}")
    if tensorboard:
        check_board()  # before there is a folder
    folder = out or Path("runs") / f"{Path(source).stem}-{time.strftime('%Y%m%d-%H%M%S')}"
    with League.create(folder, source, changes, ["arena", *sys.argv[1:]]) as league:
        return _run(league, None, tensorboard, json)


def resume(
    dir: Positional[Path], budget: str | None = None, tensorboard: bool = False, json: bool = False
) -> int:  # fmt: skip
    """Go on with a run as if it had never stopped, or train it further.

    Args:
        dir: run folder.
        budget: train this much more (60s, 5m, 20M-steps); without it, what is left of the run's own budget.
        tensorboard: write curves of every member to DIR/tensorboard too.
        json: print one object at the end, as `arena league run --json` does.
    """
    from arena.config import parse_budget

    if budget is not None:
        parse_budget(budget)
    from arena.league import League

    if tensorboard:
        check_board()
    with League.open(dir, write=True) as league:
        return _run(league, budget, tensorboard, json)


def status(dir: Positional[Path], json: bool = False) -> int:
    """How far a run is, running or stopped: what is on file, up to the last stretch of training that has ended.

    Args:
        dir: run folder.
        json: print one object: run, state (running or stopped), process (id, or null), created, budget,
            budget_share, seconds, steps, games, snapshots, learners (name, stretches, steps, and metrics: means over
            its last stretch), members (name, role, status), events (time, kind, member, detail), waiting (requests
            that are not done yet), exploitability (of tiny games: of the newest snapshot, and of all snapshots mixed
            alike and by the Nash equilibrium of their games; empty for others).
    """
    from arena.league.overview import is_tiny, overview
    from arena.store import RunFolder

    with RunFolder.open(dir) as folder:
        seen, created = overview(folder), folder.about["created"]
        members, events, waiting = folder.members(), folder.events(), len(folder.requests())
        exact: Mapping[str, float] = {}
        if is_tiny(folder):
            from arena.league.theory import exploitabilities

            exact = exploitabilities(folder)
    if json:
        people = [{"name": one.name, "role": one.role, "status": one.status} for one in members]
        happened = [{"time": e.time, "kind": e.kind, "member": e.member, "detail": e.detail} for e in events]
        more = {"members": people, "events": happened, "waiting": waiting, "exploitability": exact}
        print(jsonlib.dumps({**_status_json(dir, seen, created), **more}))
        return 0
    _print_status(dir, seen, created)
    others = ", ".join(f"{one.name} ({one.role})" for one in members if one.status == "active")
    print(f"members: {others}" + (f"; {_count(waiting, 'request', 's')} waiting" if waiting else ""))
    for name, value in exact.items():
        print(f"exploitability of {EXACT[name]}: {value:.4f} per game")
    for event in events[-EVENTS:]:
        if event.kind != "added":
            print(
                f"{time.strftime('%H:%M:%S', time.localtime(event.time))}  {event.kind} {event.member or ''}".rstrip()
            )
    return 0


def _run(league: League, more: str | None, tensorboard: bool, json: bool) -> int:
    """Run it, show it, and report; the exit code."""
    from arena.cli.outcome import Outcome
    from arena.cli.program import command
    from arena.cli.progress import display
    from arena.cli.signals import StopSignals
    from arena.league.overview import overview

    path = league.folder.path
    try:
        with (
            board(path, league.steps, tensorboard) as record,
            display(path, league.population.anchors) as show,
            StopSignals(lambda: show.tell(STOPPING)) as stop,
        ):
            league.run(more, stop.asked, show, record)
    except KeyboardInterrupt:
        on = command("league", "resume", path)
        print(f"stopped at once; what was stored stays, and `{on}` goes on from there", file=sys.stderr)
        return 130
    if show.last is None and not stop.asked():
        print(f"the budget of {league.config.budget} is spent: train on with --budget, such as 5m", file=sys.stderr)
    share = show.last.share if show.last else overview(league.folder).share
    finished = share == 1 or not stop.asked()  # asked during the last games, it has nothing left to stop
    outcome = Outcome.of(league, "budget" if finished else stop.word, share)
    if json:
        print(jsonlib.dumps(outcome.as_json()))
    else:
        outcome.print()
    return 0 if finished else stop.exit_code


def _status_json(dir: Path, seen: Overview, created: str) -> dict[str, Any]:
    return {
        "run": str(dir),
        "state": "running" if seen.writer else "stopped",
        "process": int(seen.writer) if seen.writer and seen.writer.isdecimal() else None,
        "created": created,
        "budget": seen.budget,
        "budget_share": seen.share,
        "seconds": seen.seconds,
        "steps": seen.steps,
        "games": seen.games,
        "snapshots": seen.snapshots,
        "learners": [asdict(learner) for learner in seen.learners],
    }


def _print_status(dir: Path, seen: Overview, created: str) -> None:
    state = f"running as process {seen.writer}" if seen.writer else "stopped"
    print(f"{dir}: {state}, made {created}")
    print(f"spent: {seen.seconds:.1f} s and {seen.steps:,} env steps, {seen.share:.0%} of its budget of {seen.budget}")
    print(f"stored: {_count(seen.snapshots, 'snapshot', 's')}, {_count(seen.games, 'rated game', 's')}")
    for learner in seen.learners:
        done = f"{learner.steps:,} env steps in {_count(learner.stretches, 'stretch', 'es')}"
        print(f"{learner.name}: {done}{_told(learner.metrics)}")


def _count(number: int, noun: str, plural: str) -> str:
    return f"{number:,} {noun}{plural * (number != 1)}"


def _told(metrics: Mapping[str, Any]) -> str:
    """The numbers of the last stretch that say most, where they are known."""
    told = [words.format(metrics[key]) for key, words in TELLING.items() if metrics.get(key) is not None]
    return f"; in the last one {', '.join(told)}" if told else ""
