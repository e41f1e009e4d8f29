"""About: run.json, which makes a folder a run: what wrote it, when, and of which kind it is."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from envs.errors import InputError

FORMAT = 2
"""Layout of the folder; counted up when programs of another format could not read it."""
PACKAGES = ("selfplay-arena", "torch", "numpy", "numba", "gymnasium", "trueskill", "safetensors")
"""Distributions whose versions a run notes."""


def about_now(seed: int, command: Sequence[str], kind: str) -> dict[str, Any]:
    """What run.json says about a run that starts now."""
    return {
        "format": FORMAT,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "seed": seed,
        "command": list(command),
        "python": sys.version.split()[0],
        "versions": {name: _version(name) for name in PACKAGES},
        "kind": kind,
    }


def read_about(path: Path) -> dict[str, Any]:
    """run.json of the folder `path`.

    Raises:
        InputError: there is none, or it is not ours, or of another format.
    """
    if not path.is_dir():
        raise InputError(f"there is no run folder {path}: `arena league run` and `arena train` make one with --out.")
    try:
        about = json.loads((path / "run.json").read_bytes())
        written = int(about["format"])
    except OSError as fault:
        reason = f"run.json: {fault.strerror or fault}"
        raise InputError(f"{path} is no run folder ({reason}).") from None
    except (ValueError, TypeError, KeyError):
        raise InputError(f"{path} is no run folder of arena (run.json is not ours).") from None
    if written > FORMAT:
        raise InputError(f"{path} has format {written}, but this arena reads format {FORMAT}: update it.")
    if written < FORMAT:
        raise InputError(
            f"{path} has format {written} of an older arena, and this one reads format {FORMAT}: its snapshots still "
            f"play as files, {path}/snapshots/NAME.safetensors, but the run does not go on."
        )
    return dict(about)


def refuse_taken(path: Path) -> None:
    """Raise an InputError if anything is at `path` already, unless it is an empty folder."""
    if (path / "run.json").exists():
        raise InputError(f"{path} already holds a run: {advice(path, kind_of(read_about(path)))}.")
    if path.exists() and not path.is_dir():
        raise InputError(f"{path} is a file: choose a new folder.")
    if path.is_dir() and any(path.iterdir()):
        raise InputError(f"{path} is not empty and holds no run: choose a new folder.")


def kind_of(about: Mapping[str, Any]) -> str:
    """ "league", "training" or "tournament"."""
    return str(about.get("kind", "league"))


def advice(path: Path, kind: str) -> str:
    """How to go on with a run of `kind`."""
    command = {"league": "league resume", "tournament": "tournament resume"}.get(kind, "train --resume")
    return f"`arena {command} {path}` goes on"


def _version(name: str) -> str | None:
    """Version of an installed distribution; None for one that runs from its source tree."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None
