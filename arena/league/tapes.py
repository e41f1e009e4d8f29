"""Tapes: what was done in the blocks that were played lately, so that replays of them need not be played again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from arena.match import Tape
from arena.result import Result

ROOM = 64 << 20
"""Bytes of tapes that are remembered, about 170 blocks of 64 long games of two."""


class Tapes:
    """The latest blocks, as many as there is room for."""

    def __init__(self, room: int = ROOM) -> None:
        """`room` in bytes."""
        self._room, self._used = room, 0
        self._blocks: OrderedDict[str, tuple[Sequence[Result], Tape]] = OrderedDict()

    def put(self, key: str, results: Sequence[Result], tape: Tape) -> None:
        """Remember a block, and forget the oldest where they take too much room."""
        self._blocks[key] = results, tape
        self._used += tape.nbytes
        while self._used > self._room:
            _, (_, oldest) = self._blocks.popitem(last=False)
            self._used -= oldest.nbytes

    def get(self, key: str) -> tuple[Sequence[Result], Tape] | None:
        """The block `key`, if it is remembered."""
        return self._blocks.get(key)
