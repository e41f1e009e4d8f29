"""`arena envs`: the games there are."""

from __future__ import annotations

import json as jsonlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from envs.core import EnvSpec

FORMS = (
    "Beside these: every id that Gymnasium knows (FrozenLake-v1; gym:CartPole-v1 for its own of a name above; "
    "MODULE:ID), and Incomplete:ID with hide=[...], noise or dropout for any game of flat observations."
)


def envs(json: bool = False) -> int:
    """List the games: id, seats, step limit, and what a seat sees and does.

    Args:
        json: print one object: id -> seats, max_steps, observation, obs_names, action, options.
    """
    from envs.registry import ids, make

    specs = {id: make(id).spec for id in ids()}
    if json:
        found = {
            id: {
                "seats": spec.seats,
                "max_steps": spec.max_steps,
                "observation": str(spec.observation_spaces[0]),
                "obs_names": list(spec.obs_names),
                "action": str(spec.action_spaces[0]),
                "options": dict(spec.options),
            }
            for id, spec in specs.items()
        }
        print(jsonlib.dumps(found))
        return 0
    width = max(map(len, specs))
    for id, spec in specs.items():
        seats = f"{spec.seats} seat{'s' if spec.seats > 1 else ''}"
        print(f"{id:<{width}}  {seats}, {spec.max_steps} steps, sees {_sight(spec)}, does {spec.action_spaces[0]}")
    print(f"\n{FORMS}")
    return 0


def _sight(spec: EnvSpec) -> str:
    """What a seat sees: the names of the numbers, where they have names."""
    shape = spec.observation_spaces[0].shape or ()
    if len(shape) != 1:
        return str(spec.observation_spaces[0])
    if not spec.obs_names:
        return f"{shape[0]} numbers"
    return ", ".join(spec.obs_names[:-1]) + " and " * (len(spec.obs_names) > 1) + spec.obs_names[-1]
