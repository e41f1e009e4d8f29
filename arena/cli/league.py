"""`arena league run|resume`: train a population."""

from __future__ import annotations

import json as jsonlib
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro
from tyro.conf import Positional

from arena.cli.board import board, check_board
from arena.cli.executors import RayAddress, Workers, opened
from envs.errors import InputError

if TYPE_CHECKING:
    from arena.execution import Executor
    from arena.league import League

STOPPING = "finishing this stretch, press again to stop at once"
LeagueExecutor = Annotated[
    str,
    tyro.conf.arg(
        metavar="serial|process|ray",
        help="where learners train and rated games are played: serial, in this process and on its threads, one learner "
        "after the other, which is so unless it is said; process, on worker processes of this machine; ray, on a Ray "
        "cluster. On workers as many learners train at once as there are, and nobody waits for the slowest, so runs "
        "with equal seeds differ, unless the run file says sync = true.",
    ),
]


def run(
    source: Positional[str],
    out: Path | None = None,
    set: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = (),
    budget: str | None = None,
    seed: int | None = None,
    executor: LeagueExecutor = "",
    workers: Workers = None,
    ray_address: RayAddress = "",
    tensorboard: bool = False,
    json: bool = False,
) -> int:
    """Train and rate a population: players learn by self-play, their snapshots meet, all games are logged.

    Ctrl-C ends it when what is being trained has had its turn (exit code 130; SIGTERM: 143), and a second one at once;
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
    with (
        lent(executor, workers, ray_address) as hands,
        League.create(folder, source, changes, ["arena", *sys.argv[1:]]) as league,
    ):
        return _run(league, None, hands, tensorboard, json)


def resume(
    dir: Positional[Path],
    budget: str | None = None,
    executor: LeagueExecutor = "",
    workers: Workers = None,
    ray_address: RayAddress = "",
    tensorboard: bool = False,
    json: bool = False,
) -> int:
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
    with lent(executor, workers, ray_address) as hands, League.open(dir, write=True) as league:
        return _run(league, budget, hands, tensorboard, json)


@contextmanager
def lent(executor: str, workers: int | None, ray_address: str) -> Iterator[Executor | None]:
    """The executor that the options ask for; None for this process and its threads."""
    if executor in ("", "serial") and not ray_address and workers in (None, 1):
        yield None
        return
    with opened(executor or ("" if ray_address else "process"), workers, ray_address) as made:
        yield made


def _run(league: League, more: str | None, executor: Executor | None, tensorboard: bool, json: bool) -> int:
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
            league.run(more, stop.asked, show, record, executor)
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
