"""Where files of the top-level `assets/` folder are, in a clone and in an installed package."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_FOLDERS = (
    _PACKAGE / "assets",  # a wheel carries the folder inside `envs`
    _PACKAGE.parent / "assets",  # a clone, or an editable install of one
)


def asset(name: str) -> Path:
    """Path of the asset `name`, given relative to `assets/` with forward slashes.

    Raises:
        FileNotFoundError: the installation is incomplete, or there is no such asset.
    """
    for folder in _FOLDERS:
        path = folder / name
        if path.is_file():
            return path
    raise FileNotFoundError(f"assets/{name} is missing from this installation: reinstall selfplay-arena.")
