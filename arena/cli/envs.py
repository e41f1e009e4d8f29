"""`arena envs`: the games there are, and whether one keeps the contract."""

from __future__ import annotations

import json as jsonlib
from typing import TYPE_CHECKING, Annotated, Any

import tyro
from tyro.conf import Positional

from envs.errors import InputError

if TYPE_CHECKING:
    from envs.check.report import Report
    from envs.core import EnvSpec

FORMS = (
    "Beside these: every id that Gymnasium knows (FrozenLake-v1; gym:CartPole-v1 for its own of a name above; "
    "MODULE:ID), every environment of PettingZoo's (pettingzoo:connect_four_v3, mpe2:simple_tag_v3, MODULE:NAME), and "
    "Incomplete:ID with hide=[...], noise or dropout for any game of flat observations. "
    "`arena envs check ID` says what one of them is, and what it lacks."
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
        long = _counted(spec.max_steps, "step")
        print(f"{id:<{width}}  {_counted(spec.seats, 'seat')}, {long}, sees {_sight(spec)}, does {_deeds(spec)}")
    print(f"\n{FORMS}")
    return 0


def check(
    env: Positional[str],
    steps: int = 500,
    seed: int = 0,
    set: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = (),
    json: bool = False,
) -> int:
    """Play random legal games and say what an environment is, and which rules of the contract it keeps or breaks.

    Any id will do, of our own games or of elsewhere. The exit code is 0 if it keeps them all, else 2.

    Args:
        env: id of the game.
        steps: of play, three games side by side; enough for one of them to end.
        seed: decides everything random.
        set: option of the env as key=value, such as max_steps=200; may be repeated.
        json: print one object: env, options, seats, seat_names, teams, roles, observations, actions, max_steps,
            step_seconds, in_turns, masked, symmetric, zero_sum, saves, steps, games, ended, steps_per_second, rules
            (name -> null or what is wrong), ok.
    """
    from arena.config import parse_assignments
    from envs.check.report import report
    from envs.registry import build

    if steps < 2 or seed < 0:
        raise InputError(f"--steps must be 2 or more and --seed 0 or more, not {steps} and {seed}.")
    options = parse_assignments(set)
    found = report(lambda num_envs: build(env, num_envs, options), steps, seed=seed)
    print(jsonlib.dumps(_object(found)) if json else _text(found))
    return 0 if found.sound else 2


def _object(found: Report) -> dict[str, Any]:
    spec = found.spec
    return {
        "env": spec.id,
        "options": dict(spec.options),
        "seats": spec.seats,
        "seat_names": list(spec.seat_names),
        "teams": list(spec.teams),
        "roles": list(spec.roles),
        "observations": [str(space) for space in spec.observation_spaces],
        "actions": [str(space) for space in spec.action_spaces],
        "max_steps": spec.max_steps,
        "step_seconds": spec.step_seconds,
        "in_turns": found.in_turns,
        "masked": found.masked,
        "symmetric": spec.symmetric,
        "zero_sum": spec.zero_sum,
        "saves": found.saves,
        "steps": found.steps,
        "games": found.games,
        "ended": found.ended,
        "steps_per_second": found.steps_per_second,
        "rules": dict(found.faults),
        "ok": found.sound,
    }


def _text(found: Report) -> str:
    from envs.check import RULES, named
    from envs.check.report import PLAYS
    from envs.foreign.visitor import NO_LIMIT

    spec = found.spec
    limit = "no known step limit" if spec.max_steps == NO_LIMIT else f"at most {_counted(spec.max_steps, 'step')}"
    kinds = [
        "in turns" if found.in_turns else "all at once" if spec.seats > 1 else "alone",
        *(["some actions are forbidden at times"] if found.masked else []),
        *(["the same for all seats"] if spec.symmetric and spec.seats > 1 else []),
        *(["zero-sum"] if spec.zero_sum else []),
        "can be saved" if found.saves else "cannot be saved",
    ]
    lines = [
        f"{spec.id}: {_counted(spec.seats, 'seat')} in {_counted(len({*spec.teams}), 'team')}, {limit}; "
        f"{', '.join(kinds)}",
        *(
            f"  {name}: team {team}, role {role}, sees {seen}, does {done}"
            for name, team, role, seen, done in zip(
                spec.seat_names, spec.teams, spec.roles, spec.observation_spaces, spec.action_spaces, strict=True
            )
        ),
        f"played {_counted(found.steps, 'step')} of {found.games} games, {found.ended} of which ended; "
        f"{found.steps_per_second:,.0f} steps/s",
    ]
    meaning = {PLAYS: "Random legal games can be played", **dict(map(named, RULES))}
    if not found.saves:
        meaning["saves"] = "It cannot be saved, and says so"
    width = max(map(len, found.faults))
    lines += [f"  {name:<{width}}  {fault or 'ok: ' + meaning[name]}" for name, fault in found.faults.items()]
    broken = sum(fault is not None for fault in found.faults.values())
    return "\n".join([*lines, "keeps the contract" if found.sound else f"breaks {_counted(broken, 'rule')}"])


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _deeds(spec: EnvSpec) -> str:
    """What the seats do, those who differ apart."""
    return " or ".join(dict.fromkeys(map(str, spec.action_spaces)))


NAMED = 10
"""Numbers of an observation that are listed by name, at most."""


def _sight(spec: EnvSpec) -> str:
    """What a seat sees: the names of the numbers, where they have names."""
    shapes = list(dict.fromkeys(space.shape or () for space in spec.observation_spaces))
    shape = shapes[0]
    if len(shapes) > 1:
        return " or ".join(f"{width} numbers" for (width,) in shapes)
    if len(shape) != 1:
        return str(spec.observation_spaces[0])
    if not 0 < len(spec.obs_names) <= NAMED:
        return f"{shape[0]} numbers"
    return ", ".join(spec.obs_names[:-1]) + " and " * (len(spec.obs_names) > 1) + spec.obs_names[-1]
