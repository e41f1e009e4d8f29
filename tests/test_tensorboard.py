"""TensorBoard: what is written for it, read back with its own reader."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import pytest

from arena.cli import main
from tests.cli import object_of
from tests.test_train_cli import LINE

Curves = dict[str, list[tuple[int, float]]]
"""Env steps and value of each point, by the name of the curve."""


@pytest.fixture
def installed() -> None:
    """Skips the test where it is not."""
    pytest.importorskip("tensorboard", reason="TensorBoard is not installed: the extra `tensorboard` has it")


def shown(run: Path) -> Curves:
    """What TensorBoard makes of a run folder."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(run / "tensorboard"))
    events.Reload()
    return {name: [(p.step, p.value) for p in events.Scalars(name)] for name in events.Tags()["scalars"]}


def noted(run: Path) -> Curves:
    """The numbers of metrics.jsonl; what could not be measured is not a number."""
    curves: Curves = {}
    for text in (run / "metrics.jsonl").read_text().splitlines():
        line = json.loads(text)
        for name, value in line.items():
            if name != "steps" and (value is None or isinstance(value, int | float)):
                point = line["steps"], math.nan if value is None else value
                curves.setdefault(f"{line['kind']}/{name}", []).append(point)
    return curves


@pytest.mark.usefixtures("installed")
def test_each_number_of_the_metrics_is_a_point(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By env steps, of training and of evaluations."""
    path = tmp_path / "run"
    object_of(*LINE, "--steps", "600", "--out", path, "--tensorboard", capsys=capsys)
    curves, expected = shown(path), noted(path)
    assert curves.keys() == expected.keys()
    assert {"training/kl", "training/score", "training/steps_per_second", "evaluation/score_mean"} <= curves.keys()
    for name, points in curves.items():
        assert [step for step, _ in points] == [step for step, _ in expected[name]]
        values = [value for _, value in expected[name]]
        assert [value for _, value in points] == pytest.approx(values, rel=1e-6, nan_ok=True), name
    assert [step for step, _ in curves["evaluation/score_mean"]] == [0, 512, 640]


def test_where_it_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    assert main([*LINE, "--steps", "100", "--out", str(tmp_path / "run"), "--tensorboard"]) == 2
    assert "pip install 'selfplay-arena[tensorboard]'" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
