"""`--tensorboard`: curves of a run, beside the lines of metrics that are always written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def check_board() -> None:
    """Raise an InputError if TensorBoard is not installed."""
    from arena.training.tensorboard import writer

    writer()


@contextmanager
def board(run: Path, steps: int, wanted: bool) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """Takes the lines of metrics of the run folder `run` from `steps` on, and, if it is `wanted`, draws them."""
    if not wanted:
        yield lambda line: None
        return
    from arena.training.tensorboard import Board

    curves = Board(run, steps)
    try:
        yield curves
    finally:
        curves.close()
