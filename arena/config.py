"""Run files: a TOML or YAML file, or a bundled preset, read into a strict `Config`; and training budgets."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Hashable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel

from envs.config import parse
from envs.errors import InputError, unknown

ConfigT = TypeVar("ConfigT", bound=BaseModel)
Tree = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Budget:
    """How long to train: exactly one of them is set."""

    seconds: float | None = None
    """Wall-clock time, s."""
    steps: int | None = None
    """Env steps."""
    episodes: int | None = None
    """Games that end."""

    def share(self, seconds: float, steps: int, episodes: int = 0) -> float:
        """0..1 of it that is spent by so much."""
        spent = seconds if self.seconds else steps if self.steps else episodes
        return min(1.0, spent / (self.seconds or self.steps or self.episodes or 1))


def load(model: type[ConfigT], source: str | Path, overrides: Iterable[str] = ()) -> ConfigT:
    """Read a run file or preset into `model`.

    Args:
        source: a path that ends in .toml, .yaml or .yml, or the name of a preset.
        overrides: "dotted.key=value" each, applied in order; a number in the path is an index of a list.

    Raises:
        InputError: no such file or preset, a file that does not parse, or an unknown or unfit key.
    """
    tree = _read(source)
    assignments = [_split(text) for text in overrides]
    if not assignments:
        return parse(model, tree, str(source))
    try:
        defaults = parse(model, tree, str(source)).model_dump(mode="json")
    except InputError:  # perhaps the overrides put it right; if not, the fault shows below
        defaults = {}
    for path, value in assignments:
        _assign(tree, defaults, path, value)
    where = str(source) if not defaults else "--set"
    return parse(model, tree, where)


def parse_assignments(texts: Iterable[str]) -> Tree:
    """What "dotted.key=value" texts say together, as one tree.

    Raises:
        InputError: a text of another form.
    """
    tree: Tree = {}
    for path, value in map(_split, texts):
        _assign(tree, {}, path, value)
    return tree


def presets() -> list[str]:
    """Names of the bundled presets."""
    folder = files("arena") / "presets"
    return sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".toml"))


def dump_yaml(config: BaseModel) -> str:
    """`config` in full as YAML text; `load` reads it back as the same value."""
    text: str = yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False)
    return text


def parse_budget(text: str, episodes: bool = False) -> Budget:
    """Read "120s", "5m", "1.5h", "500k-steps", "20M-steps" or "30000-steps"; with `episodes`, "500-episodes" too.

    Raises:
        InputError: anything else, and a budget that is not above 0.
    """
    kinds = "steps|episodes" if episodes else "steps"
    found = re.fullmatch(rf"(\d{{1,12}}(?:\.\d{{1,12}})?)(?:(s|m|h)|([kMG]?)-({kinds}))", text.strip())
    if not found:
        more = ", or episodes such as 500-episodes" if episodes else ""
        raise InputError(
            f"budget {text!r} is not understood: give a time such as 120s, 5m or 1h, "
            f"or env steps such as 500k-steps or 20M-steps{more}."
        )
    amount, unit = float(found[1]), found[2]
    if unit:
        budget = Budget(seconds=amount * _SECONDS[unit])
    else:
        count = round(amount * _SCALE[found[3]])
        budget = Budget(steps=count) if found[4] == "steps" else Budget(episodes=count)
    if budget == Budget(seconds=0.0) or 0 in (budget.steps, budget.episodes):
        raise InputError(f"budget {text!r} must be above 0: give for example 5m or 20M-steps.")
    return budget


def parse_count(text: str, option: str) -> int:
    """Read "50000", "100k" or "1.5M"; `option` names the source.

    Raises:
        InputError: anything else, and a count that is not above 0.
    """
    found = re.fullmatch(r"(\d{1,12}(?:\.\d{1,12})?)([kMG]?)", text.strip().replace("_", ""))
    count = round(float(found[1]) * _SCALE[found[2]]) if found else 0
    if not count:
        raise InputError(f"{option} {text!r} is no number above 0: give for example 50000, 100k or 1M.")
    return count


_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_SCALE = {"": 1, "k": 1_000, "M": 1_000_000, "G": 1_000_000_000}


def _read(source: str | Path) -> Tree:
    """The tree that a file or preset holds."""
    path = Path(source)
    if path.suffix in (".toml", ".yaml", ".yml"):
        return _parse_text(_text(path), path.suffix, str(path))
    if path.exists() or len(path.parts) > 1:
        raise InputError(f"{source} is no run file: its name must end in .toml, .yaml or .yml.")
    if str(source) not in presets():
        raise unknown("preset", str(source), presets())
    text = (files("arena") / "presets" / f"{source}.toml").read_text(encoding="utf-8")
    return _parse_text(text, ".toml", f"preset {source}")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as fault:
        raise InputError(f"cannot read {path}: {fault.strerror or fault}.") from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is not a text file in UTF-8.") from None


def _parse_text(text: str, suffix: str, where: str) -> Tree:
    try:
        tree = tomllib.loads(text) if suffix == ".toml" else yaml.load(text, _StrictLoader)
    except (tomllib.TOMLDecodeError, yaml.YAMLError) as fault:
        raise InputError(f"{where}: {' '.join(str(fault).split())}") from None
    if not isinstance(tree, dict):
        raise InputError(f"{where} must hold keys with values, not {type(tree).__name__}.")
    return tree


class _StrictLoader(yaml.SafeLoader):
    """YAML without objects, in which a key given twice is an error as it is in TOML."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                problem = f"key {key.value!r} is given twice"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _split(text: str) -> tuple[list[str], Any]:
    """ "a.b=3" as (["a", "b"], 3). The value is read as TOML; what is not TOML is a string."""
    key, equals, value = text.partition("=")
    path = key.strip().split(".")
    if not equals or not all(path):
        raise InputError(f"--set {text!r} is not of the form key=value, such as seed=3.")
    try:
        read = tomllib.loads(f"value = {value}")
    except tomllib.TOMLDecodeError:
        return path, value.strip()
    return path, read["value"] if len(read) == 1 else value


def _assign(tree: Tree, defaults: Mapping[str, Any], path: list[str], value: Any) -> None:
    """Set one key of `tree`; a table or list that it lacks on the way there is copied from `defaults`."""
    node: Any = tree
    known: Any = defaults
    for depth, part in enumerate(path[:-1]):
        key = _key(node, part, path, depth)
        known = _child(known, key)
        if _child(node, key) is None:
            node[key] = deepcopy(known) if isinstance(known, dict | list) else {}
        node = node[key]
    node[_key(node, path[-1], path, len(path) - 1)] = value


def _key(node: Any, part: str, path: list[str], depth: int) -> str | int:
    """`part`, the place `depth` of `path`, as a key of the table or an index of the list `node`."""
    if isinstance(node, dict):
        return part
    whole, here = ".".join(path), ".".join(path[:depth])
    if not isinstance(node, list):
        raise InputError(f"--set {whole}: {here} is a single value and has no {part!r} in it.")
    if not part.isdecimal() or int(part) >= len(node):
        raise InputError(f"--set {whole}: {here} is a list of {len(node)}, counted from 0.")
    return int(part)


def _child(node: Any, key: str | int) -> Any:
    """`node[key]`, or None where there is no such thing."""
    if isinstance(node, dict):
        return node.get(key)
    if isinstance(node, list) and isinstance(key, int) and key < len(node):
        return node[key]
    return None
