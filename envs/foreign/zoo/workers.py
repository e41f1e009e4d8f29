"""Games of PettingZoo's in worker processes: they write to shared memory, and pipes say when.

A worker is told one byte and answers with nothing, or with the sentence that went wrong. It ends when its pipe does, so
none outlives the process that started it, however that one ends; Ctrl-C is left to that process.

Telling all and hearing from all has its price at every step, so workers pay where each has several games or slow ones.
Two of them on two cores that were busy otherwise played `mpe2:simple_spread_v3` at 0.8 to 1.0 times the speed of one
process with 2 games side by side, at 1.4 to 1.6 times with 8, and at 1.7 times with 32; and `pettingzoo:tictactoe_v3`,
whose steps are faster, at 1.2 to 1.5 times with 8.
"""

from __future__ import annotations

import multiprocessing
import signal
import traceback
import weakref
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

import numpy as np

from envs.errors import InputError
from envs.foreign.zoo.board import Board, Layout, board, size
from envs.foreign.zoo.find import find
from envs.foreign.zoo.table import Table

RESET, STEP = b"r", b"s"
WRONG_INPUT, CRASH = b"i", b"c"
"""First byte of an answer that is a sentence, or a traceback."""
PATIENCE = 5.0
"""Seconds that a worker gets to close its environments before it is killed."""


class Workers:
    """Like a `Table`, but the games are shared out among processes."""

    def __init__(self, id: str, options: dict[str, Any], layout: Layout, max_steps: int | None, processes: int) -> None:
        """Start `processes` of them and wait until all have made their games.

        Raises:
            InputError: this process is a worker itself, or a game cannot be made.
        """
        if multiprocessing.current_process().daemon:
            raise InputError(f"{id}: processes = {processes}: a worker process cannot start others, so use 0 here.")
        methods = multiprocessing.get_all_start_methods()
        context: Any = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
        memory = context.RawArray("b", size(layout))  # has no name that could be left behind
        self.board = board(layout, memory)
        self._id = id
        self._pipes: list[Connection] = []
        started: list[BaseProcess] = []
        self._close = weakref.finalize(self, _stop, self._pipes, started)
        for rows in np.array_split(np.arange(len(self.board.seeds)), processes):
            ours, theirs = context.Pipe()
            games = slice(int(rows[0]), int(rows[-1]) + 1)
            process = context.Process(
                target=_work, args=(theirs, id, options, layout, memory, games, max_steps), daemon=True
            )
            process.start()
            theirs.close()
            self._pipes.append(ours)
            started.append(process)
        self.pids = [process.pid for process in started if process.pid]
        self._answers()

    def reset(self) -> None:
        """Start all games."""
        self._tell(RESET)

    def step(self) -> None:
        """Play one step of all games."""
        self._tell(STEP)

    def close(self) -> None:
        """End all workers. This happens too when nobody holds on to them any more, and when the process ends."""
        self._close()

    def _tell(self, what: bytes) -> None:
        if not self._close.alive:
            raise InputError(f"{self._id}: its games are closed.")
        try:
            for pipe in self._pipes:
                pipe.send_bytes(what)
        except ConnectionError:
            self.close()
            raise InputError(f"{self._id}: a worker process has died.") from None
        self._answers()

    def _answers(self) -> None:
        """Wait for all; after any fault there is no telling which games have moved, so all are closed."""
        try:
            answers = [pipe.recv_bytes() for pipe in self._pipes]
        except (EOFError, ConnectionError):
            self.close()
            raise InputError(f"{self._id}: a worker process has died.") from None
        except BaseException:
            self.close()
            raise
        for answer in filter(None, answers):
            self.close()
            words = answer[1:].decode()
            raise InputError(words) if answer[:1] == WRONG_INPUT else RuntimeError(f"{self._id}, in a worker: {words}")


def _stop(pipes: list[Connection], started: Sequence[BaseProcess]) -> None:
    """End the workers: the ends of their pipes tell them."""
    for pipe in pipes:
        pipe.close()
    for process in started:
        process.join(PATIENCE)
        if process.is_alive():
            process.kill()
            process.join()


def _work(
    pipe: Connection, id: str, options: dict[str, Any], layout: Layout, memory: Any, games: slice, max_steps: int | None
) -> None:
    """What a worker does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    whole = board(layout, memory)
    own = Board._make(array[games] for array in whole)
    try:
        found = find(id)
        assert found is not None, "its maker has found it already"
        table = Table(found, options, own, max_steps)
        while True:
            pipe.send_bytes(b"")
            what = pipe.recv_bytes()
            table.reset() if what == RESET else table.step()
    except (EOFError, ConnectionError):
        return  # nobody is there any more
    except InputError as fault:
        answer = WRONG_INPUT + str(fault).encode()
    except Exception:
        answer = CRASH + traceback.format_exc().encode()
    with suppress(ConnectionError):
        pipe.send_bytes(answer)
