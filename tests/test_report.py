"""Reports: pages, comparisons and pieces say what the log says, and names stay names."""

from __future__ import annotations

import json
import re
import shutil
from html import unescape
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from arena.cli import main
from arena.ratings.games import games_of
from arena.ratings.payoff import payoff_of
from arena.replay import read_replay
from arena.report.compare import read as compared
from arena.report.html import document, json_block, tag
from arena.report.league import anchor_lines, rating_lines, read
from arena.report.lines import MOST, Line, short
from arena.report.markdown import plain
from arena.report.page import data, page
from arena.report.payoff import grouped, heat
from arena.report.replays import films, replay_page
from arena.report.resources import resources
from arena.store import RunFolder
from arena.training import TrainConfig
from tests.histories import duels
from tests.reports import EVIL, league


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return league(tmp_path_factory.mktemp("report") / "run")


@pytest.fixture(scope="module")
def html(home: Path) -> str:
    with RunFolder.open(home) as run:
        return page(run)


def blocks(html: str) -> dict[str, str]:
    return dict(re.findall(r'<script type="application/json" id="(\w+)">(.*?)</script>', html, re.S))


def test_names_stay_names_everywhere(html: str) -> None:
    assert EVIL not in html
    body = re.sub(r"<script.*?</script>", "", html, flags=re.S)
    assert body.count("&lt;script&gt;") >= 3  # leaderboard, cycles, events
    found = json.loads(blocks(html)["charts"])
    assert EVIL in found["payoff"]["views"][0]["names"]


def test_json_and_attributes_hold_anything() -> None:
    evil = "</script><!--\u2028&\"'"
    block = json_block("x", {evil: evil})
    assert block.count("</script>") == 1 and "<!--" not in block and "\u2028" not in block
    assert json.loads(block[block.index(">") + 1 : -len("</script>")]) == {evil: evil}
    assert tag("p", "<b>", title='">', hidden=True, class_="a", data_x=None) == (
        '<p title="&quot;&gt;" hidden class="a"><b></p>'
    )


def test_the_policy_admits_what_is_in_the_page_and_nothing_else() -> None:
    made = document("t", "b", "s {}", ["let a;", "let b;"])
    policy = unescape(re.search(r'Policy" content="([^"]*)"', made).group(1))  # type: ignore[union-attr]
    assert policy.count("'sha256-") == 3 and "default-src 'none'" in policy
    assert "unsafe" not in policy and "connect-src" not in policy
    assert "connect-src &#x27;self&#x27;" in document("t", "b", "", [], connect=True)


def test_the_page_needs_nothing_else(html: str) -> None:
    outside = re.sub(r"http://www\.w3\.org/[\w/]+", "", html)
    assert "http://" not in outside and "https://" not in outside
    assert not re.search(r"<(img|link|script|iframe|object)[^>]* (src|href)=\"(?!data:)", html)
    assert " style=" not in re.sub(r"<script.*?</script>", "", html, flags=re.S)


def test_sections_of_a_league(html: str, home: Path) -> None:
    ids = re.findall(r'<section id="(\w+)"|<section aria-labelledby="[\w-]+" id="(\w+)"', html)
    assert {first or second for first, second in ids} == {
        "leaderboard", "rating", "games", "anchors", "payoff", "cycles", "lineage", "training", "resources", "settings",
    }  # fmt: skip
    with RunFolder.open(home) as run:
        numbers = read(run)
        assert f"{numbers.champions[0].name}" in html
        assert all(f'data-value="{one.name}"' in html for one in numbers.table if one.name != EVIL)
        assert "budget: 2h" in html
    assert len(json.loads(blocks(html)["films"])) == 2


def test_data_is_the_pages_sections_and_charts(home: Path, html: str) -> None:
    with RunFolder.open(home) as run:
        first, second = data(run), data(run)
    assert first == second  # a pure function of the folder
    assert json.loads(json.dumps(first)) == first
    assert all(part in html for name, part in first["sections"].items() if name != "resources")
    assert json.loads(blocks(html)["charts"]) == first["charts"]


def test_lines_are_those_of_the_fit_and_the_payoff(home: Path) -> None:
    with RunFolder.open(home) as run:
        numbers = read(run)
        games = [game for game in run.results() if set(game.players) == {"ada:2500000", "baseline"}]
    ratings = numbers.fit.ratings()
    ada = next(line for line in rating_lines(numbers) if line.name == "ada")
    assert ada.steps == [0, 2_500_000, 5_000_000]
    assert ada.y == pytest.approx([ratings[name].mean for name in ada.labels])
    assert ada.high[0] - ada.y[0] == pytest.approx(1.96 * ratings["ada:0"].stderr, rel=1e-3)
    zero = next(line for line in rating_lines(numbers, "baseline") if line.name == "ada")
    assert np.diff(zero.y) == pytest.approx(np.diff(ada.y))
    won = [np.sign(game.score[game.players.index("ada:2500000")]) for game in games]
    line = next(line for line in anchor_lines(numbers)["baseline"] if line.name == "ada")
    assert line.y[1] == pytest.approx((np.mean(won) + 1) / 2)
    assert line.low[1] < line.y[1] < line.high[1]


def test_long_lines_are_thinned_and_keep_their_ends() -> None:
    line = Line("x", 0)
    for step in range(3 * MOST + 5):
        line.add(step, step / 7, step**0.5, None)
    said = line.as_json()
    assert len(said["y"]) <= MOST + 1
    assert (said["steps"][0], said["steps"][-1]) == (0, 3 * MOST + 4)
    assert (short(float("nan")), short(1234567.8), short(0.1234567)) == (None, 1234568, 0.12346)


def test_many_snapshots_are_grouped_and_all_of_them_are_there_too() -> None:
    names = ["random", *(f"ada:{step}" for step in range(40)), *(f"bob:{step}" for step in range(40))]
    owners = {name: {"a": 0, "b": 1}.get(name[0]) for name in names}
    groups = grouped(names, owners)
    assert sorted(chain.from_iterable(groups.values())) == sorted(names)
    assert list(groups)[:3] == ["random", "ada:0 to 1", "ada:2 to 3"]
    games = [*duels("ada:0", "bob:0", 6, 0, 2), *duels("ada:1", "bob:1", 4, 2, 0), *duels("ada:0", "ada:1", 3)]
    payoff = payoff_of(games_of(games)).among(names)
    map_ = heat(payoff, names, names, owners)
    pooled, everybody, by_age = map_["views"]
    rows = pooled["names"]
    cell = next(one for one in pooled["cells"] if {rows[one[0]], rows[one[1]]} == {"ada:0 to 1", "bob:0 to 1"})
    assert cell[2:4] == [14, pytest.approx(11 / 14, abs=1e-3)]
    assert [rows.index("ada:0 to 1"), 6] in pooled["inside"]
    assert len(everybody["names"]) == len(names) and sorted(by_age["order"]) == list(range(len(names)))


def test_damaged_and_large_replays_are_told(home: Path) -> None:
    replays = [read_replay(file) for file in sorted((home / "replays").iterdir())]
    made, lost = films(replays, room=0)
    assert made == [] and len(lost) == 2 and "too large" in lost[0]
    assert "baseline" in replay_page(replays, EVIL) and EVIL not in replay_page(replays, EVIL)


def test_resources_count_training_and_disk(home: Path) -> None:
    with RunFolder.open(home) as run:
        used = resources(run.path, run.metrics())
    assert used.seconds == 240 and used.training == 240  # ratings come at the same moment
    assert [one.name for one in used.learners] == ["ada", "bob", "cleo", "dan"]
    assert used.disk["replays"] == sum(file.stat().st_size for file in (home / "replays").iterdir())


def test_writing_a_report(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, text, pictures = tmp_path / "r.html", tmp_path / "r.md", tmp_path / "png"
    words = ["report", home, "--out", out, "--markdown", text, "--png", pictures, "--json"]
    assert main(list(map(str, words))) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["page"], said["bytes"]) == (str(out), out.stat().st_size)
    assert said["markdown"] == [str(text)] and len(said["png"]) == len(list(pictures.iterdir())) > 4
    assert EVIL not in text.read_text() and plain(EVIL) in text.read_text()
    with Image.open(pictures / "payoff.png") as picture:
        assert len(picture.convert("RGB").getcolors(1 << 20) or []) > 10
    assert main(["report", str(home)]) == 0
    assert (home / "report.html").is_file()
    assert main(["league", "verify", str(home)]) in (0, 1)
    assert "report.html" not in capsys.readouterr().out.replace(str(home / "report.html"), "")
    (home / "report.html").unlink()


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("report", "missing DIRS"),
        ("report nowhere", "there is no run folder nowhere"),
        ("report {home} {home}", "--compare puts several side by side"),
        ("report --compare {home}", "needs at least two"),
        ("report --compare {home} {home}", "compared with itself"),
        ("report {home} --out {home}/no/such.html", "there is no folder"),
        ("report {home} --out {home}", "it is a folder"),
        ("report {home} --markdwn x.md", "did you mean '--markdown'"),
    ],
)
def test_refusals(line: str, sentence: str, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(line.format(home=home).split()) == 2
    said = capsys.readouterr().err
    assert sentence in said and said.count("\n") == 1


def test_comparing_leagues(home: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(home, other)
    config = (other / "config.yaml").read_text()
    (other / "config.yaml").write_text(config.replace("budget: 2h", "budget: 3h"))
    with RunFolder.open(home) as first, RunFolder.open(other) as second:
        found = compared([first, second])
    assert found.names == ["run", "other"]
    assert found.settings == {"budget": ["2h", "3h"]}
    assert main(["report", "--compare", str(home), str(other), "--out", str(tmp_path / "c.html")]) == 0
    html = (tmp_path / "c.html").read_text()
    assert "Elo points above" in html and "run: ada" in html and "other: ada" in html


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "cartpole"
    with RunFolder.create(path, TrainConfig(algorithm="ppo", env="CartPole-v1"), 0, kind="training") as run:
        for steps in (0, 1000, 2000):
            common = {"steps": steps, "episodes": steps // 20, "seconds": 1.0 + steps / 500}
            common["training_seconds"] = steps / 500
            run.append_metrics(
                {
                    "kind": "evaluation", **common, "snapshot": f"ppo:{steps}", "games": 20, "steps_mean": 30.0,
                    "score_mean": 10.0 + steps / 50, "score_ci95": [9.0, 60.0] if steps else None, "score_min": 8.0,
                }
            )  # fmt: skip
            run.append_metrics(
                {"kind": "training", **common, "learner": "ppo", "steps_per_second": 500.0, "loss": steps}
            )
    return path


def test_report_of_a_training_run(trained: Path, tmp_path: Path) -> None:
    with RunFolder.open(trained) as run:
        html, said = page(run), data(run)
    assert "ppo on CartPole-v1" in html and "ppo:2000" in html
    assert said["charts"]["evaluation"]["lines"][0]["y"] == [10, 30, 50]
    assert said["charts"]["training-loss"]["lines"][0]["y"] == [0, 1000, 2000]
    assert "training-steps_per_second" not in said["charts"]  # never changed
    other = tmp_path / "other"
    shutil.copytree(trained, other)
    out = tmp_path / "c.html"
    words = ["report", "--compare", str(trained), str(other), "--out", str(out), "--markdown", str(tmp_path / "c.md")]
    assert main(words) == 0
    assert "No setting differs" in out.read_text()


def test_kinds_are_not_mixed(home: Path, trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "--compare", str(home), str(trained)]) == 2
    assert "runs of one kind" in capsys.readouterr().err


def test_a_league_without_games_has_a_report(tmp_path: Path) -> None:
    from tests.runs import Run

    with RunFolder.create(tmp_path / "new", Run(), seed=0) as run:
        assert "No rated games yet" in page(run)
