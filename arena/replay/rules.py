"""Rules: which version of them a game was played with.

An id of our own ends in -vN, which says what the rules are meant to be; what they are in fact is seen by playing. So
their version is a fingerprint: the hash of what a fixed seed and fixed random actions lead to. It changes by itself
when a rule does, nobody has to remember to count it up, and it stays where code is only written in another way.
Of other libraries' games, which may be slow to play and random beyond their seed, it is the version of the package.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from typing import Any

import gymnasium
import numpy as np

from envs.core import BatchEnv, TimeStep
from envs.errors import InputError
from envs.registry import INCOMPLETE_PREFIX, build, ids
from envs.sampling import random_action
from envs.seats import action_layout, widened

STEPS = 128
"""That are played for a fingerprint."""


def rules_of(env: str, options: Mapping[str, Any]) -> str:
    """Version of the rules of the game `env` with `options`, as they are here.

    Raises:
        InputError: an unknown game or option.
    """
    return _rules_of(env, json.dumps(dict(options), sort_keys=True))


@lru_cache(maxsize=256)
def _rules_of(env: str, options: str) -> str:
    inner = env
    while inner.startswith(INCOMPLETE_PREFIX):
        inner = inner.removeprefix(INCOMPLETE_PREFIX)
    if inner in ids():
        return f"{env} {_fingerprint(build(env, 1, json.loads(options)))}"
    build(env, 1, json.loads(options))  # imports what registers it, and says so if there is no such game
    return _package(inner)


def _fingerprint(env: BatchEnv) -> str:
    """Of what random play shows."""
    rng = np.random.default_rng(0)
    shape, dtype = action_layout(env.spec)
    now = env.reset(np.array([1], np.uint64))
    digest = hashlib.sha256(_bytes(now))
    for _ in range(STEPS):
        action = np.zeros((1, env.spec.seats, *shape), dtype)
        for seat, space in enumerate(env.spec.action_spaces):
            action[:, seat] = widened(random_action(space, now.legal[:, seat], rng), shape, dtype)
        now = env.step(action)
        digest.update(_bytes(now))
    return digest.hexdigest()[:12]


def _bytes(now: TimeStep) -> bytes:
    return b"".join(np.ascontiguousarray(array).tobytes() for array in now)


def _package(id: str) -> str:
    """Name and version of the package that has the foreign game `id`; its module's name where it has none."""
    module = _module(id)
    names = packages_distributions().get(module, ())
    for name in names:
        try:
            return f"{name} {version(name)}"
        except PackageNotFoundError:
            continue
    return f"{module} (unknown version)"


def _module(id: str) -> str:
    """The package, as it is imported, that has the foreign game `id`."""
    name = id.removeprefix("gym:")
    known = gymnasium.registry.get(name.partition(":")[2] or name) or gymnasium.registry.get(name)
    if known is not None and isinstance(known.entry_point, str):
        return known.entry_point.partition(":")[0].partition(".")[0]
    if known is not None and known.entry_point is not None:
        return str(getattr(known.entry_point, "__module__", name)).partition(".")[0]
    return name.partition(":")[0].partition(".")[0]


def refuse_others(env: str, options: Mapping[str, Any], rules: str) -> None:
    """Raise an InputError unless `rules` are those of the game `env` here."""
    own = rules_of(env, options)
    if own != rules:
        raise InputError(f"{env} was played with the rules {rules!r}, and those here are {own!r}.")
