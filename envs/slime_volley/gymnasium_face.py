"""Slime volleyball for Gymnasium: one seat is the learner's, an opponent sits in the other.

    import envs, gymnasium

    env = gymnasium.make("SlimeVolley-v0", opponent="baseline", seat="right")
    games = gymnasium.make_vec("SlimeVolley-v0", num_envs=8, opponent="tracker")

`opponent` is the name of a scripted player or any `envs.player.Player`; `seat` is the learner's. Infos hold
"lives" and "opponent_lives", and "score" where a game ended. Further options: `envs.slime_volley.options`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from gymnasium import Env
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.random import Generator
from numpy.typing import NDArray

from envs.core import Array, Bools, Floats, Ints
from envs.errors import InputError, unknown
from envs.foreign.screen import RENDER_MODES, Image, Screen, picture
from envs.player import Player
from envs.registry import make
from envs.slime_volley import SEATS
from envs.slime_volley.bots import bot
from envs.slime_volley.court import Court

RENDER_FPS = round(1 / Court().dt)
Seeds = int | Sequence[int | None] | None


class Played(NamedTuple):
    """One step of B games, from the learner's seat."""

    obs: Array
    """[B, 12] where a game ended, the next one's first view."""
    final_obs: Array
    """[B, 12] last view of a game that ended, `obs` elsewhere."""
    reward: NDArray[np.float64]
    """[B]."""
    terminated: Bools
    """[B]."""
    truncated: Bools
    """[B]."""
    lives: Ints
    """[B, 2] own and the opponent's; where a game ended, the next one's."""
    final_lives: Ints
    """[B, 2] where a game ended, its last; `lives` elsewhere."""
    score: NDArray[np.float64]
    """[B] points won minus points lost where a game ended, NaN elsewhere."""


class Duel:
    """B games against one opponent, who remembers what it saw in each."""

    def __init__(self, game: str, num_envs: int, opponent: str | Player, seat: str, options: dict[str, Any]) -> None:
        """Make the games.

        Raises:
            InputError: an unknown game, opponent, seat or option.
        """
        if seat not in SEATS:
            raise unknown("seat", seat, SEATS)
        self.env = make(game, num_envs, **options)
        self.seat = SEATS.index(seat)
        self.space = self.env.spec.action_spaces[self.seat]
        self._player = bot(opponent, self.env.spec) if isinstance(opponent, str) else opponent
        self._memory: Floats = np.zeros((num_envs, self._player.memory_size), np.float32)

    def reset(self, seeds: Ints) -> Array:
        """Start all games anew, one seed each; returns obs [B, 12]."""
        if not self._player.keep_memory:
            self._memory = np.zeros_like(self._memory)
        self._now = self.env.reset(seeds)
        self.lives = self._lives()
        return self._now.obs[:, self.seat]

    def step(self, action: Array, rng: Generator) -> Played:
        """Play the learner's `action` [B, *action_shape] and the opponent's.

        Raises:
            InputError: an action outside its space; no game has moved then.
        """
        now, seat, before = self._now, self.seat, self.lives
        other = 1 - seat
        decision = self._player.act(now.obs[:, other], now.legal[:, other], self._memory, rng)
        if np.shape(action) != decision.action.shape:
            shape = decision.action.shape
            raise InputError(f"{self.env.spec.id}: actions must have shape {shape}, not {np.shape(action)}.")
        both = (action, decision.action) if seat < other else (decision.action, action)
        after = self._now = self.env.step(np.stack(both, axis=1))
        score = after.score[:, seat].astype(np.float64)
        ended = (after.terminated | after.truncated)[:, None]
        self._memory = decision.memory
        lives = final_lives = self.lives = self._lives()
        if ended.any():
            final_lives = np.where(ended, _last_lives(before, score), lives)
            if not self._player.keep_memory:
                self._memory = np.where(ended, 0, decision.memory)
        return Played(
            obs=after.obs[:, seat],
            final_obs=after.final_obs[:, seat],
            reward=after.reward[:, seat].astype(np.float64),
            terminated=after.terminated,
            truncated=after.truncated,
            lives=lives,
            final_lives=final_lives,
            score=score,
        )

    def _lives(self) -> Ints:
        lives = self.env.get_state()["lives"]
        return lives if self.seat == 0 else lives[:, ::-1]


def _last_lives(before: Ints, score: Floats) -> Ints:
    """Lives [B, 2] of games that end with `score` [B], from those one step earlier: one point at most."""
    change = score - (before[:, 0] - before[:, 1])
    return before - np.stack([change < 0, change > 0], axis=1)


class SeatEnv(Env[Array, Any]):
    """One game; `gymnasium.make` makes it."""

    metadata = {"render_modes": list(RENDER_MODES), "render_fps": RENDER_FPS}

    def __init__(
        self,
        game: str,
        opponent: str | Player = "baseline",
        seat: str = "right",
        render_mode: str | None = None,
        **options: Any,
    ) -> None:
        """Play `game`, an id; for the rest see the head of this module."""
        self._duel = Duel(game, 1, opponent, seat, options)
        self._screen = Screen(self._duel.env, render_mode)
        self._playing = False
        self.render_mode = render_mode
        self.observation_space = self._duel.env.spec.observation_spaces[self._duel.seat]
        self.action_space = self._duel.space

    def reset(
        self, *, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[Array, dict[str, Any]]:
        """Start a game, without `seed` the next of a stream. Gymnasium's `options` mean nothing here."""
        super().reset(seed=seed)
        obs = self._duel.reset(_seeds(seed, 1, self.np_random))
        self._playing = True
        if self.render_mode == "human":
            self._screen.refresh()
        return obs[0], _info(self._duel.lives[0])

    def step(self, action: Any) -> tuple[Array, float, bool, bool, dict[str, Any]]:
        """Play one step.

        Raises:
            ResetNeeded: no game is being played.
            InputError: an action outside its space.
        """
        if not self._playing:
            raise ResetNeeded("the game is over: call reset().")
        played = self._duel.step(np.asarray(action)[None], self.np_random)
        terminated, truncated = bool(played.terminated[0]), bool(played.truncated[0])
        info = _info(played.final_lives[0])
        if terminated or truncated:
            info["score"] = float(played.score[0])
            self._playing = False
        if self.render_mode == "human":
            self._screen.refresh()
        return played.final_obs[0], float(played.reward[0]), terminated, truncated, info

    def render(self) -> Image | None:
        """The game as [H, W, 3] in mode "rgb_array"."""
        return self._screen.render()

    def close(self) -> None:
        """Close the window, if one is open."""
        self._screen.close()


def _info(lives: Ints) -> dict[str, Any]:
    return {"lives": int(lives[0]), "opponent_lives": int(lives[1])}


class SeatVectorEnv(VectorEnv[Array, Array, Array]):
    """B games in one batch; `gymnasium.make_vec` makes it. Games restart in the step in which they end."""

    metadata = {
        "render_modes": ["rgb_array"],
        "render_fps": RENDER_FPS,
        "autoreset_mode": AutoresetMode.SAME_STEP,
    }

    def __init__(
        self,
        game: str,
        num_envs: int = 1,
        opponent: str | Player = "baseline",
        seat: str = "right",
        render_mode: str | None = None,
        **options: Any,
    ) -> None:
        """Play `num_envs` games of `game`, an id; for the rest see the head of this module."""
        if render_mode not in (None, "rgb_array"):
            raise unknown("render_mode of a vector environment", str(render_mode), ["rgb_array"])
        self._duel = Duel(game, num_envs, opponent, seat, options)
        self.num_envs = num_envs
        self.render_mode = render_mode
        self.single_observation_space = self._duel.env.spec.observation_spaces[self._duel.seat]
        self.single_action_space = self._duel.space
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)

    def reset(self, *, seed: Seeds = None, options: Mapping[str, Any] | None = None) -> tuple[Array, dict[str, Any]]:
        """Start all games; game i plays what a single game seeded with `seed` + i does, or with `seed[i]`."""
        first = seed if isinstance(seed, int) else None
        super().reset(seed=first)
        obs = self._duel.reset(_seeds(seed, self.num_envs, self.np_random))
        return obs, _infos(self._duel.lives)

    def step(self, actions: Array) -> tuple[Array, Array, Array, Array, dict[str, Any]]:
        """Play one step of all games.

        Raises:
            InputError: an action outside its space; no game has moved then.
        """
        played = self._duel.step(np.asarray(actions), self.np_random)
        infos = _infos(played.lives)
        ended = played.terminated | played.truncated
        if ended.any():
            infos |= _final(played, ended)
        # Copies: the batch env's flags may be read-only, which torch.from_numpy does not like.
        return played.obs, played.reward, played.terminated.copy(), played.truncated.copy(), infos

    def render(self) -> tuple[Image, ...] | None:
        """Every game as [H, W, 3] in mode "rgb_array"."""
        if self.render_mode is None:
            return None
        return tuple(picture(self._duel.env, row) for row in range(self.num_envs))


def _infos(lives: Ints) -> dict[str, Any]:
    """Vector infos as Gymnasium has them: each key beside a mask of the games that it holds for."""
    everywhere = np.ones(len(lives), np.bool_)
    own, other = lives.T.copy()
    return {
        "lives": own,
        "_lives": everywhere,
        "opponent_lives": other,
        "_opponent_lives": everywhere.copy(),
    }


def _final(played: Played, ended: Bools) -> dict[str, Any]:
    """What was last seen and known of the games that ended."""
    final_obs = np.full(len(ended), None, object)
    for row in np.flatnonzero(ended):
        final_obs[row] = played.final_obs[row]
    info: dict[str, Any] = {}
    own, other = played.final_lives.T
    for key, column in (("lives", own), ("opponent_lives", other), ("score", played.score)):
        info[key] = np.where(ended, column, np.zeros((), column.dtype))
        info[f"_{key}"] = ended.copy()
    return {"final_obs": final_obs, "_final_obs": ended, "final_info": info, "_final_info": ended.copy()}


def _seeds(seed: Seeds, num_envs: int, rng: Generator) -> NDArray[np.uint64]:
    """One seed per game: counted up from an int, taken from a list, drawn where there is none."""
    drawn = rng.integers(2**63, size=num_envs, dtype=np.uint64)
    if seed is None:
        return drawn
    if isinstance(seed, int):
        return np.uint64(seed) + np.arange(num_envs, dtype=np.uint64)
    if len(seed) != num_envs:
        raise InputError(f"{len(seed)} seeds for {num_envs} games.")
    return np.array([new if one is None else one for one, new in zip(seed, drawn, strict=True)], np.uint64)
