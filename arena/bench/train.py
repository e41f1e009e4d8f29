"""Speed of self-play PPO: the whole, its parts at the same shapes, and the bound that the parts set.

The settings are those of the preset slime-laptop, but every env step is a decision (no action is held) and all games
are mirrored: both seats learn. The bound is what a learner would reach that did nothing but the rules, one forward pass
per decision and, for every row and epoch, forward, backward and Adam: no sampling, no loss, no storage, no bookkeeping.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, cast

import numpy as np
import torch

from agents.algorithms.ppo import PPO, PPOConfig
from agents.algorithms.registry import parse_settings
from agents.crew import Independent
from agents.parallel import Threads
from agents.policy import Policy, PolicyConfig
from arena.bench.figure import REPEATS, Figure, rate
from arena.config import load
from arena.league.config import LeagueConfig
from arena.self_play import self_play
from arena.trainer import Stretch, TrainingConfig
from envs.core import PLAYER, EnvSpec
from envs.registry import make

ID, STEPS = "SlimeVolley-v0", "env steps/s"


def measure(threads: int, seconds: float) -> dict[str, Figure]:
    """All figures for `threads` threads; `seconds` for each stretch that is timed."""
    preset = load(LeagueConfig, "slime-laptop")
    training, learner = preset.training, preset.learners[0]
    config = cast(PPOConfig, parse_settings(learner.algorithm, learner.settings))
    spec = make(ID).spec
    pool = Threads(threads)
    settings = {
        "env": ID, "threads": threads, "network": list(PolicyConfig().hidden), "games": training.games,
        "rollout_steps": training.steps, "epochs": config.epochs, "minibatch_rows": config.minibatch_rows,
    }  # fmt: skip
    parts = {
        "rules": rate(_rules(training, pool), STEPS, seconds, **settings),
        "forward": rate(_forward(spec, training, pool), STEPS, seconds, **settings),
        "backward_adam": rate(_backward(spec, config, pool), STEPS, seconds, **settings),
    }
    bound = 1 / sum(1 / part.value for part in parts.values())
    crew = Independent({PLAYER: _algorithm(spec, config, pool)})
    stretch = Stretch(crew, self_play(crew, ID, {}, [], training, 0), pool)
    with _clock() as clock:
        whole = rate(lambda: _iterate(stretch), STEPS, seconds * 2, **settings)
    shares = {
        f"share_{name}": _share(value / clock["all"] / _width(name, threads), settings)
        for name, value in clock.items()
        if name != "all"
    }
    return {
        "train": whole,
        **parts,
        "bound": Figure(bound, STEPS, bound, bound, settings),
        "of_bound": _share(whole.value / bound, settings),
        **shares,
    }


def _algorithm(spec: EnvSpec, config: PPOConfig, threads: Threads) -> PPO:
    torch.manual_seed(0)
    return PPO(Policy(spec.observation_spaces[0], spec.action_spaces[0], PolicyConfig()), config, 0, threads)


def _iterate(stretch: Stretch) -> int:
    before = stretch.steps
    stretch.iterate(0.0)
    return stretch.steps - before


def _share(value: float, settings: dict[str, Any]) -> Figure:
    return Figure(value, "of 1", value, value, settings)


def _width(name: str, threads: int) -> int:
    """Threads on which that part's clock ran."""
    return 1 if name == "update" else threads


def _rules(training: TrainingConfig, threads: Threads) -> Callable[[], int]:
    each = training.games // training.streams
    actions = np.random.default_rng(0).integers(0, 6, (training.steps, each, 2))
    envs = [make(ID, each, lives=1) for _ in range(training.streams)]
    for env in envs:
        env.reset(0)

    def stream(env: Any) -> None:
        for action in actions:
            env.step(action)

    def work() -> int:
        threads.run([partial(stream, env) for env in envs])
        return training.games * training.steps

    return work


def _forward(spec: EnvSpec, training: TrainingConfig, threads: Threads) -> Callable[[], int]:
    """The network on both seats of all games, once per step."""
    policy = _algorithm(spec, PPOConfig(), threads).policy
    rows = torch.randn(2 * training.games // training.streams, *(spec.observation_spaces[0].shape or ()))

    def stream() -> None:
        with torch.inference_mode():
            for _ in range(training.steps):
                policy.head.outputs.linear(policy.encode(rows))

    def work() -> int:
        threads.run([stream] * training.streams)
        return training.games * training.steps

    return work


def _backward(spec: EnvSpec, config: PPOConfig, threads: Threads) -> Callable[[], int]:
    """Forward, backward and Adam on minibatches; each env step has two rows, learnt from `epochs` times."""
    policy = _algorithm(spec, config, threads).policy
    parameters = list(policy.parameters())
    optimiser = torch.optim.Adam(parameters, fused=True)
    rows = torch.randn(config.minibatch_rows // config.shards, *(spec.observation_spaces[0].shape or ()))

    def shard() -> tuple[torch.Tensor, ...]:
        out = policy.head.outputs.linear(policy.encode(rows))
        return torch.autograd.grad(out, parameters, out.detach())

    def work() -> int:
        gradients = threads.run([shard] * config.shards)
        for parameter, gradient in zip(parameters, gradients[0], strict=True):
            parameter.grad = gradient * 0.0
        optimiser.step()
        return config.minibatch_rows // (2 * config.epochs)

    return work


@contextmanager
def _clock() -> Iterator[dict[str, float]]:
    """Wall time inside the env, the policy's decisions and the update while the context is open, s."""
    from agents.player import PolicyPlayer
    from envs.slime_volley.batch import SlimeVolley

    spent = {"env": 0.0, "inference": 0.0, "update": 0.0, "all": 0.0}
    places = (
        (SlimeVolley, "step", "env"),
        (PolicyPlayer, "act", "inference"),
        (PPO, "update", "update"),
        (Stretch, "iterate", "all"),
    )
    originals = [(owner, method, getattr(owner, method)) for owner, method, _ in places]

    def timed(function: Callable[..., Any], name: str) -> Callable[..., Any]:
        def wrapper(*args: Any) -> Any:
            began = time.perf_counter()
            try:
                return function(*args)
            finally:
                spent[name] += time.perf_counter() - began

        return wrapper

    for (owner, method, original), (_, _, name) in zip(originals, places, strict=True):
        setattr(owner, method, timed(original, name))
    try:
        yield spent
    finally:
        for owner, method, original in originals:
            setattr(owner, method, original)


def stable_baselines3(steps: int, threads: int) -> dict[str, Figure]:
    """SB3's PPO on the same game: its defaults, and 16 envs with large batches; empty if it is not installed."""
    try:
        from stable_baselines3 import PPO as Peer
        from stable_baselines3.common.vec_env import DummyVecEnv
    except ImportError:
        return {}
    import gymnasium

    import envs  # noqa: F401 (registers the ids)

    torch.set_num_threads(threads)
    figures = {}
    for name, count, options in (
        ("sb3_defaults", 1, {}),
        ("sb3_16_envs", 16, {"n_steps": 512, "batch_size": 1024, "n_epochs": 4}),
    ):
        venv = DummyVecEnv([lambda: gymnasium.make(ID, opponent="baseline")] * count)
        model = Peer("MlpPolicy", venv, policy_kwargs={"net_arch": [64, 64]}, device="cpu", **options)
        rates = []
        for _ in range(min(3, REPEATS)):
            began = time.perf_counter()
            model.learn(steps, reset_num_timesteps=True)
            rates.append(model.num_timesteps / (time.perf_counter() - began))
        rates.sort()
        settings = {
            "env": ID,
            "opponent": "baseline",
            "envs": count,
            "threads": threads,
            "steps": steps,
            **options,
        }
        figures[name] = Figure(rates[1], STEPS, rates[0], rates[-1], settings)
    torch.set_num_threads(1)
    return figures
