"""The dashboard in a real browser: games move, figures come by themselves, nothing else is asked for."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from arena.league import League
from arena.store import RunFolder
from tests.dashboards import TOKEN, add_games, served
from tests.leagues import tiny
from tests.reports import until
from tests.runs import ENV, Run

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
if TYPE_CHECKING:
    from playwright.sync_api import Page

from arena.dashboard.access import Access  # noqa: E402

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), ""
)
ARGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--disable-quic", "--no-first-run",
]  # fmt: skip
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium on the PATH")
ROWS = "#leaderboard tbody tr"


@pytest.fixture(scope="module")
def league(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A league that has ended."""
    path = tmp_path_factory.mktemp("home") / "league"
    with League.create(path, tiny(budget="300-steps")) as made:
        made.run()
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield opened
        opened.close()


class Watched:
    """A page, what it complains of, and whom it asks."""

    def __init__(self, browser: Any, **options: Any) -> None:
        self.page: Page = browser.new_page(**options)
        self.said: list[str] = []
        self.asked: set[str] = set()
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda fault: self.said.append(str(fault)))
        self.page.on("dialog", lambda dialog: self.said.append(dialog.message))
        self.page.on("request", lambda request: self.asked.add(request.url))

    def shot(self, name: str) -> None:
        """A picture for whoever asks for pictures."""
        if folder := os.environ.get("SCREENSHOTS"):
            self.page.screenshot(path=Path(folder) / f"{name}.png")


def pixels(page: Page) -> str:
    return str(page.evaluate("document.querySelector('#live-player canvas').toDataURL()"))


def test_games_move_and_rows_come(league: Path, browser: Any, tmp_path: Path) -> None:
    shutil.copytree(league, tmp_path / "league")
    with served(tmp_path / "league") as dashboard:
        watched = Watched(browser)
        page = watched.page
        page.goto(dashboard.url)
        until(lambda: page.text_content("#live-said") == "The run has ended.")
        page.wait_for_selector("#live-player[data-ready] canvas")
        before = pixels(page)
        until(lambda: pixels(page) != before)
        names = page.text_content("#live-player .names") or ""
        title = page.text_content("#live-title") or ""
        assert title.startswith("The champion ") and any(word in names for word in title.split())
        rows = page.locator(ROWS).count()
        assert rows > 2
        watched.shot("dashboard")
        with RunFolder.open(tmp_path / "league", write=True) as run:
            until(lambda: page.get_attribute("#live", "data-state") == "running")
            add_games(run, "more", "<img src=x onerror=alert(1)>", "ada:0", ENV)
            until(lambda: page.locator(ROWS).count() == rows + 1)
            assert "<img src=x onerror=alert(1)>" in (page.text_content("#leaderboard tbody") or "")
        until(lambda: page.get_attribute("#live", "data-state") == "stopped")
        shutil.rmtree(tmp_path / "league")
        until(lambda: page.get_attribute("#live", "data-state") == "gone")
        assert "there is no run folder" in (page.text_content("#live-said") or "")
    until(lambda: page.get_attribute("#live", "data-state") == "lost")
    assert "cannot be reached" in (page.text_content("#live-said") or "")
    assert all(url.startswith((dashboard.url, "data:")) for url in watched.asked)
    assert [text for text in watched.said if "ERR_CONNECTION_REFUSED" not in text] == []


def test_a_league_without_games_and_a_token(browser: Any, tmp_path: Path) -> None:
    RunFolder.create(tmp_path / "young", Run(), seed=3).close()
    with served(tmp_path / "young", Access("127.0.0.1", TOKEN)) as dashboard:
        watched = Watched(browser, viewport={"width": 390, "height": 800}, color_scheme="dark")
        watched.page.goto(dashboard.url)
        assert TOKEN not in watched.page.url
        until(lambda: (watched.page.text_content("#live-title") or "").startswith("No game yet"))
        watched.shot("dashboard-young")
        with RunFolder.open(tmp_path / "young", write=True) as run:  # one point in each chart
            run.add_member("ada", "main", {"learner": {}})
            run.snapshot_path("ada", 7).write_bytes(b"weights")
            run.add_snapshot("ada", 7)
            rating = {"kind": "rating", "snapshot": "ada:7", "member": "ada", "step": 7, "steps": 7, "seconds": 3.5}
            run.append_metrics(rating | {"scores": {"baseline": 1.0}})
            add_games(run, "first", "ada:7", "baseline", ENV)
            until(lambda: watched.page.locator(ROWS).count() == 2)
            until(lambda: (watched.page.text_content("#live-said") or "").startswith("Running: "))
        assert watched.said == []


def test_who_wants_no_motion_starts_the_game(league: Path, browser: Any) -> None:
    with served(league) as dashboard:
        watched = Watched(browser, reduced_motion="reduce")
        page = watched.page
        page.goto(dashboard.url)
        page.wait_for_selector("#live-player[data-ready] canvas")
        before = pixels(page)
        page.wait_for_timeout(300)
        assert pixels(page) == before
        page.click("#live-player .play")
        until(lambda: pixels(page) != before)
        assert watched.said == []
