"""Findings: what a check of a run folder has to say."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["missing", "changed", "truncated", "unknown", "damaged"]


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is not as it was written."""

    kind: Kind
    where: str
    """A file, relative to the run folder; of league.sqlite also the table, and the row if it is one."""
    sentence: str

    def __str__(self) -> str:
        """The sentence."""
        return self.sentence


@dataclass(slots=True)
class Findings:
    """Faults, and what else is worth knowing."""

    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """Sentences about what looks odd and is as it should be."""
    files: int = 0
    """Files that were checked, the log and the metrics among them."""
    blocks: int = 0
    games: int = 0

    def add(self, kind: Kind, where: str, sentence: str) -> None:
        """Report a fault."""
        self.faults.append(Fault(kind, where, sentence))
