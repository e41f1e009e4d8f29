"""How rules are compiled: numba, without the GIL, cached on disk where a cache can be written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile `function` on first use; plain Python with the same results under NUMBA_DISABLE_JIT=1."""
    return _compiled(function, {})


def compiled_sums(function: Function) -> Function:
    """The same for sums and products of many numbers, which may be taken in any order: results may differ in the last
    places from one kind of processor to another."""
    return _compiled(function, {"fastmath": {"contract", "reassoc"}})


def _compiled(function: Function, options: dict[str, Any]) -> Function:
    try:
        return cast("Function", numba.njit(nogil=True, cache=True, **options)(function))
    except RuntimeError:  # neither the source folder nor the user's cache folder can be written
        return cast("Function", numba.njit(nogil=True, **options)(function))
