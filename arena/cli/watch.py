"""`arena watch`: see a match in a window, or write it to a file."""

from __future__ import annotations

import json as jsonlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro
from tyro.conf import Positional

from envs.errors import InputError

if TYPE_CHECKING:
    from arena.viewer.playback import Playback


def watch(
    players: Positional[tuple[str, ...]],
    env: str = "",
    record: Path | None = None,
    games: int | None = None,
    seed: int = 0,
    sample: bool = False,
    speed: float = 1.0,
    max_seconds: float | None = None,
    fps: float | None = None,
    width: int | None = None,
    set: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = (),
    json: bool = False,
) -> int:
    """See players meet, or one play alone: in a window at real speed, or in a file written without any display.

    In the window: space pauses, right steps, up and down change the speed, n goes to the next game,
    q quits, h shows the keys. A player is a snapshot file, DIR@champion, DIR@NAME or DIR@NAME:STEP of
    a run folder, or a bot: random, noop, tracker, baseline.

    Args:
        players: one for each team of the game, the left one first; two in most, one in games that are played alone.
        env: id of the game, see `arena envs`; without it, the one that the first snapshot was trained in, or slime
            volleyball between bots.
        record: write to this FILE.webp, .gif or .mp4 instead of opening a window.
        games: how many; without it, one in a file, and no end in a window.
        seed: decides everything random.
        sample: snapshots draw their actions as in training, instead of taking the most probable.
        speed: 2 shows everything twice as fast, 0.5 in slow motion.
        max_seconds: stop after this many seconds of watching.
        fps: pictures per second; 60 in a window and 30 in a file.
        width: of the picture in pixels; without it, 800 in a file and what the game asks for in a window.
        set: option of the env as key=value, such as lives=1; may be repeated.
        json: print one object at the end: file (null for a window), pictures (null for a window),
            seconds, games, players, scores (one list per game, one number per seat).
    """
    _check(games=games, speed=speed, max_seconds=max_seconds, fps=fps, width=width)
    if seed < 0:
        raise InputError(f"--seed must be 0 or more, not {seed}.")
    if record:
        from arena.viewer.recorder import check_target

        check_target(record, fps or FILE_FPS)  # before anything slow
    from arena.config import parse_assignments
    from arena.players import game_of, load_player
    from arena.viewer.playback import Playback
    from envs.registry import build

    if not players:
        raise InputError("nobody to watch: name a player for each team, as in `arena watch DIR@champion baseline`.")
    game, options = game_of(players, env, parse_assignments(set))
    world = build(game, 1, options)
    sides = [load_player(who, world.spec, greedy=not sample) for who in players]
    playback = Playback(world, sides, seed, games or (1 if record else None))
    if record:
        pictures, seconds = _record(playback, record, fps or FILE_FPS, width or FILE_WIDTH, speed, max_seconds)
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


def _check(**numbers: float | None) -> None:
    """Refuse what is not above 0 or absurdly large."""
    for name, number in numbers.items():
        if number is not None and not 0 < number <= LARGEST[name]:
            option = name.replace("_", "-")
            raise InputError(f"--{option} must be above 0 and at most {LARGEST[name]:g}, not {number:g}.")


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
