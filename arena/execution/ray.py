"""Ray: jobs run on a Ray cluster, or on one that is started for them on this machine. Needs the extra `ray`.

The nodes need the same version of this package; files that jobs name in `files` are sent, once to each node. A node or
worker that dies loses its jobs, which are run again elsewhere; nodes that join are used. A cluster that is started here
listens on the loopback address only.

A job that asks for more cores or GPUs than any node has waits, as an autoscaler may start such a node, which takes
minutes; when nothing else has run for `PATIENCE` seconds and there is still none, its outcome is an `InputError`. On a
cluster that is started here no node ever joins: there a job that asks for a GPU in vain is refused at once, and one
that asks for more cores than there are takes them all, as on worker processes.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict, deque
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Any, Self

from arena.execution.board import Board
from arena.execution.connection import LOCAL, connect, imported
from arena.execution.executor import KILLS, Job, JobFault, Outcome, Ticket
from arena.execution.files import contents, received
from arena.execution.needs import Needs, needs, too_few
from arena.execution.news import PACE, heard, paced, tell
from arena.execution.nodes import Node, homeless
from arena.execution.process import outcome_of
from arena.execution.worker import Answer, answer_of, prepare
from envs.errors import InputError

LOG = logging.getLogger(__name__)
KEPT = 2**27
"""Bytes of files that are kept in the cluster, at most; beyond that those used least recently are sent again."""
GLANCE = 2.0
"""Seconds between two looks at how large the cluster is."""
PATIENCE = 300.0
"""Seconds that jobs which fit no node wait for one, when there is nothing else to do."""


@dataclass(slots=True)
class _Task:
    """A job that has been submitted."""

    ticket: Ticket
    data: bytes
    files: Sequence[tuple[str, Any]]
    """Hashes, and references to contents."""
    needs: Needs
    tells: bool
    """Whether it has news."""
    deaths: int = 0
    """Workers that it has lost, alone or with their node."""


class RayExecutor:
    """An `Executor` whose workers are the cores of a cluster.

    A job that has lost `KILLS` workers is a `JobFault`: Ray does not tell whether it ended them itself.
    """

    def __init__(self, address: str = LOCAL, workers: int | None = None) -> None:
        """Connect to a cluster, or start one; a session that this process is in already is used and left open.

        Args:
            address: "local", "auto" for the one that runs on this machine, or HOST:PORT.
            workers: jobs of one core at once, at most; None: as many as the cluster has cores.

        Raises:
            InputError: Ray is not installed, or there is no cluster.
        """
        self._ray = imported(address)
        self._own = not self._ray.is_initialized()
        self._most = workers
        if self._own:
            connect(self._ray, address, workers)
        self._grows = not self._own or address != LOCAL
        self._seen: tuple[list[Node], float] = [], -GLANCE
        self._waiting: deque[_Task] = deque()
        self._running: dict[Any, _Task] = {}
        self._finished: list[Outcome] = []
        self._files: OrderedDict[str, tuple[Any, int]] = OrderedDict()
        self._stuck: float | None = None
        self._asked: Any = None
        self._heard = -PACE
        self._count = 0
        self._open = True

    @property
    def workers(self) -> int:
        """Cores of the cluster now, or fewer if so many were asked for."""
        cores = sum(node.cpus for node in self._nodes())
        return max(1, cores if self._most is None else min(cores, self._most))

    @property
    def room(self) -> int:
        """One for each core, and as many that wait, so that no core waits for this process."""
        return max(0, 2 * self.workers - self.unfinished) if self._open else 0

    @property
    def unfinished(self) -> int:
        """Those that wait, have been sent, or have finished."""
        return len(self._waiting) + len(self._running) + len(self._finished)

    def submit(self, job: Job) -> Ticket:
        """Take a job, and send those of its files that the cluster does not have."""
        if not self.room:
            raise RuntimeError("no room for another job" if self._open else "the executor is closed")
        wanted = needs(job)
        if not self._grows:
            (node,) = self._nodes()
            wanted = wanted._replace(cpus=min(wanted.cpus, node.cpus))
            if not node.fits(wanted):
                raise too_few(wanted, node.gpus, "this machine")
        try:
            data = self._ray.cloudpickle.dumps(job)
        except Exception as fault:
            raise InputError(f"this cannot be sent to another machine, because it is no data ({fault}).") from None
        files = [(hash, self._sent(hash, path)) for hash, path in getattr(job, "files", {}).items()]
        task = _Task(Ticket(self._count), data, files, wanted, getattr(job, "tells", False))
        self._count += 1
        self._waiting.append(task)
        self._hand_out()
        return task.ticket

    def done(self, timeout: float | None = None) -> list[Outcome]:
        """Wait for the cluster."""
        until = None if timeout is None else time.monotonic() + timeout
        while not self._finished and self._running:
            left = GLANCE if until is None else max(0.0, until - time.monotonic())
            ready, _ = self._ray.wait(list(self._running), num_returns=1, timeout=min(left, GLANCE))
            if ready:
                self._stuck = None
                ready, _ = self._ray.wait(list(self._running), num_returns=len(self._running), timeout=0)
            else:
                self._give_up()
            for reference in ready:
                self._take(reference)
            self._listen()
            self._hand_out()  # a node may have joined
            if until is not None and time.monotonic() >= until:
                break
        finished, self._finished = self._finished, []
        return finished

    def cancel(self, ticket: Ticket) -> bool:
        """Drop a job; a worker that is at it is ended."""
        before = self.unfinished
        for reference, task in list(self._running.items()):
            if task.ticket == ticket:
                del self._running[reference]
                self._drop(reference)
        self._waiting = deque(task for task in self._waiting if task.ticket != ticket)
        self._finished = [outcome for outcome in self._finished if outcome.ticket != ticket]
        dropped = self.unfinished < before
        self._hand_out()
        return dropped

    def close(self) -> None:
        """End running jobs, and the cluster if it was started here."""
        if not self._open:
            return
        self._open = False
        for reference in self._running:
            self._drop(reference)
        self._running.clear()
        self._waiting.clear()
        self._finished.clear()
        self._files.clear()
        if self._own:
            self._ray.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *fault: object) -> None:
        self.close()

    def _nodes(self) -> list[Node]:
        """Those that live, as they were a moment ago."""
        if time.monotonic() - self._seen[1] > GLANCE:
            alive = [one["Resources"] for one in self._ray.nodes() if one["Alive"]]
            nodes = [Node(int(one.get("CPU", 0)), float(one.get("GPU", 0))) for one in alive]
            self._seen = nodes, time.monotonic()
        return self._seen[0]

    def _hand_out(self) -> None:
        """Send what is next: as much as may run at once, and if that is the whole cluster, as much that waits there."""
        cores = sum(node.cpus for node in self._nodes())
        most = 2 * cores if self._most is None or self._most >= cores else self._most
        sent = sum(task.needs.cpus for task in self._running.values())
        while self._waiting and (not sent or sent + self._waiting[0].needs.cpus <= most):
            sent += self._waiting[0].needs.cpus
            self._start(self._waiting.popleft())

    def _start(self, task: _Task) -> None:
        hashes = [hash for hash, _ in task.files]
        remote = self._remote.options(num_cpus=task.needs.cpus, num_gpus=task.needs.gpus)
        board = self._board if task.tells else None
        reference = remote.remote(task.data, hashes, board, *(content for _, content in task.files))
        self._running[reference] = task

    @cached_property
    def _remote(self) -> Any:
        """What workers run; Ray shall not run it again by itself, as it does not say how often a job did so."""
        return self._ray.remote(max_retries=0)(work)

    @cached_property
    def _board(self) -> Any:
        """Where jobs leave news; if it is lost with its node, another one takes its place."""
        return self._ray.remote(num_cpus=0, max_restarts=-1)(Board).remote()

    def _listen(self) -> None:
        """Pass news on that have come, and ask for more."""
        if "_board" not in self.__dict__:
            return
        with suppress(self._ray.exceptions.RayError):
            if self._asked is not None:
                ready, _ = self._ray.wait([self._asked], timeout=0)
                if not ready:
                    return
                asked, self._asked = self._asked, None
                for value in self._ray.get(asked):
                    tell(value)
            if time.monotonic() - self._heard >= PACE:
                self._asked, self._heard = self._board.take.remote(), time.monotonic()

    def _give_up(self) -> None:
        """Jobs that no node can run, if there are no others, and have been none for long."""
        nodes = self._nodes()
        if any(node.fits(task.needs) for task in self._running.values() for node in nodes):
            self._stuck = None
            return
        wanted = next(iter(self._running.values())).needs
        now = time.monotonic()
        if self._stuck is None:
            self._stuck = now
            LOG.warning("no node of the cluster has %s: waiting %.0f s for one to join", wanted, PATIENCE)
        if now - self._stuck < PATIENCE:
            return
        self._stuck = None
        for reference, task in list(self._running.items()):
            del self._running[reference]
            self._drop(reference)
            self._finished.append(Outcome(task.ticket, fault=homeless(task.needs, nodes)))

    def _take(self, reference: Any) -> None:
        """Hear what came of a job; run it again if its worker has died."""
        task = self._running.pop(reference)
        faults = self._ray.exceptions
        try:
            answer = self._ray.get(reference)
        except faults.RayTaskError as fault:  # what it returned cannot be sent
            outcome = Outcome(task.ticket, fault=JobFault(f"a job failed: {fault.cause}", str(fault)))
        except faults.RayError as fault:
            task.deaths += 1
            reason = str(fault).strip().splitlines()[0].rstrip(".")
            if task.deaths < KILLS:
                LOG.warning("a job has lost its worker and runs again: %s", reason)
                self._waiting.appendleft(task)
                return
            outcome = Outcome(task.ticket, fault=JobFault(f"a job ended {KILLS} workers, the last so: {reason}."))
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


def work(data: bytes, hashes: Sequence[str], board: Any, *files: bytes) -> Answer:
    """What a worker does with a job that comes with `files`; its news go to the `board`, if there is one."""
    ray = import_module("ray")
    prepare()  # Ray shows a job no GPU but its own
    news = heard(paced(board.put.remote)) if board else nullcontext()
    with news, received(dict(zip(hashes, files, strict=True))):
        return answer_of(lambda: ray.cloudpickle.loads(data)())
