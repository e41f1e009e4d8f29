"""The page of a report in Chromium: games play to their recorded end, tables sort, charts tell, all can use it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from arena.report.page import data, page
from arena.store import RunFolder
from tests.reports import EVIL, Watched, browser, league, opened, strangers, until, violations

PHONE = {"viewport": {"width": 390, "height": 800}, "device_scale_factor": 2, "has_touch": True}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = league(tmp_path_factory.mktemp("report") / "run", snapshots=32)
    with RunFolder.open(path) as run:
        (path / "page.html").write_text(page(run))
    return path


@pytest.fixture(scope="module")
def running() -> Iterator[Any]:
    with browser() as found:
        yield found


@pytest.fixture
def watched(running: Any, home: Path) -> Iterator[Watched]:
    """The page on a wide screen; at the end nothing may have gone wrong in it, nor been asked of anybody."""
    with opened(running, home / "page.html") as found:
        yield found
        assert found.errors == []
        assert strangers(found) == []


def picture(page: Any) -> str:
    return str(page.evaluate("document.querySelector('.player canvas').toDataURL()"))


def shown_step(page: Any) -> int:
    return int(page.inner_text(".player .step").split(" / ")[0])


def films(page: Any) -> list[dict[str, Any]]:
    return list(json.loads(page.evaluate("document.getElementById('films').textContent")))


def test_a_game_plays_to_its_recorded_score(watched: Watched) -> None:
    page = watched.page
    film = films(page)[0]
    page.select_option(".player select", "16")
    before = picture(page)
    page.click(".player .play")
    until(lambda: bool(page.evaluate("parseInt(document.querySelector('.player .step').textContent) > 5")))
    assert picture(page) != before
    page.wait_for_selector(".player .banner:not([hidden])")
    assert shown_step(page) == film["steps"]
    points = [text.replace("\u2212", "-") for text in page.locator(".player .names b").all_inner_texts()]
    assert list(map(float, points)) == film["score"]
    told = page.inner_text(".player .banner").replace("\u2212", "-")
    assert [float(one) for one in re.findall(r"[-+]?\d+", told)] == film["score"]
    assert page.get_attribute(".player .play", "aria-label") == "Play"


def test_pictures_between_two_steps(watched: Watched) -> None:
    page = watched.page
    page.select_option(".player select", "0.25")
    page.click(".player .play")
    seen = page.evaluate(
        """async () => {
          const seen = new Map(), canvas = document.querySelector('.player canvas');
          for (let frame = 0; frame < 60; frame++) {
            await new Promise(requestAnimationFrame);
            const step = document.querySelector('.player .step').textContent;
            seen.set(step, (seen.get(step) || new Set()).add(canvas.toDataURL()));
          }
          return Math.max(...[...seen.values()].map((pictures) => pictures.size));
        }"""
    )
    assert seen > 1


def test_a_game_by_keyboard_and_slider(watched: Watched) -> None:
    page = watched.page
    page.click(".player .stage")
    until(lambda: bool(page.evaluate("parseInt(document.querySelector('.player .step').textContent) > 1")))
    page.keyboard.press("Space")
    stopped = shown_step(page)
    assert page.get_attribute(".player .play", "aria-label") == "Play"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert shown_step(page) == stopped + 2
    page.keyboard.press("ArrowLeft")
    assert shown_step(page) == stopped + 1
    page.keyboard.press("Home")
    assert shown_step(page) == 0
    first = picture(page)
    page.keyboard.press("+")
    assert page.input_value(".player select") == "2"
    page.fill(".player input[type=range]", "40")
    assert shown_step(page) == 40 and picture(page) != first
    assert page.get_attribute(".player input[type=range]", "aria-valuetext").startswith("step 40 of")
    page.fill(".player input[type=range]", "0")
    assert picture(page) == first  # the way back shows the same
    page.click("#games-list button:nth-child(2)")
    until(
        lambda: bool(page.evaluate("document.querySelector('.player').getAttribute('aria-label').includes('tracker')"))
    )
    assert page.get_attribute("#games-list button:nth-child(2)", "aria-pressed") == "true"


def test_the_leaderboard_sorts_and_unfolds(watched: Watched) -> None:
    page = watched.page
    table = "#leaderboard-table"
    assert page.locator(f"{table} tbody tr:visible").count() == 25
    page.click("button.unfold")
    rows = page.locator(f"{table} tbody tr:visible").count()
    assert rows == 38 and not page.locator("button.unfold").is_visible()

    def values(at: int) -> list[str]:
        cells = page.locator(f"{table} tbody tr > :nth-child({at})")
        return [str(cell) for cell in cells.evaluate_all("all => all.map((one) => one.dataset.value)")]

    page.click(f"{table} th:nth-child(3) button")
    assert page.get_attribute(f"{table} th:nth-child(3)", "aria-sort") == "descending"
    ratings = list(map(float, values(3)))
    assert ratings == sorted(ratings, reverse=True) and len(set(ratings)) > 10
    page.focus(f"{table} th:nth-child(3) button")
    page.keyboard.press("Enter")
    assert list(map(float, values(3))) == ratings[::-1]
    page.click(f"{table} th:nth-child(2) button")
    names = values(2)
    assert EVIL in names
    assert names.index("ada:2500000") < names.index("ada:10000000")  # numbers in names count as numbers
    assert page.locator("[aria-sort]").count() == 1


def test_charts_tell_by_mouse_and_keyboard(watched: Watched) -> None:
    page = watched.page
    plot = page.locator("[data-chart=rating] .plot")
    plot.scroll_into_view_if_needed()
    dot = plot.locator("circle.dot").last.bounding_box()
    page.mouse.move(dot["x"] + 2, dot["y"] + 2)
    tip = plot.locator(".tip")
    assert tip.is_visible() and "95 %" in tip.inner_text() and "env steps" in tip.inner_text()
    page.mouse.move(5, 5)
    assert not tip.is_visible()
    plot.focus()
    page.keyboard.press("ArrowRight")
    first = plot.locator(".said").inner_text()
    page.keyboard.press("ArrowRight")
    assert first.startswith("ada:0") and plot.locator(".said").inner_text().startswith("ada:2500000")
    page.keyboard.press("ArrowDown")
    assert plot.locator(".said").inner_text().startswith("bob:2500000")
    curves = plot.locator("path.curve").count()
    page.click("#rating .legend button:first-child")
    assert plot.locator("path.curve").count() == curves - 1
    page.select_option("#rating .bar select >> nth=0", "seconds")
    assert "min" in plot.inner_text() or " s" in plot.inner_text()
    page.locator("[data-chart=lineage] .plot").focus()
    page.keyboard.press("End")
    assert "trained from" in page.inner_text("[data-chart=lineage] .said")


def test_the_heat_map_tells_counts_and_intervals(watched: Watched) -> None:
    page = watched.page
    canvas = page.locator("[data-chart=payoff] canvas")
    canvas.scroll_into_view_if_needed()
    box, readout = canvas.bounding_box(), page.locator("[data-chart=payoff] .readout")
    told = set()
    for share in range(20, 100, 4):
        page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + share / 100 * box["height"])
        told.add(readout.inner_text())
    assert len(told) > 5
    assert any(re.search(r"won \d+.* % \(95 %: .* to .*\) of \d+ games against", text) for text in told)
    page.locator("[data-chart=payoff] [role=application]").focus()
    now = readout.inner_text()
    page.keyboard.press("ArrowDown")
    assert readout.inner_text() != now
    page.select_option("[data-chart=payoff] select", "1")
    page.locator("[data-chart=payoff] [role=application]").focus()
    assert "baseline" in readout.inner_text()


def test_the_theme_follows_the_system_and_can_be_changed(running: Any, home: Path) -> None:
    with opened(running, home / "page.html", color_scheme="dark") as found:
        dark = found.page.evaluate("getComputedStyle(document.body).backgroundColor")
        found.page.click("#theme")
        light = found.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert found.page.get_attribute("html", "data-theme") == "light"
        assert sum(map(int, re.findall(r"\d+", dark))) < 150 < 600 < sum(map(int, re.findall(r"\d+", light)))
        assert found.errors == []


def test_new_numbers_keep_what_was_chosen(watched: Watched, home: Path) -> None:
    page = watched.page
    page.click("#leaderboard-table th:nth-child(3) button")
    page.click("#settings summary")
    with RunFolder.open(home) as run:
        now = data(run)
    now["title"] = "a new title"
    now["sections"]["leaderboard"] = now["sections"]["leaderboard"].replace("ada:0", "ada:zero")
    now["charts"]["rating"]["lines"][0]["name"] = "renamed"
    page.evaluate("(now) => window.arena.update(now)", now)
    assert page.title() == "a new title"
    assert page.get_attribute("#leaderboard-table th:nth-child(3)", "aria-sort") == "descending"
    assert page.locator("#leaderboard-table", has_text="ada:zero").count() == 1
    assert "renamed" in page.inner_text("#rating .legend")
    assert page.get_attribute("#settings details", "open") is not None


@pytest.mark.parametrize("context", [{}, {**PHONE, "color_scheme": "dark"}])
def test_everybody_can_use_it(context: dict[str, Any], running: Any, home: Path) -> None:
    with opened(running, home / "page.html", **context) as found:
        assert violations(found) == []
        assert found.errors == []
        found.page.evaluate("document.querySelector('footer').innerHTML = '<button></button>'")
        assert [one.split(":")[0] for one in violations(found, "footer")] == ["button-name"]


@pytest.mark.parametrize("width", [320, 390, 800])
def test_nothing_scrolls_sideways_but_what_is_made_for_it(width: int, running: Any, home: Path) -> None:
    with opened(running, home / "page.html", viewport={"width": width, "height": 800}) as found:
        wide = found.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide == 0


def test_skip_link_and_landmarks(watched: Watched) -> None:
    page = watched.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    for role in ("banner", "navigation", "main", "contentinfo"):
        assert page.get_by_role(role).count() == 1
    assert page.locator("h1").count() == 1
