"""Records: tables for programs, as rows, as arrays, and for pandas where it is installed."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.result import Result
from envs.errors import InputError


class Results(tuple[Result, ...]):
    """Games in order. `Results(any_results)` makes one of what a log holds."""

    __slots__ = ()

    def records(self) -> list[dict[str, Any]]:
        """One row for each seat of each game, of plain values: game (its place), env, seat, player, score, steps, seed,
        ended, reason."""
        return [
            {
                "game": game,
                "env": one.env,
                "seat": seat,
                "player": player,
                "score": score,
                "steps": one.steps,
                "seed": one.seed,
                "ended": one.ended,
                "reason": one.reason,
            }
            for game, one in enumerate(self)
            for seat, (player, score) in enumerate(zip(one.players, one.score, strict=True))
        ]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """players [G, P], score [G, P], steps [G], seed [G] and ended [G] of G games.

        Raises:
            InputError: games of different numbers of seats.
        """
        seats = {len(one.players) for one in self}
        if len(seats) > 1:
            raise InputError(f"games of {' and '.join(map(str, sorted(seats)))} seats do not fit into one array.")
        shape = (len(self), *seats)
        return {
            "players": np.array([one.players for one in self], np.str_).reshape(shape),
            "score": np.array([one.score for one in self], np.float64).reshape(shape),
            "steps": np.array([one.steps for one in self], np.int64),
            "seed": np.array([one.seed for one in self], np.int64),
            "ended": np.array([one.ended for one in self], np.str_),
        }

    def frame(self) -> Any:
        """`records` as a pandas.DataFrame.

        Raises:
            InputError: pandas is not installed.
        """
        return frame(self.records())


def frame(records: Sequence[dict[str, Any]]) -> Any:
    """A pandas.DataFrame of `records`.

    Raises:
        InputError: pandas is not installed.
    """
    try:
        pandas = import_module("pandas")
    except ImportError:
        raise InputError(
            "a frame needs pandas, which is not installed (`pip install pandas`): records() has the same rows."
        ) from None
    return pandas.DataFrame(records)
