"""Plain: a replay as one JSON object that any program can read, everything in it played out step by step.

env, options, rules, seed, players, ratings, score, ended, title   as in the replay
step_seconds    real time of one step, s
obs_names       [D] what each number of a seat's observation is; empty where nobody has named them
steps           T
actions         [T][P] what each seat did, as numbers or lists of numbers; as wide as the widest seat
acts            [T][P] whether it mattered
rewards         [T][P]
observations    [T + 1][P] what each seat saw before the first step, and after each; the last is that of the end
states          [T] the whole state before each step, arrays by name as `get_state` gives them; null where the game
                cannot be saved

Numbers that JSON does not know (NaN, infinity) are null.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from arena.replay.replay import Replay
from arena.replay.simulate import simulation_of
from arena.store.files import plain
from envs.core import Array
from envs.errors import InputError


def plain_replay(replay: Replay) -> dict[str, Any]:
    """What is described above.

    Raises:
        InputError: a game that cannot be played here.
    """
    simulation = simulation_of(replay)
    env = simulation.env
    states: list[dict[str, Any]] | None = []
    moments = []
    for step in range(simulation.steps + 1):
        moments.append(simulation.at(step))
        if states is not None and step < simulation.steps:
            try:
                states.append({name: _listed(array[0]) for name, array in env.get_state().items()})
            except InputError:
                states = None
    return {
        "env": replay.env,
        "options": plain(replay.options),
        "rules": replay.rules,
        "seed": replay.seed,
        "players": list(replay.players),
        "ratings": list(replay.ratings),
        "score": list(replay.score),
        "ended": replay.ended,
        "title": replay.title,
        "step_seconds": env.spec.step_seconds,
        "obs_names": list(env.spec.obs_names),
        "steps": simulation.steps,
        "actions": [_listed(action) for action in replay.actions],
        "acts": [moment.acts.tolist() for moment in moments[:-1]],
        "rewards": [_listed(moment.reward) for moment in moments[1:]],
        "observations": [_listed(moment.obs) for moment in moments],
        "states": states,
    }


def _listed(array: Array) -> Any:
    """`array` as lists of numbers that JSON knows; whole numbers and fractions as they are stored."""
    if np.asarray(array).dtype.kind == "f" and not np.isfinite(array).all():
        return plain(array.tolist())
    return array.tolist()
