"""Games of lines as a batch env: B boards in a few arrays, stepped by compiled calls."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from gymnasium import spaces

from envs.arrays import constant, copies, overwrite
from envs.boards.rules import OUTSIDE, choices, look, open_boards, play_moves
from envs.boards.scene import board_scene
from envs.boards.shapes import BOARDS, BoardOptions
from envs.core import Array, Bools, EnvSpec, Ints, TimeStep, game_seeds
from envs.errors import InputError
from envs.scene import Scene


class BoardGame:
    """Two seats; observations float32 [B, 2, 2 C], rewards and scores float64."""

    def __init__(self, id: str, options: BoardOptions, num_envs: int = 1) -> None:
        """Lay out the arrays of `num_envs` boards; `reset` clears them."""
        self.board = board = BOARDS[id]
        self.num_envs = num_envs
        self.spec = EnvSpec(
            id=id,
            observation_spaces=(spaces.Box(0.0, 1.0, (2 * board.cells,), np.float32),) * 2,
            action_spaces=(spaces.Discrete(board.actions),) * 2,
            teams=(0, 1),
            max_steps=board.cells,
            step_seconds=0.5,
            zero_sum=True,
            symmetric=True,
            options=options.model_dump(),
            seat_names=board.seat_names,
            scores=(-1.0, 1.0),
        )
        self._shape = np.array([board.rows, board.columns, board.line, board.falls])
        self._cells = np.zeros((num_envs, board.cells), np.int8)
        self._moves = np.zeros(num_envs, np.int64)
        self._last = np.full(num_envs, -1)
        self._opening = options.opening
        self._seed, self._games = np.zeros(num_envs, np.uint64), np.zeros(num_envs, np.uint64)
        self._shown = np.full((num_envs, board.cells), -1, np.int8)
        self._never = constant((num_envs,), False, np.bool_)
        self._no_score = constant((num_envs, 2), np.nan, np.float64)

    def reset(self, seed: int | Ints) -> TimeStep:
        """Clear all boards; see `BatchEnv.reset`. The seed decides openings; nothing else is random."""
        self._seed[:], self._games[:] = game_seeds(seed, self.num_envs), 0
        self._clear(np.ones(self.num_envs, np.bool_))
        self._shown[:] = -1
        obs, nothing = self._views(), np.zeros((self.num_envs, 2))
        return TimeStep(obs, *self._turns(), nothing, self._never, self._never, obs.copy(), self._no_score)

    def step(self, action: Array) -> TimeStep:
        """Play one move on each board; see `BatchEnv.step`.

        Raises:
            InputError: an action outside its space, or one that is not legal; nobody has moved then.
        """
        given = np.asarray(action)
        if given.shape != (self.num_envs, 2) or given.dtype.kind not in "iu":
            raise InputError(f"{self.spec.id}: actions {action!r} do not fit {self.spec.action_spaces[0]}.")
        reward, over = np.empty((self.num_envs, 2)), np.empty(self.num_envs, np.bool_)
        ended = play_moves(self._cells, self._moves, self._last, self._shape, given, reward, over)
        if ended < 0:
            fault = f"lies outside {self.spec.action_spaces[0]}" if ended == OUTSIDE else "finds no room on the board"
            raise InputError(f"{self.spec.id}: an action {fault}.")
        last = self._views()
        if ended == 0:
            return TimeStep(last, *self._turns(), reward, self._never, self._never, last, self._no_score)
        self._shown[over] = self._cells[over]
        self._clear(over)
        score = np.where(over[:, None], reward, np.nan)
        return TimeStep(self._views(), *self._turns(), reward, over, self._never, last, score)

    def _clear(self, which: Bools) -> None:
        """Begin new games where `which` [B]."""
        state = self._cells, self._moves, self._last
        open_boards(which, *state, self._shape, self._seed, self._games, self._opening)

    def _views(self) -> Array:
        obs = np.empty((self.num_envs, 2, 2 * self.board.cells), np.float32)
        look(self._cells, obs)
        return obs

    def _turns(self) -> tuple[Bools, Bools]:
        """`legal` [B, 2, A] and `acts` [B, 2]."""
        legal = np.empty((self.num_envs, 2, self.board.actions), np.bool_)
        acts = np.empty((self.num_envs, 2), np.bool_)
        choices(self._cells, self._moves, self._shape, legal, acts)
        return legal, acts

    def get_state(self) -> dict[str, Array]:
        """Copies of the whole state.

        `cells` [B, C] 0 empty, 1 the first seat's, 2 the second's; `moves` [B] played so far; `last` [B] the cell of
        the last move, -1 if there was none; `shown` [B, C] the board at the end of the game before, -1 if there was
        none: only the picture shows these two. `seed` [B] and `games` [B], begun so far, decide openings.
        """
        return copies(self._arrays())

    def set_state(self, state: Mapping[str, Array]) -> None:
        """Overwrite any subset of what `get_state` names, between steps.

        Raises:
            InputError: an unknown name or a wrong shape; nothing has been written then.
        """
        overwrite(self._arrays(), state)

    def _arrays(self) -> dict[str, Array]:
        places: dict[str, Array] = {
            "cells": self._cells,
            "moves": self._moves,
            "last": self._last,
            "shown": self._shown,
        }
        return {**places, "seed": self._seed, "games": self._games}

    def draw(self, row: int) -> Scene:
        """Board `row` as it stands, and the end of the game before it."""
        return board_scene(self.board, self._cells[row], int(self._last[row]), self._shown[row])

    def draw_end(self, row: int) -> Scene:
        """How the game before ended, as large as the one that goes on."""
        return board_scene(self.board, self._shown[row], -1, np.full_like(self._shown[row], -1), over=True)
