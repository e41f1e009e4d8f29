"""Needs: the processors and GPUs that a job takes while it runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from envs.errors import InputError

CLOSE = 1e-9
"""Shares of GPUs that differ by less are the same."""


class Needs(NamedTuple):
    """What a job takes."""

    cpus: int = 1
    gpus: float = 0.0
    """A share of one, or a whole number."""

    def __str__(self) -> str:
        """Such as "2 cores and 0.5 of a GPU"."""
        parts = [f"{self.cpus} core{'s' * (self.cpus != 1)}"] if self.cpus > 1 or not self.gpus else []
        if self.gpus:
            parts.append(_gpus(self.gpus))
        return " and ".join(parts)


def needs(job: Callable[[], Any]) -> Needs:
    """What `job` says in its attributes `cpus` and `gpus`; it need not have them.

    Raises:
        InputError: no such numbers.
    """
    cpus, gpus = getattr(job, "cpus", 1), float(getattr(job, "gpus", 0.0))
    if not isinstance(cpus, int) or cpus < 1:
        raise InputError(f"cpus = {cpus}: a job takes 1 core or more, a whole number.")
    if gpus < 0 or (gpus > 1 and gpus != int(gpus)):
        raise InputError(f"gpus = {gpus:g}: a job takes a share of a GPU, such as 0.5, or a whole number of them.")
    return Needs(cpus, gpus)


class Gpus:
    """Those of this machine, shared among jobs."""

    def __init__(self) -> None:
        """All are free; nobody looks for them until a job wants one."""
        self._free: list[float] | None = None

    def check(self, wanted: Needs) -> None:
        """Raise an InputError if so many are not there."""
        if wanted.gpus and wanted.gpus > len(self._shares):
            raise too_few(wanted, len(self._shares), "this machine")

    def take(self, wanted: float) -> tuple[int, ...] | None:
        """Which of them a job gets; () if it wants none, None if they are not free now."""
        if not wanted:
            return ()
        each = min(wanted, 1.0)
        found = [place for place, free in enumerate(self._shares) if free > each - CLOSE][: max(1, round(wanted))]
        if len(found) < wanted:
            return None
        for place in found:
            self._shares[place] -= each
        return tuple(found)

    def give_back(self, taken: tuple[int, ...], wanted: float) -> None:
        """A job does not need them any more."""
        for place in taken:
            self._shares[place] += min(wanted, 1.0)

    @property
    def _shares(self) -> list[float]:
        """What is free of each."""
        if self._free is None:
            import torch

            self._free = [1.0] * torch.cuda.device_count()
        return self._free


def too_few(wanted: Needs, there: float, where: str) -> InputError:
    """What to raise if `where` there are only so many GPUs."""
    if there:
        return InputError(
            f"a job asks for {_gpus(wanted.gpus)}, but {where} has {_gpus(there)}: say gpus = {there:g} or less."
        )
    return InputError(f"a job asks for {_gpus(wanted.gpus)}, but {where} has no GPU: say gpus = 0 or device = cpu.")


def _gpus(count: float) -> str:
    return "1 GPU" if count == 1 else f"{count:g} GPUs" if count > 1 else f"{count:g} of a GPU"
