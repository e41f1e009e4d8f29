"""From words to a function call: tyro reads them, and every fault becomes one sentence."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from functools import partial, wraps
from inspect import signature
from typing import Annotated, Any, get_type_hints

import tyro

from envs.errors import InputError

_FRAME = "╭╮╰╯│─"
_PLAIN = (
    (r"^Error parsing (\S+): ", r"\1 "),
    (r"invalid literal for int\(\) with base 10: ", "needs a whole number, not "),
    (r"could not convert string to float: ", "needs a number, not "),
    (r"^Missing value for argument '(\S+)'.*", r"\1 needs a value"),
    (r"^invalid choice '(.*)' for argument '(\S+)'.*? one of \((.*?),?\)", r"\2 is one of \3, not '\1'"),
)
"""Messages of tyro and Python, and ours."""
_MARK: Any = tyro.conf.Positional
_POSITIONAL = _MARK[str].__metadata__[0]


def bind(command: Callable[..., int], args: Sequence[str], prog: str) -> Callable[[], int]:
    """The call of `command` that `args` ask for, not made yet; with `--help`, one that does nothing.

    Raises:
        InputError: the words do not fit the parameters of `command`.
    """

    said = io.StringIO()
    asks_help = "-h" in args or "--help" in args
    try:
        with redirect_stderr(said), _width(None if asks_help else 10_000):
            return tyro.cli(_deferred(command), args=args, prog=prog, config=(tyro.conf.FlagCreatePairsOff,))
    except SystemExit as end:
        if not end.code:
            return lambda: 0
        sentence = _sentence(said.getvalue())
        raise InputError(sentence if sentence[-1] == "?" else f"{sentence}; see `{prog} --help`.") from None


def _deferred(command: Callable[..., int]) -> Callable[..., Callable[[], int]]:
    """What tyro may call in place of `command`: same parameters, but it only notes the call.

    In its help, positional parameters have their names instead of their types.
    """

    @wraps(command)
    def later(*positional: Any, **named: Any) -> Callable[[], int]:
        return partial(command, *positional, **named)

    hints = get_type_hints(command, include_extras=True)
    for name, hint in hints.items():
        if _POSITIONAL in getattr(hint, "__metadata__", ()):
            hints[name] = Annotated[hint, tyro.conf.arg(metavar=name.upper())]
    later.__annotations__ = hints
    later.__dict__["__signature__"] = signature(command)
    del later.__dict__["__wrapped__"]  # tyro would read the annotations there
    return later


@contextmanager
def _width(columns: int | None) -> Iterator[None]:
    """Let tyro format for `columns` characters, so that it does not break a message into lines."""
    if columns is None:
        yield
        return
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = str(columns)
    try:
        yield
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before


def _sentence(box: str) -> str:
    """The framed message of tyro in our words; where it is of no known form, its own words in one line."""
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line).strip(_FRAME + " ") for line in box.splitlines()]
    title, *body = lines or [""]
    message = [line for line in body[: body.index("")] if line] if "" in body else body
    text = " ".join(message) or title
    if found := re.match(r"Unrecognized options: (.*)", text):
        return _unrecognised(found[1], body)
    if text.startswith("Missing from "):
        # name, help text, name, help text, ...
        return "missing " + " and ".join(message[1::2])
    for words, ours in _PLAIN:
        text = re.sub(words, ours, text)
    return text.rstrip(".")


def _unrecognised(words: str, body: list[str]) -> str:
    """Only the first word that did not fit: the ones after it are often its values."""
    first = words.split(", ")[0]
    if not first.startswith("-"):
        return f"unexpected argument {first!r}"
    meant = next((line.split()[0].rstrip(",") for line in body[1:] if line.startswith("--")), None)
    return f"unknown option {first!r}" + (f", did you mean {meant!r}?" if meant else "")
