"""Resources: what a run has cost, from its metrics and its folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

PARTS = {"snapshots": "snapshots", "resume": "resume", "replays": "replays", "league.sqlite": "log of games"}
"""Folders and files whose sizes are told apart."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Of one learner."""

    name: str
    stretches: int
    """Records of training."""
    steps: int
    """Env steps."""
    speed: float
    """Env steps per second of training, the median over them."""


@dataclass(frozen=True, slots=True)
class Resources:
    """Of a run."""

    seconds: float
    """From its start, less the time in which it was stopped."""
    training: float
    """Seconds of these between the end of anything else and the end of a stretch of training."""
    steps: int
    """Env steps trained."""
    learners: Sequence[Usage]
    disk: Mapping[str, int]
    """Bytes by part of the folder."""


def resources(path: Path, metrics: Iterable[Mapping[str, Any]]) -> Resources:
    """What the run in the folder `path`, with these `metrics`, has used."""
    speeds: dict[str, list[float]] = {}
    steps: dict[str, int] = {}
    last = training = 0.0
    for record in metrics:
        seconds = float(record["seconds"])
        if record["kind"] == "training":
            who = str(record.get("member") or record.get("learner"))
            training += max(0.0, seconds - last)
            steps[who] = max(steps.get(who, 0), int(record.get("step", record["steps"])))
            speeds.setdefault(who, []).append(float(record["steps_per_second"] or 0.0))
        last = max(last, seconds)
    learners = [Usage(who, len(some), steps[who], median(some)) for who, some in speeds.items()]
    return Resources(last, training, sum(steps.values()), learners, disk(path))


def disk(path: Path) -> dict[str, int]:
    """Bytes of the files below `path`, by part."""
    sizes: dict[str, int] = {}
    for file in path.rglob("*"):
        try:
            size = file.stat().st_size if file.is_file() else 0
        except OSError:  # replaced just now
            continue
        part = PARTS.get(file.relative_to(path).parts[0], "other files")
        sizes[part] = sizes.get(part, 0) + size
    return {part: sizes[part] for part in (*PARTS.values(), "other files") if part in sizes}
