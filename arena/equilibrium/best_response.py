"""What strategies are worth, the best reply to one, and exploitability: exact sums over the courses of a game.

The sequence form (Koller, Megiddo & von Stengel 1996): a seat makes a course of play possible with the product of its
own probabilities along it, its *reach*; the courses' scores, weighted by the reaches of all seats and by chance, are
the value. Everything here follows from that, in double precision.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from arena.equilibrium.tree import Tree
from envs.core import Floats
from envs.errors import InputError

Scores = NDArray[np.float64]


def reach(tree: Tree, strategy: Floats) -> Scores:
    """[I * A + 1] how likely each sequence is as far as its own seat decides; the last entry, 1, is of sequence -1."""
    actions = tree.legal.shape[1]
    found = np.ones(strategy.size + 1)
    for place, parent in enumerate(tree.parent.tolist()):
        found[place * actions : (place + 1) * actions] = found[parent] * strategy[place]
    return found


def value(tree: Tree, strategy: Floats) -> Scores:
    """[P] expected score of each seat when all play `strategy` [I, A]; different players: `profile`."""
    likely = tree.chance * reach(tree, strategy)[tree.last].prod(axis=1)
    worth: Scores = likely @ tree.score
    return worth


def meta_game(tree: Tree, strategies: Sequence[Floats]) -> Scores:
    """[K, K] expected score of each of K strategies against each, on average over both seats: the payoff that a match
    log only estimates.

    Raises:
        InputError: a game of more or fewer seats than two.
    """
    if tree.score.shape[1] != 2:
        raise InputError(f"{tree.env} is played by {tree.score.shape[1]}: only duels make a table of who meets whom.")
    own = np.stack([reach(tree, each) for each in strategies])[:, tree.last]  # [K, Z, 2]
    first = (own[:, :, 0] * tree.chance * tree.score[:, 0]) @ own[:, :, 1].T
    second = (own[:, :, 1] * tree.chance * tree.score[:, 1]) @ own[:, :, 0].T
    table: Scores = (first + second) / 2
    return table


def best_response(tree: Tree, strategy: Floats, seat: int) -> tuple[float, Scores]:
    """The most that `seat` can get when the other seats play `strategy` [I, A], and how.

    Returns:
        Its expected score, and `strategy` with a best pure reply in the information sets of `seat`.
    """
    actions = tree.legal.shape[1]
    others = np.delete(reach(tree, strategy)[tree.last], seat, axis=1).prod(axis=1)
    gain = np.zeros(strategy.size + 1)  # of a sequence: all that can still be got after it, times chance and others
    np.add.at(gain, tree.last[:, seat], tree.chance * others * tree.score[:, seat])
    reply = np.array(strategy, np.float64)
    for place in np.flatnonzero(tree.seat == seat)[::-1].tolist():
        own = np.where(tree.legal[place], gain[place * actions : (place + 1) * actions], -np.inf)
        best = int(own.argmax())
        reply[place] = np.arange(actions) == best
        gain[tree.parent[place]] += own[best]
    return float(gain[-1]), reply


def nash_conv(tree: Tree, strategy: Floats) -> float:
    """How much the seats could gain, added up, if each in turn replied best to `strategy` [I, A] in all others.

    0 in an equilibrium and nowhere else (Lanctot et al. 2017).
    """
    worth = value(tree, strategy)
    best = [best_response(tree, strategy, seat)[0] for seat in range(len(worth))]
    return float(np.sum(best - worth))


def exploitability(tree: Tree, strategy: Floats) -> float:
    """`nash_conv` per seat: in a zero-sum duel, what a best opponent wins a game, on average over both seats.

    Score units. A player who sits in every seat in turn has an expected score of at least minus this against anybody.
    """
    seats: int = tree.score.shape[1]
    return nash_conv(tree, strategy) / seats
