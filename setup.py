"""Everything is in pyproject.toml, but for one thing that it cannot say: `assets/` ships inside `envs`."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ASSETS = Path("assets")


class BuildWithAssets(build_py):
    """Copies the top-level `assets/` to `envs/assets/` of a wheel; a clone uses its own folder."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            shutil.copytree(ASSETS, self._target(), dirs_exist_ok=True)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        outputs = list(super().get_outputs(include_bytecode))
        if self.editable_mode:
            return outputs
        return outputs + [str(self._target() / path.relative_to(ASSETS)) for path in self._assets()]

    def get_source_files(self) -> list[str]:
        return list(super().get_source_files()) + [str(path) for path in self._assets()]

    def _target(self) -> Path:
        return Path(self.build_lib) / "envs" / "assets"

    @staticmethod
    def _assets() -> list[Path]:
        return sorted(path for path in ASSETS.rglob("*") if path.is_file())


setup(cmdclass={"build_py": BuildWithAssets})
