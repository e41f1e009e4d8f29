"""Memory that a long run has freed, given back to the system."""

from __future__ import annotations

import ctypes
import sys
from functools import lru_cache


def give_back() -> None:
    """Return freed pages in the middle of the heap, where the C library can (glibc); elsewhere do nothing.

    Every stretch of a league needs buffers of other sizes, as it has other opponents, and the holes they leave add up:
    the heap of an hour's league grew to gigabytes of which a tenth was in use.
    """
    trim = _trim()
    if trim:
        trim(0)


@lru_cache(maxsize=1)
def _trim() -> ctypes._NamedFuncPointer | None:
    """malloc_trim, which is glibc's own."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        return ctypes.CDLL(None).malloc_trim
    except AttributeError:  # another C library
        return None
