"""TensorBoard: the lines of metrics.jsonl as its curves."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from envs.errors import InputError


class Board:
    """Writes what it is told to `DIR/tensorboard`."""

    def __init__(self, run: Path, steps: int) -> None:
        """Curves of the run folder `run` go on at `steps`.

        Raises:
            InputError: TensorBoard is not installed.
        """
        self._writer = writer()(str(run / "tensorboard"), purge_step=steps)

    def __call__(self, line: Mapping[str, Any]) -> None:
        """Add a point to the curve of each number of a line of metrics, by env steps: of the run, or, in a league,
        of the member whose curve it is. What the line has in a table of its own (scores against others) is a group."""
        member, step = line.get("member"), line.get("step", line["steps"])
        place = f"{member}/{line['kind']}" if member else line["kind"]
        for name, value in line.items():
            for inner, number in value.items() if isinstance(value, Mapping) else [("", value)]:
                if isinstance(number, int | float) and name not in ("step", "steps"):
                    self._writer.add_scalar("/".join(filter(None, (place, name, inner))), number, step)
        self._writer.flush()

    def close(self) -> None:
        """Write what is left."""
        self._writer.close()


def writer() -> Any:
    """TensorBoard's class that writes.

    Raises:
        InputError: it is not installed.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise InputError(
            "--tensorboard needs a package that is not installed: pip install 'selfplay-arena[tensorboard]'."
        ) from None
    return SummaryWriter
