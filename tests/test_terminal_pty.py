"""A match in a real pseudo-terminal: keys, sizes, and that the terminal is given back however the program ends."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.cli import environment
from tests.pty_screen import Emulator, Session

PROGRAM = """
import sys
from arena.viewer.playback import Playback
from arena.viewer.terminal import Terminal
from envs.bots import bot
from envs.registry import build

env = build("SlimeVolley-v0", 1, {})
playback = Playback(env, [bot("tracker", env.spec), bot("noop", env.spec)], seed=1, games=3)
terminal = Terminal(playback)
if "fault" in sys.argv:
    terminal.playback.scene = lambda status: 1 / 0
print("shown", terminal.run() > 0)
"""


def environ(**change: str) -> dict[str, str]:
    plain = {key: value for key, value in environment().items() if key not in ("NO_COLOR", "COLORTERM", "LC_ALL")}
    return {**plain, "TERM": "xterm-256color", "COLORTERM": "truecolor", "PYTHONIOENCODING": "utf-8", **change}


@pytest.fixture(scope="module")
def watched() -> Iterator[Session]:
    """A match that is being watched; the tests below follow each other."""
    with Session([sys.executable, "-c", PROGRAM], 80, 24, environ()) as session:
        session.wait_for(lambda screen: step(screen) > 3)
        yield session


def step(screen: Emulator) -> int:
    """The step that the caption says, 0 without one."""
    found = re.search(r"step (\d+)", "\n".join(screen.text()))
    return int(found[1]) if found else 0


def says(words: str, session: Session) -> None:
    session.wait_for(lambda screen: any(words in row for row in screen.text()))


def test_keys(watched: Session) -> None:
    assert "1049" in watched.screen.modes
    assert len(set(watched.screen.paper.flatten().tolist())) > 5
    watched.type(" ")
    says("paused", watched)
    before = step(watched.screen)
    watched.type("...")  # the first may only end the step that was on its way
    watched.wait_for(lambda screen: step(screen) in (before + 2, before + 3))
    before = step(watched.screen)
    watched.type("\x1b[C\x1b[C")
    watched.wait_for(lambda screen: step(screen) == before + 2)
    watched.type("\x1b[D")
    watched.wait_for(lambda screen: step(screen) == before + 1)
    watched.type(" \x1b[A")
    says(" 2x ", watched)
    watched.type("-")
    says(" 1x ", watched)
    watched.type("h")
    says("these keys", watched)
    watched.type("h")
    watched.wait_for(lambda screen: not any("these keys" in row for row in screen.text()))
    watched.type("n")
    says("wins", watched)


def test_sizes(watched: Session) -> None:
    watched.resize(120, 40)
    says("step", watched)
    watched.wait_for(lambda screen: bool((screen.paper[:, 119] >= 0).any()))
    watched.resize(30, 8)
    watched.wait_for(lambda screen: bool((screen.paper >= 0).any()))
    watched.resize(80, 24)
    says("step", watched)


def test_ctrl_z_gives_the_terminal_back_and_takes_it_again(watched: Session) -> None:
    """Nobody is there who could stop it, so it goes on at once."""
    taken, frames = watched.screen.taken, watched.screen.frames
    watched.type("\x1a")
    watched.wait_for(lambda screen: screen.taken == taken + 1 and screen.frames > frames)
    says("step", watched)


def test_q_ends_it(watched: Session) -> None:
    watched.type("q")
    assert watched.end() == 0
    assert watched.restored
    assert any("shown True" in row for row in watched.screen.text())


@pytest.mark.parametrize(("how", "code"), [("ctrl-c", 1), ("term", 128 + signal.SIGTERM), ("fault", 1)])
def test_the_terminal_is_given_back(how: str, code: int) -> None:
    with Session([sys.executable, "-c", PROGRAM, how], 80, 24, environ()) as session:
        if how != "fault":
            session.wait_for(lambda screen: step(screen) > 1)
        if how == "ctrl-c":
            session.type("\x03")
        if how == "term":
            session.process.send_signal(signal.SIGTERM)
        ended = session.end()
        assert abs(ended) in (code, signal.SIGINT)
        assert session.screen.taken == 1
        assert session.restored


def test_without_colours_and_in_ascii() -> None:
    with Session([sys.executable, "-c", PROGRAM], 80, 24, environ(NO_COLOR="1", PYTHONIOENCODING="ascii")) as session:
        session.wait_for(lambda screen: step(screen) > 1)
        shown = "".join(session.screen.text())
        assert shown.isascii() and (session.screen.paper == -1).all()
        assert "@" in shown or "#" in shown
        session.type("q")
        assert session.end() == 0


def test_what_is_no_terminal_is_refused() -> None:
    words = [sys.executable, "-c", PROGRAM]
    nothing = subprocess.DEVNULL
    done = subprocess.run(words, env=environ(), stdin=nothing, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1 and done.stdout == ""
    assert "--record match.webp" in done.stderr.splitlines()[-1]
    with Session(words, 80, 24, environ(TERM="dumb")) as session:
        assert session.end() == 1
        assert session.screen.taken == 0
