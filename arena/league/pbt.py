"""Population-based training (Jaderberg et al. 2017): who lags behind copies who leads, and tries other settings."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Any, TypeGuard

from numpy.random import Generator
from pydantic import Field

from arena.ratings.rating import Rating
from envs.config import Config


class PBTConfig(Config):
    """Exploit and explore."""

    every: int = Field(0, ge=0)
    """Stretches of a learner between two chances to copy; 0: never."""
    quantile: float = Field(0.25, gt=0, le=0.5)
    """Share of the population that counts as behind, and as ahead; at least one learner each."""
    settings: tuple[str, ...] = ("learning_rate", "entropy")
    """Numbers of the algorithm that are varied, as dotted keys."""
    factor: float = Field(1.25, gt=1)
    """Each is multiplied or divided by this; whole numbers are rounded."""


def exploit(member: str, population: Mapping[str, Rating | None], config: PBTConfig, rng: Generator) -> str | None:
    """Who of `population` (`member` and its peers, by name, with the rating of the newest snapshot of each) `member`
    should copy: one of those ahead if it is behind and their lead is beyond both standard errors, else nobody."""
    rated = {name: rating for name, rating in population.items() if rating is not None}
    own = rated.get(member)
    if own is None or len(rated) < 2:
        return None
    ranked = sorted(rated, key=lambda name: (rated[name].mean, name))
    count = max(1, int(config.quantile * len(ranked)))
    if member not in ranked[:count]:
        return None
    ahead = [name for name in ranked[-count:] if rated[name].mean - rated[name].stderr > own.mean + own.stderr]
    return str(rng.choice(ahead)) if ahead else None


def explore(settings: Mapping[str, Any], config: PBTConfig, rng: Generator) -> dict[str, Any]:
    """`settings` with the numbers of `config.settings` varied; keys that the algorithm lacks are passed over."""
    varied = _copied(settings)
    for key in config.settings:
        *path, last = key.split(".")
        place = varied
        for part in path:
            inside = place.get(part)
            place = inside if isinstance(inside, dict) else {}
        value = place.get(last)
        if _is_number(value):
            changed = value * config.factor ** int(rng.choice([-1, 1]))
            place[last] = round(changed) if isinstance(value, int) else changed
    return varied


def numbers(settings: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Dotted keys of the numbers in `settings`."""
    own = [prefix + key for key, value in settings.items() if _is_number(value)]
    inside = [numbers(value, f"{prefix}{key}.") for key, value in settings.items() if isinstance(value, Mapping)]
    return [*own, *chain.from_iterable(inside)]


def _is_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _copied(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _copied(value) if isinstance(value, Mapping) else value for key, value in settings.items()}
