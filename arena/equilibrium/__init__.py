"""Tiny games solved exactly: what a strategy is worth, the best reply to it, and how exploitable it is.

    from arena.equilibrium import exploitability, mixture, policy_strategy, tree_of

    tree = tree_of("KuhnPoker-v0")
    snapshots = [policy_strategy(tree, policy) for policy in policies]
    exploitability(tree, snapshots[-1])
    exploitability(tree, mixture(tree, snapshots, weights))

A strategy is an array [I, A]: for each of the I information sets of a game, of all its seats, the probabilities of the
A actions. An information set is what one seat has seen and done when it must act.
"""

from arena.equilibrium.best_response import best_response, exploitability, meta_game, nash_conv, value
from arena.equilibrium.strategies import mixture, policy_strategy, profile, strategy, uniform
from arena.equilibrium.tree import Tree, tree_of

__all__ = [
    "Tree",
    "best_response",
    "exploitability",
    "meta_game",
    "mixture",
    "nash_conv",
    "policy_strategy",
    "profile",
    "strategy",
    "tree_of",
    "uniform",
    "value",
]
