"""Worker: a process that does one job after the other, forked by the `nursery`.

It is the first of a process group, so whatever a job starts ends with it; and it ends when the process that it works
for does, however that one ends, even in the middle of a job.
"""

from __future__ import annotations

import os
import runpy
import select
import signal
import sys
import threading
import traceback
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from types import ModuleType
from typing import NamedTuple

from arena.execution.executor import Job
from arena.execution.news import heard, paced
from arena.execution.nursery import ONE_THREAD
from arena.execution.serial import sentence
from envs.errors import InputError


class Place(NamedTuple):
    """What a worker has in common with the process that it works for, as it was when the worker began."""

    folder: str
    """The current one."""
    path: list[str]
    """Where modules are looked for."""
    environ: dict[str, str]
    """But for the variables that say how many threads libraries use."""


class Main(NamedTuple):
    """The program that a job was defined in, for a worker to read what it defines."""

    name: str
    """Of its module; "" if it is a file."""
    path: str


class Answer(NamedTuple):
    """What is told of a job."""

    value: object = None
    wrong: str = ""
    """What the `InputError` says that it raised."""
    failed: str = ""
    """What went wrong otherwise."""
    trace: str = ""


class News(NamedTuple):
    """What a job tells before it has ended."""

    value: object


working = False
"""Whether this process is a worker."""


def serve(pipe: Connection) -> None:
    """Do the jobs that come through `pipe`, until its other end closes."""
    global working
    working = True
    threading.Thread(target=_end_with, args=(pipe.fileno(),), daemon=True).start()
    try:
        _settle(pipe.recv())
        while True:
            main, data, gpus = pipe.recv()
            prepare(gpus)
            with heard(paced(lambda value: pipe.send_bytes(ForkingPickler.dumps(News(value))))):
                answer = _answer(main, data)
            pipe.send_bytes(answer)
    except (EOFError, OSError):
        return  # nobody is there any more


def prepare(gpus: Sequence[int] = ()) -> None:
    """Before a job: torch has one thread, and the first of `gpus` is the one that it means by "cuda"."""
    if gpus:
        import_module("torch").cuda.set_device(gpus[0])
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)


def _settle(place: Place) -> None:
    """Be where the process is that this one works for."""
    os.chdir(place.folder)
    sys.path[:] = place.path
    os.environ.update({name: value for name, value in place.environ.items() if name not in ONE_THREAD})


def _end_with(pipe: int) -> None:
    """End this process, and all that it has started, when nobody is at the other end of `pipe`."""
    poll = select.poll()
    poll.register(pipe, 0)  # for nothing but its end
    poll.poll()
    os.killpg(0, signal.SIGKILL)


def answer_of(job: Job) -> Answer:
    """Do a job, and say what came of it in words that can be sent."""
    try:
        return Answer(job())
    except InputError as fault:
        return Answer(wrong=str(fault))
    except BaseException as fault:
        return Answer(failed=sentence(fault), trace=traceback.format_exc())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


def _answer(main: Main | None, data: bytes) -> bytes:
    """Do the job `data`, which is of the program `main` if that is given."""

    def job() -> object:
        if main:
            _read(main)
        return ForkingPickler.loads(data)()

    answer = answer_of(job)
    try:
        return bytes(ForkingPickler.dumps(answer))
    except Exception as fault:
        return bytes(ForkingPickler.dumps(Answer(failed=f"{sentence(fault)}, in sending what it returned")))


@cache
def _read(main: Main) -> None:
    """Make what the main program defines known here, as `multiprocessing` does: by running it under another name than
    `__main__`."""
    module = ModuleType("__mp_main__")
    sys.modules["__main__"] = sys.modules["__mp_main__"] = module  # it may be looked for while it is read
    found = (
        runpy.run_module(main.name, run_name="__mp_main__", alter_sys=True)
        if main.name
        else runpy.run_path(main.path, run_name="__mp_main__")
    )
    module.__dict__.update(found)
    sys.modules["__main__"] = sys.modules["__mp_main__"] = module
