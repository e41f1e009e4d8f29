"""Strategies [I, A] of anything that plays: functions, policies, and mixtures of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from arena.equilibrium.best_response import reach
from arena.equilibrium.tree import Tree
from envs.core import Array, Bools, Floats
from envs.errors import InputError

if TYPE_CHECKING:
    from agents.policy import Policy

Decide = Callable[[Array, Bools], Floats]
"""Observations [n, *obs_shape] and legal actions [n, A] to probabilities [n, A]."""
CLOSE = 1e-4
"""How far a sum of probabilities may be from 1: networks think in single precision."""
Strategy = NDArray[np.float64]


def uniform(tree: Tree) -> Strategy:
    """Every legal action alike."""
    even: Strategy = tree.legal / tree.legal.sum(axis=1, keepdims=True)
    return even


def strategy(tree: Tree, decide: Decide) -> Strategy:
    """What a player without memory does: `decide` is asked once about all information sets.

    Raises:
        InputError: what it says are no probabilities of legal actions.
    """
    return _checked(tree, decide(tree.obs, tree.legal))


def policy_strategy(tree: Tree, policy: Policy, greedy: bool = False) -> Strategy:
    """What a policy does, with memory or without; `greedy`: its most probable action, as matches seat it.

    Raises:
        InputError: a policy of another game, or one that holds its actions for several steps.
    """
    if policy.config.hold != 1:
        raise InputError(f"a policy that holds its actions (policy.hold = {policy.config.hold}) has no strategy here.")
    if policy.obs_space.shape != tree.views.shape[2:] or getattr(policy.action_space, "n", 0) != tree.legal.shape[1]:
        raise InputError(f"the policy was made for another game than {tree.env}: it sees {policy.obs_space}.")
    import torch

    device = policy.device
    found = np.zeros(tree.legal.shape)
    memory = torch.zeros((len(tree.seat), policy.memory_size), device=device)
    with torch.inference_mode():
        for step in range(int(tree.length.max())):
            obs, legal = (torch.from_numpy(array[:, step].copy()).to(device) for array in (tree.views, tree.allowed))
            output = policy(obs, legal, memory)
            memory = output.memory
            now = np.flatnonzero(tree.length == step + 1)
            found[now] = _probabilities(output.dist, tree.legal.shape, greedy)[now]
    return _checked(tree, found)


def _probabilities(dist: Any, shape: tuple[int, ...], greedy: bool) -> Floats:
    """[I, A] of a distribution over I rows, for any that knows its `log_prob` and `mode`."""
    import torch

    mode = dist.mode()
    if greedy:
        return torch.nn.functional.one_hot(mode, shape[1]).double().cpu().numpy()
    columns = [dist.log_prob(torch.full_like(mode, action)).exp() for action in range(shape[1])]
    return torch.stack(columns, dim=1).double().cpu().numpy()


def _checked(tree: Tree, given: Floats) -> Strategy:
    """`given` with each row's sum exactly 1."""
    found = np.asarray(given, np.float64)
    if found.shape != tree.legal.shape:
        raise InputError(f"{tree.env}: a strategy has shape {tree.legal.shape}, not {found.shape}.")
    if not (found >= 0).all() or found[~tree.legal].any() or (abs(found.sum(axis=1) - 1) > CLOSE).any():
        raise InputError(f"{tree.env}: in each row of a strategy the legal actions' probabilities must add up to 1.")
    scaled: Strategy = found / found.sum(axis=1, keepdims=True)
    return scaled


def profile(tree: Tree, strategies: Sequence[Floats]) -> Strategy:
    """Seat by seat a strategy [I, A] of its own, as one: what `value` needs when different players meet.

    Raises:
        InputError: not one for each seat.
    """
    seats = tree.score.shape[1]
    if len(strategies) != seats:
        raise InputError(f"{tree.env} is played by {seats} strategies, one for each seat, not by {len(strategies)}.")
    return np.stack(strategies).astype(np.float64)[tree.seat, np.arange(len(tree.seat))]


def mixture(tree: Tree, strategies: Sequence[Floats], weights: Sequence[float] | Floats) -> Strategy:
    """The one strategy [I, A] that plays like a population of which a member is drawn anew for every game.

    By Kuhn (1953) there is one, as players forget nothing: in an information set each member counts by its weight times
    its own reach of it. (The members' plain average is something else: who has bluffed is more likely a bluffer.)

    Args:
        strategies: [K] of [I, A].
        weights: [K] shares of games, in any unit; not all 0.

    Raises:
        InputError: weights that are no shares.
    """
    shares = np.asarray(weights, np.float64)
    if shares.shape != (len(strategies),) or not (shares >= 0).all() or not 0 < shares.sum() < np.inf:
        raise InputError(f"{len(strategies)} strategies need as many shares, from 0 and not all 0, not {shares}.")
    reaches = np.stack([reach(tree, each) for each in strategies])
    together = (shares @ reaches)[:-1].reshape(tree.legal.shape)
    total = together.sum(axis=1, keepdims=True)
    mixed: Strategy = np.where(total > 0, together / np.where(total > 0, total, 1), uniform(tree))
    return mixed
