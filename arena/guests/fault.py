"""Fault: what a player did for which it loses a game."""

from __future__ import annotations


class Fault(Exception):
    """One reason, a part of a sentence that begins with the player's name: "gave no answer within 20 ms"."""


class Late(Fault):
    """Nothing came in time."""


class Unfit(ValueError):
    """Why something is no agent at all: one sentence."""


def told(fault: BaseException) -> str:
    """What a guest's own exception says, on one line that is not too long."""
    text = " ".join(str(fault).split())
    name = type(fault).__name__
    return clipped(f"{name}: {text}" if text else name)


def clipped(text: str, width: int = 200) -> str:
    """`text` as it may be shown and logged: one line of printable characters."""
    plain = "".join(char if char.isprintable() else "?" for char in text)
    return plain if len(plain) <= width else f"{plain[: width - 3]}..."
