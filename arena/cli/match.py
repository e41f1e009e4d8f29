"""`arena match`: players meet many times."""

from __future__ import annotations

import json as jsonlib
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro
from tyro.conf import Positional

from arena.cli.executors import ExecutorName, RayAddress, Workers, opened
from envs.errors import InputError

if TYPE_CHECKING:
    from arena.api import MatchOutcome
    from arena.replay import Replay
    from arena.stats.sprt import Sprt

USUAL, MOST = 1000, 100_000
"""Games, and games until a test is decided, unless it is said."""
FEW = 1024
"""So many are played here unless it is said: they make too few blocks to share."""


def match(
    players: Positional[tuple[str, ...]],
    env: str = "",
    games: int | None = None,
    seed: int = 0,
    sprt: tuple[str, ...] = (),
    sample: bool = False,
    executor: ExecutorName = "",
    workers: Workers = None,
    ray_address: RayAddress = "",
    set: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = (),
    replays: Path | None = None,
    replays_keep: int | None = None,
    move_time: str = "",
    game_time: str = "",
    forfeits: Literal["lose", "abort"] = "lose",
    trust: bool = False,
    logs: Path | None = None,
    untested: bool = False,
    json: bool = False,
) -> int:
    """Let players meet: wins, mean score with 95 % interval, length of games.

    Seats are swapped from game to game on equal serves. A player is a snapshot file, DIR@champion, DIR@NAME or
    DIR@NAME:STEP of a run folder (DIR@champion:ROLE where sides are not alike), or a bot of the game: random; in slime
    volleyball also noop, tracker, baseline, and who is in the box: beginner, novice, player, expert, master.

    Args:
        players: one for each team of the game, two in most; the numbers are from the side of the first. An agent of
            your own is FILE.py:NAME (a function of an observation, or a class with a method act), "cmd:./program args",
            FILE.pt, FILE.onnx or FILE.zip; `arena players check` tries it.
        env: id of the game, see `arena envs`. Without it, that in which the first snapshot was trained, or slime
            volleyball between bots.
        games: how many, 1000 unless it is said; with --sprt at most, 100,000.
        seed: decides everything random.
        sprt: play until it is decided whether the first of two is ahead, such as elo0=0 elo1=20: a sequential test of
            a lead of elo1 Elo points against one of elo0, which is wrong with a chance of alpha where the lead is elo0,
            and of beta where it is elo1 (both 0.05 unless they are given). It looks after every 256 games.
        sample: snapshots draw their actions as in training, instead of taking the most probable.
        set: option of the env as key=value, such as lives=1; may be repeated.
        replays: keep the games as .replay files in this folder, which is made.
        replays_keep: only so many of them, the first ones.
        move_time: time that an agent of your own has for a move, such as 20ms; without it programs have 10s. Limits
            make results depend on the clock where somebody comes near them, so there is one worker unless it is said.
        game_time: time that it has for all of its moves of a game, such as 10s.
        forfeits: "lose", and who crashes, answers with no legal action or not in time loses that game; "abort", and
            everything ends with the reason.
        trust: read files of stable-baselines3, which hold pickles and so can run any code.
        logs: folder for what programs write to standard error.
        untested: agents of your own do without the short game in which they show that they play by the rules.
        json: print one object: env, players, seed, games, wins, draws, losses, score_mean,
            score_ci95 (low and high, or null), steps_mean; between two also elo (lead of the first, null where it
            won or lost everything), elo_ci95, superiority (chance that it is better), pairs (how many games or
            seat-swapped pairs were worth so much of their points to it); with --sprt also sprt: elo0, elo1, alpha,
            beta, llr, bounds, decision (H0, H1 or null); with --replays also replays, how many were kept; where games
            were forfeited also forfeits, how many for each reason.
    """
    from arena.config import parse_assignments
    from arena.execution import JobFault
    from arena.guests.limits import parse_limits
    from arena.players import game_of
    from arena.replay.record import record
    from arena.stats.sprt import parse_sprt

    options = parse_assignments(set)
    if not players:
        raise InputError("nobody to play: name a player for each team, as in `arena match DIR@champion baseline`.")
    if replays_keep is not None and (replays is None or replays_keep < 1):
        raise InputError("--replays-keep says how many games --replays keeps: give both, and 1 or more.")
    env, options = game_of(players, env, options)
    test = parse_sprt(" ".join(sprt)) if sprt else None
    limits = parse_limits(move_time, game_time, forfeits)
    count = games if games is not None else MOST if test else USUAL
    keep = 0 if replays is None else replays_keep
    few = count <= FEW and not executor and workers is None and not ray_address
    with (
        nullcontext() if few else opened(executor, workers, ray_address, limits.timed) as here,
        _progress(count, "games at most" if test else "games") as progress,
    ):
        try:
            outcome, kept = record(
                env, players, count, seed, options=options, greedy=not sample, executor=here, progress=progress,
                keep=keep, sprt=test, limits=limits, trust=trust, logs=logs, tested=not untested,
            )  # fmt: skip
        except JobFault as fault:
            raise InputError(f"{str(fault).rstrip('.')}.") from None
    if replays:
        _store(kept, replays)
    if json:
        tested = {"sprt": _verdict(outcome, test)} if test else {}
        print(jsonlib.dumps({**report(outcome), **tested, **({"replays": len(kept)} if replays else {})}))
    else:
        _print_table(outcome)
        _print_lead(outcome, test)
        for reason, lost in _forfeits(outcome).items():
            print(f"forfeited {lost} game{'s' * (lost != 1)}: {reason}")
        if replays:
            print(f"{len(kept):,} replays in {replays}: `arena watch {replays}` shows them")
    return 0


def _store(kept: Sequence[Replay], folder: Path) -> None:
    """Write replays to `folder`, by the number of the game."""
    from arena.replay.replay import write_replay

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise InputError(f"cannot write to {folder}: {fault.strerror or fault}.") from None
    digits = len(str(len(kept)))
    for number, replay in enumerate(kept, start=1):
        write_replay(replay, folder / f"game-{number:0{digits}}.replay")


def report(outcome: MatchOutcome) -> dict[str, Any]:
    """The match as the object that --json prints."""
    summary = outcome.summary
    return {
        "env": outcome.env,
        "players": list(outcome.players),
        "seed": outcome.seed,
        **summary.figures(),
        "steps_mean": summary.steps_mean,
        **(_lead(outcome) if len(outcome.players) == 2 else {}),
        **({"forfeits": lost} if (lost := _forfeits(outcome)) else {}),
    }


def _forfeits(outcome: MatchOutcome) -> dict[str, int]:
    """How many games were lost for each reason, the most frequent first."""
    return dict(Counter(one.reason for one in outcome.results if one.ended == "forfeit").most_common())


def _lead(outcome: MatchOutcome) -> dict[str, Any]:
    """Of the first of two."""
    from arena.stats.elo import lead
    from arena.stats.units import units

    seen = units(outcome.results, outcome.players[0])
    pairs = {f"{value:g}": count for value, count in zip(seen.values, seen.counts, strict=True)}
    return {**lead(seen).figures(), "pairs": pairs}


def _verdict(outcome: MatchOutcome, test: Sprt) -> dict[str, Any]:
    """What the test says."""
    from arena.stats.sprt import judge
    from arena.stats.units import units

    found = judge(units(outcome.results, outcome.players[0]), test)
    decision = {True: "H1", False: "H0", None: None}[found.accepted]
    return {**test.model_dump(), "llr": found.llr, "bounds": list(found.bounds), "decision": decision}


def _print_lead(outcome: MatchOutcome, test: Sprt | None) -> None:
    """Who of two is ahead, and what the test says."""
    from arena.stats.elo import lead
    from arena.stats.units import PAIR, units

    if len(outcome.players) != 2:
        return
    seen = units(outcome.results, outcome.players[0])
    print(lead(seen))
    if seen.values == PAIR:
        print(f"seat-swapped pairs worth 0, 1/2, 1, 3/2, 2 points: {', '.join(map(str, seen.counts))}")
    if test is None:
        return
    told = _verdict(outcome, test)
    low, high = told["bounds"]
    words = {
        "H1": f"H1 accepted: a lead of {test.elo1:g} Elo is likelier than one of {test.elo0:g}",
        "H0": f"H0 accepted: a lead of {test.elo0:g} Elo is likelier than one of {test.elo1:g}",
        None: "undecided: let it play more --games",
    }[told["decision"]]
    ratio = f"log-likelihood ratio {told['llr']:+.2f}, bounds {low:+.2f} and {high:+.2f}"
    print(f"SPRT {words}; {ratio}, after {len(outcome.results):,} games")


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
def _progress(games: int, words: str = "games") -> Iterator[Callable[[int], None] | None]:
    """A bar on standard error while games are played, where somebody looks at it."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = (words, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("games", total=games)
        yield lambda ended: bar.advance(task, ended)
