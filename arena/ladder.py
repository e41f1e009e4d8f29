"""Ladder: five players of slime volleyball that are in the box, from a beginner to the best there is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from envs.data import asset

LADDER = ("beginner", "novice", "player", "expert", "master")
"""Their names, the weakest first. `benchmarks/ladder.py` says how they were made."""
GAME = "SlimeVolley-v0"


class Rung(NamedTuple):
    """One of them, as it was measured."""

    name: str
    skill: float
    """TrueSkill mean, where games of all five, the bots and each other settled it."""
    baseline: float
    """Mean score per game against the baseline of 2015."""
    origin: str
    """The snapshot that it is a copy of."""


def rungs() -> list[Rung]:
    """All five, the weakest first."""
    known = json.loads(asset("ladder/ladder.json").read_text(encoding="utf-8"))
    return [Rung(name, **known[name]) for name in LADDER]


def rung_file(name: str) -> Path:
    """The snapshot of `name`, which is one of `LADDER`."""
    return asset(f"ladder/{name}.safetensors")
