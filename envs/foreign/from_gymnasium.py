"""Gymnasium's environments as batch envs of one seat: `Games` by id, `Vector` around a ready vector environment.

They cannot be saved: Gymnasium has no way to read or set an environment's state, so `get_state` and `set_state`
raise `InputError`. All else of the contract holds, as far as the environment itself follows from its seed and leaves
truncation to Gymnasium's `TimeLimit`; one that truncates for a reason of its own does so before `spec.max_steps`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import concatenate, create_empty_array

from envs.arrays import constant
from envs.core import Array, Bools, EnvSpec, Floats, Ints, TimeStep, game_seeds
from envs.errors import InputError
from envs.foreign.flattened import Flattened
from envs.foreign.visitor import NO_LIMIT, SEEDS, Visitor, painted, words
from envs.layout import checked, counted_from_zero, unpack
from envs.scene import Scene

__all__ = ["NO_LIMIT", "SEEDS", "Games", "Vector"]


class _Foreign(Visitor):
    """What both share: spaces, steps and returns counted, the form of a `TimeStep`."""

    library = "Gymnasium"

    def __init__(
        self,
        id: str,
        num_envs: int,
        observation: spaces.Space[Any],
        action: spaces.Space[Any],
        source: Any,
        options: Mapping[str, Any],
    ) -> None:
        """`source` has Gymnasium's `spec` and `metadata`."""
        self.num_envs = num_envs
        self._flat = Flattened(observation, id)
        self._native = action
        rate = source.metadata.get("render_fps") or 30
        self.spec = EnvSpec(
            id=id,
            observation_spaces=(self._flat.space,),
            action_spaces=(counted_from_zero(action),),
            teams=(0,),
            max_steps=getattr(source.spec, "max_episode_steps", None) or NO_LIMIT,
            step_seconds=1 / rate,
            zero_sum=False,
            symmetric=True,
            options=dict(options),
        )
        self._total = np.zeros(num_envs)
        self._steps = np.zeros(num_envs, np.int64)
        choices = int(action.n) if isinstance(action, spaces.Discrete) else 0
        self._legal = constant((num_envs, 1, choices), True, np.bool_)
        self._acts = constant((num_envs, 1), True, np.bool_)
        self._never = constant((num_envs,), False, np.bool_)
        self._no_score = constant((num_envs, 1), np.nan, np.float64)

    def draw(self, row: int) -> Scene:
        """Game `row` as the environment paints itself with the option render_mode="rgb_array", else what is known of
        it, in words."""
        own = self._picture(row)
        if own is not None:
            return own
        return words((self.spec.id, f"step {self._steps[row]}", f"return {self._total[row]:g}"))

    def _picture(self, row: int) -> Scene | None:
        """The environment's own, if there is one."""
        return None

    def _checked(self, action: Array) -> Array:
        """`action` [B, 1, *action_shape] without the seats' axis."""
        given = np.asarray(action)
        if given.ndim < 2 or given.shape[1] != 1:
            raise InputError(f"{self.spec.id}: actions of shape {given.shape} do not fit {self.spec.action_spaces[0]}.")
        return checked(self.spec.action_spaces[0], given[:, 0], self.num_envs, self.spec.id)

    def _started(self, obs: Array) -> TimeStep:
        """After a reset of all games."""
        self._total[:] = 0
        self._steps[:] = 0
        nothing, never = np.zeros((self.num_envs, 1)), self._never
        return TimeStep(obs, self._legal, self._acts, nothing, never, never, obs.copy(), self._no_score)

    def _played(self, obs: Array, last: Array, reward: Floats, terminated: Bools, truncated: Bools) -> TimeStep:
        """After a step: obs and the last views [B, 1, *shape], the rest [B]."""
        self._total += reward
        self._steps += 1
        ended = terminated | truncated
        paid = reward[:, None]
        if not ended.any():
            never = self._never
            return TimeStep(obs, self._legal, self._acts, paid, never, never, obs, self._no_score)
        score = np.where(ended, self._total, np.nan)[:, None]
        self._total[ended] = 0
        self._steps[ended] = 0
        return TimeStep(obs, self._legal, self._acts, paid, terminated, truncated & ~terminated, last, score)


class Games(_Foreign):
    """B environments of one Gymnasium id, stepped one after the other; a game restarts in the step that ends it."""

    def __init__(self, id: str, num_envs: int = 1, options: Mapping[str, Any] | None = None) -> None:
        """Make them with `gymnasium.make(id, **options)`.

        Raises:
            InputError: an unknown id or option, or something that the environment needs is not installed.
        """
        options = dict(options or {})
        self._envs = [_make(id, options) for _ in range(num_envs)]
        first = self._envs[0]
        super().__init__(id, num_envs, first.observation_space, first.action_space, first, options)

    def reset(self, seed: int | Ints) -> TimeStep:
        """Start all games; see `BatchEnv.reset`. Each environment is seeded now, and draws on when games restart."""
        obs = self._flat.empty(self.num_envs)
        for row, (env, own) in enumerate(zip(self._envs, game_seeds(seed, self.num_envs), strict=True)):
            self._flat.put(env.reset(seed=int(own) & SEEDS)[0], obs[row, 0])
        return self._started(obs)

    def step(self, action: Array) -> TimeStep:
        """Play one step; see `BatchEnv.step`. Numbers beyond a Box count as its bounds.

        Raises:
            InputError: an action outside its space; no game has moved then.
        """
        given = self._checked(action)
        last = self._flat.empty(self.num_envs)
        reward = np.zeros(self.num_envs)
        terminated, truncated = np.zeros((2, self.num_envs), np.bool_)
        fresh: dict[int, Any] = {}
        for row, env in enumerate(self._envs):
            seen, paid, terminated[row], truncated[row], _ = env.step(unpack(self._native, given[row]))
            reward[row] = float(paid)
            self._flat.put(seen, last[row, 0])
            if terminated[row] or truncated[row]:
                fresh[row] = env.reset()[0]
        obs = last.copy() if fresh else last
        for row, seen in fresh.items():
            self._flat.put(seen, obs[row, 0])
        return self._played(obs, last, reward, terminated, truncated)

    def _picture(self, row: int) -> Scene | None:
        """See `painted`."""
        return painted(self._envs[row])

    def close(self) -> None:
        """Close all environments."""
        for env in self._envs:
            env.close()


class Vector(_Foreign):
    """A ready `gymnasium.vector.VectorEnv`, in whichever of the three autoreset modes it is.

    SAME_STEP is our own rule: a game that ends restarts at once, and its last view comes in the infos. With DISABLED
    the games that ended are reset here, at once. With NEXT_STEP the first view of the next game comes one step
    later, and the action of that step is ignored. That step is no transition of any game, and learning from it as
    if it were is a common fault. Here such a row says so: at the end of a game `final_obs` is the last view, `obs` is
    zeros (or what is next to 0 in the space), `acts` is False and exactly one action is legal; the step after it
    pays 0, ends nothing and shows the game's first view. It is not counted in the draw's steps, but a clock outside
    sees games one step longer than the environment's limit, which `spec.max_steps` allows for.
    """

    def __init__(self, env: VectorEnv[Any, Any, Any]) -> None:
        """Wrap `env`; how it was made stays its own business.

        Raises:
            InputError: `env` does not say in which autoreset mode it is, or its observations have no fixed size.
        """
        inner = next(iter(getattr(env.unwrapped, "envs", [])), None)
        source = env if env.spec is not None or inner is None else inner
        id = source.spec.id if source.spec is not None else type(env.unwrapped).__name__
        super().__init__(id, env.num_envs, env.single_observation_space, env.single_action_space, source, {})
        try:
            self._mode = AutoresetMode(env.metadata.get("autoreset_mode"))
        except ValueError:
            raise InputError(f"{id}: its metadata do not say in which autoreset_mode it is.") from None
        self._env = env
        self._idle = np.zeros(env.num_envs, np.bool_)
        if self._mode is AutoresetMode.NEXT_STEP and self.spec.max_steps < NO_LIMIT:
            self.spec = replace(self.spec, max_steps=self.spec.max_steps + 1)

    def reset(self, seed: int | Ints) -> TimeStep:
        """Start all games; see `BatchEnv.reset`. One that takes no list of seeds is given the first game's."""
        seeds = [int(own) & SEEDS for own in game_seeds(seed, self.num_envs)]
        try:
            obs, _ = self._env.reset(seed=seeds)  # type: ignore[arg-type]
        except (gymnasium.error.Error, TypeError, ValueError):
            obs, _ = self._env.reset(seed=seeds[0])
        self._idle[:] = False
        return self._started(self._seen(obs))

    def step(self, action: Array) -> TimeStep:
        """Play one step; see `BatchEnv.step`. Numbers beyond a Box count as its bounds.

        Raises:
            InputError: an action outside its space; no game has moved then.
        """
        native = self._batched(self._checked(action))
        seen, paid, over, cut, infos = self._env.step(native)
        last = self._seen(seen)
        terminated, truncated = np.array(over, np.bool_) & ~self._idle, np.array(cut, np.bool_) & ~self._idle
        reward = np.where(self._idle, 0.0, np.asarray(paid, np.float64))
        ended = terminated | truncated
        was_idle, self._idle = self._idle, np.zeros_like(self._idle)
        obs = last
        if ended.any():
            obs, last = self._restart(last, ended, infos)
        after = self._played(obs, last, reward, terminated, truncated)
        self._steps[was_idle] = 0
        if not self._idle.any():
            return after
        legal, acts = self._legal.copy(), ~self._idle[:, None]
        legal[self._idle, :, 1:] = False
        return after._replace(legal=legal, acts=acts)

    def close(self) -> None:
        """Close the vector environment."""
        self._env.close()

    def _restart(self, seen: Array, ended: Bools, infos: Mapping[str, Any]) -> tuple[Array, Array]:
        """First views of the next games, and last views of those that ended, from what the step showed."""
        if self._mode is AutoresetMode.SAME_STEP:
            last = seen.copy()
            for row in np.flatnonzero(ended):
                self._flat.put(_row(infos["final_obs"], int(row)), last[row, 0])
            return seen, last
        obs = seen.copy()
        if self._mode is AutoresetMode.NEXT_STEP:
            obs[ended, 0] = self._flat.nothing
            self._idle = ended.copy()
        else:
            fresh, _ = self._env.reset(options={"reset_mask": ended.copy()})
            obs[ended] = self._seen(fresh)[ended]
        return obs, seen

    def _seen(self, observations: Any) -> Array:
        return self._flat.batch(self._env.observation_space, observations, self.num_envs)

    def _batched(self, given: Array) -> Any:
        """Checked actions [B, *action_shape] as the environment's batch of its own."""
        rows = [unpack(self._native, row) for row in given]
        empty: Any = create_empty_array(self._native, self.num_envs)
        return concatenate(self._native, rows, empty)


def _row(batch: Any, row: int) -> Any:
    """Observation `row` of a batch, be it an array of objects or the parts' batches."""
    if isinstance(batch, Mapping):
        return {key: _row(part, row) for key, part in batch.items() if not key.startswith("_")}
    return tuple(_row(part, row) for part in batch) if isinstance(batch, tuple) else batch[row]


def _make(id: str, options: Mapping[str, Any]) -> gymnasium.Env[Any, Any]:
    """One environment; all that can be wrong with it in one sentence."""
    name = id.removeprefix("gym:")
    try:
        return gymnasium.make(name, **{"disable_env_checker": True, **options})
    except (gymnasium.error.Error, ImportError, TypeError, ValueError) as fault:
        reason = " ".join(str(fault).split()).rstrip(".?")
        raise InputError(f"{id}: {reason}.") from None
