"""The files that make an installation complete."""

from __future__ import annotations

from pathlib import Path

import pytest

import arena
from envs import data
from tests.sources import PACKAGES, ROOT


def test_each_package_is_marked_as_typed() -> None:
    assert [name for name in PACKAGES if not (ROOT / name / "py.typed").is_file()] == []


def test_every_source_folder_is_a_package() -> None:
    """The build takes packages only, so a folder without `__init__.py` would be left out of a wheel."""
    folders = {path.parent for name in PACKAGES for path in (ROOT / name).rglob("*.py")}
    assert [str(folder) for folder in folders if not (folder / "__init__.py").is_file()] == []


def test_versions_and_hosts_of_the_pins() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    assert pins["torch"] == "2.13.0"
    assert not [line for line in lines if "://" in line or line.startswith("-")]
    assert arena.__version__.count(".") == 2


def test_assets_are_found_in_both_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel, clone = tmp_path / "envs" / "assets", tmp_path / "assets"
    monkeypatch.setattr(data, "_FOLDERS", (wheel, clone))
    with pytest.raises(FileNotFoundError, match=r"assets/a/b\.txt is missing"):
        data.asset("a/b.txt")
    for folder in (clone, wheel):
        (folder / "a").mkdir(parents=True)
        (folder / "a" / "b.txt").write_text(str(folder))
        assert data.asset("a/b.txt").read_text() == str(folder)


def test_the_clone_has_its_assets() -> None:
    present = [path.name for path in (ROOT / "assets").iterdir() if path.is_file()]
    assert present
    assert {data.asset(name).parent for name in present} == {ROOT / "assets"}
