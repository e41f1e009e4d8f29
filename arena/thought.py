"""Thought: what the network of a seat makes of one view: the probabilities of its actions, and the value it expects."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium import spaces

from envs.core import Array, Bools, EnvSpec, Floats
from envs.player import Player
from envs.seats import own_legal, own_obs

if TYPE_CHECKING:
    from agents.distributions import ActionDist
    from agents.policy import Output, Policy


def policy_of(player: Player | None) -> Policy | None:
    """The network that `player` decides with, if it is one that can be asked again."""
    module = sys.modules.get("agents.policy")  # without it there is nobody who has one
    policy: Any = getattr(getattr(player, "player", player), "policy", None)  # in `Holding` is another player
    return policy if module and isinstance(policy, module.Policy) and policy.members == 1 else None


def memory_of(player: Player, memory: Floats) -> Floats:
    """[n, H] what the network itself remembers, of what its player does [n, ...]."""
    policy = policy_of(player)
    return memory if policy is None else memory[:, memory.shape[1] - policy.memory_size :]


def ask(policy: Policy, spec: EnvSpec, seat: int, obs: Array, legal: Bools, memory: Floats) -> Output:
    """What `policy` says in `seat` of one game.

    Args:
        obs: [P, *obs_shape] of all seats, as wide as the widest: a central value sees the others' too.
        legal: [P, A].
        memory: [1, H].
    """
    import torch

    own = own_obs(spec.observation_spaces[seat], obs[seat : seat + 1])
    if getattr(policy.head, "central", None) is not None:  # rows [own view | others'], as `agents.collect` lays them
        others = [obs[(seat + turn) % spec.seats].reshape(1, -1) for turn in range(1, spec.seats)]
        own = np.concatenate([own, *others], axis=1)
    choices = own_legal(spec.action_spaces[seat], legal[seat : seat + 1])
    mask = None if choices.all() or not choices.any() else torch.from_numpy(choices)
    with torch.inference_mode():
        return policy(torch.from_numpy(own), mask, torch.from_numpy(memory))  # type: ignore[no-any-return]


def probabilities(dist: ActionDist, space: spaces.Space[Any]) -> Floats | None:
    """[A] of each choice, or of each button to be pressed, for one row; None where actions are neither."""
    import torch

    from agents.distributions import Bernoulli

    with torch.inference_mode():
        if isinstance(space, spaces.Discrete):
            each = [dist.log_prob(torch.tensor([action])).exp() for action in range(int(space.n))]
            odds: Floats = torch.cat(each).numpy()
            return odds
        if isinstance(dist, Bernoulli):
            pressed: Floats = dist.logits.sigmoid()[0].numpy()
            return pressed
    return None


def value(output: Output) -> float | None:
    """What is expected of the rest, for one row; None from a network without a value."""
    expected = output.extras.get("value")
    return None if expected is None else float(expected[0])
