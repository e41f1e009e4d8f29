"""Plan: what a league will take, before it is started: minutes, games and disk, from a short trial on this machine."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from agents.parallel import Threads
from agents.player import seated
from agents.snapshot import freeze, save_snapshot
from arena.config import Budget, parse_budget
from arena.league.admission import check
from arena.league.config import LeagueConfig
from arena.learner import Learner, device, seed_for
from arena.match import run_block
from arena.trainer import Stretch, self_play
from envs.registry import build

TRIAL = 6.0
"""Seconds of training, for each kind of learner, from which its speed is known."""
GAME_BYTES = 120
"""What a game takes in the log."""
LINE_BYTES = 1_500
"""What a stretch takes in metrics.jsonl."""


@dataclass(frozen=True, slots=True)
class Plan:
    """An estimate. Matches between good players take longer than those of beginners, which were timed."""

    seconds: float
    """The whole run, final games included."""
    steps: int
    """Env steps trained, all learners."""
    stretches: int
    snapshots: int
    games: int
    """Rated ones."""
    disk: int
    """Bytes in the end."""
    speed: float
    """Env steps of training per second."""
    rating: float
    """0..1 of the time that rated games take."""


def plan(config: LeagueConfig) -> Plan:
    """Estimate what a run of `config` takes, by training each learner for a few seconds.

    Raises:
        InputError: a config that fits no game.
    """
    check(config)
    spec = build(config.game.id, 1, config.game.options).spec
    threads, where = Threads(config.threads or None), device(config.device)
    spent, size, kept, clock = 0.0, 0, 0, 0.0
    for one in config.learners:
        learner = Learner(one.name, one, spec, seed_for(config.seed, "plan", one.name), where, threads)
        streams = self_play(learner.algorithm, config.game.id, config.game.options, [], config.training, config.seed)
        stretch = Stretch(learner.algorithm, streams, threads)
        stretch.iterate(0.0)  # the first one compiles and warms up
        before, began = stretch.steps, time.monotonic()
        while time.monotonic() - began < TRIAL / len(config.learners):
            stretch.iterate(0.0)
        spent += (time.monotonic() - began) / (stretch.steps - before)
        size += _snapshot_bytes(learner)
        kept += len(learner.state(0.0))
        clock += _game_seconds(config, learner, threads)
    count = len(config.learners)
    speed = count / spent
    games = _games_per_stretch(config)
    stretch_seconds = config.training.snapshot_steps / speed + games * clock / count
    return _plan(config, parse_budget(config.budget), speed, stretch_seconds, clock / count, size // count, kept)


def _plan(
    config: LeagueConfig,
    budget: Budget,
    speed: float,
    stretch_seconds: float,
    game_seconds: float,
    size: int,
    kept: int,
) -> Plan:
    length = config.training.snapshot_steps
    in_time = max(1, round((budget.seconds or 0.0) / stretch_seconds))
    stretches = -(-budget.steps // length) if budget.steps else in_time
    snapshots = stretches + len(config.learners)
    games = sum(_met(config, place) for place in range(snapshots)) * config.evaluation.games
    best = min(4, snapshots)
    final = (best * (best - 1) // 2 + best * len(config.anchors)) * config.evaluation.final_games
    training, rating = stretches * length / speed, games * game_seconds
    if budget.seconds:
        training = max(0.0, min(training, budget.seconds - rating))
    whole = training + rating + final * game_seconds
    disk = snapshots * size + kept + (games + final) * GAME_BYTES + snapshots * LINE_BYTES
    steps = budget.steps or int(training * speed)
    share = (rating + final * game_seconds) / whole if whole else 0.0
    return Plan(whole, steps, stretches, snapshots, games + final, disk, speed, share)


def _met(config: LeagueConfig, before: int) -> int:
    """Whom a new snapshot meets when there are `before` already."""
    return len(config.anchors) + min(config.evaluation.rivals, before)


def _games_per_stretch(config: LeagueConfig) -> int:
    return _met(config, config.evaluation.rivals) * config.evaluation.games


def _snapshot_bytes(learner: Learner) -> int:
    with TemporaryDirectory(prefix="arena-") as folder:
        path = Path(folder) / "one.safetensors"
        save_snapshot(path, learner.algorithm.policy, {})
        return path.stat().st_size


def _game_seconds(config: LeagueConfig, learner: Learner, threads: Threads) -> float:
    """Time of a rated game when every thread plays a block."""
    policy = freeze(learner.algorithm.policy)
    players = [seated(policy, name, config.evaluation.greedy) for name in ("one", "other")]
    games, blocks = config.evaluation.games, threads.count
    began = time.monotonic()
    threads.run([
        partial(run_block, config.game.id, config.game.options, players, games, seed) for seed in range(blocks)
    ])  # fmt: skip
    return (time.monotonic() - began) / (games * blocks)
