"""Games of lines: the rules, compiled over B boards.

`cells` [C] of a board hold 0 for an empty cell, else 1 + the seat whose piece it is. `shape` [4] is rows, columns,
pieces in a line that win, and whether pieces fall.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from envs.compiled import compiled
from envs.random import uniforms

Number: Any = Any
ROWS, COLUMNS, LINE, FALLS = range(4)
"""Places in `shape`."""
OUTSIDE, ILLEGAL = -1, -2
"""What `play_moves` returns for a number that is no action, and for an action that is not allowed now."""
DIRECTIONS = np.array([(0, 1), (1, 0), (1, 1), (1, -1)])
"""[4, 2] rows and columns to the next cell of a line."""


@compiled
def landing(cells: Number, action: Number, shape: Number) -> Any:
    """The cell that a piece played as `action` comes to lie on; -1 where there is no room."""
    if not shape[FALLS]:
        return action if cells[action] == 0 else -1
    for row in range(shape[ROWS] - 1, -1, -1):
        cell = row * shape[COLUMNS] + action
        if cells[cell] == 0:
            return cell
    return -1


@compiled
def in_line(cells: Number, cell: Number, piece: Number, shape: Number) -> bool:
    """Whether `piece` on `cell`, be it there already or not, stands in a line that wins."""
    row, column = cell // shape[COLUMNS], cell % shape[COLUMNS]
    for direction in range(len(DIRECTIONS)):
        down, across = DIRECTIONS[direction, 0], DIRECTIONS[direction, 1]
        count = 1
        for sign in (-1, 1):
            r, c = row + sign * down, column + sign * across
            while 0 <= r < shape[ROWS] and 0 <= c < shape[COLUMNS] and cells[r * shape[COLUMNS] + c] == piece:
                count += 1
                r, c = r + sign * down, c + sign * across
        if count >= shape[LINE]:
            return True
    return False


@compiled
def play_moves(cells: Number, moves: Number, last: Number, shape: Number, action: Number,
               reward: Number, over: Number) -> int:  # fmt: skip
    """One move on B boards. Returns how many games ended, or, and nothing has happened, `OUTSIDE` or `ILLEGAL`.

    Args:
        cells: [B, C].
        moves: [B] played so far; who moves is their parity.
        last: [B] cell of the last move.
        action: [B, 2].
        reward, over: written, [B, 2] and [B].
    """
    actions = shape[COLUMNS] if shape[FALLS] else shape[ROWS] * shape[COLUMNS]
    for row in range(len(cells)):
        for seat in range(2):
            if action[row, seat] < 0 or action[row, seat] >= actions:
                return OUTSIDE
    for row in range(len(cells)):
        if landing(cells[row], action[row, moves[row] % 2], shape) < 0:
            return ILLEGAL
    ended = 0
    for row in range(len(cells)):
        mover = moves[row] % 2
        cell = landing(cells[row], action[row, mover], shape)
        cells[row, cell] = 1 + mover
        last[row] = cell
        moves[row] += 1
        won = in_line(cells[row], cell, 1 + mover, shape)
        reward[row, mover] = 1.0 if won else 0.0
        reward[row, 1 - mover] = -1.0 if won else 0.0
        over[row] = won or moves[row] == cells.shape[1]
        ended += over[row]
    return ended


@compiled
def open_boards(which: Number, cells: Number, moves: Number, last: Number, shape: Number,
                seed: Number, games: Number, most: int) -> None:  # fmt: skip
    """Clear the boards of `which` [B], and play up to `most` random moves on each, none of which wins.

    Args:
        seed, games: [B] uint64; of the board, and how many it has begun, which is counted here.
    """
    for row in range(len(cells)):
        if not which[row]:
            continue
        cells[row], moves[row], last[row] = 0, 0, -1
        games[row] += np.uint64(1)
        # 64 numbers for each game: a board has fewer cells
        start = games[row] << np.uint64(6)
        wanted = int(uniforms(seed[row], start)[0] * (most + 1))
        for number in range(wanted):
            mover = moves[row] % 2
            room = 0
            for action in range(shape[COLUMNS] if shape[FALLS] else len(cells[row])):
                room += landing(cells[row], action, shape) >= 0
            drawn = int(uniforms(seed[row], start + np.uint64(1 + number))[0] * room)
            cell = -1
            for action in range(shape[COLUMNS] if shape[FALLS] else len(cells[row])):
                there = landing(cells[row], action, shape)
                if there >= 0:
                    if drawn == 0:
                        cell = there
                    drawn -= 1
            if moves[row] == cells.shape[1] - 1 or in_line(cells[row], cell, 1 + mover, shape):
                break
            cells[row, cell], last[row] = 1 + mover, cell
            moves[row] += 1


@compiled
def look(cells: Number, obs: Number) -> None:
    """Write both views of B boards, [B, 2, 2 C]: of each cell, whether the piece is one's own, and the other's."""
    for row in range(len(cells)):
        for cell in range(cells.shape[1]):
            first, second = np.float32(cells[row, cell] == 1), np.float32(cells[row, cell] == 2)
            obs[row, 0, 2 * cell] = obs[row, 1, 2 * cell + 1] = first
            obs[row, 1, 2 * cell] = obs[row, 0, 2 * cell + 1] = second


@compiled
def choices(cells: Number, moves: Number, shape: Number, legal: Number, acts: Number) -> None:
    """Write who moves, [B, 2], and what is legal, [B, 2, A]: for the seat that waits only the first action."""
    for row in range(len(cells)):
        mover = moves[row] % 2
        acts[row, mover], acts[row, 1 - mover] = True, False
        for action in range(legal.shape[2]):
            legal[row, mover, action] = landing(cells[row], action, shape) >= 0
            legal[row, 1 - mover, action] = action == 0


@compiled
def completes(cells: Number, piece: Number, shape: Number, found: Number) -> None:
    """Write which actions would put `piece` in a line that wins, [B, A]."""
    for row in range(len(cells)):
        for action in range(found.shape[1]):
            cell = landing(cells[row], action, shape)
            found[row, action] = cell >= 0 and in_line(cells[row], cell, piece, shape)
