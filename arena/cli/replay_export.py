"""`arena replay export`: a replay as a film, a page or plain numbers."""

from __future__ import annotations

import json as jsonlib
from pathlib import Path

from tyro.conf import Positional

from envs.errors import InputError


def export(
    file: Positional[Path],
    gif: Path | None = None,
    webp: Path | None = None,
    mp4: Path | None = None,
    html: Path | None = None,
    json: Path | None = None,
    fps: float = 30,
    width: int = 800,
    speed: float = 1.0,
) -> int:
    """Write a replay in a form that others can see or read; several at once if you like.

    Args:
        file: a .replay file.
        gif: write a film to this .gif file; webp and mp4 are smaller and smoother.
        webp: write a film to this .webp file.
        mp4: write a film to this .mp4 file; needs ffmpeg.
        html: write a page that plays it in any browser, and needs nothing else, to this .html file.
        json: write states, observations, actions and rewards of all steps to this .json file; what is in it is said
            in `arena/replay/plain.py`.
        fps: pictures per second of a film.
        width: of a film, pixels.
        speed: of a film: 2 shows everything twice as fast.
    """
    from arena.cli.watch import check_numbers
    from arena.replay.sources import checked
    from arena.store.files import write_atomic

    films = {".gif": gif, ".webp": webp, ".mp4": mp4}
    wanted = {**films, ".html": html, ".json": json}
    if not any(wanted.values()):
        raise InputError("nothing to write: say --gif, --webp, --mp4, --html or --json and a file.")
    for suffix, path in wanted.items():
        if path and path.suffix.lower() != suffix:
            raise InputError(f"--{suffix[1:]} {path}: its name must end in {suffix}.")
    check_numbers(fps=fps, width=width, speed=speed)
    if any(films.values()):
        from arena.viewer.recorder import check_target

        for path in filter(None, films.values()):
            check_target(path, fps)  # before anything slow
    replay = checked([file])[0]
    for path in filter(None, films.values()):
        from arena.cli.watch_replays import playback_of
        from arena.viewer.recorder import record

        record(playback_of([str(file)], ""), path, fps=fps, width=width, speed=speed)
    try:
        if html:
            from arena.report.replays import replay_page

            write_atomic(html, replay_page([replay]).encode())
        if json:
            from arena.replay.plain import plain_replay

            write_atomic(json, jsonlib.dumps(plain_replay(replay), allow_nan=False).encode())
    except OSError as fault:
        raise InputError(f"cannot write {fault.filename or file}: {fault.strerror or fault}.") from None
    for path in filter(None, wanted.values()):
        print(f"{path}: {path.stat().st_size / 1e3:,.1f} kB")
    return 0
