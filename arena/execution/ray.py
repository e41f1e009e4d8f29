"""Ray: jobs run on a Ray cluster, or on one that is started for them on this machine. Needs the extra `ray`.

The nodes need the same version of this package; files that jobs name in `files` are sent, once to each node. A node or
worker that dies loses its jobs, which are run again elsewhere; nodes that join are used. A cluster that is started here
listens on the loopback address only.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from typing import Any, Self

from arena.execution.executor import DEATHS, Job, JobFault, Outcome, Ticket
from arena.execution.files import contents, received
from arena.execution.process import outcome_of
from arena.execution.worker import Answer, answer_of
from envs.errors import InputError

LOCAL = "local"
"""The address that stands for a cluster which is started for this executor."""
AUTO = "auto"
"""That for the one which runs on this machine."""
QUIET = {"log_to_driver": False, "logging_level": "ERROR"}
KNOCK = 5.0
"""Seconds for a first answer of a cluster, for which Ray itself would wait for minutes."""
LOST = 10
"""Nodes that a job may lose before it is not tried again."""
OWN = {
    "_node_ip_address": "127.0.0.1",
    "include_dashboard": False,
    "object_store_memory": 2**28,  # bytes of shared memory, for files and results
    "_system_config": {"worker_niceness": 0},  # by itself Ray lets everything else on the machine go first
}
"""A cluster that is started here."""
KEPT = 2**27
"""Bytes of files that are kept in the cluster, at most; beyond that those used least recently are sent again."""
GLANCE = 2.0
"""Seconds between two looks at how large the cluster is."""


@dataclass(slots=True)
class _Task:
    """A job that has been submitted."""

    ticket: Ticket
    data: bytes
    files: Sequence[tuple[str, Any]]
    """Hashes, and references to contents."""
    crashes: int = 0
    """Workers that it has lost, alone."""
    lost: int = field(default=0)
    """Times that it was lost with its node."""


class RayExecutor:
    """An `Executor` whose workers are those of a cluster, one per core."""

    def __init__(self, address: str = LOCAL, workers: int | None = None) -> None:
        """Connect to a cluster, or start one; a session that this process is in already is used and left open.

        Args:
            address: "local", "auto" for the one that runs on this machine, or HOST:PORT.
            workers: jobs at once, at most; None: as many as the cluster has cores.

        Raises:
            InputError: Ray is not installed, or there is no cluster.
        """
        self._ray = _imported(address)
        self._own = not self._ray.is_initialized()
        self._most = workers
        if self._own:
            self._connect(address)
        self._seen = 0, -GLANCE
        self._running: dict[Any, _Task] = {}
        self._finished: list[Outcome] = []
        self._files: OrderedDict[str, tuple[Any, int]] = OrderedDict()
        self._count = 0
        self._open = True

    def _connect(self, address: str) -> None:
        try:
            if address == LOCAL:
                cores = {} if self._most is None else {"num_cpus": self._most}
                self._ray.init(LOCAL, **OWN, **cores, **QUIET)
            else:
                if address != AUTO:
                    _knock(address)
                self._ray.init(address, **QUIET)
        except (OSError, ValueError, RuntimeError) as fault:
            reason = (str(fault).strip() or type(fault).__name__).splitlines()[0].rstrip(".")
            raise InputError(f"no Ray cluster at {address}: {reason}; `ray start --head` starts one.") from None

    @property
    def workers(self) -> int:
        """Cores of the cluster now, or fewer if so many were asked for."""
        cores, when = self._seen
        if time.monotonic() - when > GLANCE:
            cores = int(self._ray.cluster_resources().get("CPU", 1))
            self._seen = cores, time.monotonic()
        return max(1, cores if self._most is None else min(cores, self._most))

    @property
    def room(self) -> int:
        """One for each core, and as many that wait, so that no core waits for this process."""
        return max(0, 2 * self.workers - self.unfinished) if self._open else 0

    @property
    def unfinished(self) -> int:
        """Those that have been sent, or have finished."""
        return len(self._running) + len(self._finished)

    def submit(self, job: Job) -> Ticket:
        """Send a job, and those of its files that the cluster does not have."""
        if not self.room:
            raise RuntimeError("no room for another job" if self._open else "the executor is closed")
        try:
            data = self._ray.cloudpickle.dumps(job)
        except Exception as fault:
            raise InputError(f"this cannot be sent to another machine, because it is no data ({fault}).") from None
        files = [(hash, self._sent(hash, path)) for hash, path in getattr(job, "files", {}).items()]
        task = _Task(Ticket(self._count), data, files)
        self._count += 1
        self._start(task)
        return task.ticket

    def done(self, timeout: float | None = None) -> list[Outcome]:
        """Wait for the cluster."""
        until = None if timeout is None else time.monotonic() + timeout
        while not self._finished and self._running:
            left = None if until is None else max(0.0, until - time.monotonic())
            ready, _ = self._ray.wait(list(self._running), num_returns=1, timeout=left)
            if not ready:
                break
            ready, _ = self._ray.wait(list(self._running), num_returns=len(self._running), timeout=0)
            for reference in ready:
                self._take(reference)
        finished, self._finished = self._finished, []
        return finished

    def cancel(self, ticket: Ticket) -> bool:
        """Drop a job; a worker that is at it is ended."""
        before = self.unfinished
        for reference, task in list(self._running.items()):
            if task.ticket == ticket:
                del self._running[reference]
                self._drop(reference)
        self._finished = [outcome for outcome in self._finished if outcome.ticket != ticket]
        return self.unfinished < before

    def close(self) -> None:
        """End running jobs, and the cluster if it was started here."""
        if not self._open:
            return
        self._open = False
        for reference in self._running:
            self._drop(reference)
        self._running.clear()
        self._finished.clear()
        self._files.clear()
        if self._own:
            self._ray.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *fault: object) -> None:
        self.close()

    def _start(self, task: _Task) -> None:
        hashes = [hash for hash, _ in task.files]
        reference = self._remote.remote(task.data, hashes, *(content for _, content in task.files))
        self._running[reference] = task

    @cached_property
    def _remote(self) -> Any:
        """What workers run; Ray shall not run it again by itself, as it does not say how often a job did so."""
        return self._ray.remote(num_cpus=1, max_retries=0)(work)

    def _take(self, reference: Any) -> None:
        """Hear what came of a job; run it again if its worker has died."""
        task = self._running.pop(reference)
        faults = self._ray.exceptions
        try:
            answer = self._ray.get(reference)
        except faults.RayTaskError as fault:  # what it returned cannot be sent
            outcome = Outcome(task.ticket, fault=JobFault(f"a job failed: {fault.cause}", str(fault)))
        except faults.RayError as fault:
            alone = isinstance(fault, faults.WorkerCrashedError | faults.OutOfMemoryError)
            task.crashes += alone
            task.lost += not alone
            if task.crashes < DEATHS and task.lost < LOST:
                self._start(task)
                return
            said = f"a job ended {DEATHS} workers" if alone else f"a job was lost with {LOST} nodes"
            reason = str(fault).strip().splitlines()[0].rstrip(".")
            outcome = Outcome(task.ticket, fault=JobFault(f"{said}: {reason}."))
        else:
            outcome = outcome_of(task.ticket, answer)
        self._finished.append(outcome)

    def _drop(self, reference: Any) -> None:
        with suppress(self._ray.exceptions.RayError, ValueError):
            self._ray.cancel(reference, force=True)

    def _sent(self, hash: str, path: str) -> Any:
        """A reference to the file `path`, whose hash that is."""
        if hash not in self._files:
            data = contents(hash, path)
            self._files[hash] = self._ray.put(data), len(data)
        self._files.move_to_end(hash)
        while len(self._files) > 1 and sum(size for _, size in self._files.values()) > KEPT:
            self._files.popitem(last=False)
        return self._files[hash][0]


def work(data: bytes, hashes: Sequence[str], *files: bytes) -> Answer:
    """What a worker does with a job that comes with `files`."""
    ray = import_module("ray")
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)
    with received(dict(zip(hashes, files, strict=True))):
        return answer_of(lambda: ray.cloudpickle.loads(data)())


def _knock(address: str) -> None:
    """See whether anybody is at HOST:PORT.

    Raises:
        OSError: nobody is.
        ValueError: it is no HOST:PORT.
    """
    host, colon, port = address.rpartition(":")
    if not (host and colon and port.isdecimal()):
        raise ValueError(f"give {AUTO}, {LOCAL} or HOST:PORT")
    socket.create_connection((host.strip("[]"), int(port)), KNOCK).close()


def _imported(address: str) -> Any:
    """The package.

    Raises:
        InputError: it is not there.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if address == LOCAL:  # else Ray listens on all addresses; it is read when Ray is imported
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    try:
        return import_module("ray")
    except ImportError:
        raise InputError(
            "the executor ray needs a package that is not installed: pip install 'selfplay-arena[ray]'."
        ) from None
