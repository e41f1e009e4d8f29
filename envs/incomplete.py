"""Games seen through a veil: components of the observation hidden, blurred by noise, or dropped at random.

    env = Incomplete(envs.make("CartPole-v1", 64), hide=["velocity", "angular_velocity"], noise=0.01)

What is left of a Markov decision process is a partially observable one: who does not remember, plays worse. The
registered tasks hide velocities, as in Wierstra et al. (2007), "Solving deep memory POMDPs with recurrent policy
gradients"; `envs.make("Incomplete:ANY-ID", hide=[...])` does it to any game with flat observations.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from pydantic import Field

from envs.arrays import overwrite
from envs.compiled import compiled
from envs.config import Config, parse
from envs.core import Array, BatchEnv, EnvSpec, Ints, TimeStep, game_seeds
from envs.errors import InputError
from envs.random import uniforms
from envs.scene import Scene

Number: Any = Any
VIEWS = "views"
"""Name of the veil's own state array, [B, 2] seed and number of views so far."""


class IncompleteOptions(Config):
    """What can be set with `envs.make("Incomplete:CartPole-v1", ...)`, besides the options of the game inside."""

    hide: tuple[int | str, ...] = ()
    """Components of the observation that are left out, by place (from 0) or by name."""
    noise: float = Field(0.0, ge=0, allow_inf_nan=False)
    """Standard deviation of Gaussian noise on each component that is shown, in the observation's unit."""
    dropout: float = Field(0.0, ge=0, le=1)
    """Probability with which a component is shown as 0, drawn anew for each component and step."""


class Incomplete:
    """`env`, a batch env of flat observations, with less to see. Rewards, ends and actions are its own."""

    def __init__(
        self,
        env: BatchEnv,
        hide: Sequence[int | str] = (),
        noise: float = 0.0,
        dropout: float = 0.0,
        id: str | None = None,
    ) -> None:
        """Wrap `env`; see `IncompleteOptions` for the settings. `id` is the name to go by.

        Raises:
            InputError: observations that are not flat, a component that is not there, none left to see, noise on
                whole numbers, or a setting out of range.
        """
        spec = env.spec
        veil = parse(IncompleteOptions, {"hide": hide, "noise": noise, "dropout": dropout}, "Incomplete")
        self._env, self.num_envs = env, env.num_envs
        self._noise, self._dropout = veil.noise, veil.dropout
        size = _size(spec, veil.noise)
        hidden = {_place(spec, component, size) for component in veil.hide}
        self._shown = np.array([place for place in range(size) if place not in hidden], np.int64)
        if len(self._shown) == 0:
            raise InputError(f"{spec.id}: all {size} components are hidden: leave one.")
        self.spec = replace(
            spec,
            id=id or f"Incomplete:{spec.id}",
            observation_spaces=tuple(self._veiled(space) for space in spec.observation_spaces),
            obs_names=tuple(spec.obs_names[place] for place in self._shown) if spec.obs_names else (),
            options={**spec.options, **veil.model_dump()},
        )
        self._dtype = spec.observation_spaces[0].dtype
        self._shape = (self.num_envs, spec.seats, len(self._shown))
        self._stream = np.zeros((self.num_envs, 2), np.uint64)
        self._every = np.ones(self.num_envs, np.bool_)

    def reset(self, seed: int | Ints) -> TimeStep:
        """Start all games; see `BatchEnv.reset`. The games inside play as they would without the veil."""
        seeds = game_seeds(seed, self.num_envs)
        now = self._env.reset(seeds)
        self._stream[:, 0] = _scrambled(seeds)
        self._stream[:, 1] = 0
        obs = np.empty(self._shape, self._dtype)
        self._show(now.obs, self._every, obs)
        return now._replace(obs=obs, final_obs=obs.copy())

    def step(self, action: Array) -> TimeStep:
        """Play one step; see `BatchEnv.step`."""
        seen, legal, acts, reward, terminated, truncated, final, score = self._env.step(action)
        last = np.empty(self._shape, self._dtype)
        self._show(final, self._every, last)
        obs = last
        if seen is not final:  # one array is what most envs return when no game has ended
            obs = last.copy()
            self._show(seen, terminated | truncated, obs)
        return TimeStep(obs, legal, acts, reward, terminated, truncated, last, score)

    def get_state(self) -> dict[str, Array]:
        """What the game inside says, and `views` [B, 2]: seed and number of views so far, which make the noise.

        Raises:
            InputError: the game inside cannot be saved.
        """
        return {**self._env.get_state(), VIEWS: self._stream.copy()}

    def set_state(self, state: Mapping[str, Array]) -> None:
        """Overwrite any subset of what `get_state` names, between steps.

        Raises:
            InputError: an unknown name or a wrong shape; nothing has been written then.
        """
        own = {name: array for name, array in state.items() if name == VIEWS}
        checked = {VIEWS: self._stream.copy()}
        overwrite(checked, own)
        self._env.set_state({name: array for name, array in state.items() if name != VIEWS})
        overwrite({VIEWS: self._stream}, own)

    def draw(self, row: int) -> Scene:
        """Game `row` as it stands, all of it."""
        return self._env.draw(row)

    def _show(self, obs: Array, which: Array, out: Array) -> None:
        """Write new views of `obs` [B, P, D] into `out` [B, P, K] where `which` [B] is true."""
        show(obs, which, self._shown, self._noise, self._dropout, self._stream, out)

    def _veiled(self, space: spaces.Space[Any]) -> spaces.Box:
        """The space of what is left of an observation of `space`; noise knows no bounds, and a drop shows 0."""
        assert isinstance(space, spaces.Box)
        low, high = space.low[self._shown], space.high[self._shown]
        if self._noise > 0:
            low, high = np.full_like(low, -np.inf), np.full_like(high, np.inf)
        if self._dropout > 0:
            low, high = np.minimum(low, 0), np.maximum(high, 0)
        return spaces.Box(low, high, dtype=space.dtype.type)


@compiled
def show(obs: Number, which: Number, shown: Number, noise: Number, dropout: Number,
         stream: Number, out: Number) -> None:  # fmt: skip
    """Write the components `shown` [K] of the rows `which` [B] of `obs` [B, P, D] into `out` [B, P, K].

    Args:
        stream: [B, 2] seed and number of views so far, which decide noise and drops of a view, and nothing else does.
    """
    seats, width = out.shape[1], out.shape[2]
    draws = noise > 0 or dropout > 0
    for row in range(len(which)):
        if not which[row]:
            continue
        count = stream[row, 1] * np.uint64(2 * seats * width)
        for seat in range(seats):
            for k in range(width):
                value = float(obs[row, seat, shown[k]])
                if draws:
                    # Two draws for each component, used or not, so that noise and drops do not depend on each other.
                    if noise > 0:
                        first, second = uniforms(stream[row, 0], count)
                        radius = math.sqrt(-2.0 * math.log(1.0 - first))  # Box and Muller (1958)
                        value += noise * (radius * math.cos(2.0 * math.pi * second))
                    if dropout > 0:
                        first, second = uniforms(stream[row, 0], count + np.uint64(1))
                        if first < dropout:
                            value = 0.0
                    count += np.uint64(2)
                out[row, seat, k] = value
        stream[row, 1] += np.uint64(1)


def _scrambled(seeds: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Other seeds that follow from these: the finaliser of SplitMix64 (Steele, Lea and Flood 2014)."""
    z = seeds + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: NDArray[np.uint64] = z ^ (z >> np.uint64(31))
    return mixed


def _size(spec: EnvSpec, noise: float) -> int:
    """D, the same for all seats."""
    for space in spec.observation_spaces:
        if not isinstance(space, spaces.Box) or len(space.shape) != 1:
            raise InputError(f"{spec.id}: only flat observations have components to hide, not {space}.")
        if noise > 0 and space.dtype.kind != "f":
            raise InputError(f"{spec.id}: noise needs observations that are fractions, not {space.dtype}.")
    return int(spec.observation_spaces[0].shape[0])  # type: ignore[index]


def _place(spec: EnvSpec, component: int | str, size: int) -> int:
    """Where a component lies in the observation."""
    names = spec.obs_names
    if isinstance(component, str):
        if component not in names:
            if not names:
                raise InputError(
                    f"{spec.id}: its components have no names: hide {component!r} by place, 0 to {size - 1}."
                )
            listed = ", ".join(f"{place} {name}" for place, name in enumerate(names))
            raise InputError(f"{spec.id}: no component {component!r} to hide: there are {listed}.")
        return names.index(component)
    if not 0 <= component < size:
        named = f" ({', '.join(names)})" if names else ""
        raise InputError(f"{spec.id}: no component {component} to hide: there are 0 to {size - 1}{named}.")
    return int(component)
