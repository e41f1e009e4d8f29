"""`arena doctor`: each problem is found, and named with its remedy."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from arena import health
from arena.cli import main
from tests.sources import ROOT


@pytest.fixture(scope="module")
def facts() -> dict[str, Any]:
    return health.examine()


def found(facts: dict[str, Any], words: str) -> health.Problem | None:
    return next((problem for problem in health.problems(facts) if words in problem.what), None)


def test_it_prints_facts_and_exits_with_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    shown = capsys.readouterr().out
    for word in ("python", "torch", "pygame-ce", "threads", "gpu", "display", "no window can be opened"):
        assert word in shown


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert set(report) == {"versions", "threads", "gpu", "display", "problems", "ok"}
    assert report["ok"] is True
    assert report["display"]["driver"] == "dummy"
    assert all(set(problem) == {"level", "what", "remedy"} for problem in report["problems"])


def test_a_missing_package_is_an_error(facts: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    without = {**facts, "versions": {**facts["versions"], "trueskill": None}}
    problem = found(without, "trueskill is not installed")
    assert problem is not None
    assert problem.level == "error"
    monkeypatch.setattr("arena.cli.doctor.examine", lambda: without)
    assert main(["doctor"]) == 1


def test_a_package_that_does_not_load(facts: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(health.REQUIRED, "numba", "no_such_module_at_all")
    problem = found(facts, "numba does not load")
    assert problem is not None
    assert problem.level == "error"


def test_both_pygames(facts: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(facts, "both installed") is None
    monkeypatch.setattr(health, "_version", lambda name: "2.6.1")
    problem = found(facts, "pygame and pygame-ce are both installed")
    assert problem is not None
    assert problem.level == "error"
    assert "pip uninstall" in problem.remedy


def test_names_that_others_install_too(facts: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(facts, "also installs") is None
    monkeypatch.setattr("arena.siblings.packages_distributions", lambda: {"agents": ["openai-agents"]})
    problem = found(facts, "openai-agents also installs a package 'agents'")
    assert problem is not None
    assert problem.level == "warning"


def test_rules_that_are_not_compiled(facts: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    assert found(facts, "NUMBA_DISABLE_JIT is set") is not None


def test_a_cache_that_cannot_be_written(facts: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "new"))
    assert found(facts, "cannot be kept") is None
    assert list(tmp_path.iterdir()) == [], "the check leaves nothing behind"
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "file" / "cache"))
    problem = found(facts, "cannot be kept")
    assert problem is not None
    assert "NUMBA_CACHE_DIR" in problem.remedy


def test_too_many_threads(facts: dict[str, Any]) -> None:
    crowded = {**facts, "threads": {"processors": 8, "usable": 1, "torch": 8}}
    problem = found(crowded, "torch takes 8 threads on 1 usable processors")
    assert problem is not None
    assert problem.remedy == "set OMP_NUM_THREADS=1"
    assert found({**facts, "threads": {"processors": 8, "usable": 8, "torch": 8}}, "torch takes") is None


def test_the_list_of_packages_is_that_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {line.split(">")[0] for line in project["dependencies"]}
    assert set(health.REQUIRED) == declared
    extras = project["optional-dependencies"]
    optional = {line.split(">")[0] for name, extra in extras.items() for line in extra if name not in TOOLS}
    assert set(health.OPTIONAL) == optional


TOOLS = ("test", "dev", "bench", "browser")
"""Extras for working on the project, not for using it."""
