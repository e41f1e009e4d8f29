"""Nodes: the machines of a Ray cluster, and what can run there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from arena.execution.needs import CLOSE, Needs, too_few
from envs.errors import InputError


class Node(NamedTuple):
    """A machine of the cluster."""

    cpus: int
    gpus: float

    def fits(self, wanted: Needs) -> bool:
        """Whether such a job can run there, when nothing else does."""
        return wanted.cpus <= self.cpus and wanted.gpus <= self.gpus + CLOSE


def homeless(wanted: Needs, nodes: Sequence[Node]) -> InputError:
    """What to say of a job that fits no node."""
    most = max((node.gpus for node in nodes), default=0.0)
    if wanted.gpus > most + CLOSE:
        return too_few(wanted, most, f"the {'largest node of the ' if most else ''}cluster")
    fit = max((node.cpus for node in nodes if wanted.gpus <= node.gpus + CLOSE), default=0)
    if not fit:
        return InputError(f"a job asks for {wanted}, but no node of the cluster has any: add a node.")
    return InputError(
        f"a job asks for {wanted}, but the largest node of the cluster that it could use has {fit}: say cpus = {fit} "
        "or less, or add a node."
    )
