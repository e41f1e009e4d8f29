"""Seated: a guest at its table as a player of a batch. Every answer is checked and timed, game by game."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator

from arena.guests.fault import Fault, clipped
from arena.guests.limits import Limits
from arena.guests.moves import Space, default_action, taken
from arena.guests.table import Reply, Request, Table
from envs.core import Array, Bools, Floats
from envs.player import Decision

SEEDS = 2**53
"""Seeds are below, so that any language can hold them."""


class _Game:
    """What is known of a game that is on."""

    __slots__ = ("seconds", "seed", "steps")

    def __init__(self, seed: int) -> None:
        self.seed, self.steps, self.seconds = seed, 0, 0.0


class Seated:
    """Holds the same lanes at every step, as `agents.play.play` has it."""

    memory_size = 1
    """Number of the game at the table; 0 in a new one."""
    keep_memory = False

    def __init__(self, name: str, space: Space, table: Table, limits: Limits) -> None:
        """`space` is that of the actions; the table is closed with this."""
        self.name = name
        self.spent: list[float] = []
        """Time for each move so far, s."""
        self._space, self._table, self._limits = space, table, limits
        self._games: dict[int, _Game] = {}
        self._rows: dict[int, int] = {}
        """Game on each lane, where one is on."""
        self._out: set[int] = set()
        """Lanes whose games do not count any more."""
        self._faults: dict[int, str] = {}
        self._count = 0

    def begin(self) -> None:
        """All lanes count from now on, and have new games."""
        for row in list(self._rows):
            self._end(row, None)
        self._out, self._faults = set(), {}

    def act(self, obs: Array, legal: Bools, memory: Floats, rng: Generator) -> Decision:
        """See `Player.act`; lanes that do not count, or have no choice, get a legal action without asking."""
        action = default_action(self._space, legal)
        memory = memory.astype(np.float64)
        # Without a mask nobody knows who waits: all are asked.
        choice = legal.sum(axis=1) != 1 if legal.shape[1] else np.ones(len(obs), np.bool_)
        asked: list[tuple[int, Request]] = []
        for row in range(len(obs)):
            if row in self._out:
                continue
            number = int(memory[row, 0])
            if number not in self._games:
                memory[row, 0] = number = self._begin(row, int(rng.integers(SEEDS)))
            if choice[row] or self._table.watches:
                game = self._games[number]
                left = self._limits.left(game.seconds)
                asked.append((row, Request(number, game.steps, game.seed, obs[row], legal[row], left)))
        replies = self._table.ask([request for _, request in asked]) if asked else []
        for (row, request), reply in zip(asked, replies, strict=True):
            try:
                action[row] = self._judged(request, reply)
            except Fault as fault:
                self._faults[row] = clipped(str(fault), 300)
                self.leave([row], None)
        return Decision(action, memory, {})

    def _begin(self, row: int, seed: int) -> int:
        """A new game on the lane `row`; its number."""
        if row in self._rows:
            self._end(row, None)
        self._count += 1
        self._games[self._count] = _Game(seed)
        self._rows[row] = self._count
        return self._count

    def _judged(self, request: Request, reply: Reply) -> Array:
        """The action of a reply, if it is one."""
        game = self._games[request.game]
        late = self._limits.broken(reply.seconds, game.seconds) if reply.late or reply.fault is None else None
        game.seconds += reply.seconds
        game.steps += 1
        self.spent.append(reply.seconds)
        if late or reply.fault is not None:
            raise Fault(late or reply.fault)
        return taken(self._space, reply.action, request.legal)

    def leave(self, rows: Sequence[int], scores: Sequence[float] | None) -> None:
        """The games on the lanes `rows` are over, and what is played there from now on does not count."""
        for place, row in enumerate(rows):
            self._out.add(row)
            self._end(row, None if scores is None else scores[place])

    def _end(self, row: int, score: float | None) -> None:
        number = self._rows.pop(row, None)
        if number is not None:
            del self._games[number]
            self._table.over(number, score)

    def take_faults(self) -> dict[int, str]:
        """What went wrong since the last time, by lane: parts of sentences that begin with the name."""
        faults, self._faults = self._faults, {}
        return faults

    def close(self) -> None:
        """Leave the table."""
        self._table.close()
