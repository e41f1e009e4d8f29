"""Sampler: an env and a policy, and the rollouts that come of them. The short way in for research."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from agents.collect import collect, collect_games
from agents.play import Step, play
from agents.player import PolicyPlayer
from agents.policy import Policy
from agents.rollout import Rollout, attach
from envs.core import BatchEnv
from envs.errors import InputError


class Sampler:
    """Plays `policy` in every seat of `env`; what the policy remembers is threaded through and kept.

    The policy is used as it is: what it learns is played in the next rollout. With `graph`, the rollout is evaluated
    once more, all steps together, and extras "logprob", "entropy" and what else the policy returns carry its graph, so
    `(-r.extras["logprob"] * r.mc_returns(0.99))[r.acts].mean().backward()` is a policy gradient.
    """

    def __init__(self, env: BatchEnv, policy: Policy, seed: int = 0, greedy: bool = False) -> None:
        """`seed` decides games and actions; `greedy` takes the most probable action instead of drawing one."""
        self.env, self.policy = env, policy
        self._player = PolicyPlayer(policy, "sampler", greedy)
        self._seeds = np.random.default_rng(seed)
        self._stream: Iterator[Step] | None = None

    def steps(self, length: int, graph: bool = False) -> Rollout:
        """The next `length` >= 1 steps of all B games, [length, N]; the next call goes on with the same games."""
        if self._stream is None:
            self._stream = self._play()
        return self._finish(collect(self._stream, length, keep_memory=self._keep), graph)

    def episodes(self, count: int, graph: bool = False) -> Rollout:
        """`count` >= 1 fresh games from first to last step, spread over the B that are played side by side.

        Games that are played while others are waited for do not count, see `collect_games`; with a `count` below B
        there are fewer lanes. This ends the games of `steps`, whose next call begins new ones.

        Raises:
            InputError: no game.
        """
        if count < 1:
            raise InputError(f"count = {count}: ask for at least one episode.")
        self._stream = None
        each, more = divmod(count, self.env.num_envs)
        games = (each + (np.arange(self.env.num_envs) < more)).repeat(self.env.spec.seats)
        rollout = collect_games(self._play(), games, keep_memory=self._keep)
        return self._finish(rollout if each else rollout.lanes(torch.from_numpy(games > 0)), graph)

    @property
    def _keep(self) -> bool:
        return self.policy.memory_size > 0

    def _play(self) -> Iterator[Step]:
        """Fresh games."""
        everywhere = np.zeros((self.env.num_envs, self.env.spec.seats), np.int64)
        return play(self.env, [self._player], everywhere, int(self._seeds.integers(2**63)))

    def _finish(self, rollout: Rollout, graph: bool) -> Rollout:
        """On the policy's device, with a graph if asked for."""
        rollout = rollout.to(self.policy.device)
        return attach(self.policy, rollout) if graph else rollout
