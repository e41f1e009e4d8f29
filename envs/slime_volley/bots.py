"""Scripted players of slime volleyball, duel and doubles: the anchors that ratings hang on, and opponents for a start.

All think in buttons and speak the action space of the game they are made for. What they do (the random one
aside) depends on their own row alone, to the last bit: neither the batch size nor the neighbours matter.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.random import Generator
from numpy.typing import NDArray

from envs.core import Array, Bools, EnvSpec, Floats
from envs.data import asset
from envs.errors import InputError, unknown
from envs.player import Decision, Player
from envs.sampling import random_action
from envs.slime_volley.actions import encode

BOTS = ("random", "noop", "tracker", "baseline")
"""Names that `bot` knows."""

SEEN = 8
"""Observation entries that the baseline reads: its own x, y, vx, vy and the ball's."""
PRESSED = 0.75
"""Output above which the baseline presses a button."""
FALL, WALL, HEAD = 2.94, 2.35, 0.35
"""Gravity, the ball's centre at the outer wall, and its height on a slime's head; observation units."""
BEHIND, HOME, SLACK, REACH, LOW = 0.05, 1.2, 0.03, 0.25, 0.5
"""The tracker's habits, observation units (10 game units)."""
FRONT, BACK = 0.7, 1.7
"""Where it waits in doubles; the two halves of a side meet at `HOME`."""
DOUBLES_WIDTH = 21
"""Numbers that a seat of doubles sees, its place the last."""


def bot(name: str, spec: EnvSpec, *, keep_memory: bool = False) -> Player:
    """The scripted player `name` for the game `spec`.

    Args:
        keep_memory: only for "baseline": remember from game to game, as in the original, where the
            network's memory lives as long as the environment.

    Raises:
        InputError: an unknown name, `keep_memory` for a bot without memory, or a game of other actions.
    """
    if name not in BOTS:
        raise unknown("player", name, BOTS)
    if keep_memory and name != "baseline":
        raise InputError(f"player {name!r} has no memory to keep.")
    space = spec.action_spaces[0]
    if name == "random":
        return Random(space)
    encode(np.zeros(3, np.bool_), space)  # says so now if the actions are not slime volleyball's
    if name == "baseline":
        return Baseline(space, keep_memory)
    return Reflex(name, space, _track if name == "tracker" else _nothing)


class Random:
    """Draws every action uniformly from the legal ones."""

    name = "random"
    memory_size = 0
    keep_memory = False

    def __init__(self, space: spaces.Space[Any]) -> None:
        """Play games whose actions are `space`."""
        self._space = space

    def act(self, obs: Array, legal: Bools, memory: Floats, rng: Generator) -> Decision:
        """See `Player.act`."""
        return Decision(random_action(self._space, legal, rng), memory, {})


class Reflex:
    """Presses what a function of the present view says."""

    memory_size = 0
    keep_memory = False

    def __init__(self, name: str, space: spaces.Space[Any], press: Callable[[Array], Bools]) -> None:
        """Play games whose actions are `space`; `press` maps obs [n, D] to buttons [n, 3]."""
        self.name = name
        self._space = space
        self._press = press

    def act(self, obs: Array, legal: Bools, memory: Floats, rng: Generator) -> Decision:
        """See `Player.act`."""
        return Decision(encode(self._press(obs), self._space), memory, {})


def _nothing(obs: Array) -> Bools:
    return np.zeros((len(obs), 3), np.bool_)


def _track(obs: Array) -> Bools:
    """Stand a little behind where the ball will come down, or wait for it; jump at a low ball in reach.

    In doubles each takes the balls that come down in its own half of the side, so never both the same.
    """
    x, ball_x, ball_y, ball_vx, ball_vy = obs[:, 0], obs[:, 4], obs[:, 5], obs[:, 6], obs[:, 7]
    drop = np.maximum(ball_y - HEAD, 0)
    seconds = (ball_vy + np.sqrt(ball_vy**2 + 2 * FALL * drop)) / FALL
    landing = ball_x + ball_vx * seconds
    landing = np.where(landing > WALL, 2 * WALL - landing, landing)
    mine, home = landing > 0, np.full(len(obs), HOME, obs.dtype)
    if obs.shape[1] == DOUBLES_WIDTH:
        back = obs[:, -1] > 0
        mine, home = mine & ((landing > HOME) == back), np.where(back, BACK, FRONT).astype(obs.dtype)
    away = np.where(mine, landing + BEHIND, home) - x
    jump = mine & (abs(ball_x - x) < REACH) & (ball_y < LOW)
    return np.stack([away < -SLACK, away > SLACK, jump], axis=1)


class Baseline:
    """The recurrent network of 2015 (David Ha, Neural Slime Volleyball), opponent of the original game.

    One layer of 7 tanh units sees 8 inputs and its own last outputs; the first three outputs press forward,
    backward and jump. Memory is the 7 outputs, in float64, so that recorded games come out to the last bit. In doubles
    each plays as if it were alone: two copies of which only the one nearer to the landing plays lose to such two.
    """

    name = "baseline"
    memory_size = 7

    def __init__(self, space: spaces.Space[Any], keep_memory: bool = False) -> None:
        """Play games whose actions are `space`; `keep_memory` as for `bot`."""
        self.keep_memory = keep_memory
        self._space = space
        self._weights, self._biases = _network()

    def act(self, obs: Array, legal: Bools, memory: Floats, rng: Generator) -> Decision:
        """See `Player.act`."""
        inputs = np.concatenate([obs[:, :SEEN], memory], axis=1, dtype=np.float64)
        # einsum and not @: a matrix product rounds differently for different numbers of rows.
        outputs = np.tanh(np.einsum("nk,ak->na", inputs, self._weights) + self._biases)
        return Decision(encode(outputs[:, :3] > PRESSED, self._space), outputs, {})


@lru_cache(maxsize=1)
def _network() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights [7, 15] and biases [7]."""
    numbers = json.loads(asset("slime_baseline_2015.json").read_text(encoding="utf-8"))
    return np.array(numbers["weights"]), np.array(numbers["biases"])
