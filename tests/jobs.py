"""Jobs for the tests of executors: functions of a module, as worker processes need them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from arena.execution.news import tell
from envs.errors import InputError


def double(number: int) -> int:
    return 2 * number


def fail(kind: str, message: str) -> None:
    raise {"input": InputError, "value": ValueError, "exit": SystemExit}[kind](message)


def end(how: str) -> None:
    """End this process."""
    if how == "exit":
        os._exit(3)
    os.kill(os.getpid(), signal.SIGSEGV if how == "crash" else signal.SIGKILL)


def end_once(mark: Path, number: int) -> int:
    """End this process, unless one has been ended at this `mark`."""
    try:
        mark.touch(exist_ok=False)
    except FileExistsError:
        return double(number)
    os._exit(1)


def tally(folder: Path, number: int) -> int:
    """Leave a mark in `folder` of having been run."""
    (folder / f"{number}-{time.monotonic_ns()}").touch()
    return double(number)


def wait_for(mark: Path, number: int) -> int:
    """Until there is a file `mark`."""
    while not mark.exists():
        time.sleep(0.01)
    return double(number)


def stay(folder: Path) -> None:
    """Write down the process id in `folder`, and never come back."""
    (folder / str(os.getpid())).touch()
    while True:
        time.sleep(60)


def leave_child(deaf: bool) -> int:
    """Start a program that goes on for ever, if `deaf` in a session of its own and ignoring signals; its process id."""
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    return subprocess.Popen([sys.executable, "-c", code], start_new_session=deaf).pid


def leave_child_and_end(mark: Path) -> None:
    """The same, and end this process."""
    mark.write_text(str(leave_child(deaf=True)))
    os._exit(1)


def look() -> dict[str, Any]:
    """At where this process is."""
    import torch

    return {"pid": os.getpid(), "folder": os.getcwd(), "threads": torch.get_num_threads(), **os.environ}


def unsendable() -> Any:
    return lambda: None


class Run(NamedTuple):
    """When a `Greedy` job ran, and what it met."""

    began: float
    ended: float
    cpus: int
    threads: int


@dataclass(frozen=True)
class Greedy:
    """A job that takes many cores."""

    cpus: int
    gpus: float = 0.0

    def __call__(self) -> Run:
        import torch

        began, threads = time.monotonic(), torch.get_num_threads()
        torch.set_num_threads(self.cpus)
        time.sleep(0.05)
        return Run(began, time.monotonic(), self.cpus, threads)


@dataclass(frozen=True)
class Halting:
    """A job on a Ray cluster that waits while there is a file `halt` in `marks`, and says there on which node."""

    job: Any
    marks: Path

    def __call__(self) -> Any:
        if (self.marks / "halt").exists():
            node = import_module("ray").get_runtime_context().get_node_id()
            (self.marks / f"{node}-{time.monotonic_ns()}").touch()
            while (self.marks / "halt").exists():
                time.sleep(0.01)
        return self.job()


@dataclass(frozen=True)
class Telling:
    """Tells what it does, every `pause` seconds."""

    words: tuple[str, ...]
    pause: float
    tells: ClassVar[bool] = True

    def __call__(self) -> int:
        for word in self.words:
            tell(word)
            time.sleep(self.pause)
        return len(self.words)
