"""`arena envs`: the registered games."""

from __future__ import annotations

import json as jsonlib


def envs(json: bool = False) -> int:
    """List the games: id, seats, step limit, and what a seat sees and does.

    Args:
        json: print one object: id -> seats, max_steps, observation, action, options.
    """
    from envs.registry import ids, make

    specs = {id: make(id).spec for id in ids()}
    if json:
        found = {
            id: {
                "seats": spec.seats,
                "max_steps": spec.max_steps,
                "observation": str(spec.observation_spaces[0]),
                "action": str(spec.action_spaces[0]),
                "options": dict(spec.options),
            }
            for id, spec in specs.items()
        }
        print(jsonlib.dumps(found))
        return 0
    width = max(map(len, specs))
    for id, spec in specs.items():
        print(
            f"{id:<{width}}  {spec.seats} seats, {spec.max_steps} steps, "
            f"sees {spec.observation_spaces[0]}, does {spec.action_spaces[0]}"
        )
    return 0
