"""The one contract every loop drives: a batch of games that step together.

Letters, fixed for the whole project: **B** games side by side, **P** seats, **A** actions, **T** steps,
**N** lanes (B x P, ordered game first, then seat), **H** memory width, **n** any number of rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from envs.scene import Scene

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.integer[Any]]
Bools = NDArray[np.bool_]
Array = NDArray[Any]
PLAYER = "player"
"""Role of all seats of a game in which all play the same part."""


@dataclass(frozen=True, slots=True)
class EnvSpec:
    """What a game is, known before the first step."""

    id: str
    """Registered name, ending in -vN."""
    observation_spaces: tuple[spaces.Space[Any], ...]
    """[P] what each seat sees."""
    action_spaces: tuple[spaces.Space[Any], ...]
    """[P] what each seat may do."""
    teams: tuple[int, ...]
    """[P] team of each seat: (0, 1) a duel, (0, 0, 1, 1) two against two."""
    max_steps: int
    """Steps after which a game is truncated."""
    step_seconds: float
    """Real time of one step, s: what the viewer plays at 1x."""
    zero_sum: bool
    """Rewards of all seats add up to 0 at every step."""
    symmetric: bool
    """All seats play the same game, so one policy can sit in any of them, and teams can change sides."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """The resolved options the game was made with."""
    obs_names: tuple[str, ...] = ()
    """[D] what each number of a seat's flat observation is; empty where nobody has named them."""
    roles: tuple[str, ...] = ()
    """[P] part that each seat plays, such as "predator"; one policy can sit in all seats of a role, which see and do
    things of one kind. Left empty, all seats are of role `PLAYER`."""
    seat_names: tuple[str, ...] = ()
    """[P] what the seats are called outside, such as PettingZoo's agents; left empty, "seat_0" and so on."""
    scores: tuple[float, float] | None = None
    """Lowest and highest score that a seat can end with; None where nobody knows. Who forfeits gets the lowest."""

    def __post_init__(self) -> None:
        """Fill in roles and names."""
        if not self.roles:
            object.__setattr__(self, "roles", (PLAYER,) * len(self.teams))
        if not self.seat_names:
            object.__setattr__(self, "seat_names", tuple(f"seat_{seat}" for seat in range(len(self.teams))))

    @property
    def seats(self) -> int:
        """P."""
        return len(self.teams)


class TimeStep(NamedTuple):
    """What all seats of all games see after a step. Every seat has a row; nobody leaves.

    Restart is in the same step: where a game ended, `obs` is the next game's first view already.
    The arrays are the caller's: the env never writes to one that it has returned.
    """

    obs: Array
    """[B, P, *obs_shape] own view; where seats see different things, as wide as the widest, see `envs.seats`."""
    legal: Bools
    """[B, P, A] allowed actions: at least one, exactly one where a seat does not act. A is 0 unless Discrete."""
    acts: Bools
    """[B, P] whether the seat's next action matters."""
    reward: Floats
    """[B, P]."""
    terminated: Bools
    """[B] the rules ended the game."""
    truncated: Bools
    """[B] the step limit did; never true where `terminated` is."""
    final_obs: Array
    """[B, P, *obs_shape] last view of a game that ended, `obs` elsewhere."""
    score: Floats
    """[B, P] result in the game's own units where a game ended (higher wins), NaN elsewhere."""


class BatchEnv(Protocol):
    """B games of one kind, stepped together; `seed` alone decides everything random."""

    spec: EnvSpec
    num_envs: int

    def reset(self, seed: int | Ints) -> TimeStep:
        """Start B new games. An int is spread over the games by `game_seeds`; an array [B] seeds each."""
        ...

    def step(self, action: Array) -> TimeStep:
        """Play `action` [B, P, *action_shape]; as wide as the widest where seats differ (`envs.seats`)."""
        ...

    def get_state(self) -> dict[str, Array]:
        """Named copies of everything that decides the future; the first axis of each is B."""
        ...

    def set_state(self, state: Mapping[str, Array]) -> None:
        """Overwrite any subset of the arrays that `get_state` names."""
        ...

    def draw(self, row: int) -> Scene:
        """Game `row` as a picture."""
        ...


def game_seeds(seed: int | Ints, num_envs: int) -> NDArray[np.uint64]:
    """One 64-bit seed per game, [B]. An int gives well-spread seeds; an array [B] is used as it is."""
    if isinstance(seed, (int, np.integer)):
        return np.random.SeedSequence(int(seed)).generate_state(num_envs, np.uint64).astype(np.uint64)
    seeds = np.asarray(seed)
    if seeds.shape != (num_envs,):
        raise ValueError(f"seed must be an int or have shape ({num_envs},), not {seeds.shape}.")
    return seeds.astype(np.uint64)
