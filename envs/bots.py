"""Scripted players of any game, by name: the anchors that ratings hang on."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from gymnasium import spaces
from numpy.random import Generator

from envs.boards import bots as boards
from envs.boards.shapes import BOARDS
from envs.core import Array, Bools, EnvSpec, Floats
from envs.errors import unknown
from envs.player import Decision, Player
from envs.sampling import random_action
from envs.side import Side, Squad
from envs.slime_volley import bots as slime

RANDOM = "random"
"""Plays every game."""


class Random:
    """Draws every action uniformly from the legal ones."""

    name = RANDOM
    memory_size = 0
    keep_memory = False

    def __init__(self, space: spaces.Space[Any]) -> None:
        """Play games whose actions are `space`."""
        self._space = space

    def act(self, obs: Array, legal: Bools, memory: Floats, rng: Generator) -> Decision:
        """See `Player.act`."""
        return Decision(random_action(self._space, legal, rng), memory, {})


def _families(spec: EnvSpec) -> dict[str, Callable[[], Player]]:
    """Makers of the bots that know the game `spec`, by name."""
    if spec.id.startswith("SlimeVolley"):
        return {name: partial(slime.bot, name, spec) for name in slime.BOTS}
    if spec.id in BOARDS:
        return {name: partial(boards.bot, name, spec) for name in boards.names(spec)}
    return {}


def names(spec: EnvSpec) -> tuple[str, ...]:
    """The scripted players of the game `spec`."""
    return tuple(dict.fromkeys((*_families(spec), RANDOM)))


def every_name() -> tuple[str, ...]:
    """The scripted players of all games."""
    return tuple(dict.fromkeys((*slime.BOTS, *boards.BOTS, RANDOM)))


def bot(name: str, spec: EnvSpec) -> Side:
    """The scripted player `name` for the game `spec`, in whatever seats it is put.

    Raises:
        InputError: the game has none of that name, or it does not speak the game's actions.
    """
    if name not in names(spec):
        raise unknown(f"player of {spec.id}", name, names(spec))
    family = _families(spec)
    if name in family:
        return family[name]()
    spaces_of = dict(zip(spec.roles, spec.action_spaces, strict=True))
    if len({str(space) for space in spaces_of.values()}) == 1:
        return Random(spec.action_spaces[0])
    return Squad(name, {role: Random(space) for role, space in spaces_of.items()})
