"""Stable-baselines3: its zip files as players. They hold pickles, which run code, so they are read only if trusted."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from arena.guests.fault import Fault, told
from arena.guests.networks import Network
from envs.core import Array, EnvSpec, Floats
from envs.errors import InputError
from envs.side import Side

INSTALL = "pip install stable-baselines3"
MARKS = (
    ("target_entropy", "SAC"),
    ("policy_delay", "TD3"),
    ("exploration_fraction", "DQN"),
    ("clip_range", "PPO"),
    ("normalize_advantage", "A2C"),
)
"""A setting that only this algorithm has, first those that others have the later ones of; DDPG is a TD3."""


def sb3_player(path: Path, name: str, spec: EnvSpec, greedy: bool, trust: bool) -> Side:
    """The policy in `path`, for a game whose seats all see and do the same.

    Raises:
        InputError: it is not trusted, no such file, made for other spaces, or stable-baselines3 is not installed.
    """
    settings = _settings(path)
    if not trust:
        raise InputError(
            f"{path} is a file of stable-baselines3 and holds pickles, which can run any code when they are read: "
            "give --trust if you know where it comes from."
        )
    try:
        import stable_baselines3
    except ImportError:
        raise InputError(f"{path} needs stable-baselines3: {INSTALL}.") from None
    kind = next((kind for mark, kind in MARKS if mark in settings), None)
    if kind is None:
        raise InputError(f"{path} is of an algorithm that is not known here: PPO, A2C, DQN, SAC, TD3 and DDPG are.")
    try:
        model = getattr(stable_baselines3, kind).load(path, device="cpu")
    except Exception as fault:  # pickles of anything
        raise InputError(f"{path} cannot be read by stable-baselines3: {told(fault)[:160]}.") from None
    _check(model, path, spec)
    return Network(name, spec.action_spaces[0], _run(model, greedy))


def _settings(path: Path) -> dict[str, Any]:
    """What the file says of itself without its pickles being read."""
    try:
        with zipfile.ZipFile(path) as archive:
            settings = json.loads(archive.read("data"))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        settings = None
    if not isinstance(settings, dict):
        raise InputError(f"{path} is no file of stable-baselines3.")
    return settings


def _check(model: Any, path: Path, spec: EnvSpec) -> None:
    """Raise an InputError unless the model's spaces are those of all seats."""
    for seat in range(spec.seats):
        wanted = spec.observation_spaces[seat].shape, spec.action_spaces[seat]
        own = model.observation_space.shape, model.action_space
        if own[0] != wanted[0] or type(own[1]) is not type(wanted[1]) or own[1].shape != wanted[1].shape or (
            getattr(own[1], "n", None) != getattr(wanted[1], "n", None)
        ):  # fmt: skip
            raise InputError(
                f"{path} was made for another game: it sees {own[0]} and does {own[1]}, but {spec.id} shows "
                f"{wanted[0]} and takes {wanted[1]}."
            )


def _run(model: Any, greedy: bool) -> Any:
    def run(obs: Array, legal: Floats) -> Array:
        action, _ = model.predict(obs.astype(model.observation_space.dtype), deterministic=greedy)
        if action.dtype.kind not in "iufb":
            raise Fault(f"gave actions of type {action.dtype}")
        return np.asarray(action)

    return run
