"""A small league with everything that a report shows, and its page in a browser, for tests."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from arena.replay import write_replay
from arena.replay.record import record
from arena.result import Result
from arena.store import RunFolder
from benchmarks.report import ENV, make
from tests.sources import ROOT

EVIL = '<script>alert("x")</script>'
"""A name."""
OPTIONS = {"max_steps": 150, "serve_delay": 0}
"""Of games that are over soon, with some points."""
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-quic", "--no-first-run",
)  # fmt: skip
AXE = ROOT / "build/axe/node_modules/axe-core/axe.min.js"
"""Where .ci/run puts it."""


def league(path: Path, snapshots: int = 12) -> Path:
    """A made-up league of four members in the new folder `path`, with somebody called `EVIL`, three who beat each
    other in a circle, and two games to play."""
    make(path, snapshots, games=snapshots * 64 * 5)
    _, replays = record(ENV, ["baseline", "tracker"], games=2, seed=3, options=OPTIONS)
    with RunFolder.open(path, write=True) as run:
        ring = ("rock", "paper", EVIL)
        for winner, loser in zip(ring, (*ring[1:], ring[0]), strict=True):
            games = [Result(ENV, (winner, loser), (1.0, -1.0), 300, seed, "rules") for seed in range(20)]
            run.append_block(f"import|{winner}|{loser}", games)
        run.append_block("import|ada", [Result(ENV, (EVIL, "ada:0"), (1.0, 1.0), 300, 1, "rules")] * 4)
        run.append_event("reset", "ada", {"reason": EVIL})
    (path / "replays").mkdir()
    for number, replay in enumerate(replays):
        write_replay(replay, path / "replays" / f"{number}-{'upset' if number else 'longest'}.replay")
    return path


@dataclass
class Watched:
    """A page in a browser, and what went wrong in it."""

    page: Any
    errors: list[str] = field(default_factory=list)
    """Of the console, and uncaught ones."""
    requests: list[str] = field(default_factory=list)
    """Everything that it asked for, but itself and what it holds."""


@contextmanager
def browser() -> Iterator[Any]:
    """Chromium, without a window; skips the test where there is none."""
    api = pytest.importorskip("playwright.sync_api", reason="the extra `browser` is not installed")
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        pytest.skip("chromium is not installed")
    with api.sync_playwright() as play:
        running = play.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        try:
            yield running
        finally:
            running.close()


@contextmanager
def opened(running: Any, file: Path, **context: Any) -> Iterator[Watched]:
    """`file` in a new page."""
    around = running.new_context(**{"viewport": {"width": 1280, "height": 900}, **context})
    watched = Watched(around.new_page())
    page = watched.page
    page.on("console", lambda said: watched.errors.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda fault: watched.errors.append(str(fault)))
    page.on("request", lambda asked: watched.requests.append(asked.url))
    page.goto(file.absolute().as_uri())
    page.wait_for_selector("[data-ready]", state="attached")
    try:
        yield watched
    finally:
        around.close()


def strangers(watched: Watched) -> list[str]:
    """Requests for anything outside of the page."""
    own = watched.page.url.partition("#")[0]
    return [url for url in watched.requests if url.partition("#")[0] != own and not url.startswith(("data:", "blob:"))]


def violations(watched: Watched, where: str = "html") -> list[str]:
    """Serious and critical findings of axe-core in an element; skips the test where it is missing."""
    if not AXE.is_file():
        pytest.skip(f"{AXE.relative_to(ROOT)} is not there: .ci/run puts it there")
    watched.page.evaluate(AXE.read_text())
    found = watched.page.evaluate("(where) => axe.run(where)", where)["violations"]
    return [
        f"{one['id']}: {one['nodes'][0]['html']} {one['nodes'][0]['failureSummary']}"
        for one in found
        if one["impact"] in ("serious", "critical")
    ]


def until(found: Callable[[], bool]) -> None:
    """Ask again and again. (`wait_for_function` runs text as a program, which the page's policy forbids.)"""
    end = time.monotonic() + 60
    while not found():
        assert time.monotonic() < end
        time.sleep(0.05)
