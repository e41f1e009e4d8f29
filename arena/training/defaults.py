"""Settings before anybody has said anything: those tuned for an algorithm in a game, or the algorithm's own."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from agents.algorithms import registry
from arena.config import Tree
from arena.training.config import TrainConfig
from envs.config import parse

CORES = {"mlp": "none", "gru": "gru", "lstm": "lstm"}
"""What a person calls a policy -> its `core`."""


class Resolved(NamedTuple):
    """A run as it will be."""

    config: TrainConfig
    tuned: bool
    """Whether tuned settings were used."""


def tuned(algorithm: str, env: str) -> Tree | None:
    """The keys of `TrainConfig` that are tuned for `algorithm` in `env`; None if nobody has."""
    path = Path(str(files("arena"))) / "tuned" / f"{algorithm}.toml"
    if not path.is_file():
        return None
    table: Tree | None = tomllib.loads(path.read_text(encoding="utf-8")).get(env)
    return table


def resolve(
    algorithm: str, env: str, changes: Mapping[str, Any], plain: bool = False, where: str = "train"
) -> Resolved:
    """The run that `changes`, keys of `TrainConfig`, ask for.

    Args:
        plain: do not use tuned settings.
        where: names the source of `changes` in a message.

    Raises:
        InputError: an unknown algorithm or key, or a value out of range.
    """
    registry.entry(algorithm)
    base = (None if plain else tuned(algorithm, env)) or {}
    if {"steps", "episodes"} & changes.keys():  # who asks for one does not want the other
        base = {key: value for key, value in base.items() if key not in ("steps", "episodes")}
    tree = registry.over({**base, "algorithm": algorithm, "env": env}, changes)
    return Resolved(parse(TrainConfig, tree, where), bool(base))


def sort_keys(tree: Mapping[str, Any]) -> Tree:
    """Keys of `TrainConfig` as they are, and all others as keys of its `settings`."""
    run = {key: value for key, value in tree.items() if key in TrainConfig.model_fields}
    rest = {key: value for key, value in tree.items() if key not in run}
    return registry.over({"settings": rest}, run) if rest else run
