"""How rules are compiled: numba, without the GIL, cached on disk where a cache can be written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile `function` on first use; plain Python with the same results under NUMBA_DISABLE_JIT=1."""
    try:
        return numba.njit(nogil=True, cache=True)(function)  # type: ignore[return-value]
    except RuntimeError:  # neither the source folder nor the user's cache folder can be written
        return numba.njit(nogil=True)(function)  # type: ignore[return-value]
