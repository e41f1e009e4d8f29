"""The state of an installation: facts, and problems with their remedies. What `arena doctor` prints."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal, NamedTuple

import arena
from arena import siblings

REQUIRED = {
    "torch": "torch", "numpy": "numpy", "numba": "numba", "gymnasium": "gymnasium",
    "pettingzoo": "pettingzoo", "pygame-ce": "pygame", "trueskill": "trueskill",
    "safetensors": "safetensors", "pydantic": "pydantic", "tyro": "tyro", "rich": "rich",
    "pillow": "PIL", "pyyaml": "yaml",
}  # fmt: skip
"""Distribution -> the module it must provide."""
OPTIONAL = (
    "ray", "imageio-ffmpeg", "tensorboard", "wandb", "matplotlib", "mpe2", "rlcard", "chess", "pymunk", "openskill",
    "onnxruntime",
)  # fmt: skip

Facts = Mapping[str, Any]


class Problem(NamedTuple):
    """Something that is not as it should be."""

    level: Literal["error", "warning"]
    """An error breaks something; with a warning everything works, but less well."""
    what: str
    remedy: str


def examine() -> dict[str, Any]:
    """All facts: versions, threads, gpu, display."""
    return {"versions": versions(), "threads": threads(), "gpu": gpu(), "display": display()}


def problems(facts: Facts) -> list[Problem]:
    """What is wrong, worst first."""
    found = [problem for check in _CHECKS for problem in check(facts)]
    return sorted(found, key=lambda problem: problem.level)  # "error" comes before "warning"


def versions() -> dict[str, str | None]:
    """Of Python, this project and every package it can use; None where one is not installed."""
    found: dict[str, str | None] = {"python": platform.python_version(), "arena": arena.__version__}
    return found | {name: _version(name) for name in (*REQUIRED, *OPTIONAL)}


def threads() -> dict[str, int | None]:
    """Processors of the machine, those this process may use, and what torch would take."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    torch = _torch()
    return {
        "processors": os.cpu_count(),
        "usable": usable,
        "torch": torch.get_num_threads() if torch else None,
    }


def gpu() -> dict[str, Any]:
    """Whether torch can compute on a GPU, and the GPUs' names."""
    torch = _torch()
    count = torch.cuda.device_count() if torch and torch.cuda.is_available() else 0
    names = [torch.cuda.get_device_name(index) for index in range(count)] if torch else []
    return {"available": count > 0, "names": names}


def display() -> dict[str, Any]:
    """Which video driver opens, tried in a process of its own since a broken one may not return."""
    trial = (
        "import os; os.environ['PYGAME_HIDE_SUPPORT_PROMPT'] = '1'\n"
        "import pygame; pygame.display.init(); print(pygame.display.get_driver())"
    )
    try:
        done = subprocess.run([sys.executable, "-c", trial], capture_output=True, text=True, timeout=20)
        driver, fault = done.stdout.strip(), "".join(done.stderr.strip().splitlines()[-1:]).rstrip(".")
    except subprocess.TimeoutExpired:
        driver, fault = "", "the video driver did not answer"
    names = ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")
    return {
        "driver": driver or None,
        "window": driver not in ("", "dummy", "offscreen"),
        "fault": fault or None,
        "environment": {name: os.environ[name] for name in names if name in os.environ},
    }


def check_packages(facts: Facts) -> Iterator[Problem]:
    """Is everything that is required installed, and does it load?"""
    for name, module in REQUIRED.items():
        if facts["versions"][name] is None:
            yield Problem("error", f"{name} is not installed.", f"reinstall {siblings.DISTRIBUTION}")
            continue
        try:
            import_module(module)
        except Exception as fault:  # whatever it is, the package is of no use
            yield Problem("error", f"{name} does not load: {fault}", f"pip install --force-reinstall {name}")


def check_pygames(facts: Facts) -> Iterator[Problem]:
    """Classic pygame and pygame-ce both install the folder `pygame/`, over one another."""
    if _version("pygame") and facts["versions"]["pygame-ce"]:
        yield Problem(
            "error",
            "pygame and pygame-ce are both installed, into the same folder.",
            "pip uninstall -y pygame pygame-ce && pip install pygame-ce",
        )


def check_names(facts: Facts) -> Iterator[Problem]:
    """`import arena` already refuses foreign packages; here, those that could take the names later."""
    for name in siblings.SIBLINGS:
        for owner in siblings.owners(name):
            yield Problem(
                "warning",
                f"{owner} also installs a package {name!r}; whichever is installed last wins.",
                f"keep {siblings.DISTRIBUTION} and {owner} in separate environments",
            )


def check_compiler(facts: Facts) -> Iterator[Problem]:
    """Are the game rules compiled, and is what was compiled kept?"""
    if os.environ.get("NUMBA_DISABLE_JIT", "0") != "0":
        yield Problem(
            "warning",
            "NUMBA_DISABLE_JIT is set: games run a hundred times slower.",
            "unset NUMBA_DISABLE_JIT",
        )
    if not any(writable(folder) for folder in cache_folders()):
        yield Problem(
            "warning",
            f"compiled game rules cannot be kept in {' or '.join(map(str, cache_folders()))}: "
            "every process compiles them again, for seconds.",
            "set NUMBA_CACHE_DIR to a folder that can be written",
        )


def check_display(facts: Facts) -> Iterator[Problem]:
    """Can `arena watch` open a window?"""
    found = facts["display"]
    if not found["window"]:
        why = f"the video driver is {found['driver']}" if found["driver"] else found["fault"]
        yield Problem(
            "warning",
            f"no window can be opened: {why}.",
            "start on a desktop (DISPLAY or WAYLAND_DISPLAY set, SDL_VIDEODRIVER not); "
            "`arena watch A B --record FILE.gif` needs none",
        )


def check_threads(facts: Facts) -> Iterator[Problem]:
    """More threads than processors wait for one another."""
    count = facts["threads"]
    if count["torch"] and count["usable"] and count["torch"] > count["usable"]:
        yield Problem(
            "warning",
            f"torch takes {count['torch']} threads on {count['usable']} usable processors.",
            f"set OMP_NUM_THREADS={count['usable']}",
        )


_CHECKS: tuple[Callable[[Facts], Iterator[Problem]], ...] = (
    check_packages,
    check_pygames,
    check_names,
    check_compiler,
    check_display,
    check_threads,
)


def cache_folders() -> list[Path]:
    """Where numba tries to keep compiled rules, first choice first."""
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    if chosen:
        return [Path(chosen)]
    beside = Path(arena.__file__).resolve().parent.parent / "envs" / "slime_volley" / "__pycache__"
    if not _version("numba"):
        return [beside]
    from numba.misc.appdirs import AppDirs

    users = AppDirs("numba", False)  # type: ignore[no-untyped-call]
    return [beside, Path(users.user_cache_dir)]


def writable(folder: Path) -> bool:
    """Whether files can be made in `folder`, or in what would become its parent; leaves nothing behind."""
    place = next((path for path in (folder, *folder.parents) if path.exists()), folder)
    try:
        with tempfile.TemporaryFile(dir=place):
            return True
    except OSError:
        return False


def _torch() -> Any:
    """The module, or None where it does not load: `check_packages` says why."""
    try:
        return import_module("torch")
    except Exception:
        return None


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
