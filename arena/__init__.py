"""Competition: train populations by self-play, rate every snapshot, play and watch the matches.

The names below are the scripting API. Each is loaded when it is first used, so `import arena` costs
neither torch nor numba.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arena.siblings import check_siblings

if TYPE_CHECKING:  # the names in `_API` once more, for type checkers and editors
    from arena.result import MatchSummary, Result

__version__ = "0.1.0"

_API = {
    "MatchSummary": "arena.result",
    "Result": "arena.result",
}
"""Public name -> module that defines it. A name must not be that of a module in this folder: importing the
module would replace it."""

__all__ = ["MatchSummary", "Result", "__version__"]

check_siblings(Path(__file__).resolve().parent.parent)


def __getattr__(name: str) -> Any:
    if name not in _API:
        raise AttributeError(f"module 'arena' has no attribute {name!r}")
    value = getattr(import_module(_API[name]), name)
    globals()[name] = value  # found directly from now on
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_API})
