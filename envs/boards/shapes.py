"""The table of boards: how large, how many in a line, and whether pieces fall."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import Field

from envs.config import Config


class BoardOptions(Config):
    """What can be set with `envs.make("ConnectFour-v0")`."""

    opening: int = Field(0, ge=0)
    """Games begin after up to so many moves that nobody chose: how many, and which, is drawn anew for each game, and a
    move that would win is not among them. For training, where two who know each other see few positions."""


@dataclass(frozen=True, slots=True)
class Board:
    """One game; cells are counted along the rows, the first row being the highest."""

    rows: int
    columns: int
    line: int
    """Pieces in a row, column or diagonal that win."""
    falls: bool
    """An action is a column, and the piece falls; else an action is a cell."""
    seat_names: tuple[str, str]
    """PettingZoo's names of the agents."""

    @property
    def cells(self) -> int:
        """C."""
        return self.rows * self.columns

    @property
    def actions(self) -> int:
        """A."""
        return self.columns if self.falls else self.cells


BOARDS = {
    "ConnectFour-v0": Board(rows=6, columns=7, line=4, falls=True, seat_names=("player_0", "player_1")),
    "TicTacToe-v0": Board(rows=3, columns=3, line=3, falls=False, seat_names=("player_1", "player_2")),
}
"""Every board by the id of its game."""
