"""Nursery: a process that has imported torch and all that jobs need, and forks workers that have it too.

This is what `multiprocessing` calls a fork server; ours is started with one thread, so that forking is safe, and with
libraries that keep to one thread each: many such workers are faster than few with several. It is in a session of its
own, so that Ctrl-C does not come to it. It never runs the main program, so a script needs no
`if __name__ == "__main__":` as long as its jobs are functions of other modules. And whatever jobs leave behind becomes
its child when the worker has ended, where the system can do that (Linux), and is ended too.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Lock
from typing import NamedTuple

PRELOADED = ("torch", "agents.player", "arena.players", "arena.execution.job", "arena.execution.worker")
ONE_THREAD = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
FORK, REAP = b"f", b"r"
"""Requests: one comes with a pipe and is answered with a process id, one with a process id and with an exit code."""
NUMBER = 4
"""Bytes of a process id and of an exit code."""
PATIENCE = 1.0
"""Seconds to end in, before it is made to."""
SUBREAPER = 36
"""`PR_SET_CHILD_SUBREAPER` of prctl(2)."""


class Born(NamedTuple):
    """A new worker."""

    pid: int
    pipe: Connection


class Nursery:
    """The process, as seen from the one that started it; any thread may use it."""

    def __init__(self) -> None:
        """Returns at once; the first `fork` waits until everything is imported."""
        self._lock = Lock()
        self._asked = False
        self._socket, theirs = socket.socketpair()
        start = f"from {__name__} import main; main({theirs.fileno()}, {PRELOADED!r})"
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", f"import sys; sys.path[:] = {sys.path!r}; {start}"],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                env={**os.environ, **dict.fromkeys(ONE_THREAD, "1")},
            )

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    @property
    def closed(self) -> bool:
        """Whether it is of no use any more."""
        return self._socket.fileno() < 0

    def fork(self) -> Born:
        """A new worker.

        Raises:
            OSError: the process has died; this is closed then.
        """
        ours, theirs = Pipe()
        with theirs:
            return Born(self._ask(FORK, theirs), ours)

    def reap(self, pid: int) -> int:
        """Wait for the end of a worker, which must be near; its exit code, or the number of a signal below 0.

        Raises:
            OSError: the process has died; this is closed then.
        """
        return self._ask(REAP + pid.to_bytes(NUMBER, "little"))

    def close(self) -> None:
        """End the process, and its workers with it."""
        self._socket.close()
        if self._asked:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(PATIENCE)
        self._process.kill()  # while it imports it hears nothing
        self._process.wait()

    def _ask(self, request: bytes, pipe: Connection | None = None) -> int:
        """What it answers. After an interruption nobody could tell whose answer comes next, so that is the end."""
        with self._lock:
            self._asked = True
            try:
                socket.send_fds(self._socket, [request], [pipe.fileno()] if pipe else [])
                answer = _read(self._socket, NUMBER)
                if not answer:
                    raise ConnectionError("the process that starts workers has died")
            except BaseException:
                self.close()
                raise
        return int.from_bytes(answer, "little", signed=True)


_shared: list[Nursery] = []


def shared() -> Nursery:
    """That of this process, which is started if there is none; it ends with this process."""
    while _shared and _shared[0].closed:
        _shared.clear()
    if not _shared:
        _shared.append(Nursery())
        atexit.register(_shared[0].close)
    return _shared[0]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_shared.clear)


def main(fd: int, modules: Sequence[str]) -> None:
    """What the process does: import `modules`, and serve the socket `fd` until its other end closes."""
    for name in modules:
        import_module(name)
    gc.collect()
    gc.freeze()  # so that workers do not touch, and thereby copy, all of this
    _adopt()
    workers: set[int] = set()
    with socket.socket(fileno=fd) as parent:
        while True:
            request, fds, _, _ = socket.recv_fds(parent, 1, 1)
            if request == FORK:
                answer = _fork(fds[0], parent)
                workers.add(answer)
            elif request == REAP:
                pid = int.from_bytes(_read(parent, NUMBER), "little")
                answer = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                workers.remove(pid)
                _sweep(workers)
            else:
                break
            with suppress(OSError):  # the next request tells that nobody is there
                parent.sendall(answer.to_bytes(NUMBER, "little", signed=True))
    for pid in workers:
        with suppress(OSError):
            os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    _sweep(set())


def _fork(fd: int, parent: socket.socket) -> int:
    """Make a worker that serves the pipe `fd`; its process id."""
    pid = os.fork()
    if pid:
        with suppress(OSError):  # it may have done so itself, and be gone
            os.setpgid(pid, pid)
        os.close(fd)
        return pid
    try:
        os.setpgid(0, 0)
        parent.close()
        from arena.execution.worker import serve

        serve(Connection(fd))
    finally:
        os._exit(0)


def _adopt() -> None:
    """Become the parent of whatever descendants lose theirs."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)


def _sweep(workers: set[int]) -> None:
    """End all children but `workers`, and then theirs."""
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    while children.exists() and (strays := {int(pid) for pid in children.read_text().split()} - workers):
        for pid in strays:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _read(source: socket.socket, count: int) -> bytes:
    """So many bytes, or none at its end."""
    data = b""
    while len(data) < count and (more := source.recv(count - len(data))):
        data += more
    return data if len(data) == count else b""
