"""How fast pictures are drawn and games recorded, without a display.

    python -m benchmarks.pictures

Asked: 200 frames/s at 1200 x 500; ten seconds of play as .webp in under ten seconds and one megabyte.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from arena.players import load_player
from arena.viewer.playback import Playback
from arena.viewer.recorder import record
from envs.draw import rgb_array
from envs.registry import build

FRAMES, FPS = 600, 60
SECONDS = 10.0


def playback() -> Playback:
    """Two players of the box, with their values as chances to win."""
    env = build("SlimeVolley-v0", 1, {})
    return Playback(env, [load_player(name, env.spec) for name in ("master", "expert")], seed=0)


def frames(overlays: bool) -> float:
    """Frames per second of CPU time at 1200 x 500: playing, thinking, writing over it, painting."""
    shown = playback()
    if overlays:
        shown.overlays = {*shown.overlays, "velocity", "landing", "actions", "probabilities"}
    rgb_array(shown.scene(), 1200)
    began = time.process_time()
    for _ in range(FRAMES):
        shown.advance(1 / FPS)
        rgb_array(shown.scene(), 1200)
    return FRAMES / (time.process_time() - began)


def main() -> None:
    """Measure and print."""
    print(f"frames at 1200 x 500       {frames(False):6.0f} /s")
    print(f"with all overlays          {frames(True):6.0f} /s")
    with tempfile.TemporaryDirectory() as folder:
        for width in (800, 1200):
            path = Path(folder) / f"{width}.webp"
            wall, cpu = time.perf_counter(), time.process_time()
            record(playback(), path, width=width, max_seconds=SECONDS)
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            print(f"{SECONDS:.0f} s of play, {width:4d} wide   {wall:6.1f} s, {cpu:.1f} s of CPU, "
                  f"{path.stat().st_size / 1e6:.2f} MB")  # fmt: skip


if __name__ == "__main__":
    main()
