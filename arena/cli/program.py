"""How this program is called here, for the commands that it tells people to use."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path


def command(*words: str | Path) -> str:
    """A line for the shell that runs `arena WORDS`, as this process was run."""
    return shlex.join([*_arena(), *map(str, words)])


def _arena() -> list[str]:
    """ "arena" where the shell finds it, else the path that was used, else the interpreter."""
    script = Path(sys.argv[0])
    if script.name != "arena":
        return ["python" if _found("python", Path(sys.executable)) else sys.executable, "-m", "arena"]
    return ["arena" if _found("arena", script) else sys.argv[0]]


def _found(name: str, path: Path) -> bool:
    """Whether the shell finds `path` by its name."""
    there = shutil.which(name)
    return there is not None and Path(there).resolve() == path.resolve()
