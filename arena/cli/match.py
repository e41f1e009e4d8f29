"""`arena match`: players meet many times."""

from __future__ import annotations

import json as jsonlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import tyro
from tyro.conf import Positional

from envs.errors import InputError

if TYPE_CHECKING:
    from arena.api import MatchOutcome


def match(
    players: Positional[tuple[str, ...]],
    env: str = "",
    games: int = 1000,
    seed: int = 0,
    sample: bool = False,
    workers: int = 1,
    set: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = (),
    json: bool = False,
) -> int:
    """Let players meet: wins, mean score with 95 % interval, length of games.

    Seats are swapped from game to game on equal serves. A player is a snapshot file, DIR@champion, DIR@NAME or
    DIR@NAME:STEP of a run folder (DIR@champion:ROLE where sides are not alike), or a bot of the game: random; in slime
    volleyball also noop, tracker, baseline.

    Args:
        players: one for each team of the game, two in most; the numbers are from the side of the first.
        env: id of the game, see `arena envs`. Without it, that in which the first snapshot was trained, or slime
            volleyball between bots.
        games: how many.
        seed: decides everything random.
        sample: snapshots draw their actions as in training, instead of taking the most probable.
        workers: threads; they change nothing but the time.
        set: option of the env as key=value, such as lives=1; may be repeated.
        json: print one object: env, players, seed, games, wins, draws, losses, score_mean,
            score_ci95 (low and high, or null), steps_mean.
    """
    from arena.api import play
    from arena.config import parse_assignments
    from arena.players import game_of

    options = parse_assignments(set)
    if not players:
        raise InputError("nobody to play: name a player for each team, as in `arena match DIR@champion baseline`.")
    env, options = game_of(players, env, options)
    with _progress(games) as progress:
        outcome = play(
            env, players, games, seed, options=options, greedy=not sample, workers=workers, progress=progress
        )
    if json:
        print(jsonlib.dumps(report(outcome)))
    else:
        _print_table(outcome)
    return 0


def report(outcome: MatchOutcome) -> dict[str, Any]:
    """The match as the object that --json prints."""
    summary = outcome.summary
    return {
        "env": outcome.env,
        "players": list(outcome.players),
        "seed": outcome.seed,
        **summary.figures(),
        "steps_mean": summary.steps_mean,
    }


def _print_table(outcome: MatchOutcome) -> None:
    from rich.console import Console
    from rich.table import Table

    summary = outcome.summary
    low, high = summary.score_ci95 or (None, None)
    interval = "-" if low is None else f"{low:+.3f} to {high:+.3f}"
    table = Table(title=f"{outcome.env}: {' against '.join(outcome.players)}", title_justify="left")
    for column in ("games", "wins", "draws", "losses", "mean score", "95 % interval", "steps/game"):
        table.add_column(column, justify="right")
    counts = (summary.games, summary.wins, summary.draws, summary.losses)
    table.add_row(*map(str, counts), f"{summary.score_mean:+.3f}", interval, f"{summary.steps_mean:.0f}")
    Console().print(table)


@contextmanager
def _progress(games: int) -> Iterator[Callable[[int], None] | None]:
    """A bar on standard error while games are played, where somebody looks at it."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = ("games", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("games", total=games)
        yield lambda ended: bar.advance(task, ended)
