"""Ctrl-C that asks first: a long command ends its present piece of work, and at once when asked again."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from types import FrameType
from typing import Self

ONE_PRESS = 0.3
"""Seconds in which a second signal counts as the first one: `timeout`, for one, sends it twice."""


class StopSignals:
    """Inside `with`, the first SIGINT or SIGTERM sets `asked`; a later one raises KeyboardInterrupt."""

    def __init__(self, tell: Callable[[], None]) -> None:
        """`tell` is called at the first signal, from within its handler."""
        self._tell = tell
        self._number = 0
        self._when = 0.0

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._on) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *fault: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def asked(self) -> bool:
        """Whether to stop."""
        return self._number != 0

    @property
    def word(self) -> str:
        """What it was: interrupted or terminated."""
        return "terminated" if self._number == signal.SIGTERM else "interrupted"

    @property
    def exit_code(self) -> int:
        """What a shell expects of a process that such a signal has ended: 130 or 143."""
        return 128 + self._number

    def _on(self, number: int, frame: FrameType | None) -> None:
        if self._number == 0:
            self._number, self._when = number, time.monotonic()
            self._tell()
        elif time.monotonic() - self._when > ONE_PRESS:
            raise KeyboardInterrupt
