"""The scripting API of `import arena`: lazy, complete, and known to type checkers."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest

import arena
from tests.sources import ROOT, imported, tree


def test_every_name_loads() -> None:
    for name in arena.__all__:
        assert getattr(arena, name) is not None
        assert name in dir(arena)


def test_type_checkers_see_the_same_names() -> None:
    source = tree(ROOT / "arena" / "__init__.py")
    block = next(node for node in source.body if isinstance(node, ast.If))
    declared = {name for node in block.body for name in imported(node)}
    assert {f"{module}.{name}" for name, module in arena._API.items()} <= declared
    assert set(arena.__all__) == {*arena._API, "__version__"}


def test_no_name_is_a_module_too() -> None:
    modules = {path.stem for path in (ROOT / "arena").iterdir()}
    assert not modules & set(arena._API)


def test_unknown_names_fail_as_usual() -> None:
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        arena.trian  # noqa: B018
    code = "import arena\nfrom arena import trian"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert "ImportError: cannot import name 'trian'" in done.stderr
