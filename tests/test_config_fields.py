"""No option does nothing: every field of every Config is described, and read somewhere."""

from __future__ import annotations

import ast
import pkgutil
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import import_module

from envs.config import Config
from tests.sources import PACKAGES, files, tree


def configs(base: type[Config]) -> Iterator[type[Config]]:
    """All subclasses of `base` that the project defines."""
    for model in base.__subclasses__():
        if model.__module__.split(".")[0] in PACKAGES:
            yield model
        yield from configs(model)


@cache
def load_everything() -> None:
    """Import every module, so that every subclass is known."""
    for package in map(import_module, PACKAGES):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                import_module(module.name)


def reads(modules: Iterable[ast.Module]) -> set[str]:
    """Names read as attributes or matched by keyword patterns."""
    found: set[str] = set()
    for module in modules:
        for node in ast.walk(module):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                found.add(node.attr)
            elif isinstance(node, ast.MatchClass):
                found.update(node.kwd_attrs)
    return found


def unread(model: type[Config], names: set[str]) -> list[str]:
    return [f"{model.__name__}.{field}" for field in model.model_fields if field not in names]


def test_every_field_is_read() -> None:
    load_everything()
    names = reads(tree(path) for package in PACKAGES for path in files(package))
    models = list(configs(Config))
    assert models, "no settings found"
    assert [field for model in models for field in unread(model, names)] == []


def test_every_field_says_what_it_means() -> None:
    load_everything()
    silent = [
        f"{model.__name__}.{name}"
        for model in configs(Config)
        for name, field in model.model_fields.items()
        if not field.description
    ]
    assert silent == []


def test_the_checker_finds_a_dead_option() -> None:
    class Sample(Config):
        used: int = 1
        """Is read below."""
        dead: int = 2
        """Is not."""

    names = reads([ast.parse("def f(config):\n    config.dead = 1\n    dead = 3\n    return config.used\n")])
    assert unread(Sample, names) == ["Sample.dead"]
