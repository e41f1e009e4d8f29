"""`arena algorithms`: what can learn."""

from __future__ import annotations

import json as jsonlib


def algorithms(json: bool = False) -> int:
    """List the algorithms: what they are, and which actions and memories they admit.

    `arena train NAME ENV` trains one in a game of one seat or team; `algorithm = "NAME"` makes one a league member.

    Args:
        json: print one object: name -> summary, actions (kinds of spaces), cores (kinds of memory), games (side by
            side) and steps (per rollout, 0: whole episodes) unless they are set, settings (all, with their defaults).
    """
    from agents.algorithms import registry

    entries = [registry.entry(name) for name in registry.names()]
    if json:
        found = {
            entry.name: {
                "summary": entry.summary,
                "actions": [space.__name__ for space in entry.algorithm.actions],
                "cores": list(entry.algorithm.cores),
                "games": entry.games,
                "steps": entry.steps,
                "settings": registry.parse_settings(entry.name, {}).model_dump(mode="json"),
            }
            for entry in entries
        }
        print(jsonlib.dumps(found))
        return 0
    width = max(len(entry.name) for entry in entries)
    for entry in entries:
        actions = ", ".join(space.__name__ for space in entry.algorithm.actions)
        cores = ", ".join(core for core in entry.algorithm.cores if core != "none")
        print(f"{entry.name:<{width}}  {entry.summary}")
        print(f"{'':<{width}}  actions: {actions}; memory: {cores or 'none'}")
    return 0
