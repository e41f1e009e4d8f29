"""The project's own source files, for the tests that read code instead of running it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("envs", "agents", "arena")


def files(package: str) -> list[Path]:
    """Every module of `package`."""
    found = sorted((ROOT / package).rglob("*.py"))
    assert found, f"no sources of {package}"
    return found


def tree(path: Path) -> ast.Module:
    """`path`, parsed."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imported(node: ast.AST) -> Iterator[str]:
    """Absolute names of the modules that `node` imports, if it is an import."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
        yield node.module
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def at_import_time(module: ast.Module) -> Iterator[ast.AST]:
    """Nodes that run when the module is imported: not inside functions, nor under TYPE_CHECKING."""
    waiting: list[ast.AST] = [module]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting.extend(node.orelse)
            continue
        waiting.extend(ast.iter_child_nodes(node))
