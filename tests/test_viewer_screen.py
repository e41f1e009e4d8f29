"""The viewer on a virtual screen, driven by real key presses and a real mouse."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

MISSING = [program for program in ("Xvfb", "xdotool") if not shutil.which(program)]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"needs {' and '.join(MISSING)}")

PROGRAM = """
import json, sys
from arena.viewer.playback import Playback
from arena.viewer.window import Viewer
from envs import make
from envs.slime_volley.bots import bot

env = make("SlimeVolley-v0", 1, lives=5)
viewer = Viewer(Playback(env, [bot("tracker", env.spec), bot("random", env.spec)], seed=3), width=600)
tick = viewer.tick

def told(seconds):
    going = tick(seconds)
    playback, steering = viewer.playback, viewer.steering
    state = {"position": playback.position, "length": playback.length, "paused": steering.paused,
             "speed": steering.speed, "helping": steering.helping, "day": playback.day, "going": going,
             "overlays": sorted(playback.overlays), "size": viewer._window.size, "seeking": playback.seeking}
    print(json.dumps(state), flush=True)
    return going

viewer.tick = told
viewer.run(60, 60)
"""


class Desktop:
    """A virtual screen with the viewer on it."""

    def __init__(self, folder: Path) -> None:
        read, write = os.pipe()
        self._server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write), "-screen", "0", "1000x700x24", "-nolisten", "tcp"],
            pass_fds=[write], stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(write)
        with os.fdopen(read) as pipe:
            number = pipe.readline().strip()
        self.env = {**os.environ, "DISPLAY": f":{number}", "SDL_VIDEODRIVER": "x11", "OMP_NUM_THREADS": "1"}
        self.log = folder / "states"
        with self.log.open("w") as out:
            self.viewer = subprocess.Popen([sys.executable, "-c", PROGRAM], env=self.env, stdout=out)

    def state(self) -> dict[str, Any]:
        """The last one that the viewer has told."""
        lines = [line for line in self.log.read_text().splitlines() if line.startswith("{") and line.endswith("}")]
        return dict(json.loads(lines[-1])) if lines else {}

    def until(self, wanted: Callable[[dict[str, Any]], bool], seconds: float = 25) -> dict[str, Any]:
        """The first state that is `wanted`."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            state = self.state()
            if state and wanted(state):
                return state
            time.sleep(0.02)
        raise AssertionError(f"not in {seconds} s: the last state was {self.state()}")

    def do(self, *words: str) -> str:
        """What xdotool says when it has done something."""
        return subprocess.run(["xdotool", *words], env=self.env, check=True, capture_output=True, text=True).stdout

    def settled(self) -> dict[str, Any]:
        """The state once the picture stands still."""
        self.until(lambda state: state["paused"])
        while True:
            first = self.state()["position"]
            time.sleep(0.15)
            if self.state()["position"] == first:
                return self.state()

    def close(self) -> None:
        for process in (self.viewer, self._server):
            process.kill()
            process.wait()


@pytest.fixture
def desktop(tmp_path: Path) -> Iterator[Desktop]:
    opened = Desktop(tmp_path)
    try:
        opened.until(bool)
        yield opened
    finally:
        opened.close()


def test_real_keys_and_a_real_mouse(desktop: Desktop) -> None:
    desktop.until(lambda state: state["position"] > 3)
    # Pause, and go on.
    desktop.do("key", "space")
    there = desktop.settled()["position"]
    desktop.do("key", "space")
    desktop.until(lambda state: not state["paused"] and state["position"] > there + 5)
    # Single steps, both ways.
    desktop.do("key", "space")
    there = desktop.settled()["position"]
    desktop.do("key", "Right", "Right")
    on = desktop.until(lambda state: state["position"] > there + 1)["position"]
    assert on == int(there) + 2
    desktop.do("key", "Left")
    desktop.until(lambda state: state["position"] == on - 1)
    # Jump, and rewind with the key held down.
    desktop.do("key", "shift+Right")
    far = desktop.until(lambda state: state["position"] > on + 100 and not state["seeking"])["position"]
    desktop.do("keydown", "Left")
    desktop.until(lambda state: state["position"] < far - 20)
    desktop.do("keyup", "Left")
    back = desktop.settled()["position"]
    assert 0 <= back < far - 20
    # Scrub: the middle of the bar is the middle of what was watched; then drag to the beginning.
    length = desktop.state()["length"]
    width, height = desktop.state()["size"]
    window = desktop.do("getwindowfocus").strip()
    desktop.do("mousemove", "--window", window, str(width // 2), str(height - 10), "mousedown", "1")
    desktop.until(lambda state: abs(state["position"] - length / 2) < 0.02 * length + 1)
    desktop.do("mousemove", "--window", window, "5", str(height - 10), "mouseup", "1")
    desktop.until(lambda state: state["position"] == 0)
    # Speeds, overlays, colours, help.
    desktop.do("key", "Up", "Up", "Up")
    desktop.until(lambda state: state["speed"] == 8)
    desktop.do("key", "Down", "v", "l", "t", "h")
    desktop.until(
        lambda s: s["speed"] == 4 and s["day"] and s["helping"] and {"velocity", "landing"} <= {*s["overlays"]}
    )
    # The window can have any size.
    desktop.do("windowsize", "--sync", window, "333", "222")
    desktop.until(lambda state: state["size"] == [333, 222])
    # Quit.
    desktop.do("key", "q")
    assert desktop.viewer.wait(timeout=20) == 0
    assert not desktop.state()["going"]
