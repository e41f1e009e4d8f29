"""Figure: one measured number with its unit, its spread and the settings it holds for."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

REPEATS = 5


@dataclass(frozen=True, slots=True)
class Figure:
    """A measurement."""

    value: float
    """Median over the repeats."""
    unit: str
    low: float
    """Slowest repeat."""
    high: float
    """Fastest repeat."""
    settings: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As --json prints it."""
        return asdict(self)

    def __str__(self) -> str:
        """For people: the median, and the range that a shared machine gives."""
        if self.low == self.high:
            return f"{_number(self.value)} {self.unit}"
        return f"{_number(self.value)} {self.unit} ({_number(self.low)} to {_number(self.high)})"


def rate(work: Callable[[], int], unit: str, seconds: float = 0.5, **settings: Any) -> Figure:
    """How many units per second `work` does; each call returns how many it did.

    One call warms up (and compiles); then REPEATS stretches of at least `seconds` s are timed.
    """
    work()
    rates = sorted(_stretch(work, seconds) for _ in range(REPEATS))
    return Figure(median(rates), unit, rates[0], rates[-1], settings)


def _stretch(work: Callable[[], int], seconds: float) -> float:
    began, done, spent = time.perf_counter(), 0, 0.0
    while spent < seconds:
        done += work()
        spent = time.perf_counter() - began
    return done / spent


def _number(value: float) -> str:
    if abs(value) >= 1e6:
        return f"{value / 1e6:.2f} M"
    if abs(value) >= 1e4:
        return f"{value:,.0f}"
    return f"{value:.3g}"
