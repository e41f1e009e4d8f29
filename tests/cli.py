"""The command line, for tests: in this process and in another one, refused, and stopped by signals."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from arena.cli import main
from arena.cli.signals import ONE_PRESS
from arena.trainer import Stretch
from tests.sources import ROOT


def arena(*words: str | Path) -> list[str]:
    """The command as another process is started with it."""
    return [sys.executable, "-m", "arena", *map(str, words)]


def environment() -> dict[str, str]:
    """Of another process."""
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def done(home: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """The command from start to end, in another process."""
    return subprocess.run(arena(*words), cwd=home, env=environment(), capture_output=True, text=True, timeout=120)


def object_of(*words: str | Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """What the command prints with --json."""
    assert main([*map(str, words), "--json"]) == 0
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    return said


def tree(path: Path) -> dict[str, bytes]:
    """All files below `path`; those of SQLite's journal, which readers make, aside."""
    return {
        str(file.relative_to(path)): file.read_bytes() if file.is_file() else b""
        for file in sorted(path.rglob("*"))
        if not file.name.endswith(("-wal", "-shm"))
    }


def check_refused(line: str, sentence: str, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command exits with 2, says what is wrong in one sentence, and leaves everything in `home` as it was."""
    before = tree(home)
    assert main(line.split()) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("arena: ")
    assert said.err.count("\n") == 1
    assert sentence in said.err
    assert tree(home) == before


def stopped(number: int, *words: str | Path, patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """What the command prints when it gets the signal `number` in its seventh rollout, and ends cleanly for it."""
    count, iterate = itertools.count(1), Stretch.iterate

    def interrupted(self: Stretch, progress: float) -> Any:
        if next(count) == 7:
            signal.raise_signal(number)
        return iterate(self, progress)

    with patch.context() as inner:
        inner.setattr(Stretch, "iterate", interrupted)
        assert main([*map(str, words)]) == 128 + number
    return capsys.readouterr().out


WaitFor = Callable[[str], str]
"""Waits for words on the standard error of a process, and gives the line."""


@contextmanager
def running(home: Path, *words: str | Path) -> Iterator[tuple[subprocess.Popen[str], WaitFor]]:
    """The command in another process."""
    with subprocess.Popen(
        arena(*words), cwd=home, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        rescue = threading.Timer(120, process.kill)
        rescue.start()

        def wait_for(words: str) -> str:
            assert process.stderr
            said = ""
            for said in process.stderr:
                if words in said:
                    return said
            raise AssertionError(f"{words!r} was never said; last: {said!r}")

        try:
            yield process, wait_for
        finally:
            rescue.cancel()
            process.kill()


def interrupt_twice(process: subprocess.Popen[str], wait_for: WaitFor, goes_on: str) -> None:
    """Ctrl-C, and again before the stretch has ended: the process stops at once and says which command goes on."""
    process.send_signal(signal.SIGINT)
    wait_for("finishing this stretch, press again to stop at once")
    time.sleep(2 * ONE_PRESS)
    process.send_signal(signal.SIGINT)
    assert f"{goes_on}` goes on" in wait_for("stopped at once")
    out, _ = process.communicate()
    assert (process.returncode, out) == (130, "")
