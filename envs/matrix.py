"""Matrix games: both seats choose at once, a table says what each gets, and the game is over.

* **Ids** `RockPaperScissors-v0`: 1 for a win, -1 for a loss. Its one equilibrium plays each with 1/3.
  `BiasedRockPaperScissors-v0`: the same, but a win with rock is worth 2 (and costs the scissors 2). Its one
  equilibrium plays rock 1/4, paper 1/2, scissors 1/4. Both are worth 0.
* **Seats** 0 and 1, both play by the same table.
* **Actions** `Discrete(A)`, the rows of the table: rock, paper, scissors.
* **Observation** [1]: there is nothing to see, so it is always 1.
* **Reward** `payoff[own][other]`, with the one step that there is. Score: the reward.
* **Options** `payoff`: any square table. Where `payoff[a][b] = -payoff[b][a]` the game is zero-sum; where not, it is
  a symmetric game such as the prisoner's dilemma.
* **Versions** v0.

In an antisymmetric table of three choices, in which paper wins `a` from rock, rock `b` from scissors and scissors `c`
from paper (all above 0), the equilibrium plays rock : paper : scissors = c : b : a, because against it every choice
wins as much as it loses.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from gymnasium import spaces
from pydantic import field_validator

from envs.arrays import constant, copies, overwrite
from envs.config import Config
from envs.core import Array, EnvSpec, Ints, TimeStep, game_seeds
from envs.layout import checked
from envs.matrix_scene import matrix_scene
from envs.scene import Scene

Table = tuple[tuple[float, ...], ...]


class MatrixOptions(Config):
    """What can be set with `envs.make("RockPaperScissors-v0", ...)`."""

    payoff: Table = ((0.0, -1.0, 1.0), (1.0, 0.0, -1.0), (-1.0, 1.0, 0.0))
    """[A, A] what who plays the row gets from who plays the column."""

    @field_validator("payoff")
    @classmethod
    def _square(cls, payoff: Table) -> Table:
        if len(payoff) < 2 or any(len(row) != len(payoff) for row in payoff):
            raise ValueError("a table of as many columns as rows, at least 2, is needed")
        if not all(math.isfinite(entry) for row in payoff for entry in row):
            raise ValueError("every entry must be a finite number")
        return payoff


class BiasedOptions(MatrixOptions):
    """What can be set with `envs.make("BiasedRockPaperScissors-v0", ...)`."""

    payoff: Table = ((0.0, -1.0, 2.0), (1.0, 0.0, -1.0), (-2.0, 1.0, 0.0))
    """[A, A] what who plays the row gets from who plays the column."""


MATRIX_GAMES: dict[str, type[MatrixOptions]] = {
    "RockPaperScissors-v0": MatrixOptions,
    "BiasedRockPaperScissors-v0": BiasedOptions,
}
"""Every matrix game by its id."""


class MatrixGame:
    """B games of one step; observations float32 [B, 2, 1], rewards and scores float64."""

    def __init__(self, id: str, options: MatrixOptions, num_envs: int = 1) -> None:
        """`num_envs` games by the table of `options`."""
        self.num_envs = num_envs
        self._payoff = np.array(options.payoff)
        choices = len(self._payoff)
        self.spec = EnvSpec(
            id=id,
            observation_spaces=(spaces.Box(0.0, 1.0, (1,), np.float32),) * 2,
            action_spaces=(spaces.Discrete(choices),) * 2,
            teams=(0, 1),
            max_steps=1,
            step_seconds=1.0,
            zero_sum=bool((self._payoff == -self._payoff.T).all()),
            symmetric=True,
            options=options.model_dump(),
            obs_names=("nothing",),
            scores=(float(self._payoff.min()), float(self._payoff.max())),
        )
        self.chances = constant((1,), 1.0, np.float64)
        self._pairs = spaces.MultiDiscrete([choices, choices])
        self._last = np.full((num_envs, 2), -1)
        self._legal = constant((num_envs, 2, choices), True, np.bool_)
        self._acts = constant((num_envs, 2), True, np.bool_)
        self._always = constant((num_envs,), True, np.bool_)
        self._never = constant((num_envs,), False, np.bool_)

    def reset(self, seed: int | Ints) -> TimeStep:
        """Start all games; see `BatchEnv.reset`. Nothing here is random."""
        game_seeds(seed, self.num_envs)  # a wrong number of seeds is refused like everywhere
        return self.start(np.zeros(self.num_envs, np.int64))

    def start(self, which: Ints) -> TimeStep:
        """See `TinyGame.start`; there is one way to begin."""
        self._last[:] = -1
        nothing, no_score = np.zeros((self.num_envs, 2)), np.full((self.num_envs, 2), np.nan)
        return self._seen(nothing, self._never, no_score)

    def step(self, action: Array) -> TimeStep:
        """Play all games to their end; see `BatchEnv.step`.

        Raises:
            InputError: an action outside its space; no game has moved then.
        """
        self._last[:] = checked(self._pairs, action, self.num_envs, self.spec.id)
        first, second = self._last.T
        reward = np.stack([self._payoff[first, second], self._payoff[second, first]], axis=1)
        return self._seen(reward, self._always, reward.copy())

    def _seen(self, reward: Array, terminated: Array, score: Array) -> TimeStep:
        obs = np.ones((self.num_envs, 2, 1), np.float32)
        return TimeStep(obs, self._legal, self._acts, reward, terminated, self._never, obs.copy(), score)

    def get_state(self) -> dict[str, Array]:
        """`last` [B, 2]: what was played in the game before, -1 before the first; only the picture shows it."""
        return copies({"last": self._last})

    def set_state(self, state: Mapping[str, Array]) -> None:
        """Overwrite any subset of what `get_state` names.

        Raises:
            InputError: an unknown name or a wrong shape; nothing has been written then.
        """
        overwrite({"last": self._last}, state)

    def draw(self, row: int) -> Scene:
        """The game before the one that waits, which is over as soon as it is seen."""
        return matrix_scene(self._last[row].tolist(), self._payoff)

    def draw_end(self, row: int) -> Scene:
        """The game that has ended, which is what `draw` shows."""
        return self.draw(row)
