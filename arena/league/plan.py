"""Plan: what a league will take, before it is started: minutes, games and disk, from a short trial on this machine."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from math import prod
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory

from agents.parallel import Threads
from agents.player import seated
from agents.snapshot import freeze, save_snapshot
from arena.config import Budget, parse_budget
from arena.league.admission import check
from arena.league.config import LeagueConfig, LearnerConfig
from arena.league.population import tables
from arena.learner import Learner, device, seed_for
from arena.match import run_block
from arena.self_play import self_play
from arena.trainer import Stretch
from envs.core import EnvSpec
from envs.registry import build
from envs.side import filled, team_count

TRIAL = 6.0
"""Seconds of training, for each kind of learner, from which its speed is known."""
GAME_BYTES = 120
"""What a game takes in the log."""
LINE_BYTES = 1_500
"""What a stretch takes in metrics.jsonl."""
BEST = 4
"""Snapshots, of each side, that play final games, see `League`."""


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
    learners = [
        Learner(one.name, one, spec, seed_for(config.seed, "plan", one.name), where, threads) for one in config.learners
    ]
    for one, learner in zip(config.learners, learners, strict=True):
        partner = _partner(learners, learner, spec)
        opponents = [] if partner is learner else [(freeze(partner.crew.policies), 1.0)]
        training, game = config.training_of(one), config.game
        streams = self_play(learner.crew, game.id, game.options, opponents, training, config.seed)
        stretch = Stretch(learner.crew, streams, threads)
        stretch.iterate(0.0)  # the first one compiles and warms up
        before, began = stretch.steps, time.monotonic()
        while time.monotonic() - began < TRIAL / len(config.learners):
            stretch.iterate(0.0)
        spent += _length_of(config, one) * (time.monotonic() - began) / (stretch.steps - before)
        size += _snapshot_bytes(learner)
        kept += len(learner.state(0.0))
        clock += _game_seconds(config, spec, learner, partner, threads)
    count = len(config.learners)
    speed = count * _mean_length(config) / spent
    games = _games_per_stretch(config)
    stretch_seconds = (spent + games * clock) / count
    return _plan(config, spec, parse_budget(config.budget), speed, stretch_seconds, clock / count, size // count, kept)


def _partner(learners: Sequence[Learner], learner: Learner, spec: EnvSpec) -> Learner:
    """The first who takes the seats that `learner` leaves; itself if it leaves none."""
    left = set(range(team_count(spec))).difference(filled(learner.crew.policies, spec))
    return next(one for one in learners if left.issubset(filled(one.crew.policies, spec))) if left else learner


def _plan(
    config: LeagueConfig,
    spec: EnvSpec,
    budget: Budget,
    speed: float,
    stretch_seconds: float,
    game_seconds: float,
    size: int,
    kept: int,
) -> Plan:
    length = _mean_length(config)
    in_time = max(1, round((budget.seconds or 0.0) / stretch_seconds))
    stretches = -(-budget.steps // length) if budget.steps else in_time
    snapshots = stretches + len(config.learners)
    games = _blocks(config, spec, snapshots) * config.evaluation.games
    final = _final_blocks(config, spec, snapshots) * config.evaluation.final_games
    training, rating = stretches * length / speed, games * game_seconds
    if budget.seconds:
        training = max(0.0, min(training, budget.seconds - rating))
    whole = training + rating + final * game_seconds
    disk = snapshots * size + kept + (games + final) * GAME_BYTES + snapshots * LINE_BYTES
    steps = budget.steps or int(training * speed)
    share = (rating + final * game_seconds) / whole if whole else 0.0
    return Plan(whole, steps, stretches, snapshots, games + final, disk, speed, share)


def _length_of(config: LeagueConfig, learner: LearnerConfig) -> int:
    """Env steps in a stretch of `learner`."""
    return config.training_of(learner).snapshot_steps


def _mean_length(config: LeagueConfig) -> int:
    return round(fmean(_length_of(config, one) for one in config.learners))


def _blocks(config: LeagueConfig, spec: EnvSpec, snapshots: int) -> int:
    """Of rating games of so many snapshots, which learners give by turns."""
    if team_count(spec) == 1:  # everybody plays its games once, alone
        return snapshots + len(config.anchors)
    places = range(snapshots)
    return sum(_met(config, sum(_can_meet(config, spec, place, other) for other in range(place))) for place in places)


def _final_blocks(config: LeagueConfig, spec: EnvSpec, snapshots: int) -> int:
    """Of games among the best at the end, four of them or four of each side."""
    if team_count(spec) == 1:
        return min(BEST, snapshots) + len(config.anchors)
    count = len(config.learners)
    sides = Counter(_side(config, spec, place % count) for place in range(snapshots))
    best = [min(BEST, own) for own in sides.values()]
    among = prod(best) if len(best) > 1 else best[0] * (best[0] - 1) // 2
    return among + sum(best) * len(config.anchors)


def _can_meet(config: LeagueConfig, spec: EnvSpec, place: int, other: int) -> bool:
    """Whether two snapshots can, by their places in the order in which learners give them."""
    count = len(config.learners)
    return spec.symmetric or _side(config, spec, place % count) != _side(config, spec, other % count)


def _side(config: LeagueConfig, spec: EnvSpec, learner: int) -> int:
    """Team of the learner of this number; 0 for all where teams are alike."""
    return 0 if spec.symmetric else spec.teams[spec.roles.index(config.learners[learner].plays)]


def _met(config: LeagueConfig, before: int) -> int:
    """Whom a new snapshot meets when there are `before` already."""
    return len(config.anchors) + min(config.evaluation.rivals, before)


def _games_per_stretch(config: LeagueConfig) -> int:
    return _met(config, config.evaluation.rivals) * config.evaluation.games


def _snapshot_bytes(learner: Learner) -> int:
    with TemporaryDirectory(prefix="arena-") as folder:
        path = Path(folder) / "one.safetensors"
        save_snapshot(path, learner.crew.policies, {})
        return path.stat().st_size


def _game_seconds(config: LeagueConfig, spec: EnvSpec, learner: Learner, partner: Learner, threads: Threads) -> float:
    """Time of a rated game when every thread plays a block."""
    crews, teams = {"one": freeze(learner.crew.policies), "other": freeze(partner.crew.policies)}, team_count(spec)
    players = [seated(crew, name, config.evaluation.greedy) for name, crew in crews.items()][:teams]
    lineup = tables(spec)
    games, blocks = config.evaluation.games, threads.count
    began = time.monotonic()
    threads.run([
        partial(run_block, config.game.id, config.game.options, players, games, seed, lineup=lineup)
        for seed in range(blocks)
    ])  # fmt: skip
    return (time.monotonic() - began) / (games * blocks)
