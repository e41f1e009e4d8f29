"""Theory: how far a league on a tiny game is from its equilibrium, exactly."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from agents.snapshot import load_snapshot
from arena.league.matchmaking import SOLVER_PRIOR
from arena.league.overview import history, outline, roles
from arena.ratings.nash import nash
from arena.ratings.payoff import payoff_of
from arena.store import RunFolder
from envs.registry import build
from envs.tiny import TinyGame


def exploitabilities(run: RunFolder) -> Mapping[str, float]:
    """What a best reply wins per game from the newest snapshot, from all snapshots mixed alike ("uniform"), and mixed
    by the Nash equilibrium of the rated games ("nash"); nothing for games that are too large to be solved.

    Raises:
        InputError: a snapshot that cannot be read.
    """
    game = outline(run).game
    snapshots = [one for one in run.snapshots() if roles(run).get(one.member) != "retired"]
    if not snapshots or not isinstance(build(game.id, 1, game.options), TinyGame):
        return {}
    from arena.equilibrium import exploitability, mixture, policy_strategy, tree_of

    tree = tree_of(game.id, game.options)
    known = [policy_strategy(tree, load_snapshot(run.path / one.file).policy) for one in snapshots]
    payoff = payoff_of(history(run), "score").among([one.name for one in snapshots])
    table = payoff.filled(SOLVER_PRIOR)
    shares = {"uniform": np.ones(len(known)) / len(known), "nash": nash((table - table.T) / 2)}
    newest = exploitability(tree, known[-1])
    return {"newest": newest, **{name: exploitability(tree, mixture(tree, known, p)) for name, p in shares.items()}}


def exploitability_of(run: RunFolder, name: str) -> float | None:
    """The same of one snapshot alone; None for games that are too large, and for who is no snapshot."""
    game = outline(run).game
    file = {one.name: one.file for one in run.snapshots()}.get(name)
    if file is None or not isinstance(build(game.id, 1, game.options), TinyGame):
        return None
    from arena.equilibrium import exploitability, policy_strategy, tree_of

    tree = tree_of(game.id, game.options)
    return exploitability(tree, policy_strategy(tree, load_snapshot(run.path / file).policy))
