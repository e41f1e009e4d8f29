"""Programs: guests that are processes, in any language. `cmd:./program args` and Python files are such."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from arena.guests import protocol
from arena.guests.calls import in_all_seats
from arena.guests.fault import Fault, Late
from arena.guests.forms import PREFIX
from arena.guests.guest import Guest
from arena.guests.limits import STALL, START, Limits, plain
from arena.guests.program import Program
from arena.guests.table import Reply, Request
from envs.core import EnvSpec
from envs.errors import InputError
from envs.side import Side

TOGETHER = 4
"""Games that such a guest plays at a time at one table, each in a process of its own."""
DEATHS = 8
"""Processes that may fail at one table with no game ended well in between; then none is started again, and the games
that are left there are lost."""

LONGEST_NAME = 40


@dataclass(frozen=True, slots=True)
class Service:
    """How a process is started, and what it can do."""

    command: tuple[str, ...]
    hello: bytes
    """The first line that it gets."""
    log: Path | None = None
    """Where its standard error goes."""
    forgetful: bool = False
    """It remembers nothing from move to move, so one process serves all games, and another can take over from it."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """What is added to ours."""


class _Asked(NamedTuple):
    """A process that has been asked, or why there is none."""

    program: Program | None
    began: float
    """When, by the clock that measures."""
    fault: str | None


class Programs:
    """A table at which each game has a process, or, of those that remember nothing, all have one."""

    def __init__(self, service: Service, limits: Limits) -> None:
        """Nobody is started before a game begins."""
        self.watches = False
        self._service, self._limits = service, limits
        self._busy: dict[int, Program] = {}
        self._free: list[Program] = []
        self._deaths = 0

    def ask(self, requests: Sequence[Request]) -> list[Reply]:
        """See `Table.ask`. Where time counts one process thinks after another, so that they do not take it from each
        other, else side by side. One that serves all games gets the lines together, and answers them in order."""
        if not self._service.forgetful:
            if self._limits.timed:
                return [self._answers(self._asked([one]), [one])[0] for one in requests]
            asked = [self._asked([one]) for one in requests]
            return [self._answers(whom, [one])[0] for whom, one in zip(asked, requests, strict=True)]
        replies: list[Reply] = []
        while len(replies) < len(requests):
            rest = requests[len(replies) :]
            replies += self._answers(self._asked(rest), rest)
        return replies

    def _asked(self, requests: Sequence[Request]) -> _Asked:
        """Put the questions to the process that plays these games."""
        program: Program | None = None
        try:
            program = self._program(requests[0])
            began = time.perf_counter()
            if not program.idle():
                raise Fault("wrote a line that nobody had asked for")
            program.send(b"".join(map(protocol.act, requests)))
            return _Asked(program, began, None)
        except Fault as fault:
            if program:
                self._drop(program)
            return _Asked(None, 0.0, str(fault))

    def _answers(self, asked: _Asked, requests: Sequence[Request]) -> list[Reply]:
        """Replies to the first of `requests`, at least one: to all of them, or up to the first fault of the process."""
        program, began, fault = asked
        if program is None:
            return [Reply(None, fault, 0.0)]
        replies: list[Reply] = []
        try:
            for request in requests:
                answer = program.line(STALL if request.left is None else request.left)
                now = time.perf_counter()
                replies.append(self._reply(answer, request, now - began))
                began = now
        except Fault as found:
            self._drop(program)
            replies.append(Reply(None, str(found), time.perf_counter() - began, isinstance(found, Late)))
        return replies

    def _reply(self, answer: bytes, request: Request, seconds: float) -> Reply:
        """What an answer says.

        Raises:
            Fault: it is no line of the protocol, so nobody knows what the next ones are answers to.
        """
        said = protocol.read(answer, ())
        if said.get("game", request.game) != request.game:
            raise Fault(f"answered for another game than number {request.game}")
        if "fault" in said:  # of one game alone, as our own host says it
            return Reply(None, str(said["fault"]), seconds)
        if "action" not in said:
            raise Fault("answered without 'action'")
        return Reply(said["action"], None, seconds)

    def _program(self, request: Request) -> Program:
        """The process that plays this game; where it is new, one that is free, or another one.

        Raises:
            Fault: none can be started.
        """
        known = self._busy.get(request.game)
        if known and not known.closed:
            return known
        if self._service.forgetful and self._free:
            return self._free[0]
        program = self._free.pop() if self._free else self._start()
        if self._service.forgetful:
            self._free.append(program)
        else:
            self._busy[request.game] = program
            program.send(protocol.new_game(request))
        return program

    def _start(self) -> Program:
        if self._deaths >= DEATHS:
            raise Fault(f"failed {DEATHS} times in a row, and is not started again")
        try:
            program = Program(self._service.command, self._service.log, self._service.environment)
        except Fault:
            self._deaths += 1
            raise
        try:
            program.send(self._service.hello)
            try:
                answer = program.line(START)
            except Late:
                raise Fault(f"did not say hello within {plain(START)}") from None
            self.watches = protocol.greeted(answer)
        except BaseException:
            self._deaths += 1
            program.close()
            raise
        return program

    def _drop(self, program: Program) -> None:
        """A process has failed."""
        self._deaths += 1
        program.close()
        self._free = [one for one in self._free if one is not program]
        self._busy = {game: one for game, one in self._busy.items() if one is not program}

    def over(self, game: int, score: float | None) -> None:
        """See `Table.over`."""
        if score is not None:
            self._deaths = 0
        program = self._busy.pop(game, None)
        if program and not program.closed:
            program.send(protocol.over(game, score))
            self._free.append(program)

    def close(self) -> None:
        """See `Table.close`."""
        leaving = (*self._free, *self._busy.values())
        for program in leaving:
            program.dismiss(protocol.BYE)
        for program in leaving:
            program.close()
        self._free, self._busy = [], {}


def command_guest(text: str, spec: EnvSpec, logs: Path | None = None) -> Side:
    """The program that `text`, "cmd:./program args", names, as a player of `spec`.

    Args:
        logs: folder for what it writes to standard error.

    Raises:
        InputError: no such program.
    """
    try:
        words = shlex.split(text.removeprefix(PREFIX))
    except ValueError as fault:
        raise InputError(f"{text!r} is not a command: {fault}.") from None
    if not words:
        raise InputError(f"{PREFIX} is followed by a program, as in {PREFIX}./program or {PREFIX}'node agent.js'.")
    if shutil.which(words[0]) is None:
        there = "is no program that can be run" if Path(words[0]).exists() else "is not there"
        raise InputError(f"{text}: {words[0]} {there}.")
    name = _name(words)

    def service(seat: int, limits: Limits) -> Service:
        return Service(tuple(words), protocol.hello(spec, seat, limits), _log(logs, name))

    return _guest(name, spec, service, TOGETHER)


def _name(words: Sequence[str]) -> str:
    """What a command is called: the program, or the file that an interpreter is given, and what it is told."""
    place = next((place for place, word in enumerate(words) if place and Path(word).is_file()), 0)
    told = [Path(words[place]).stem, *words[place + 1 :]]
    name = re.sub(r"[^A-Za-z0-9_.]+", "-", "-".join(told)).strip("-")
    return name[:LONGEST_NAME] or "program"


def python_guest(name: str, words: Sequence[str], spec: EnvSpec, forgetful: bool, logs: Path | None = None) -> Side:
    """Something in Python, served by `arena.guests.host`, which is told `words`."""

    def service(seat: int, limits: Limits) -> Service:
        asked = host_service(words, protocol.hello(spec, seat, limits))
        return replace(asked, log=_log(logs, name), forgetful=forgetful)

    return _guest(name, spec, service, None if forgetful else TOGETHER)


def host_service(words: Sequence[str], hello: bytes) -> Service:
    """How the host of something in Python is started."""
    home = str(Path(__file__).resolve().parent.parent.parent)
    paths = [home, *(path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path)]
    command = (sys.executable, "-m", "arena.guests.host", *words)
    return Service(command, hello, environment={"PYTHONPATH": os.pathsep.join(paths)})


def _guest(name: str, spec: EnvSpec, service: Callable[[int, Limits], Service], together: int | None) -> Side:
    def make(seat: int) -> Guest:
        return Guest(name, spec.action_spaces[seat], lambda limits: Programs(service(seat, limits), limits), together)

    return in_all_seats(name, spec, make)


def _log(logs: Path | None, name: str) -> Path | None:
    return logs / f"{name}.log" if logs else None
