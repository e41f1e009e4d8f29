"""`arena curve`: how runs learnt."""

from __future__ import annotations

import json as jsonlib
from pathlib import Path
from typing import Literal

from tyro.conf import Positional


def curve(
    runs: Positional[tuple[Path, ...]],
    out: Path | None = None,
    x: Literal["steps", "seconds"] = "steps",
    json: bool = False,
) -> int:
    """Draw how runs of `arena train` learnt: the mean score of their evaluations.

    Runs of one algorithm in one game are one curve: their mean, and in a file also the range from the worst to the best
    of them. Where they differ in length it ends with the shortest.

    Args:
        runs: run folders, finished or not.
        out: write the chart to this FILE.svg or FILE.png, instead of drawing it in the terminal.
        x: what goes to the right: env steps, or seconds of training.
        json: print one object: x, curves (env, algorithm, core, runs, and lists: x, mean, low, high).
    """
    from arena.training.curve import curves, read
    from envs.errors import InputError

    if not runs:
        raise InputError("missing RUNS: give run folders of `arena train`.")
    if out:
        from arena.training.chart import check_target

        check_target(out)
    found = curves([read(path, seconds=x == "seconds") for path in runs])
    label = "env steps" if x == "steps" else "seconds of training"
    if out:
        from arena.training.chart import write

        write(out, found, label)
    if json:
        print(jsonlib.dumps({"x": x, "curves": [one.as_json() for one in found]}))
    elif out:
        print(f"{out}: {len(found)} curve{'s' * (len(found) != 1)} of {len(runs)} run{'s' * (len(runs) != 1)}")
    else:
        from arena.cli.plot import print_curves

        print_curves(found, label)
    return 0
