"""`arena bench` prints every figure that it promises; how fast this machine is, is no test."""

from __future__ import annotations

import json

import pytest

from arena.bench.figure import Figure, rate
from arena.cli import main


def test_a_rate_is_work_over_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(1000))
    monkeypatch.setattr("arena.bench.figure.time.perf_counter", lambda: float(next(clock)))
    figure = rate(lambda: 10, "things/s", seconds=3.0, where="here")
    assert (figure.value, figure.low, figure.high) == (10.0, 10.0, 10.0)  # each call takes one tick
    assert figure.to_json()["settings"] == {"where": "here"}


def test_a_figure_reads_well() -> None:
    assert str(Figure(12_345_678.0, "steps/s", 1e6, 2e7)) == "12.35 M steps/s (1.00 M to 20.00 M)"
    assert str(Figure(0.5, "of 1", 0.5, 0.5)) == "0.5 of 1"


def _figures(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, dict[str, object]]:
    assert main(["bench", *words, "--json"]) == 0
    figures: dict[str, dict[str, object]] = json.loads(capsys.readouterr().out)
    assert all({"value", "unit", "low", "high", "settings"} == set(figure) for figure in figures.values())
    return figures


def test_bench_env(capsys: pytest.CaptureFixture[str]) -> None:
    figures = _figures(capsys, "env", "--seconds", "0.001")
    assert set(figures) == {"batch", "batch_float64", "one_game", "pettingzoo_parallel", "gymnasium"}


def test_bench_train(capsys: pytest.CaptureFixture[str]) -> None:
    figures = _figures(capsys, "train", "--seconds", "0.001", "--threads", "1", "--peer-steps", "0")
    parts = [figures[name]["value"] for name in ("rules", "forward", "backward_adam")]
    bound = 1 / sum(1 / float(str(part)) for part in parts)
    assert figures["bound"]["value"] == pytest.approx(bound)
    shares = [float(str(figures[f"share_{name}"]["value"])) for name in ("env", "inference", "update")]
    assert 0 < sum(shares) <= 1


def test_bench_match(capsys: pytest.CaptureFixture[str]) -> None:
    figures = _figures(capsys, "match", "random", "noop", "--games", "4")
    assert set(figures) == {"match", "games", "steps_per_game"}
