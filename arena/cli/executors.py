"""Where work runs: the options `--executor`, `--workers` and `--ray-address` of all commands that have them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import tyro

from envs.errors import InputError

if TYPE_CHECKING:
    from arena.execution import Executor

ExecutorName = Annotated[
    str,
    tyro.conf.arg(
        metavar="serial|process|ray",
        help="where it runs, which changes nothing but the time: serial, in this process; process, on worker processes "
        "of this machine; ray, on a Ray cluster. Unless it is said, what takes long is moved to workers, if this "
        "machine has several cores.",
    ),
]
Workers = Annotated[
    int | None,
    tyro.conf.arg(
        metavar="INT", help="how many, at most: as many as there are cores unless it is said; 1: in this process."
    ),
]
RayAddress = Annotated[
    str,
    tyro.conf.arg(
        metavar="auto|HOST:PORT|local",
        help="of the cluster for --executor ray: auto, the one that runs on this machine; HOST:PORT; or local, one "
        "that is started for this command. Unless it is said, it is local.",
    ),
]


def opened(executor: str = "", workers: int | None = None, ray_address: str = "", single: bool = False) -> Executor:
    """The executor that these options ask for.

    Args:
        single: one worker unless more are asked for, as for players with limits of time, who would disturb each other.

    Raises:
        InputError: options that do not fit together, an unknown executor, or a cluster that is not there.
    """
    from agents.parallel import cores
    from arena.execution import make_executor
    from arena.execution.gradual import GradualExecutor

    if workers is not None and workers < 1:
        raise InputError(f"--workers must be 1 or more, not {workers}.")
    if ray_address and executor != "ray":
        raise InputError(f"--ray-address {ray_address} is for --executor ray: give both, or neither.")
    if executor == "serial" and workers not in (None, 1):
        raise InputError(f"--executor serial has one worker, not {workers}: leave --workers out, or say process.")
    if executor:
        return make_executor(executor, workers, ray_address)
    count = workers or (1 if single or not hasattr(os, "fork") else cores())
    return GradualExecutor(count) if count > 1 else make_executor("serial")
