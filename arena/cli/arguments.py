"""From words to a function call: tyro reads them, and every fault becomes one sentence."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, redirect_stderr, redirect_stdout
from difflib import get_close_matches
from functools import partial, wraps
from inspect import signature
from itertools import takewhile
from typing import Annotated, Any, get_type_hints

import tyro

from envs.errors import InputError

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
        with nullcontext() if asks_help else _told(said):
            return tyro.cli(_deferred(command), args=args, prog=prog, config=(tyro.conf.FlagCreatePairsOff,))
    except SystemExit as end:
        if not end.code:
            return lambda: 0
        sentence = _sentence(said.getvalue(), command)
        raise InputError(sentence if sentence[-1:] == "?" else f"{sentence}; see `{prog} --help`.") from None


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
def _told(said: io.StringIO) -> Iterator[None]:
    """What tyro prints goes to `said`, without broken lines, and in ASCII since `said` has no encoding."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "10000"
    try:
        with redirect_stderr(said), redirect_stdout(said):
            yield
    finally:
        del os.environ["COLUMNS"]
        if before is not None:
            os.environ["COLUMNS"] = before


def _sentence(told: str, command: Callable[..., int]) -> str:
    """The message of tyro in our words; where it is of no known form, its own words in one line.

    It has a title, a line of dashes, the message, and more that is set off by lines of dashes.
    """
    rows = [re.sub(r"\x1b\[[0-9;]*m", "", row).strip() for row in told.splitlines()][2:]
    message = list(takewhile(lambda row: row.strip("-"), rows))
    text = " ".join(message)
    if found := re.match(r"Unrecognized options: (.*)", text):
        return _unrecognised(found[1].split(", ")[0], command)  # what follows are often its values
    if text.startswith("Missing from "):
        return "missing " + " and ".join(message[1::2])  # between the names are their help texts
    for words, ours in _PLAIN:
        text = re.sub(words, ours, text)
    return text.rstrip(".")


def _unrecognised(word: str, command: Callable[..., int]) -> str:
    """A word that fits nowhere, and the option that was probably meant."""
    if not word.startswith("-"):
        return f"unexpected argument {word!r}"
    options = ["--" + name.replace("_", "-") for name in signature(command).parameters]
    close = get_close_matches(word, options, n=1)
    return f"unknown option {word!r}" + (f", did you mean {close[0]!r}?" if close else "")
