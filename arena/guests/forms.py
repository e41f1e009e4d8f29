"""Forms: which names are those of guests, seen by how they are spelt."""

from __future__ import annotations

import re
from pathlib import Path

PREFIX = "cmd:"
FILES = (".pt", ".onnx", ".zip")
HUMAN = "human"
"""Not here: a person plays by `arena play`."""


def is_guest(text: str) -> bool:
    """Whether `text` names a guest by its form."""
    if text.startswith(PREFIX) or text == HUMAN or Path(text).suffix in FILES or text.endswith(".py"):
        return True
    where, colon, attribute = text.rpartition(":")
    dotted = r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*"
    return bool(colon) and bool(re.fullmatch(dotted, attribute)) and (
        where.endswith(".py") or bool(re.fullmatch(dotted, where))
    )  # fmt: skip
