"""Board games as pictures: the board, the last move marked, and beside it how the game before ended."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from envs.boards.shapes import Board
from envs.core import Ints
from envs.scene import Circle, Color, Line, Rectangle, Scene, Shape, Text

WIDTH = 900
"""Pixels."""
PAPER, INK, DIM, MARK = (246, 243, 234), (50, 54, 66), (120, 124, 136), (255, 255, 255)
WOOD, HOLE = (38, 84, 160), (226, 232, 242)
PIECES: tuple[Color, Color] = ((214, 62, 52), (244, 196, 48))
CROSS, RING = (196, 66, 58), (42, 98, 168)
HEADROOM = 1.25
"""Height of the picture in boards: names and score are written over the top of it."""
SMALL = 0.45
"""Scale of the game before."""


def board_scene(board: Board, cells: Ints, last: int, shown: Ints, over: bool = False) -> Scene:
    """`cells` [C], the cell of the `last` move or -1, and `shown` [C], how the game before ended; -1 if none did.

    Args:
        over: the game of `cells` has ended: who won is said, instead of who is to move.
    """
    width, height = _size(board)
    shapes: list[Shape] = [*_grid(board, cells, 0.0, 0.0, 1.0, last)]
    left, title = width + 0.5, "before:" if int(shown[0]) >= 0 else ""
    if title:
        shapes += _grid(board, shown, left, height - SMALL * height - 0.8, SMALL, -1)
        shapes.append(Text(left + SMALL * width / 2, height - 0.4, title, 0.4, DIM))
        shapes.append(Text(left + SMALL * width / 2, height - SMALL * height - 1.2, _told(board, shown), 0.36, INK))
    mover = int((cells > 0).sum()) % 2
    told = _told(board, cells) if over else f"{('first', 'second')[mover]} to move"
    shapes.append(Text(width / 2, -0.45, told, 0.4, INK))
    top = height * HEADROOM + 0.4
    return Scene(-0.4, left + SMALL * width + 0.4, -0.9, top, PAPER, tuple(shapes), WIDTH)


def _size(board: Board) -> tuple[int, int]:
    """Columns and rows as they are drawn: cells that are counted down the columns lie on their side."""
    return (board.columns, board.rows) if board.falls else (board.rows, board.columns)


def middle(board: Board, cell: int) -> tuple[float, float]:
    """Of a cell, in cells, from the lower left corner."""
    row, column = divmod(cell, board.columns)
    return (column + 0.5, board.rows - row - 0.5) if board.falls else (row + 0.5, board.columns - column - 0.5)


def cell_at(board: Board, x: float, y: float) -> int | None:
    """The action that a click at x, y says, in cells from the lower left corner; None beside the board."""
    width, height = _size(board)
    if not (0 <= x < width and 0 <= y < height):
        return None
    return int(x) if board.falls else int(x) * board.columns + board.columns - 1 - int(y)


def _grid(board: Board, cells: Ints, left: float, bottom: float, scale: float, last: int) -> Iterator[Shape]:
    """A board with its pieces, its lower left corner there."""
    width, height = _size(board)
    right, top = left + scale * width, bottom + scale * height
    if board.falls:
        yield Rectangle(left, bottom, right, top, WOOD)
    else:
        for at in range(1, width):
            yield Line(left + scale * at, bottom, left + scale * at, top, 0.05 * scale, INK)
        for at in range(1, height):
            yield Line(left, bottom + scale * at, right, bottom + scale * at, 0.05 * scale, INK)
    for cell in range(board.cells):
        x, y = middle(board, cell)
        yield from _piece(board, left + scale * x, bottom + scale * y, scale, int(cells[cell]), cell == last)


def _piece(board: Board, x: float, y: float, scale: float, piece: int, last: bool) -> Iterator[Shape]:
    if board.falls:
        yield Circle(x, y, 0.4 * scale, HOLE if piece == 0 else PIECES[piece - 1])
    elif piece == 1:
        arm = 0.28 * scale
        yield Line(x - arm, y - arm, x + arm, y + arm, 0.1 * scale, CROSS)
        yield Line(x - arm, y + arm, x + arm, y - arm, 0.1 * scale, CROSS)
    elif piece == 2:
        yield Circle(x, y, 0.33 * scale, RING)
        yield Circle(x, y, 0.23 * scale, PAPER)
    if last:
        yield Circle(x, y, 0.1 * scale, MARK if board.falls else INK)


def _told(board: Board, cells: Ints) -> str:
    """How a game ended."""
    return ("a draw", "the first won", "the second won")[_winner(board, cells)]


def _winner(board: Board, cells: Ints) -> int:
    """1 or 2, whose line there is, 0 if there is none."""
    for start, (down, across) in product(range(board.cells), ((0, 1), (1, 0), (1, 1), (1, -1))):
        row, column = divmod(start, board.columns)
        last_row, last_column = row + down * (board.line - 1), column + across * (board.line - 1)
        if last_row < board.rows and 0 <= last_column < board.columns:
            line = {int(cells[(row + k * down) * board.columns + column + k * across]) for k in range(board.line)}
            if len(line) == 1 and 0 not in line:
                return line.pop()
    return 0
