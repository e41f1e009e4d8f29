"""An algorithm of your own, from its settings to its name: advantage-weighted regression (Peng et al. 2019).

python examples/new_algorithm.py
python examples/new_algorithm.py --env Acrobot-v1 --steps 200k --seed 1
"""

from __future__ import annotations

import argparse
from typing import ClassVar

import torch
from pydantic import Field

import arena
from agents.algorithms.algorithm import (
    ActorCriticConfig,
    ActorCriticLearner,
    Metrics,
    PolicyGradient,
    take_statistics,
    values_after,
    whiten,
)
from agents.algorithms.registry import Entry, register
from agents.returns import gae
from agents.rollout import Rollout


class AWRConfig(ActorCriticConfig):
    """Settings of AWR, beside those of every actor-critic: optimiser, discount, weights of the losses."""

    learning_rate: float = Field(5e-3, gt=0)
    """Step size at the start."""
    final_learning_rate: float | None = Field(0.0, ge=0)
    """Step size at the end of the budget."""
    lam: float = Field(0.95, ge=0, le=1)
    """Trace decay of the returns."""
    temperature: float = Field(1.0, gt=0)
    """Deviations of the advantage that make an action e times as worth repeating (beta in the paper)."""
    max_weight: float = Field(20.0, gt=0)
    """No action counts for more (section 4 there)."""
    passes: int = Field(8, ge=1)
    """Gradient steps on each rollout."""


class AWR(ActorCriticLearner):
    """Repeats what it did, the better it went the more: weights exp(advantage / temperature), equation 6 there.

    It learns from its last rollout alone; the paper's keeps older ones too.
    """

    Config: ClassVar[type[AWRConfig]] = AWRConfig
    config: AWRConfig

    def update(self, rollout: Rollout, progress: float = 0.0) -> Metrics:
        """Learn from `rollout`: time-major tensors, [T, N] for T steps of N games."""
        value, ends = rollout.extras["value"], (rollout.terminated, rollout.truncated)
        following = values_after(self.policy, rollout)
        advantage = gae(rollout.reward, value, following, *ends, self.config.gamma, self.config.lam)
        target = advantage + value
        weight = (whiten(advantage, rollout.acts) / self.config.temperature).exp().clamp(max=self.config.max_weight)
        step = PolicyGradient(weight, target, torch.ones_like(target))
        for _ in range(self.config.passes):
            metrics = self.descend(rollout, step, progress)
        take_statistics(self.policy, rollout.obs[:-1], target)
        return {**metrics, "mean_weight": float(weight.mean())}


register(Entry("awr", AWR, "advantage-weighted regression", policy={"normalise_value": True}, games=16, steps=32))


def main() -> None:
    """Read the command line, train by the name, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--env", default="CartPole-v1", help="a game of one seat; `arena envs` lists them")
    parser.add_argument("--steps", default="60k", help="of training")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    trained = arena.train("awr", arguments.env, steps=arguments.steps, seed=arguments.seed)
    print(f"awr in {arguments.env}, {arguments.steps} steps: {trained.evaluate(100)}")


if __name__ == "__main__":
    main()
