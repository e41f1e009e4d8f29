"""`arena watch`: see games in a window or a terminal, or write them to a file."""

from __future__ import annotations

import json as jsonlib
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro
from tyro.conf import Positional

from arena.cli.watch_replays import LIST, are_replays, list_picks, playback_of, ratings_of
from envs.errors import InputError

if TYPE_CHECKING:
    from arena.viewer.playback import Playback


def watch(
    players: Positional[tuple[str, ...]],
    env: str = "",
    pick: str = "",
    record: Path | None = None,
    terminal: bool = False,
    games: int | None = None,
    seed: int = 0,
    sample: bool = False,
    day: bool = False,
    speed: float = 1.0,
    max_seconds: float | None = None,
    fps: float | None = None,
    width: int | None = None,
    set: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = (),
    json: bool = False,
) -> int:
    """See players meet, or one play alone, or games that were stored: in a window at real speed, in a terminal, or in
    a file written without any display.

    In the window: space pauses, right and left step, shift+left rewinds, up and down change the speed, n and b go to
    the next game and the one before, t is day, o shows what players see and think, q quits, h shows all keys.
    A player is a snapshot file, DIR@champion, DIR@NAME or DIR@NAME:STEP of a run folder, one that is in the
    box (beginner, novice, player, expert, master), or a bot: random, noop, tracker, baseline. Games of the past are
    `arena watch FILE.replay` and `arena watch DIR --pick upset`.

    Args:
        players: one for each team of the game, the left one first; two in most, one in games that are played alone.
            Or replay files, or the folder of a league, whose games worth watching are shown one after the other.
            Nobody: two players that are in the box.
        env: id of the game, see `arena envs`; without it, the one that the first snapshot was trained in, or slime
            volleyball between bots.
        pick: which game of a league's folder: upset, longest, closest, latest, promotion, A-vs-B for the last one of
            two players, ..., or list to see what there is.
        record: write to this FILE.webp, .gif or .mp4 instead of opening a window.
        terminal: draw with characters in this terminal instead.
        games: how many; without it, one in a file, and no end in a window.
        seed: decides everything random.
        sample: snapshots draw their actions as in training, instead of taking the most probable.
        day: slime volleyball by day.
        speed: 2 shows everything twice as fast, 0.5 in slow motion.
        max_seconds: stop after this many seconds of watching.
        fps: pictures per second; 60 in a window and 30 in a file.
        width: of the picture in pixels; without it, 800 in a file and what the game asks for in a window.
        set: option of the env as key=value, such as lives=1; may be repeated.
        json: print one object at the end: file (null for a window), pictures (null for a window),
            seconds, games, players, scores (one list per game, one number per seat).
    """
    check_numbers(games=games, speed=speed, max_seconds=max_seconds, fps=fps, width=width)
    if seed < 0:
        raise InputError(f"--seed must be 0 or more, not {seed}.")
    if record:
        from arena.viewer.recorder import check_target

        check_target(record, fps or FILE_FPS)  # before anything slow
    if terminal and record:
        raise InputError("--terminal and --record are two ways to see a game: choose one.")
    if pick == LIST:
        return list_picks(players, json)
    if are_replays(players, pick):
        _refuse(env=env, games=games, seed=seed, sample=sample, set=set)
        playback = playback_of(players, pick)
    else:
        playback = _match(players, env, set, sample, seed, games or (1 if record else None))
    playback.day = day
    if record:
        pictures, seconds = _record(playback, record, fps or FILE_FPS, width or FILE_WIDTH, speed, max_seconds)
    elif terminal:
        if width:
            raise InputError("--width is of pictures: a terminal is as wide as it is.")
        pictures, seconds = None, _draw(playback, fps, speed, max_seconds)
    else:
        pictures, seconds = None, _show(playback, fps or WINDOW_FPS, width, speed, max_seconds)
    if json:
        print(
            jsonlib.dumps(
                {
                    "file": str(record) if record else None,
                    "pictures": pictures,
                    "seconds": round(seconds, 3),
                    "games": len(playback.scores),
                    "players": list(playback.names),
                    "scores": playback.scores,
                }
            )
        )
    elif record:
        print(f"{record}: {seconds:.1f} s, {pictures} pictures, {record.stat().st_size / 1e6:.2f} MB")
    return 0


FILE_FPS, WINDOW_FPS = 30.0, 60.0
FILE_WIDTH = 800
LARGEST = {"games": 10**9, "speed": 1000.0, "max_seconds": 10.0**9, "fps": 240.0, "width": 8192}


def check_numbers(**numbers: float | None) -> None:
    """Refuse what is not above 0 or absurdly large."""
    for name, number in numbers.items():
        if number is not None and not 0 < number <= LARGEST[name]:
            option = name.replace("_", "-")
            raise InputError(f"--{option} must be above 0 and at most {LARGEST[name]:g}, not {number:g}.")


def _refuse(**options: object) -> None:
    """Options that say how to play are of no use for what has been played."""
    for name, value in options.items():
        if value:
            raise InputError(f"--{name} says how to play, but a replay has been played: leave it out.")


def _match(
    players: Sequence[str], env: str, changes: Sequence[str], sample: bool, seed: int, games: int | None
) -> Playback:
    """A match that is played while it is watched."""
    from arena.config import parse_assignments
    from arena.ladder import LADDER
    from arena.players import game_of, load_player
    from arena.viewer.playback import Playback
    from envs.registry import build

    if not players and env:
        raise InputError("nobody to watch: name a player for each team, as in `arena watch DIR@champion baseline`.")
    players = players or LADDER[:-3:-1]
    game, options = game_of(players, env, parse_assignments(changes))
    world = build(game, 1, options)
    sides = [load_player(who, world.spec, greedy=not sample) for who in players]
    return Playback(world, sides, seed, games, ratings_of(players))


def _draw(playback: Playback, fps: float | None, speed: float, max_seconds: float | None) -> float:
    """Seconds for which the terminal was used."""
    from arena.viewer.terminal import Terminal

    return Terminal(playback, speed=speed).run(fps or FILE_FPS, max_seconds)


def _show(playback: Playback, fps: float, width: int | None, speed: float, max_seconds: float | None) -> float:
    """Seconds for which the window was open."""
    from arena.viewer.window import Viewer

    return Viewer(playback, speed=speed, width=width).run(fps, max_seconds)


def _record(
    playback: Playback, path: Path, fps: float, width: int, speed: float, max_seconds: float | None
) -> tuple[int, float]:
    """Number of different pictures and seconds written."""
    from arena.viewer.recorder import record

    with _progress() as progress:
        made = record(playback, path, fps=fps, width=width, speed=speed, max_seconds=max_seconds, progress=progress)
    return made.pictures, made.seconds


@contextmanager
def _progress() -> Iterator[Callable[[float], None]]:
    """The seconds written so far on standard error, where somebody looks at it."""
    if not sys.stderr.isatty():
        yield lambda seconds: None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn

    columns = (SpinnerColumn(), TextColumn("recording: {task.completed:.1f} s of play"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("recording", total=None)
        yield lambda seconds: bar.update(task, completed=seconds)
