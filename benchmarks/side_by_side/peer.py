"""The peer: stable-baselines3 and sb3-contrib, with the settings that their authors publish."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import torch

from benchmarks.side_by_side.pupil import Array, Pupil, Task


@dataclass(frozen=True, slots=True)
class Settings:
    """A way to train."""

    options: Mapping[str, Any]
    """Arguments of the algorithm."""
    network: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of its network; "relu" stands for torch's class."""
    envs: int = 1
    """Games side by side."""
    linear: tuple[str, ...] = ()
    """Options that fall to 0 linearly within the budget."""
    normalise: bool = False
    """Observations and rewards scaled by running statistics."""
    budget: int = 10**9
    """Env steps that schedules span."""


_PPO = {"n_steps": 32, "batch_size": 256, "gae_lambda": 0.8, "gamma": 0.98, "n_epochs": 20, "ent_coef": 0.0}
_PPO |= {"learning_rate": 1e-3, "clip_range": 0.2}
_DQN = {"learning_rate": 2.3e-3, "batch_size": 64, "buffer_size": 100_000, "learning_starts": 1000, "gamma": 0.99}
_DQN |= {"target_update_interval": 10, "exploration_final_eps": 0.04}
_LINEAR = ("learning_rate", "clip_range")
_BEST = {
    "ppo": Settings(_PPO, envs=8, linear=_LINEAR, budget=100_000),
    "a2c": Settings({"ent_coef": 0.0}, envs=8, budget=500_000),
    "dqn": Settings(
        {**_DQN, "train_freq": 256, "gradient_steps": 128, "exploration_fraction": 0.16},
        {"net_arch": [256, 256]},
        budget=50_000,
    ),
    "recurrent-ppo": Settings(
        _PPO,
        {
            "ortho_init": False,
            "activation_fn": "relu",
            "lstm_hidden_size": 64,
            "enable_critic_lstm": True,
            "net_arch": {"pi": [64], "vf": [64]},
        },
        envs=8,
        linear=_LINEAR,
        normalise=True,
        budget=100_000,
    ),
}
"""For CartPole-v1 and CartPoleNoVel-v1, from hyperparams/{ppo,a2c,dqn,ppo_lstm}.yml of rl-baselines3-zoo."""

_REPLAY = {"buffer_size": 100_000, "batch_size": 256, "learning_starts": 1000, "train_freq": 1, "gradient_steps": -1}
_WIDE = {"net_arch": [256, 256]}
_EQUAL = {
    "ppo": Settings(_PPO, {"net_arch": [64, 64]}, envs=8),
    "a2c": Settings({"n_steps": 5, "ent_coef": 0.0}, {"net_arch": [64, 64]}, envs=8),
    "dqn": Settings({**_DQN, "train_freq": 32, "gradient_steps": 128}, _WIDE, envs=8),
    "recurrent-ppo": Settings(
        _PPO,
        {
            "lstm_hidden_size": 64,
            "shared_lstm": True,
            "enable_critic_lstm": False,
            "net_arch": {"pi": [64], "vf": [64]},
        },
        envs=8,
    ),
    "ddpg": Settings(_REPLAY, _WIDE, envs=8),
    "td3": Settings(_REPLAY, _WIDE, envs=8),
    "sac": Settings(_REPLAY, _WIDE, envs=8),
}
"""What both sides share where steps per second are compared: as in `ours`. The published settings where there are
some, with 8 games for all, which makes the peer faster than its usual 1 where it learns from a replay: it decides for 8
at once. An LSTM that actor and critic share, as ours do, is faster than its usual two."""


def equal(task: Task) -> Settings:
    """The settings to compare steps per second with."""
    return _EQUAL[task.name]


def best(task: Task) -> Settings:
    """The settings that are published for the game."""
    return _BEST[task.name]


def budget(settings: Settings) -> int:
    """Env steps that schedules span."""
    return settings.budget


def plain(settings: Settings) -> dict[str, Any]:
    """As JSON takes it."""
    return asdict(settings)


def missing() -> str:
    """Why the peer cannot run, and what to do; "" where it can."""
    try:
        import sb3_contrib  # noqa: F401
        import stable_baselines3  # noqa: F401
    except ImportError as error:
        return (
            f"{error.name} is not installed: pip install 'selfplay-arena[bench]', or leave the peer out: --side ours."
        )
    return ""


def make(task: Task, settings: Settings, threads: int, seed: int) -> Pupil:
    """A fresh learner of the peer."""
    import stable_baselines3 as sb3
    from sb3_contrib import RecurrentPPO
    from stable_baselines3.common.env_util import make_vec_env
    from stable_baselines3.common.vec_env import VecNormalize
    from torch.nn import ReLU

    classes = {"recurrent-ppo": RecurrentPPO}
    cls = classes.get(task.name) or getattr(sb3, task.name.upper())
    venv: Any = make_vec_env(lambda: _game(task), settings.envs, seed=seed)
    if settings.normalise:
        venv = VecNormalize(venv, gamma=settings.options["gamma"])
    policy = "MlpLstmPolicy" if cls is RecurrentPPO else "MlpPolicy"
    network = {key: ReLU if value == "relu" else value for key, value in settings.network.items()}
    options = {k: _falling(v) if k in settings.linear else v for k, v in settings.options.items()}
    return _Peer(
        cls(policy, venv, policy_kwargs=network, seed=seed, device="cpu", **options), settings.normalise, threads
    )


def _game(task: Task) -> Any:
    """One game as the peer plays it."""
    import gymnasium
    import numpy as np

    game = gymnasium.make(task.env)
    if task.shown is None:
        return game
    columns, box = list(task.shown), game.observation_space
    assert isinstance(box, gymnasium.spaces.Box)
    shown = gymnasium.spaces.Box(box.low[columns], box.high[columns], dtype=np.float32)
    return gymnasium.wrappers.TransformObservation(game, lambda obs: obs[columns], shown)


def _falling(start: float) -> Callable[[float], float]:
    """From `start` to 0 as what is left of the budget goes from 1 to 0."""
    return lambda left: left * start


class _Peer:
    """A model of stable-baselines3."""

    def __init__(self, model: Any, normalised: bool, threads: int) -> None:
        self._model, self._normalised, self._threads = model, normalised, threads

    @property
    def steps(self) -> int:
        return int(self._model.num_timesteps)

    def learn(self, steps: int, every: int, stop: Callable[[int], bool]) -> None:
        torch.set_num_threads(self._threads)
        self._model.learn(steps, callback=_asking(every, stop), reset_num_timesteps=False)

    def act(self, obs: Array, memory: Any) -> tuple[Array, Any]:
        if self._normalised:
            obs = self._model.get_vec_normalize_env().normalize_obs(obs)
        return self._model.predict(obs, memory, deterministic=True)  # type: ignore[no-any-return]


def _asking(every: int, stop: Callable[[int], bool]) -> Any:
    """A callback that asks `stop` after the first update past every `every` steps, and after the last."""
    from stable_baselines3.common.callbacks import BaseCallback

    class Asking(BaseCallback):
        """Rollouts start right after updates; learning can be stopped in the step that follows."""

        going = True

        def _on_training_start(self) -> None:
            self.asked = self.model.num_timesteps

        def _on_rollout_start(self) -> None:
            if self.model.num_timesteps - self.asked >= every:
                self.asked = self.model.num_timesteps
                self.going = not stop(self.asked)

        def _on_step(self) -> bool:
            return self.going

        def _on_training_end(self) -> None:
            if self.going and self.model.num_timesteps > self.asked:
                stop(self.model.num_timesteps)

    return Asking()
