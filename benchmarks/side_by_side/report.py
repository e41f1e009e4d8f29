"""What was measured, as tables for people and as one JSON object."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.side_by_side.stopwatch import Run, Speed

PACKAGES = ("torch", "numpy", "gymnasium", "stable_baselines3", "sb3_contrib")
Speeds = Mapping[str, Mapping[str, Speed]]
"""Task and side."""
Runs = Mapping[str, Mapping[str, Sequence[Run]]]


def show(speeds: Speeds, runs: Runs) -> None:
    """Print both tables."""
    console = Console(width=None if os.isatty(1) else 110)
    if speeds:
        console.print(_speed_table(speeds))
    if runs:
        console.print(_goal_table(runs))


def _speed_table(speeds: Speeds) -> Table:
    table = Table(title="Env steps per second of training: median (slowest to fastest stretch)", title_justify="left")
    for column in ("task", "ours", "peer", "ours / peer", "by CPU time"):
        table.add_column(column, justify="left" if column == "task" else "right")
    for name, sides in speeds.items():
        cells = [_speed(sides[side]) if side in sides else "-" for side in ("ours", "peer")]
        table.add_row(name, *cells, *_speed_ratios(sides))
    return table


def _speed_ratios(sides: Mapping[str, Speed]) -> tuple[str, str]:
    if len(sides) < 2:
        return "-", "-"
    ours, peer = sides["ours"], sides["peer"]
    return f"{ours.value / peer.value:.1f}", f"{ours.cpu_value / peer.cpu_value:.1f}"


def _speed(speed: Speed) -> str:
    return f"{speed.value:,.0f} ({min(speed.rounds):,.0f} to {max(speed.rounds):,.0f})"


def _goal_table(runs: Runs) -> Table:
    title = "Seconds of training (env steps) until the mean return of 100 games was 475, seed by seed"
    table = Table(title=title, title_justify="left")
    for column in ("task", "ours", "peer", "peer / ours", "by CPU time", "its fastest / our slowest"):
        table.add_column(column, justify="left" if column == "task" else "right")
    for name, sides in runs.items():
        cells = ["\n".join(map(describe, sides[side])) if side in sides else "-" for side in ("ours", "peer")]
        table.add_row(name, *cells, *ratios(sides))
    return table


def describe(run: Run) -> str:
    """Time and steps, and how far a run came that did not reach the goal."""
    text = f"{run.seconds:.1f} s ({run.steps:,})"
    return text if run.reached else f"not reached in {text}: {max(score for _, _, score in run.curve):.0f}"


def ratios(sides: Mapping[str, Sequence[Run]]) -> tuple[str, str, str]:
    """How many times longer the peer takes: by the medians of the seeds, on the wall and by CPU time, and on the wall
    in the least favourable pairing. "-": there is nothing to compare, or not all of our runs reached the goal.

    A run of the peer that was given up counts as long as it lasted, and the ratio as "more than".
    """
    if len(sides) < 2 or not all(run.reached for run in sides["ours"]):
        return "-", "-", "-"
    ours, peer = (sorted(sides[side], key=lambda run: (not run.reached, run.seconds)) for side in ("ours", "peer"))
    slow, fast = peer[(len(peer) - 1) // 2], peer[0]
    middle = ours[len(ours) // 2]
    return (
        _ratio(slow, slow.seconds / middle.seconds),
        _ratio(slow, slow.cpu_seconds / middle.cpu_seconds),
        _ratio(fast, fast.seconds / ours[-1].seconds),
    )


def _ratio(peer: Run, ratio: float) -> str:
    return f"{'' if peer.reached else '> '}{ratio:.1f}"


def to_json(speeds: Speeds, runs: Runs, threads: int, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Everything, single stretches and evaluations included; times in s."""
    return {
        "threads": threads,
        "versions": {name: version(name) for name in PACKAGES if find_spec(name)},
        "machine": {"system": platform.platform(), "processors": os.cpu_count(), "load": os.getloadavg()},
        "settings": dict(settings),
        "steps_per_second": {
            name: {
                side: {"median": speed.value, "cpu_median": speed.cpu_value, **asdict(speed)}
                for side, speed in sides.items()
            }
            for name, sides in speeds.items()
        },
        "to_475": {
            name: {side: [asdict(run) for run in found] for side, found in sides.items()}
            for name, sides in runs.items()
        },
    }
