"""Tiny leagues for tests, and what of a run must not depend on how it came about."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from arena.league import League, LeagueConfig

LEARNER: dict[str, Any] = {"policy": {"hidden": [8]}, "settings": {"minibatch_rows": 128}}
LIMIT = 60
SHORT: dict[str, Any] = {"max_steps": LIMIT, "serve_delay": 0}
"""Options of games that are over soon, with a point or two."""
TINY: dict[str, Any] = {
    "budget": "1200-steps",
    "device": "cpu",
    "threads": 1,
    "anchors": ["baseline", "random"],
    "game": {"options": SHORT},
    "learners": [{"name": "ada", **LEARNER}, {"name": "bob", **LEARNER}],
    "matchmaking": {"mirror": 0.5, "even": 0.5},
    "training": {"games": 8, "steps": 16, "snapshot_steps": 200, "options": {"lives": 1}},
    "evaluation": {"games": 4, "rivals": 2, "final_games": 2},
}
"""Stretches of 256 steps, taken in turns: five fill the budget. Games end at a point or soon after at the limit."""
FOUR = [[0, -1, 1, 1], [1, 0, -1, 1], [-1, 1, 0, 1], [-1, -1, -1, 0]]
"""Rock, paper, scissors, and a fourth choice that loses to all of them."""
QUICK: dict[str, Any] = {
    "algorithm": "a2c",
    "policy": {"hidden": []},
    "settings": {"learning_rate": 0.5, "final_learning_rate": 0.5, "entropy": 0.1},
}
"""Learns a matrix game in a few updates."""
SLOW: dict[str, Any] = {**QUICK, "settings": {**QUICK["settings"], "learning_rate": 1e-3, "final_learning_rate": 1e-3}}
"""Hardly learns it."""
FULL: dict[str, Any] = {
    "budget": "1024-steps",
    "device": "cpu",
    "threads": 1,
    "anchors": ["random"],
    "game": {"id": "RockPaperScissors-v0", "options": {"payoff": FOUR}},
    "learners": [
        {"name": "ada", **QUICK},
        {"name": "bob", **SLOW},
        {"name": "eve", "role": "main-exploiter", **QUICK, "reset": {"win_share": 0.6, "steps": 150}},
        {"name": "lea", "role": "league-exploiter", **QUICK, "reset": {"steps": 100, "chance": 0.5}},
    ],
    "matchmaking": {"mirror": 0.3, "hard": 0.3, "nash": 0.3, "forgotten": 0.1},
    "training": {"games": 16, "steps": 2, "snapshot_steps": 64, "streams": 1},
    "promotion": {"rule": "sprt", "batch": 8, "most": 16, "elo1": 300.0},
    "pbt": {"every": 1, "settings": ["learning_rate"]},
    "evaluation": {"games": 12, "rivals": 2, "final_games": 4},
}
"""Exploiters that start again, promotion by evidence, mains that copy each other: 16 stretches of 64 steps."""
TIMED = ("seconds", "steps_per_second")


def tiny(**change: Any) -> LeagueConfig:
    """TINY with some keys replaced."""
    return LeagueConfig.model_validate({**TINY, **change})


def full(**change: Any) -> LeagueConfig:
    """FULL with some keys replaced."""
    return LeagueConfig.model_validate({**FULL, **change})


def after(stretches: int) -> Callable[[], bool]:
    """Stop after so many."""
    asked = itertools.count()
    return lambda: next(asked) >= stretches


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
            "members": [(member.name, member.role, member.status, member.spec) for member in folder.members()],
            "events": [(event.kind, event.member, event.detail) for event in folder.events()],
            "resume": {file.name: _resume(file) for file in sorted((path / "resume").iterdir())},
            "leaderboard": league.leaderboard(),
        }


def kinds(outcome: dict[str, Any]) -> list[tuple[str, str | None]]:
    """What happened to whom, in order."""
    return [(kind, member) for kind, member, _ in outcome["events"]]


def _resume(path: Path) -> bytes:
    state = torch.load(path, weights_only=True)
    del state["seconds"], state["training_seconds"]
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()
