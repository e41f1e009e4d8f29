"""Scripted players of board games: one that looks one move ahead, and for tic-tac-toe one that makes no mistakes."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache, partial

import numpy as np
from numpy.random import Generator

from envs.boards.rules import completes
from envs.boards.shapes import BOARDS, Board
from envs.core import Array, Bools, EnvSpec, Floats
from envs.errors import unknown
from envs.player import Decision, Player
from envs.sampling import random_action

BOTS = ("one-ply", "perfect")
"""Names that `bot` knows; the second for tic-tac-toe alone."""
OWN, OTHER = 1, 2
"""Pieces as a mover sees them."""


def names(spec: EnvSpec) -> tuple[str, ...]:
    """The scripted players of the board game `spec`."""
    return BOTS if spec.id == "TicTacToe-v0" else BOTS[:1]


def bot(name: str, spec: EnvSpec) -> Player:
    """The scripted player `name` for the board game `spec`.

    Raises:
        InputError: an unknown name, or one that does not know this game.
    """
    if name not in names(spec):
        raise unknown(f"player of {spec.id}", name, names(spec))
    return Chooser(name, spec, _best if name == "perfect" else partial(_one_ply, BOARDS[spec.id]))


class Chooser:
    """Draws evenly from the moves that a function of the board finds good."""

    memory_size = 0
    keep_memory = False

    def __init__(self, name: str, spec: EnvSpec, good: Callable[[Array], Bools]) -> None:
        """Play `spec`; `good` maps cells [n, C], as the mover sees them, to the moves that it finds good, [n, A]."""
        self.name = name
        self._space = spec.action_spaces[0]
        self._good = good

    def act(self, obs: Array, legal: Bools, memory: Floats, rng: Generator) -> Decision:
        """See `Player.act`. Where none of the good moves is legal, as for who waits, all legal ones are good."""
        cells = (OWN * obs[:, 0::2] + OTHER * obs[:, 1::2]).astype(np.int8)
        good = self._good(cells) & legal
        drawn = np.where(good.any(axis=1, keepdims=True), good, legal)
        return Decision(random_action(self._space, drawn, rng), memory, {})


def _one_ply(board: Board, cells: Array) -> Bools:
    """Moves that win at once; where there are none, those that keep the other from it."""
    shape = np.array([board.rows, board.columns, board.line, board.falls])
    wins, saves = np.empty((2, len(cells), board.actions), np.bool_)
    completes(cells, OWN, shape, wins)
    completes(cells, OTHER, shape, saves)
    return np.where(wins.any(axis=1, keepdims=True), wins, saves)


def _best(cells: Array) -> Bools:
    """All moves of tic-tac-toe that keep what the position is worth against perfect play."""
    return _table()[cells @ 3 ** np.arange(cells.shape[1])]


@lru_cache(maxsize=1)
def _table() -> Bools:
    """[3^9, 9] the best moves in every position of tic-tac-toe, which is a number of base 3, the first cell last."""
    table = np.zeros((3**9, 9), np.bool_)
    lines = ((0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6))

    @cache
    def worth(cells: tuple[int, ...]) -> int:
        """1, 0 or -1 to whom moves."""
        if any(all(cells[cell] == OTHER for cell in line) for line in lines):
            return -1
        after = {}
        for cell in range(9):
            if cells[cell] == 0:
                turned = [(3 - piece) % 3 for piece in (*cells[:cell], OWN, *cells[cell + 1 :])]
                after[cell] = -worth(tuple(turned))
        if not after:
            return 0
        best = max(after.values())
        number = sum(piece * 3**cell for cell, piece in enumerate(cells))
        table[number] = [after.get(cell) == best for cell in range(9)]
        return best

    worth((0,) * 9)
    return table
