"""Learning curves: evaluations of runs, and of runs that differ by their seeds alone the mean and the spread.

Read from the run folders alone, also while a run is being written. Needs no torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from arena.config import load
from arena.store import RunFolder
from envs.errors import InputError

Numbers = NDArray[np.float64]


class _Network(BaseModel):
    core: str


class _Outline(BaseModel):
    """The part of a run's config that is read; `TrainConfig`, all of it, would bring torch along."""

    algorithm: str
    env: str
    policy: _Network


class Kind(NamedTuple):
    """What runs have in common that are drawn as one curve."""

    env: str
    algorithm: str
    core: str
    """Memory of the network."""


class Points(NamedTuple):
    """The evaluations of one run, in their order."""

    path: str
    kind: Kind
    x: Numbers
    """[n] env steps, or seconds of training."""
    score: Numbers
    """[n] mean score."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Runs of one kind, over the part that all of them have reached."""

    kind: Kind
    paths: tuple[str, ...]
    x: Numbers
    """[n] ascending."""
    mean: Numbers
    """[n] over the runs."""
    low: Numbers
    """[n] of the worst run there."""
    high: Numbers
    """[n] of the best."""

    def as_json(self) -> dict[str, Any]:
        """In plain values."""
        numbers = {name: getattr(self, name).tolist() for name in ("x", "mean", "low", "high")}
        return {**self.kind._asdict(), "runs": list(self.paths), **numbers}


def read(path: str | Path, seconds: bool = False) -> Points:
    """The evaluations of the run in folder `path`, by env steps or by `seconds` of training.

    Raises:
        InputError: no training run there, or one that has not been evaluated yet.
    """
    with RunFolder.open(path) as run:
        run.expect("training")
        outline = load(_Outline, run.path / "config.yaml")
        lines = [line for line in run.metrics() if line["kind"] == "evaluation"]
    if not lines:
        raise InputError(f"{path} has no evaluations yet.")
    latest = {line["steps"]: line for line in lines}  # a stretch that was begun again is told of twice
    ordered = [latest[steps] for steps in sorted(latest)]
    x = np.array([line["training_seconds" if seconds else "steps"] for line in ordered], np.float64)
    kind = Kind(outline.env, outline.algorithm, outline.policy.core)
    return Points(str(path), kind, x, np.array([line["score_mean"] for line in ordered], np.float64))


def curves(runs: Sequence[Points]) -> list[Curve]:
    """One curve for each kind of runs, by name."""
    groups = groupby(sorted(runs, key=lambda run: run.kind), key=lambda run: run.kind)
    return [_curve(kind, list(group)) for kind, group in groups]


def _curve(kind: Kind, runs: Sequence[Points]) -> Curve:
    first, last = max(run.x[0] for run in runs), min(run.x[-1] for run in runs)
    everywhere = np.unique(np.concatenate([run.x for run in runs]))
    x = everywhere[(everywhere >= first) & (everywhere <= last)]
    scores = np.stack([np.interp(x, run.x, run.score) for run in runs])
    return Curve(kind, tuple(run.path for run in runs), x, scores.mean(0), scores.min(0), scores.max(0))


def labels(found: Sequence[Curve]) -> list[str]:
    """A name for each curve that says what sets it apart from the others."""
    several = len({curve.kind.env for curve in found}) > 1
    names = []
    for curve in found:
        core = "" if curve.kind.core == "none" else f" {curve.kind.core}"
        count = f", {len(curve.paths)} seeds" if len(curve.paths) > 1 else ""
        names.append(f"{curve.kind.algorithm}{core}{f' on {curve.kind.env}' if several else ''}{count}")
    return names
