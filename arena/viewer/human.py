"""Human: a person in a seat. Their hands are what they hold and press; a game's controls make actions of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.random import Generator

from arena.viewer.human_controls import Controls
from envs.core import Array, Bools, EnvSpec, Floats
from envs.player import Decision
from envs.side import Squad, posts

Way = Literal["left", "right", "up", "down"]
KeyMap = Mapping[str, Way]
ARROWS: KeyMap = {"left": "left", "right": "right", "up": "up", "down": "down"}
LETTERS: KeyMap = {"a": "left", "d": "right", "w": "up", "s": "down"}
BOTH: KeyMap = {**ARROWS, **LETTERS}


def key_maps(teams: Sequence[int]) -> list[KeyMap]:
    """[people] the keys of each person, by the team that they are in: alone both hands; of two the left one has the
    letters, so that nobody has to reach across."""
    if len(teams) == 1:
        return [BOTH]
    return [LETTERS if team == min(teams) else ARROWS for team in teams]


class Hands:
    """What one person does now."""

    def __init__(self, keys: KeyMap) -> None:
        """`keys` are those that mean a direction."""
        self.keys = keys
        self.click: tuple[float, float] | None = None
        """Where they clicked since the last step, in units of the scene."""
        self.typed: list[str] = []
        """Keys they pressed since the last step, oldest first."""
        self._held: set[str] = set()
        self._pad: frozenset[str] = frozenset()

    def feel(
        self,
        held: Iterable[str],
        pressed: Iterable[str] = (),
        pad: frozenset[str] = frozenset(),
        click: tuple[float, float] | None = None,
    ) -> None:
        """Take in keys that are down, keys that went down, directions of a gamepad, and a click.

        What was pressed stays until the next step, so that a tap between two steps counts.
        """
        self._held, self._pad = set(held), pad
        self.typed += pressed
        self.click = click or self.click

    def ways(self) -> frozenset[str]:
        """Directions that are held, or were tapped since the last step."""
        return frozenset(way for key, way in self.keys.items() if key in self._held or key in self.typed) | self._pad

    def forget(self) -> None:
        """A step has been made of it."""
        self.typed.clear()
        self.click = None


class Human:
    """A person as a player of one seat. Unlike others, it decides by what its hands do when it is asked."""

    memory_size = 0
    keep_memory = False

    def __init__(self, name: str, controls: Controls, hands: Hands) -> None:
        """`hands` may be those of several seats."""
        self.name, self.controls, self.hands = name, controls, hands
        self.idle = False
        """Whether its person steers another seat of the team meanwhile."""

    def ready(self, legal: Bools) -> bool:
        """Whether there is something to decide by; legal [A]."""
        if self.idle or not self.controls.waits or legal.sum() == 1:
            return True
        return self.controls.action(self.hands, legal) is not None

    def act(self, obs: Array, legal: Bools, memory: Floats, rng: Generator) -> Decision:
        """See `Player.act`; n is 1."""
        if self.idle:
            return Decision(self.controls.rest(legal[0])[None], memory, {})
        if legal.shape[1] and legal[0].sum() == 1:  # it is not its turn, or there is no choice
            return Decision(legal.argmax(axis=1), memory, {})
        action = self.controls.action(self.hands, legal[0])
        if action is None:
            action = self.controls.rest(legal[0])
        return Decision(np.asarray(action)[None], memory, {})


def human_side(name: str, spec: EnvSpec, team: int, controls: Sequence[Controls], hands: Hands) -> Squad:
    """A person who plays all seats of `team`.

    Args:
        controls: [P] of every seat of the game.
    """
    own = [seat for seat in range(spec.seats) if spec.teams[seat] == team]
    return Squad(name, {posts(spec)[seat][1]: Human(name, controls[seat], hands) for seat in own})
