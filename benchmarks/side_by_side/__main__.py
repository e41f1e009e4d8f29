"""`python -m benchmarks.side_by_side`: see --help."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import tyro

from benchmarks.side_by_side.pupil import TASKS, Task
from benchmarks.side_by_side.report import describe, show, to_json
from benchmarks.side_by_side.stopwatch import Run, Speed, alternate, run_to_goal


def main(
    only: str = "",
    what: Literal["both", "speed", "goal"] = "both",
    side: Literal["both", "ours", "peer"] = "both",
    threads: int = 1,
    seeds: int = 3,
    every: int = 2000,
    limit: float = 180.0,
    seconds: float = 1.5,
    rounds: int = 5,
    out: Path = Path("side_by_side.json"),
) -> int:
    """Training here and in stable-baselines3 and sb3-contrib, side by side in one process on this machine.

    First env steps per second: both sides train the same network on as many games, with as many rows per update and as
    many updates per env step, in stretches that alternate. Then, for CartPole-v1 and for CartPole without velocities,
    the seconds of training until 100 greedy games have a mean return of 475: the peer with the settings that
    rl-baselines3-zoo publishes, we with those we ship. Evaluations are not counted, on either side, and both are judged
    by Gymnasium's own CartPole. On an idle machine all takes about 20 minutes, `--what speed` 3. Ratios by CPU time
    are for busy ones.

    The peer comes with `pip install 'selfplay-arena[bench]'`.

    Args:
        only: tasks, separated by commas: ppo, a2c, dqn, recurrent-ppo, ddpg, td3, sac; empty: all.
        what: steps per second, the time to the goal, or both.
        side: leave one out.
        threads: of torch, on either side.
        seeds: how many training runs towards the goal, from seed 0.
        every: env steps between evaluations, rounded up to whole updates.
        limit: seconds of training after which a run is given up.
        seconds: length of each stretch in which steps are counted.
        rounds: how many stretches.
        out: file for everything that was measured; it is written again after each task.
    """
    from benchmarks.side_by_side import peer

    names = [name.strip() for name in only.split(",")] if only else list(TASKS)
    numbers = {"threads": threads, "seeds": seeds, "every": every, "limit": limit, "seconds": seconds, "rounds": rounds}
    problem = _problem(names, numbers) or (peer.missing() if side != "ours" else "")
    if problem:
        print(problem, file=sys.stderr)
        return 2
    speeds: dict[str, dict[str, Speed]] = {}
    runs: dict[str, dict[str, list[Run]]] = {}
    settings: dict[str, Any] = {}
    for task in map(TASKS.__getitem__, names):
        settings[task.name] = _settings(task, side)
        if what != "goal":
            speeds[task.name] = measure_speed(task, side, threads, seconds, rounds)
        if what != "speed" and task.goal:
            runs[task.name] = measure_goal(task, side, threads, seeds, every, limit)
        out.write_text(json.dumps(to_json(speeds, runs, threads, settings), indent=1) + "\n", encoding="utf-8")
    show(speeds, runs)
    print(f"written to {out}")
    return 0


def _problem(names: Sequence[str], numbers: Mapping[str, float]) -> str:
    """What is wrong with what was asked for; "" if nothing is."""
    for name in names:
        if name not in TASKS:
            return f"--only {name}: there is no such task; use {', '.join(TASKS)}."
    for option, number in numbers.items():
        if number <= 0:
            return f"--{option} {number}: it must be above 0."
    return ""


def measure_speed(task: Task, side: str, threads: int, seconds: float, rounds: int) -> dict[str, Speed]:
    """Steps per second of the sides that there are."""
    pupils = {name: one.make(task, one.equal(task), threads, 0) for name, one in _sides(side).items()}
    return alternate(pupils, seconds, rounds)


def measure_goal(task: Task, side: str, threads: int, seeds: int, every: int, limit: float) -> dict[str, list[Run]]:
    """Runs to the goal of the sides that there are, in turn."""
    sides = _sides(side)
    runs: dict[str, list[Run]] = {name: [] for name in sides}
    for seed in range(seeds):
        for name, one in sides.items():
            settings = one.best(task)
            make = partial(one.make, task, settings, threads)
            run = run_to_goal(make, task, seed, one.budget(settings), every, limit)
            runs[name].append(run)
            print(f"{task.name}, {name}, seed {seed}: {describe(run)}", file=sys.stderr)
    return runs


def _sides(side: str) -> dict[str, Any]:
    """Modules by name; each has `equal`, `best`, `budget`, `plain` and `make`."""
    names = ("ours", "peer") if side == "both" else (side,)
    return {name: import_module(f"benchmarks.side_by_side.{name}") for name in names}


def _settings(task: Task, side: str) -> dict[str, Any]:
    """Of both measurements, for the record."""
    return {
        name: {"speed": one.plain(one.equal(task)), **({"goal": one.plain(one.best(task))} if task.goal else {})}
        for name, one in _sides(side).items()
    }


if __name__ == "__main__":
    sys.exit(tyro.cli(main, prog="python -m benchmarks.side_by_side"))
