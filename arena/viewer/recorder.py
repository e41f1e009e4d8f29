"""Recorder: a match into a file, as fast as it can be played, without a display."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path
from typing import Protocol

from arena.viewer.animation import Gif, WebP
from arena.viewer.mp4 import Mp4, ffmpeg
from arena.viewer.playback import Playback
from envs.draw import Image, rgb_array, size
from envs.errors import InputError
from envs.scene import Scene

SUFFIXES = (".webp", ".gif", ".mp4")
MAX_GIF_FPS = 50
"""Viewers show GIF pictures that are due after 1/100 s ten times slower."""


class Writer(Protocol):
    """Takes pictures of one size in order."""

    def add(self, image: Image, seconds: float) -> None:
        """Show `image` [H, W, 3] for `seconds`."""
        ...

    def finish(self) -> None:
        """Write what is still missing: the file is whole then."""
        ...

    def close(self) -> None:
        """Let go of the file, whole or not."""
        ...


@dataclass(frozen=True, slots=True)
class Recording:
    """What was written."""

    file: Path
    pictures: int
    """Different ones in the file; what stands still is stored once (except in .mp4)."""
    seconds: float
    """Playing time of the file."""


def check_target(path: Path, fps: float) -> None:
    """Make sure that a recording can be written to `path`.

    Raises:
        InputError: an unknown suffix, no ffmpeg, a folder that is not there or cannot be written to.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"cannot record to {path}: the name must end in {', '.join(SUFFIXES)}.")
    if suffix == ".gif" and fps > MAX_GIF_FPS:
        raise InputError(f"a .gif can show {MAX_GIF_FPS} pictures a second, not {fps:g}: use .webp or .mp4.")
    if suffix == ".mp4":
        ffmpeg()
    if path.is_dir():
        raise InputError(f"cannot write {path}: it is a folder.")
    draft = _draft(path)
    try:
        draft.touch()
        draft.unlink()
    except OSError as fault:
        raise InputError(f"cannot write {path}: {fault.strerror}.") from None


def record(
    playback: Playback,
    path: Path,
    *,
    fps: float = 30,
    width: int = 800,
    speed: float = 1.0,
    max_seconds: float | None = None,
    progress: Callable[[float], None] = lambda seconds: None,
) -> Recording:
    """Write `playback` to `path` until it is over; a file there is replaced once the new one is whole.

    Args:
        fps: pictures per second.
        width: of the picture, pixels.
        speed: game time per time in the file.
        max_seconds: stop after this much time in the file.
        progress: told the seconds written, now and then.

    Raises:
        InputError: as `check_target`, or if writing fails; no file is left then.
    """
    check_target(path, fps)
    draft = _draft(path)
    limit = None if max_seconds is None else max(1, round(max_seconds * fps))
    scenes = islice(_scenes(playback, fps, speed), limit)
    pictures = frames = 0
    try:
        with closing(_writer(draft, path.suffix.lower(), size(playback.scene(), width), fps)) as file:
            for scene, same in groupby(scenes):
                held = sum(1 for _ in same)
                file.add(rgb_array(scene, width), held / fps)
                pictures, frames = pictures + 1, frames + held
                progress(frames / fps)
            file.finish()
        os.replace(draft, path)
    except OSError as fault:
        raise InputError(f"cannot write {path}: {fault.strerror}.") from None
    finally:
        draft.unlink(missing_ok=True)
    return Recording(path, pictures, frames / fps)


def _scenes(playback: Playback, fps: float, speed: float) -> Iterator[Scene]:
    """What is to be seen, `fps` times a second."""
    while not playback.over:
        yield playback.scene()
        playback.advance(1 / fps, speed)


def _writer(path: Path, suffix: str, size: tuple[int, int], fps: float) -> Writer:
    if suffix == ".mp4":
        return Mp4(path, *size, fps)
    return Gif(path, *size) if suffix == ".gif" else WebP(path, *size)


def _draft(path: Path) -> Path:
    """A hidden name beside `path`."""
    return path.with_name(f".{path.name}.{os.getpid()}")
