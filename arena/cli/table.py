"""Tables on standard output, in as many columns as the terminal has room for."""

from __future__ import annotations

import sys
from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

WIDE = 200
"""Columns of text that does not go to a terminal; tables there may be wider."""


def print_table(
    draw: Callable[[Sequence[str]], Table], columns: Sequence[str], spare: Sequence[str], notes: Sequence[Text]
) -> None:
    """Print a table, and notes below it.

    Args:
        draw: makes the table of some of `columns`.
        spare: columns that a narrow terminal does without, in this order.
    """
    from rich.console import Console

    console = Console()

    def without(count: int) -> Table:
        return draw([column for column in columns if column not in spare[:count]])

    def width(table: Table) -> int:
        return console.measure(table, options=console.options.update(max_width=sys.maxsize)).maximum

    dropped = 0
    if console.is_terminal:
        dropped = bisect_left(range(len(spare)), True, key=lambda count: width(without(count)) <= console.width)
    drawn = without(dropped)
    if not console.is_terminal:
        console = Console(width=max(WIDE, width(drawn)))
    with console.capture() as captured:  # rich would end the process where the reader has gone away
        for part in (drawn, *notes):
            console.print(part)
    print("\n".join(line.rstrip() for line in captured.get().splitlines()))


def plain_table(title: str, columns: Sequence[str], left: Sequence[str]) -> Table:
    """An empty table without borders.

    Args:
        left: columns of words; the others hold numbers and lie right.
    """
    from rich.table import Table
    from rich.text import Text

    head = Text(title, no_wrap=True, overflow="ignore")  # it may be wider than the table
    drawn = Table(title=head, title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        drawn.add_column(Text(column), justify="left" if column in left else "right", no_wrap=True)
    return drawn
