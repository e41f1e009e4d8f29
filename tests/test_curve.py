"""`arena curve`: runs of one kind are one curve, and the chart shows what the numbers say."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from arena.cli import main
from arena.store import RunFolder
from arena.training import TrainConfig
from arena.training.chart import COLORS, HEIGHT, LEFT, RIGHT, SHARPNESS, WIDTH, named, ticks
from arena.training.curve import curves, labels, read

SCORES = {"one": [10.0, 20.0, 30.0], "two": [20.0, 40.0, 60.0], "gru": [0.0, 5.0, 100.0], "long": [0.0] * 4}


def write(path: Path, scores: list[float], core: str = "none", seed: int = 0, stride: int = 1000) -> None:
    """A run with evaluations every `stride` env steps, each of which took a hundredth of a second."""
    config = TrainConfig.model_validate(
        {"algorithm": "ppo", "env": "CartPole-v1", "seed": seed, "policy": {"core": core}}
    )
    with RunFolder.create(path, config, seed, (), "training") as run:
        run.append_metrics({"kind": "training", "steps": 1, "score": 7.0})
        for number, score in enumerate(scores):
            line = {"kind": "evaluation", "steps": stride * number, "training_seconds": 0.01 * stride * number}
            run.append_metrics({**line, "score_mean": score})


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two seeds, a recurrent one, a longer one with other strides, and a run without evaluations."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "one", SCORES["one"])
    write(tmp_path / "two", SCORES["two"], seed=1)
    write(tmp_path / "gru", SCORES["gru"], core="gru")
    write(tmp_path / "long", SCORES["long"], seed=2, stride=900)
    write(tmp_path / "none", [])
    return tmp_path


def test_runs_of_one_kind_are_one_curve(home: Path) -> None:
    found = curves([read(home / name) for name in ("gru", "one", "two")])
    assert [(curve.kind.core, len(curve.paths)) for curve in found] == [("gru", 1), ("none", 2)]
    plain = found[1]
    assert plain.x.tolist() == [0, 1000, 2000]
    assert (plain.mean.tolist(), plain.low.tolist(), plain.high.tolist()) == (
        [15, 30, 45],
        SCORES["one"],
        SCORES["two"],
    )
    assert labels(found) == ["ppo gru", "ppo, 2 seeds"]


def test_runs_of_other_strides_and_lengths_meet_where_both_are(home: Path) -> None:
    (curve,) = curves([read(home / "one"), read(home / "long")])
    assert curve.x.tolist() == [0, 900, 1000, 1800, 2000]
    assert curve.high.tolist() == pytest.approx([10, 19, 20, 28, 30])
    assert curve.mean.tolist() == pytest.approx([5, 9.5, 10, 14, 15])


def test_what_was_told_twice_counts_once(home: Path) -> None:
    with RunFolder.open(home / "one", write=True) as run:
        run.append_metrics({"kind": "evaluation", "steps": 1000, "training_seconds": 12.0, "score_mean": 25.0})
    assert read(home / "one").score.tolist() == [10, 25, 30]
    assert read(home / "one", seconds=True).x.tolist() == [0, 12, 20]


def test_json(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["curve", "one", "two", "gru", "--json", "--x", "seconds"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["x"] == "seconds"
    gru, plain = said["curves"]
    assert {key: plain[key] for key in ("env", "algorithm", "core", "runs")} == {
        "env": "CartPole-v1", "algorithm": "ppo", "core": "none", "runs": ["one", "two"],
    }  # fmt: skip
    assert (gru["x"], gru["mean"]) == ([0, 10, 20], SCORES["gru"])


@pytest.mark.usefixtures("home")
def test_the_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert main(["curve", "one"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 60
    drawn = [line[10:] for line in lines if "┤" in line]
    assert lines[0].startswith("      30 ┤") and lines[13].startswith("      10 ┤")
    bits = np.array([[ord(c) - 0x2800 if c != " " else 0 for c in line.ljust(50)] for line in drawn])
    dots = [[bits[row, column] >> bit & 1 for bit in (6, 2, 1, 0)] for column in (0, 24, 49) for row in range(14)]
    heights = [np.flatnonzero(np.array(dots[k * 14 : (k + 1) * 14])[::-1].ravel()) for k in range(3)]
    assert 0 in heights[0] and 55 in heights[2] + 1  # it climbs from the bottom to the top
    assert abs(heights[1].mean() - 27.5) < 2
    assert re.search(r"━━ ppo: mean score 30 after 2k$", lines[-1])


@pytest.mark.usefixtures("home")
def test_the_legend_in_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["curve", "one", "two", "gru"]) == 0
    said = capsys.readouterr().out
    assert "ppo gru: mean score 100 after 2k\n" in said
    assert "ppo, 2 seeds: mean score 45 (30 to 60) after 2k\n" in said
    assert "env steps" in said


def test_svg(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["curve", "one", "two", "gru", "--out", "a.svg"]) == 0
    assert capsys.readouterr().out == "a.svg: 2 curves of 3 runs\n"
    root = ET.parse(home / "a.svg").getroot()
    space = "{http://www.w3.org/2000/svg}"
    texts = [node.text for node in root.iter(f"{space}text")]
    assert {"ppo gru", "ppo, 2 seeds", "env steps", "CartPole-v1: mean and range over seeds"} <= set(texts)
    (area,) = root.iter(f"{space}polygon")
    assert len((area.get("points") or "").split()) == 6
    means = [node for node in root.iter(f"{space}polyline") if node.get("stroke-width") == "2"]
    assert [node.get("stroke") for node in means] == list(COLORS[:2])
    points = [tuple(map(float, point.split(","))) for point in (means[0].get("points") or "").split()]
    assert [x for x, _ in points] == [LEFT, (LEFT + WIDTH - RIGHT) / 2, WIDTH - RIGHT]
    (_, bottom), (_, middle), (_, top) = points
    assert (bottom - middle) / (bottom - top) == pytest.approx(0.05, abs=0.002)  # 0, 5, 100
    assert "http" not in (home / "a.svg").read_text().replace("http://www.w3.org/2000/svg", "")


def test_png(home: Path) -> None:
    assert main(["curve", "one", "two", "gru", "--out", "a.png"]) == 0
    with Image.open(home / "a.png") as picture:
        assert picture.size == (WIDTH * SHARPNESS, HEIGHT * SHARPNESS)
        colors = {color for _, color in picture.getcolors(1 << 20) or []}
    assert {tuple(bytes.fromhex(color[1:])) for color in COLORS[:2]} <= colors
    assert main(["curve", "one", "two", "--out", "b.png"]) == 0
    assert (home / "a.png").read_bytes() != (home / "b.png").read_bytes()


def test_flat_curves_and_single_points(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(home / "flat", [5.0, 5.0])
    write(home / "point", [5.0])
    for name in ("flat", "point"):
        for target in ([], ["--out", f"{name}.svg"], ["--out", f"{name}.png"]):
            assert main(["curve", name, *target]) == 0
    assert "nan" not in (home / "flat.svg").read_text() + (home / "point.svg").read_text()
    assert "mean score 5 after 0" in capsys.readouterr().out


def test_ticks() -> None:
    assert ticks(0, 100) == [0, 20, 40, 60, 80, 100]
    assert ticks(-200, -100) == pytest.approx([-200, -180, -160, -140, -120, -100])
    assert ticks(3, 998) == [200, 400, 600, 800]
    assert ticks(0.0, 0.3) == pytest.approx([0, 0.1, 0.2, 0.3])
    assert [named(value) for value in (0, 0.25, 999, 20_000, 1_500_000)] == ["0", "0.25", "999", "20k", "1.5M"]


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("curve", "missing RUNS"),
        ("curve nothing", "there is no run folder nothing"),
        ("curve none", "none has no evaluations yet"),
        ("curve one --out a.jpg", "a chart is written as .svg or .png"),
        ("curve one --out no/a.svg", "there is no folder no"),
        ("curve one --x step", "'steps'"),
    ],
)
def test_bad_input(line: str, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(line.split()) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert sentence in said.err
