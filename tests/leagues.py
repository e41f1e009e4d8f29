"""Tiny leagues for tests, and what of a run must not depend on how it came about."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import torch

from arena.league import League, LeagueConfig

LEARNER: dict[str, Any] = {"policy": {"hidden": [8]}, "settings": {"minibatch_rows": 128}}
TINY: dict[str, Any] = {
    "budget": "1200-steps",
    "device": "cpu",
    "threads": 1,
    "anchors": ["baseline", "random"],
    "game": {"options": {"max_steps": 90}},
    "learners": [{"name": "ada", **LEARNER}, {"name": "bob", **LEARNER}],
    "training": {"games": 8, "steps": 16, "snapshot_steps": 200, "options": {"lives": 1}},
    "evaluation": {"games": 4, "rivals": 2, "final_games": 2},
}
"""Stretches of 256 steps, taken in turns: five fill the budget. Games end at a point or soon after at the limit."""
TIMED = ("seconds", "steps_per_second")


def tiny(**change: Any) -> LeagueConfig:
    """TINY with some keys replaced."""
    return LeagueConfig.model_validate({**TINY, **change})


def run(path: Path, config: LeagueConfig) -> dict[str, Any]:
    """A whole run in a new folder, and what came out."""
    with League.create(path, config) as league:
        league.run()
    return outcome(path)


def outcome(path: Path) -> dict[str, Any]:
    """Everything a run leaves behind, but times."""
    with League.open(path) as league:
        folder = league.folder
        metrics = [{key: v for key, v in record.items() if key not in TIMED} for record in folder.metrics()]
        return {
            "files": {file.name: file.read_bytes() for file in sorted((path / "snapshots").iterdir())},
            "snapshots": [(s.name, s.member, s.step, s.file, s.parent, s.hash) for s in folder.snapshots()],
            "results": list(folder.results()),
            "blocks": folder.blocks(),
            "metrics": metrics,
            "resume": {file.name: _resume(file) for file in sorted((path / "resume").iterdir())},
            "leaderboard": league.leaderboard(),
        }


def _resume(path: Path) -> bytes:
    state = torch.load(path, weights_only=True)
    del state["seconds"], state["training_seconds"]
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()
