"""People play with real keys and clicks, in a real window on a screen that nobody sees."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageGrab, features

from arena.replay import read_replay, verify
from arena.viewer.session_scene import PLATE
from tests.cli import arena, environment

MISSING = [program for program in ("Xvfb", "xdotool") if not shutil.which(program)]
pytestmark = [
    pytest.mark.skipif(bool(MISSING), reason=f"{' and '.join(MISSING)} not installed"),
    pytest.mark.skipif(not features.check("xcb"), reason="this Pillow cannot take pictures of a screen"),
]
PATIENCE = 60
"""s, for what comes in two seconds on an idle machine."""


class Desk:
    """A screen with a game on it, and whoever sits there."""

    def __init__(self, display: str, process: subprocess.Popen[str]) -> None:
        """Wait for the window."""
        self._display, self.process = display, process
        self.until(lambda: self._tool("search", "--class", ".").strip() != "")
        self.until(lambda: bool(np.ptp(self.pixels())))

    def _tool(self, *words: str) -> str:
        done = subprocess.run(
            ["xdotool", *words],
            env={**os.environ, "DISPLAY": self._display},
            capture_output=True,
            text=True,
            timeout=30,
        )
        return done.stdout

    def do(self, *words: str) -> None:
        """What xdotool calls it: "key", "q"; "keydown", "Right"; "mousemove", "10", "20", "click", "1"."""
        self._tool(*words)

    def picture(self) -> Image.Image:
        """The screen."""
        return ImageGrab.grab(xdisplay=self._display).convert("RGB")

    def pixels(self) -> Any:
        """[H, W, 3] of it."""
        return np.asarray(self.picture())

    def until(self, reached: Callable[[], bool]) -> None:
        """Wait."""
        end = time.monotonic() + PATIENCE
        while not reached():
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < end, "nothing happens"
            time.sleep(0.05)

    def until_it_moves(self, *words: str) -> None:
        """Do something, and wait until the picture shows it and stands still."""
        before = self.pixels()
        self.do(*words)
        self.until(lambda: not np.array_equal(self.pixels(), before))

    def said(self) -> dict[str, Any]:
        """What it printed."""
        out, err = self.process.communicate(timeout=PATIENCE)
        assert (self.process.returncode, err) == (0, "")
        told: dict[str, Any] = json.loads(out)
        return told


@contextmanager
def desk(home: Path, *words: str) -> Iterator[Desk]:
    """`arena play` with these words."""
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x720x24", "-nolisten", "tcp"],
        pass_fds=(write,), stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(write)
    try:
        with os.fdopen(read) as told:
            display = f":{told.readline().strip()}"
        seen = {**environment(), "DISPLAY": display, "SDL_VIDEODRIVER": "x11"}
        with subprocess.Popen(
            arena("play", *words, "--json"), cwd=home, env=seen, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True,
        ) as process:  # fmt: skip
            try:
                yield Desk(display, process)
            finally:
                process.kill()
    finally:
        server.kill()
        server.wait()


def test_a_game_by_keys_to_its_end(tmp_path: Path) -> None:
    words = ["human", "noop", "--set", "lives=1", "--best-of", "1", "--side", "left", "--save", "mine.replay"]
    with desk(tmp_path, *words) as seat:
        seat.do("keydown", "Right", "keydown", "Up")
        height, width = seat.pixels().shape[:2]
        seat.until(lambda: tuple(seat.pixels()[height // 2 + 20, width // 2 - 100]) == PLATE)
        seat.do("keyup", "Right", "keyup", "Up")
        seat.picture().save(tmp_path / "end.png")
        seat.do("key", "q")
        told = seat.said()
    assert told["finished"]
    assert told["players"] == ["human", "noop"]
    (score,) = [game["score"] for game in told["games"]]
    assert sorted(score) == [-1, 1]
    replay = read_replay(tmp_path / "mine.replay")
    verify(replay)
    pressed = {int(action) for action in replay.actions[5:-5, 0]}
    assert 2 in pressed  # forward and jump
    assert set(replay.actions[:, 1].tolist()) == {0}


def test_a_board_game_by_keys_and_clicks(tmp_path: Path) -> None:
    with desk(tmp_path, "human", "human", "--env", "TicTacToe-v0", "--best-of", "1") as seat:
        for key in "1425":
            seat.until_it_moves("key", key)
            time.sleep(0.7)  # a move is shown for half a second before the next one counts
        board = seat.pixels()
        red = np.argwhere((board == (196, 66, 58)).all(axis=2))  # two crosses in the upper row, left and middle
        (top, left), (bottom, right) = red.min(axis=0), red.max(axis=0)
        cell = (right - left) / 1.56  # from the left arm of one to the right arm of the other
        seat.until_it_moves("mousemove", str(round(right + 0.7 * cell)), str((top + bottom) // 2), "click", "1")
        time.sleep(0.7)
        seat.do("key", "q")
        told = seat.said()
    (game,) = told["games"]
    assert (game["score"], game["steps"]) == ([1, -1], 5)
    assert told["winner"] == "human 1"
