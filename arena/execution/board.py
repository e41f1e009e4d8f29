"""Board: where jobs on a Ray cluster leave their news."""

from __future__ import annotations

from collections import deque
from typing import Any

NEWS = 10_000
"""That are kept until they are asked for, at most."""


class Board:
    """An actor that holds news until somebody asks for them, the latest `NEWS`."""

    def __init__(self) -> None:
        """Empty."""
        self._news: deque[Any] = deque(maxlen=NEWS)

    def put(self, value: object) -> None:
        """One more."""
        self._news.append(value)

    def take(self) -> list[Any]:
        """All that came since this was asked last."""
        news = list(self._news)
        self._news.clear()
        return news
