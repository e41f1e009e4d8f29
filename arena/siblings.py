"""The guard: are `envs` and `agents` really ours?

Both are names that others use too (a distribution called openai-agents installs a package `agents`), and
whoever comes first on `sys.path` wins: an editable install comes last. The packages are looked up but not
run, so nothing foreign is executed and `import arena` stays light.
"""

from __future__ import annotations

import importlib.util
from importlib.machinery import ModuleSpec
from importlib.metadata import packages_distributions
from pathlib import Path

SIBLINGS = ("envs", "agents")
DISTRIBUTION = "selfplay-arena"
MARKER = "__arena__"
"""Assigned in the `__init__.py` of each sibling."""


def check_siblings(home: Path) -> None:
    """Make sure that `envs` and `agents` lie in `home`, the folder that holds `arena`, and carry the marker.

    Raises:
        ImportError: one of them is missing or foreign; says who took the name and what to do.
    """
    for name in SIBLINGS:
        spec = importlib.util.find_spec(name)
        if spec is None:
            raise ImportError(f"arena needs its own package {name!r} in {home}: reinstall {DISTRIBUTION}.")
        place = _place(spec)
        marked = _marked(spec)
        if marked and place.parent != home:
            raise ImportError(
                f"two copies of {DISTRIBUTION} are mixed: arena is in {home}, but {name} comes from "
                f"{place.parent}; uninstall one of them."
            )
        if not marked:
            raise ImportError(_foreign(name, place))


def owners(name: str) -> list[str]:
    """Other distributions in this environment that install a top-level package `name`."""
    return sorted({owner for owner in packages_distributions().get(name, []) if owner != DISTRIBUTION})


def _place(spec: ModuleSpec) -> Path:
    """The folder (or module file) that Python would import."""
    if spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations))).resolve()
    return Path(spec.origin or ".").resolve()


def _marked(spec: ModuleSpec) -> bool:
    """Whether its source assigns the marker; installs without sources are believed."""
    read_source = getattr(spec.loader, "get_source", None)
    if read_source is None or spec.origin is None:  # a bare folder without `__init__.py`
        return False
    source = read_source(spec.name)
    return source is None or MARKER in source


def _foreign(name: str, place: Path) -> str:
    """The sentence about a package `name` that is not ours."""
    found = f"arena needs its own package {name!r}, but Python finds another one at {place}"
    who = owners(name)
    if who:
        return (
            f"{found}, installed by the distribution {' and '.join(who)}: install {DISTRIBUTION} in an "
            f"environment of its own, or uninstall {who[0]} and reinstall {DISTRIBUTION}."
        )
    return f"{found}: rename that folder, or start Python from a folder without it."
