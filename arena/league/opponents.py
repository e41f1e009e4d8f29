"""Opponents: whom a learner meets in its next stretch of training."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from arena.league import matchmaking
from arena.league.matchmaking import View
from arena.league.population import Population
from arena.learner import Learner
from envs.errors import InputError
from envs.side import team_count


def opponents_of(
    learner: Learner, population: Population, view_of: Callable[[Learner], View], rng: np.random.Generator
) -> tuple[float, dict[str, float]]:
    """The learner's share of games with itself in its next stretch, and those of others by name.

    A beginner that may play itself does nothing else: losing to the others would teach it little.

    Args:
        view_of: what matchmaking may know of the league, see `arena.league.changes`.
        rng: draws who is met, where there are more than a stretch has room for.

    Raises:
        InputError: there is nobody whom it could meet.
    """
    config, whole = population.matchmaking(learner.name), population.meets_itself(learner)
    if team_count(population.spec) == 1 or (whole and config.mirror and not learner.stretches):
        return 1.0, {}
    view = view_of(learner)
    mirror, share = matchmaking.mixture(config, view)
    if not whole:  # who cannot play both sides meets the others instead of itself
        learnt = view.only(())
        if not share.sum():
            share[[view.names.index(one) for one in learnt.names]] = matchmaking.latest(learnt, config)
        if not share.sum():
            raise InputError(
                f"{population.folder.path}: nobody is left whom {learner.name} could meet: `arena league add` gives it "
                "a learner of the other side."
            )
        mirror, share = 0.0, share / share.sum()
    drawn = matchmaking.draw(share, population.config.training.opponents, rng)
    return mirror, {view.names[place]: part for place, part in drawn.items()}
