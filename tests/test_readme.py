"""The README is true: its Python blocks run, in order, as one program; so do its marked bash blocks."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.sources import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
MARK = "<!-- run -->"


class Block(NamedTuple):
    """A fenced block."""

    language: str
    marked: bool
    """The line before it is MARK."""
    line: int
    """Of its first line of code, from 1."""
    code: str


def blocks(text: str) -> list[Block]:
    """All fenced blocks of `text`; a fence that is not closed is an error."""
    found: list[Block] = []
    lines = text.splitlines()
    opened: int | None = None
    for number, line in enumerate(lines):
        if not line.startswith("```"):
            continue
        if opened is None:
            opened = number
            continue
        assert line.strip() == "```", f"line {number + 1}: the block of line {opened + 1} is not closed"
        before = next((words.strip() for words in reversed(lines[:opened]) if words.strip()), "")
        language = lines[opened][3:].strip()
        found.append(Block(language, before == MARK, opened + 2, "\n".join(lines[opened + 1 : number])))
        opened = None
    assert opened is None, f"line {(opened or 0) + 1}: a block is not closed"
    return found


def run(command: list[str], folder: Path) -> None:
    """Run it as a user would: the project importable, `arena` and `python` found first on PATH."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
    }
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


def program(python: list[Block]) -> str:
    """All blocks in one module, on the lines that they have in the README, so that tracebacks point there."""
    text = ""
    for block in python:
        text += "\n" * (block.line - 1 - text.count("\n")) + block.code + "\n"
    return text


def test_python_blocks(tmp_path: Path) -> None:
    chosen = [block for block in blocks(README) if block.language.startswith("python")]
    assert len(chosen) == len(re.findall(r"^\s*(?:```|~~~) *py", README, re.MULTILINE | re.IGNORECASE))
    script = tmp_path / "README.py"
    script.write_text(program(chosen), encoding="utf-8")
    (tmp_path / "work").mkdir()
    run([sys.executable, str(script)], tmp_path / "work")


def test_marked_bash_blocks(tmp_path: Path) -> None:
    marked = [block for block in blocks(README) if block.marked]
    assert len(marked) == README.count(MARK), "each mark is followed by a block"
    for block in marked:
        assert block.language == "bash", f"line {block.line}: only bash blocks are marked"
        run(["bash", "-euo", "pipefail", "-c", block.code], tmp_path)


def test_the_reader_of_blocks() -> None:
    text = f"a\n```python\nx = 1\n```\n{MARK}\n\n```bash\nls\n```\n```\nplain\n```\n"
    found = blocks(text)
    assert found == [
        Block("python", False, 3, "x = 1"),
        Block("bash", True, 8, "ls"),
        Block("", False, 11, "plain"),
    ]
    assert program(found[:1]).splitlines()[2] == "x = 1"
    with pytest.raises(AssertionError, match="not closed"):
        blocks("```python\nx = 1\n")
