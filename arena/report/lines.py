"""Lines: numbers over training time, as charts of a page take them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from arena.report.html import Json

MOST = 400
"""Points of a line; of longer ones every second, third, ... is shown, and the last."""
COLORS = 8
"""Different colours of members; more of them are told apart by dashes."""
Number = float | None


@dataclass(slots=True)
class Line:
    """One line of a chart; the lists are as long as each other."""

    name: str
    own: int | None
    """Number of the member (or run) that it belongs to, which decides its colour; None: an anchor."""
    steps: list[float] = field(default_factory=list)
    """Env steps."""
    seconds: list[float] = field(default_factory=list)
    """Of the run."""
    y: list[float] = field(default_factory=list)
    low: list[float] = field(default_factory=list)
    """Ends of the interval; empty where there is none."""
    high: list[float] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    """Names of the points; empty where they have none."""

    def add(self, steps: float, seconds: float, y: float, ends: tuple[float, float] | None, label: str = "") -> None:
        """One more point."""
        self.steps.append(steps)
        self.seconds.append(seconds)
        self.y.append(y)
        if ends:
            self.low.append(ends[0])
            self.high.append(ends[1])
        if label:
            self.labels.append(label)

    def as_json(self) -> Json:
        """For a page: few digits, and no more than `MOST` points."""
        every = -(-len(self.y) // MOST) or 1
        kept = [*range(0, len(self.y), every)]
        if kept and kept[-1] != len(self.y) - 1:
            kept.append(len(self.y) - 1)
        columns = {name: getattr(self, name) for name in ("steps", "seconds", "y", "low", "high")}
        said: Json = {
            name: [short(values[at]) for at in kept] for name, values in columns.items() if len(values) == len(self.y)
        }
        if len(self.labels) == len(self.y):
            said["labels"] = [self.labels[at] for at in kept]
        return {"name": self.name, "own": self.own, **said}


def chart(
    lines: Iterable[Line],
    y: str,
    title: str,
    levels: Sequence[Mapping[str, Any]] = (),
    domain: tuple[float, float] | None = None,
) -> Json:
    """A chart of `lines` over env steps or seconds.

    Args:
        y: what goes up, with its unit.
        title: what it is called for those who do not see it.
        levels: horizontal lines: name and y.
        domain: ends of the axis that goes up; None: as the numbers are.
    """
    shown = [line.as_json() for line in lines if line.y]
    return {
        "type": "lines",
        "title": title,
        "y": y,
        "lines": shown,
        "levels": list(levels),
        "domain": domain and list(domain),
    }


def short(value: float) -> Number:
    """With five digits that count; None for what is no number."""
    if not math.isfinite(value):
        return None
    near = float(f"{value:.5g}") if abs(value) < 1e5 else float(round(value))
    return int(near) if near == int(near) else near


UNTOLD = {"kind", "step", "steps", "seconds", "training_seconds", "episodes", "member", "learner"}
"""Of a record of training: what its numbers are told over."""


def training_lines(metrics: Iterable[Mapping[str, Any]], owners: Mapping[str, int]) -> dict[str, list[Line]]:
    """Every number of the "training" records, by name: a line for each learner. Those that never change are left out.

    Args:
        owners: number of each learner, by name.
    """
    found: dict[str, dict[str, Line]] = {}
    for record in metrics:
        if record["kind"] != "training":
            continue
        who = str(record.get("member") or record.get("learner"))
        steps = record.get("step", record["steps"])
        for key, value in record.items():
            if key in UNTOLD or not isinstance(value, int | float):
                continue
            lines = found.setdefault(key, {})
            line = lines.setdefault(who, Line(who, owners.get(who)))
            line.add(float(steps), float(record["seconds"]), float(value), None)
    told = {key: list(lines.values()) for key, lines in found.items()}
    return {key: some for key, some in told.items() if len({y for line in some for y in line.y}) > 1}
