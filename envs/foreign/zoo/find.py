"""PettingZoo environments by name: "pettingzoo:connect_four_v3", and "module:name" for what any module makes.

The name after the colon is a Python identifier, as names of PettingZoo's environments are and ids of Gymnasium's, which
end in "-v0", are not. In "module:name" it is a module inside the module, such as `mpe2.simple_tag_v3`, which has
`parallel_env`, `env` or `raw_env`; or else a class or function in it that makes an environment, such as `parallel_env`.
"""

from __future__ import annotations

import pkgutil
import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from importlib.util import find_spec
from inspect import signature
from typing import Any

import gymnasium
import pettingzoo

from envs.errors import InputError, unknown

HOME = "pettingzoo"
FAMILIES = ("classic", "butterfly", "sisl", "atari")
"""Packages in which PettingZoo keeps its environments."""
MPE = "mpe2"
"""Package of those that were PettingZoo's before."""
MAKERS = ("parallel_env", "env", "raw_env")
"""What a module calls its constructors: all agents at once first, which loses nothing and is faster."""
VERSION = re.compile(r"_v\d+$")


@dataclass(frozen=True, slots=True)
class Found:
    """Who makes an environment."""

    id: str
    title: str
    """The environment's name without its version, if a library that we know made it, else empty: "simple_tag"."""
    make: Callable[..., Any]
    settings: frozenset[str]
    """Names of the options that its constructor is known to take; it may take others."""

    def create(self, options: dict[str, Any]) -> Any:
        """One environment.

        Raises:
            InputError: an option that it does not take, or something that it needs is not installed.
        """
        try:
            with _quiet():
                return self.make(**options)
        except (ImportError, TypeError, ValueError, AssertionError) as fault:
            reason = _words(fault)
            for key in options:
                if repr(key) in reason and (close := get_close_matches(key, self.settings, n=1)):
                    raise InputError(f"{self.id}: {reason}: did you mean {close[0]!r}?") from None
            raise InputError(f"{self.id}: {reason}.") from None


def find(id: str) -> Found | None:
    """Who makes `id`; None if it is not a name of PettingZoo's but may be one of Gymnasium's.

    Raises:
        InputError: there is no such environment, or its module cannot be imported.
    """
    where, _, name = id.partition(":")
    if not name.isidentifier() or not all(part.isidentifier() for part in where.split(".")):
        return None
    return _own(id, name) if where == HOME else _anyones(id, where, name)


def _own(id: str, name: str) -> Found:
    """PettingZoo's own: a module in one of its families, or out of its registry (since 1.27)."""
    for family in _families():
        if find_spec(f"{HOME}.{family}.{name}"):
            found = _from_module(id, _imported(id, f"{HOME}.{family}.{name}"))
            if found:
                return found
    registered = {_plain(key): (kind, key) for kind in ("aec", "parallel") for key in _registry(kind)}
    if name in registered:
        kind, key = registered[name]  # the parallel one if there are both
        return Found(id, _title(name) if key.partition("/")[0] in FAMILIES else "", _registered(kind, key), frozenset())
    if find_spec(MPE) and name in _modules(MPE):
        raise unknown("env", id, [f"{MPE}:{name}"])
    inside = {key for family in _families() for key in _modules(f"{HOME}.{family}")}
    raise unknown("env", id, (f"{HOME}:{key}" for key in inside.union(registered)))


def _anyones(id: str, where: str, name: str) -> Found | None:
    """What module `where` makes by `name`."""
    module = _imported(id, where)
    if hasattr(module, "__path__") and find_spec(f"{where}.{name}"):
        found = _from_module(id, _imported(id, f"{where}.{name}"))
        if found:
            return found
    if name in gymnasium.registry or f"{where}:{name}" in gymnasium.registry:
        return None
    maker = vars(module).get(name)
    if callable(maker):
        return Found(id, "", maker, _settings(maker))
    inside = {*_modules(where), *(key for key in MAKERS if hasattr(module, key))}
    if inside:
        raise unknown("env", id, (f"{where}:{key}" for key in inside))
    raise InputError(f"{id}: there is no environment {name!r} in module {where!r}.")


def _from_module(id: str, module: Any) -> Found | None:
    maker = _maker(module)
    if maker is None:
        return None
    known = module.__name__.split(".")[0] in (HOME, MPE)
    raw = getattr(module, "raw_env", maker)
    return Found(id, _title(id.partition(":")[2]) if known else "", maker, _settings(maker) | _settings(raw))


def _maker(module: Any) -> Callable[..., Any] | None:
    return next((getattr(module, key) for key in MAKERS if callable(getattr(module, key, None))), None)


def _registry(kind: str) -> Iterable[str]:
    return getattr(pettingzoo, f"{kind}_registry", ())


def _registered(kind: str, key: str) -> Callable[..., Any]:
    def create(**options: Any) -> Any:
        return pettingzoo.make(kind, key, **options)

    return create


def _settings(maker: Callable[..., Any]) -> frozenset[str]:
    """Names of the parameters of `maker`, as far as they can be seen from outside."""
    try:
        parameters: Iterable[Any] = signature(maker).parameters.values()
    except (TypeError, ValueError):
        return frozenset()
    return frozenset(each.name for each in parameters if each.kind not in (each.VAR_KEYWORD, each.VAR_POSITIONAL))


def _imported(id: str, module: str) -> Any:
    try:
        with _quiet():
            return import_module(module)
    except ImportError as fault:
        top = module.split(".")[0]
        absent = isinstance(fault, ModuleNotFoundError) and fault.name == top
        raise InputError(f"{id}: {f'no module named {top!r} is installed' if absent else _words(fault)}.") from None


def _families() -> list[str]:
    return [family for family in FAMILIES if find_spec(f"{HOME}.{family}")]


def _modules(package: str) -> list[str]:
    """Names with a version of the modules in `package`."""
    paths = getattr(import_module(package), "__path__", [])
    return [each.name for each in pkgutil.iter_modules(paths) if VERSION.search(each.name)]


def _plain(key: str) -> str:
    """A registry's "classic/connect_four-v3" as people write it: "connect_four_v3"."""
    return key.rpartition("/")[2].replace("-", "_")


def _title(name: str) -> str:
    return VERSION.sub("", name)


def _words(fault: Exception) -> str:
    return " ".join(str(fault).split()).rstrip(".?") or type(fault).__name__


@contextmanager
def _quiet() -> Iterator[None]:
    """PettingZoo 1.27 warns of every module of an environment that is imported by name; the ones before had no other
    way."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield
