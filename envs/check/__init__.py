"""The contract of `BatchEnv` as a test kit that anybody can run on an env of their own.

    from envs.check import check_env

    check_env(lambda num_envs: MyGame(num_envs))

It plays random legal games and is strict: whatever the contract says must hold to the last bit. The
conformance tests of PettingZoo and Gymnasium let pass much of what is caught here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace

from envs.check import record, replay
from envs.check.case import Case, ContractError, Make, play

__all__ = ["RULES", "Case", "ContractError", "Make", "check_env", "fingerprint", "named"]

RULES: tuple[Callable[[Case], None], ...] = (
    record.spec, record.arrays, record.legal, record.ends, record.zero_sum,
    replay.deterministic, replay.own_arrays, replay.saves, replay.batch, replay.refusals, replay.draws,
)  # fmt: skip
"""In the order in which they are checked."""


def named(rule: Callable[[Case], None]) -> tuple[str, str]:
    """What a rule is called, and what it demands in one line."""
    return rule.__name__.replace("_", "-"), (rule.__doc__ or "").partition("\n")[0].rstrip(".")


def check_env(make: Make, steps: int = 1000, games: int = 3, seed: int = 0, saves: bool = True) -> None:
    """Check that `make(num_envs)` makes envs that keep the contract.

    Args:
        steps: of random play, enough for at least one game to end.
        games: played side by side, at least 2.
        seed: of the games and of the random actions.
        saves: False for games of elsewhere that cannot be saved; they must refuse then.

    Raises:
        ContractError: the first rule that is broken, and where.
    """
    case = replace(play(make, steps, games, seed), saves=saves)
    for rule in RULES:
        rule(case)


def fingerprint(make: Make, steps: int = 200, games: int = 3, seed: int = 0) -> str:
    """SHA-256 of everything seen in random play: the same in every process and on every machine alike."""
    digest = hashlib.sha256()
    for step in play(make, steps, games, seed).steps:
        for array in step:
            digest.update(array.tobytes())
    return digest.hexdigest()
