"""Ids of games and how they are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from envs.config import parse
from envs.core import BatchEnv
from envs.errors import InputError, unknown

Maker = Callable[[str, int, dict[str, Any]], BatchEnv]


def make(id: str, num_envs: int = 1, **options: Any) -> BatchEnv:
    """`num_envs` games of kind `id`, stepped together: `build` with the options as keywords."""
    return build(id, num_envs, options)


def build(id: str, num_envs: int, options: Mapping[str, Any]) -> BatchEnv:
    """`num_envs` games of kind `id` with `options`, whatever their keys are.

    Raises:
        InputError: an unknown id or option, or an option outside its range.
    """
    if id not in _MAKERS:
        raise unknown("env", id, _MAKERS)
    if num_envs < 1:
        raise InputError(f"{id}: num_envs must be at least 1, not {num_envs}.")
    return _MAKERS[id](id, num_envs, dict(options))


def ids() -> list[str]:
    """All registered ids."""
    return sorted(_MAKERS)


def _slime(id: str, num_envs: int, options: dict[str, Any]) -> BatchEnv:
    from envs.slime_volley.batch import SlimeVolley
    from envs.slime_volley.options import SlimeOptions, SlimeSimpleOptions

    model = SlimeSimpleOptions if id == "SlimeVolleySimple-v0" else SlimeOptions
    return SlimeVolley(id, parse(model, options, id), num_envs)


def _classic(id: str, num_envs: int, options: dict[str, Any]) -> BatchEnv:
    from envs.classic_control.batch import ClassicControl
    from envs.classic_control.tasks import TASKS

    return ClassicControl(id, parse(TASKS[id].options, options, id), num_envs)


_MAKERS: dict[str, Maker] = {
    "SlimeVolley-v0": _slime,
    "SlimeVolleySimple-v0": _slime,
    "CartPole-v0": _classic,
    "CartPole-v1": _classic,
    "Pendulum-v1": _classic,
    "Acrobot-v1": _classic,
    "MountainCar-v0": _classic,
    "MountainCarContinuous-v0": _classic,
}
