"""Section: a part of a page, and what it is made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from arena.report.html import escape, tag


class Section(NamedTuple):
    """With a title and an id to which the navigation leads."""

    id: str
    title: str
    html: str
    """Without its title."""


def figure(name: str, caption: str = "") -> str:
    """A place where scripts draw the chart `name`."""
    told = tag("figcaption", escape(caption)) if caption else ""
    return tag("figure", told, tag("div", class_="plot"), data_chart=name)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], caption: str, words: int = 1) -> str:
    """A table of plain texts that scrolls by itself where it is too wide.

    Args:
        words: how many of the first columns are of words.
    """
    kind = ["word" if at < words else None for at in range(len(heads))]
    top = (tag("th", escape(head), scope="col", class_=own) for head, own in zip(heads, kind, strict=True))
    body = (
        tag("tr", tag("th", escape(row[0]), scope="row", class_="word"),
            *(tag("td", escape(cell), class_=own) for cell, own in zip(row[1:], kind[1:], strict=True)))
        for row in rows
    )  # fmt: skip
    drawn = tag(
        "table",
        tag("caption", escape(caption), class_="hidden-text"),
        tag("thead", tag("tr", *top)),
        tag("tbody", *body),
    )
    return scrolling(drawn, caption)


def scrolling(html: str, label: str) -> str:
    """`html` in a part of the page that scrolls sideways by itself, also by keyboard."""
    return tag("div", html, class_="scroll", tabindex=0, role="region", aria_label=label)
