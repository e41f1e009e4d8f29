"""Calls: Python functions and classes of this process as guests.

    guest(lambda obs: 3, "right", spec)             a function of the observation
    guest(lambda obs, legal: legal.argmax(), ...)   or of that and the legal actions [A]
    guest(Agent, ...)                               a class: one object for each game, asked by its `act` or by a call

Where there is a time limit they run in a thread of their own. It cannot be stopped: one that never returns is left
behind, so what is not trusted is better named as FILE.py:attribute, which runs in a process that can be ended.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from arena.guests.fault import Unfit, told
from arena.guests.guest import Guest
from arena.guests.limits import Limits, plain
from arena.guests.mind import Mind
from arena.guests.table import Reply, Request
from envs.core import EnvSpec
from envs.errors import InputError
from envs.side import Side, Squad, posts

ABANDONED = 8
"""Threads that were left behind at one table, at most; after that whoever did not return is not asked again."""


class Calls:
    """A table in this process."""

    watches = False

    def __init__(self, mind: Mind, limits: Limits) -> None:
        """Without a time limit the target is called as it is, else in a thread."""
        self._mind = mind
        self._line = _Line() if limits.timed else None
        self._abandoned = 0

    def ask(self, requests: Sequence[Request]) -> list[Reply]:
        """See `Table.ask`."""
        return [self._asked(request) for request in requests]

    def _asked(self, request: Request) -> Reply:
        if self._abandoned >= ABANDONED:
            return Reply(None, f"has not returned {ABANDONED} times, and is not asked again", 0.0)
        began = time.perf_counter()

        def call() -> Reply:
            try:
                action = self._mind.answer(request.game, request.seed, request.obs.copy(), request.legal.copy())
            except (Exception, SystemExit) as fault:
                return Reply(None, f"raised {told(fault)}", time.perf_counter() - began)
            return Reply(action, None, time.perf_counter() - began)

        if self._line is None or request.left is None:
            return call()
        reply = self._line.run(call, request.left)
        if reply is None:
            self._abandoned += 1
            self._line = _Line()
            spent = time.perf_counter() - began
            return Reply(None, f"gave no answer within {plain(request.left)}", spent, late=True)
        return reply

    def over(self, game: int, score: float | None) -> None:
        """See `Table.over`."""
        self._mind.forget(game)

    def close(self) -> None:
        """See `Table.close`."""
        if self._line:
            self._line.end()


class _Line:
    """A thread that does one thing after another."""

    def __init__(self) -> None:
        self._work: queue.SimpleQueue[Callable[[], Reply] | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[Reply] = queue.SimpleQueue()
        threading.Thread(target=self._serve, name="guest", daemon=True).start()

    def _serve(self) -> None:
        while (work := self._work.get()) is not None:
            self._done.put(work())

    def run(self, work: Callable[[], Reply], left: float) -> Reply | None:
        """What comes of `work`, or None if it takes longer than `left` s; then this line is not used again."""
        self._work.put(work)
        try:
            return self._done.get(timeout=max(left, 0.0))
        except queue.Empty:
            self.end()
            return None

    def end(self) -> None:
        """Nothing comes any more."""
        self._work.put(None)


def guest(target: Callable[..., Any], name: str, spec: EnvSpec) -> Side:
    """A Python function or class as a player of the game `spec`, in whatever seats it is put.

    Args:
        target: a function of an observation [*obs_shape], or of that and the legal actions [A], that returns an action;
            or a class whose objects do the same by `act` or by a call. A class gets an object for each game, made with
            `seed=` if it takes that.

    Raises:
        InputError: it takes other arguments.
    """
    where = getattr(target, "__qualname__", None) or type(target).__name__
    try:
        Mind(target, where)
    except Unfit as fault:
        raise InputError(str(fault)) from None
    return in_all_seats(name, spec, lambda seat: Guest(
        name, spec.action_spaces[seat], lambda limits: Calls(Mind(target, where), limits)
    ))  # fmt: skip


def in_all_seats(name: str, spec: EnvSpec, make: Callable[[int], Guest]) -> Side:
    """Guests for all seats of `spec`: one, or one for each post where seats are of different kinds.

    Args:
        make: the guest for a seat and all that are like it.
    """
    from envs.seats import seat_kinds

    kinds = seat_kinds(spec)
    if len(set(kinds)) == 1:
        return make(0)
    made: dict[int, Guest] = {}
    crew: dict[str, Guest] = {}
    for seat, (kind, (_, own)) in enumerate(zip(kinds, posts(spec), strict=True)):
        made[kind] = made.get(kind) or make(seat)
        crew[own] = made[kind]
    return Squad(name, crew)
