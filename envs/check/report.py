"""What an environment is, and each rule of the contract that it keeps or breaks: what is said at its admission."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

from envs.arrays import has_state
from envs.check import RULES, named
from envs.check.case import Case, ContractError, Make, play
from envs.core import BatchEnv, EnvSpec, TimeStep
from envs.errors import InputError
from envs.seats import own_legal

PLAYS = "play"
"""Name of what comes before all rules: that the games can be played at all."""
ROOM = 2**28
"""Bytes that a recording of observations may take."""


@dataclass(frozen=True, slots=True)
class Report:
    """Of one environment."""

    spec: EnvSpec
    faults: Mapping[str, str | None]
    """By rule, in the order in which they were checked: what is wrong, or None."""
    steps: int
    """Steps that were played."""
    games: int
    """Games that were played side by side."""
    ended: int
    """Games that came to their end."""
    in_turns: bool
    """At no step has more than one seat acted."""
    masked: bool
    """A seat that acts has been forbidden some of its actions."""
    saves: bool
    """Games can be saved and set up again."""
    steps_per_second: float
    """Env steps, all games side by side."""

    @property
    def sound(self) -> bool:
        """No rule is broken."""
        return not any(self.faults.values())


def report(make: Make, steps: int = 500, games: int = 3, seed: int = 0) -> Report:
    """Play random legal games of `make(num_envs)` and check every rule, whatever the others say.

    Args:
        steps: of random play; fewer where the observations are so large that a recording would not fit in `ROOM`.
        games: side by side, at least 2.
        seed: of the games and of the random actions.

    Raises:
        InputError: the env cannot be made.
    """
    env = make(games)
    steps = max(2, min(steps, ROOM // max(1, 2 * env.reset(seed).obs.nbytes)))
    saves = has_state(env)
    try:
        case = replace(play(make, steps, games, seed), saves=saves)
    except Exception as fault:  # whatever an env does wrong
        return Report(env.spec, {PLAYS: _sentence(fault)}, steps, games, 0, False, False, saves, 0.0)
    seen = case.steps
    found = {PLAYS: None, **{named(rule)[0]: _fault(rule, case) for rule in RULES}}
    return Report(
        spec=case.spec,
        faults=found,
        steps=steps,
        games=games,
        ended=sum(int((step.terminated | step.truncated).sum()) for step in seen),
        in_turns=case.spec.seats > 1 and all(bool((step.acts.sum(axis=1) <= 1).all()) for step in seen),
        masked=any(_forbids(case.spec, step) for step in seen),
        saves=saves,
        steps_per_second=_speed(env, case),
    )


def _fault(rule: Any, case: Case) -> str | None:
    try:
        rule(case)
    except Exception as fault:  # a rule that cannot even be checked is broken
        return _sentence(fault)
    return None


def _sentence(fault: Exception) -> str:
    """In one line, ending in a full stop."""
    words = " ".join(str(fault).split()).rstrip(".")
    known = isinstance(fault, ContractError | InputError)
    return f"{words}." if known else f"it crashes: {type(fault).__name__}: {words or 'without a word'}."


def _forbids(spec: EnvSpec, step: TimeStep) -> bool:
    """Whether a seat that acts may not do everything that its space has."""
    return any(
        bool((step.acts[:, seat] & ~own_legal(space, step.legal[:, seat]).all(axis=1)).any())
        for seat, space in enumerate(spec.action_spaces)
    )


def _speed(env: BatchEnv, case: Case) -> float:
    """Env steps per second of playing the recording again."""
    env.reset(case.seed)
    start = perf_counter()
    for action in case.actions:
        env.step(action)
    return len(case.actions) * case.games / (perf_counter() - start)
