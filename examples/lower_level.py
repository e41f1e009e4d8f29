"""REINFORCE and PPO written out with the lower-level API: a sampler, rollouts, and a loss that is backpropagated.

python examples/lower_level.py reinforce
python examples/lower_level.py ppo --env Acrobot-v1 --seed 3
"""

from __future__ import annotations

import argparse

import numpy as np
import torch

from agents.policy import Policy, PolicyConfig
from agents.returns import gae, next_values
from agents.rollout import bootstrap, evaluate
from agents.sampler import Sampler
from envs.core import BatchEnv
from envs.registry import make


def reinforce(env: BatchEnv, updates: int = 30, seed: int = 0) -> Policy:
    """REINFORCE (Williams 1992): whole episodes, weighted by how much more than usual was still to come."""
    torch.manual_seed(seed)
    policy = Policy(env.spec.observation_spaces[0], env.spec.action_spaces[0], PolicyConfig(activation="relu"))
    optimiser = torch.optim.Adam(policy.parameters(), lr=1e-2)
    sampler = Sampler(env, policy, seed)
    for _ in range(updates):
        r = sampler.episodes(env.num_envs, graph=True)
        gain = r.mc_returns(gamma=0.99)
        gain = (gain - gain[r.acts].mean()) / (gain[r.acts].std() + 1e-8)
        loss = -(r.extras["logprob"] * gain)[r.acts].mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return policy


def ppo(env: BatchEnv, updates: int = 50, seed: int = 0) -> Policy:
    """PPO (Schulman et al. 2017): several passes over each rollout, while probabilities stay within a fifth."""
    torch.manual_seed(seed)
    shape = PolicyConfig(hidden=(), head_hidden=(64, 64), activation="relu")
    policy = Policy(env.spec.observation_spaces[0], env.spec.action_spaces[0], shape)
    optimiser = torch.optim.Adam(policy.parameters(), lr=2e-3)
    sampler, rng = Sampler(env, policy, seed), np.random.default_rng(seed)
    for _ in range(updates):
        r = sampler.steps(128)
        old, ends = r.extras["value"], (r.terminated, r.truncated)
        gain = gae(r.reward, old, next_values(old, *bootstrap(policy, r), *ends), *ends, gamma=0.98, lam=0.95)
        r = r.with_extras({"target": gain + old, "gain": (gain - gain.mean()) / (gain.std() + 1e-8)})
        for part in (part for _ in range(5) for part in r.minibatches(8, rng)):
            logprob, entropy, value = evaluate(policy, part)
            ratio, gain = (logprob - part.extras["logprob"]).exp(), part.extras["gain"]
            better = torch.minimum(ratio * gain, ratio.clamp(0.8, 1.2) * gain) + 0.01 * entropy
            loss = (0.5 * (value - part.extras["target"]).square() - better)[part.acts].mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return policy


def main() -> None:
    """Read the command line, learn, and say how good the policy has become."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("algorithm", choices=["reinforce", "ppo"])
    parser.add_argument("--env", default="CartPole-v1", help="a game of one seat")
    parser.add_argument("--updates", type=int, default=50, help="rollouts to learn from")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    env = make(arguments.env, 32)
    learn = reinforce if arguments.algorithm == "reinforce" else ppo
    policy = learn(env, arguments.updates, arguments.seed)
    returns = Sampler(env, policy, seed=1, greedy=True).episodes(100).returns
    print(f"{arguments.algorithm} on {arguments.env}: mean return of 100 games {float(returns.mean()):.1f}")


if __name__ == "__main__":
    main()
