"""`import arena` refuses foreign packages named agents or envs, and says whose they are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.sources import ROOT


def import_arena(*folders: Path) -> subprocess.CompletedProcess[str]:
    """Import it in a process that searches `folders` before the project."""
    path = os.pathsep.join(map(str, (*folders, ROOT)))
    return subprocess.run(
        [sys.executable, "-P", "-c", "import arena; print('fine')"],
        env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def package(folder: Path, name: str, source: str) -> None:
    (folder / name).mkdir(parents=True)
    (folder / name / "__init__.py").write_text(source)


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    return done.stderr.strip().splitlines()[-1]


def test_our_own_packages_pass(tmp_path: Path) -> None:
    assert import_arena(tmp_path).stdout == "fine\n"


def test_foreign_package_of_a_distribution(tmp_path: Path) -> None:
    package(tmp_path, "agents", "raise SystemExit('foreign code must not run')")
    info = tmp_path / "openai_agents-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: openai-agents\nVersion: 1.0\n")
    (info / "top_level.txt").write_text("agents\n")
    (info / "RECORD").write_text("agents/__init__.py,,\n")
    done = import_arena(tmp_path)
    assert done.returncode == 1
    message = last_line(done)
    assert message.startswith("ImportError: arena needs its own package 'agents'")
    assert str(tmp_path / "agents") in message
    assert "openai-agents" in message
    assert "environment of its own" in message


def test_foreign_folder_of_nobody(tmp_path: Path) -> None:
    package(tmp_path, "envs", "")
    message = last_line(import_arena(tmp_path))
    assert str(tmp_path / "envs") in message
    assert "rename" in message


def test_two_copies_of_ours(tmp_path: Path) -> None:
    package(tmp_path, "envs", "__arena__ = True\n")
    message = last_line(import_arena(tmp_path))
    assert "two copies of selfplay-arena" in message


def test_a_missing_sibling(tmp_path: Path) -> None:
    (tmp_path / "arena").symlink_to(ROOT / "arena")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import arena"
    alone = [sys.executable, "-I", "-S", "-c", code]  # nothing but the standard library
    done = subprocess.run(alone, capture_output=True, text=True, timeout=120)
    assert "reinstall selfplay-arena" in last_line(done)
