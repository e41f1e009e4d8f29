"""Jobs of a league that are games: those that are rated, and those that decide on a promotion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from agents.player import seated
from agents.snapshot import load_snapshot
from arena.execution.job import MatchJob, Pinned, loaded
from arena.match import Tape, run_block
from arena.result import Result

BEFORE = "before"
"""What the results of a trial call the snapshot that was there before."""


@dataclass(frozen=True, slots=True)
class RatedJob:
    """A block of rated games."""

    block: MatchJob
    taped: bool
    """Whether what is done in them is wanted."""
    cpus: int = 1
    gpus: float = 0.0

    @property
    def files(self) -> dict[str, str]:
        """Paths by hash, of what another machine needs to play it."""
        return self.block.files

    def __call__(self) -> tuple[list[Result], Tape | None]:
        """Play; the games in order, and what was done in them.

        Raises:
            InputError: as for `MatchJob`.
        """
        tape = Tape() if self.taped else None
        return self.block.play(tape), tape


@dataclass(frozen=True, slots=True)
class Trial:
    """Games of a snapshot that is on no file yet with one that is. They count for nothing but the promotion."""

    env: str
    options: Mapping[str, Any]
    candidate: bytes
    """What its file would hold."""
    name: str
    """What results call it."""
    against: Pinned
    games: int
    seed: int
    greedy: bool
    cpus: int = 1
    gpus: float = 0.0

    @property
    def files(self) -> dict[str, str]:
        """As for `RatedJob`."""
        return {self.against.hash: self.against.text} if self.against.hash else {}

    def __call__(self) -> list[Result]:
        """Play; results call the other one `BEFORE`."""
        with TemporaryDirectory(prefix="arena-") as folder:
            file = Path(folder) / "candidate.safetensors"
            file.write_bytes(self.candidate)
            policies = load_snapshot(file).policies
        players = [
            seated(policies, self.name, self.greedy),
            loaded(self.against, self.env, self.options, self.greedy),
        ]
        return run_block(self.env, self.options, players, self.games, self.seed, names=(self.name, BEFORE))
