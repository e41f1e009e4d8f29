"""envs <- agents <- arena, and nothing heavy where it is not wanted."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest

from tests.sources import PACKAGES, ROOT, at_import_time, files, imported, tree

FORBIDDEN = {
    "envs": {"agents", "arena", "torch"},
    "agents": {"arena"},
    "arena": set[str](),
}
HEAVY = {"torch", "numba", "gymnasium", "pettingzoo", "pygame", "agents"}


def names(module: ast.Module, everywhere: bool) -> set[str]:
    """Top-level packages that `module` imports, anywhere or when it is imported."""
    nodes = ast.walk(module) if everywhere else at_import_time(module)
    return {name.split(".")[0] for node in nodes for name in imported(node)}


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_point_one_way(package: str) -> None:
    wrong = {str(path): names(tree(path), everywhere=True) & FORBIDDEN[package] for path in files(package)}
    assert {path: found for path, found in wrong.items() if found} == {}


def test_no_relative_imports() -> None:
    """They would slip through the check above."""
    found = [
        f"{path}:{node.lineno}"
        for package in PACKAGES
        for path in files(package)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert found == []


def test_commands_import_nothing_heavy() -> None:
    wrong = {str(path): names(tree(path), everywhere=False) & HEAVY for path in (ROOT / "arena/cli").glob("*.py")}
    assert {path: found for path, found in wrong.items() if found} == {}


def test_no_sound_and_no_pickles() -> None:
    """`pygame.init()` prints errors where there is no sound; unpickling runs code."""
    bad = ("pygame.init", "pickle.load", "pickle.loads", "weights_only=False", "allow_pickle=True")
    found = [
        f"{path}:{node.lineno}: {words}"
        for package in PACKAGES
        for path in files(package)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        for words in bad
        if words in (ast.unparse(node.func), *map(ast.unparse, node.keywords))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("envs.registry", {"torch", "agents", "arena", "pygame"}),
        ("agents", {"arena", "pygame"}),
        ("arena", {"torch", "numba", "gymnasium", "envs", "agents"}),
    ],
)
def test_importing_stays_light(module: str, absent: set[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys, {module}; print(*sys.modules)"],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    assert absent & set(done.stdout.split()) == set()


def test_the_checker_sees_what_it_should() -> None:
    module = ast.parse("import torch.nn\nif TYPE_CHECKING:\n    import numba\ndef f():\n    from agents import play\n")
    assert names(module, everywhere=True) == {"torch", "numba", "agents"}
    assert names(module, everywhere=False) == {"torch"}
