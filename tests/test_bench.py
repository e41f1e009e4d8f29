"""`arena bench` prints every figure that it promises; how fast this machine is, is no test."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from arena.bench.figure import Figure, rate
from arena.cli import main
from tests.cli import check_refused


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


RUN = """
budget = "1s"
[game]
id = "SlimeVolley-v0"
[training]
games = 8
steps = 4
[[learners]]
name = "ada"
"""


def test_bench_scale(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "run.toml").write_text(RUN)
    small = ("--blocks", "3", "--games", "2", "--stretches", "2", "--steps", "64", "--rounds", "2")
    figures = _figures(capsys, "scale", *small, "--preset", f"{tmp_path}/run.toml", "--workers", "1", "2")
    for work in ("games", "training"):
        assert {f"{work}_{kind}" for kind in ("serial_1", "process_1", "process_2")} <= set(figures)
        rate, times = figures[f"{work}_process_2"], figures[f"{work}_process_2_scaling"]
        ideal = figures[f"{work}_process_2_ideal"]
        assert float(str(ideal["value"])) == pytest.approx(float(str(times["value"])) / 2)
        assert float(str(rate["value"])) > 0
    assert figures["games_process_2"]["settings"] == {"jobs": 3, "rounds": 2, "same": True}
    assert float(str(figures["overhead_process_2"]["value"])) > 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("--executor proces", "did you mean 'process'"),
        ("--executor serial", "unknown executor to compare with serial"),
        ("--ray-address auto", "--ray-address auto is for --executor ray"),
        ("--workers 2 0", "--workers must be 1 or more, not 0"),
        ("--games 1", "--games 2"),
    ],
)
def test_bench_scale_refuses(words: str, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check_refused(f"bench scale {words}", sentence, tmp_path, capsys)
