"""The one exception for bad input, and the sentence that names the nearest valid choice."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class InputError(ValueError):
    """Something a user gave is wrong: one sentence, shown without a traceback, exit code 2."""


def unknown(kind: str, name: str, choices: Iterable[str]) -> InputError:
    """An `InputError` that says which `kind` of name is unknown and what was probably meant."""
    valid = sorted(set(choices))
    close = get_close_matches(name, valid, n=1, cutoff=0.5)
    if close:
        return InputError(f"unknown {kind} {name!r}: did you mean {close[0]!r}?")
    return InputError(f"unknown {kind} {name!r}: choose one of {', '.join(valid) or '(none)'}.")
