"""Curves in the terminal, drawn with braille characters: each holds 2 x 4 dots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.text import Text

    from arena.training.curve import Curve

ROWS, MOST = 14, 100
"""Height, and greatest width, in characters."""
DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""[4 rows, 2 columns] the bit of each dot in a braille character."""
COLORS = ("blue", "red", "green", "magenta", "yellow", "cyan")


def print_curves(found: Sequence[Curve], x_label: str) -> None:
    """Draw the means of `found` on standard output, with a line of words for each."""
    from rich.console import Console
    from rich.text import Text

    from arena.training.chart import named
    from arena.training.curve import labels

    console = Console(highlight=False)
    columns = min(console.width, MOST) - 10
    low, high = min(curve.mean.min() for curve in found), max(curve.mean.max() for curve in found)
    first, last = min(curve.x[0] for curve in found), max(curve.x[-1] for curve in found)
    for number, line in enumerate(_canvas(found, columns, (first, last), (low, high))):
        value = named(high) if number == 0 else named(low) if number == ROWS - 1 else ""
        console.print(Text(f"{value:>8} ┤") + line)
    ends = f"{named(first)}{named(last):>{columns - len(named(first))}}"
    console.print(f"{'':>9}└{'─' * columns}\n{'':>10}{ends}\n{'':>10}{x_label}")
    for number, (curve, label) in enumerate(zip(found, labels(found), strict=True)):
        range = f" ({curve.low[-1]:.4g} to {curve.high[-1]:.4g})" if len(curve.paths) > 1 else ""
        words = f" {label}: mean score {curve.mean[-1]:.4g}{range} after {named(curve.x[-1])}"
        console.print(Text("━━", style=COLORS[number % len(COLORS)]) + Text(words, style="default"), soft_wrap=True)


def _canvas(
    found: Sequence[Curve], columns: int, xs: tuple[float, float], ys: tuple[float, float]
) -> list[Text]:  # fmt: skip
    """[ROWS] lines of `columns` characters."""
    import numpy as np
    from rich.text import Text

    bits = np.zeros((ROWS, columns), np.int64)
    owner = np.zeros((ROWS, columns), np.int64)
    across = np.linspace(*xs, 2 * columns)
    for number, curve in enumerate(found):
        there = (across >= curve.x[0]) & (across <= curve.x[-1])
        height = np.interp(across, curve.x, curve.mean)
        dots = np.rint((height - ys[0]) / max(ys[1] - ys[0], 1e-12) * (4 * ROWS - 1)).astype(int)
        before = None
        for column in np.flatnonzero(there).tolist():
            now = int(dots[column])
            start = now if before is None else before
            for dot in range(min(start, now), max(start, now) + 1):  # no holes where it is steep
                row, within = divmod(4 * ROWS - 1 - dot, 4)
                bits[row, column // 2] |= DOTS[within][column % 2]
                owner[row, column // 2] = number
            before = now
    lines = []
    for row in range(ROWS):
        line = Text()
        for bit, number in zip(bits[row].tolist(), owner[row].tolist(), strict=True):
            line.append(chr(0x2800 + bit) if bit else " ", style=COLORS[number % len(COLORS)] if bit else "")
        lines.append(line)
    return lines
