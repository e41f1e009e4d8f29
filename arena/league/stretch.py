"""StretchJob: a stretch of a learner's training as data, which any process can do, and which comes to the same
wherever it is done, as long as the budget is in steps."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, NamedTuple

import torch

from agents.algorithms.algorithm import Metrics
from agents.parallel import Threads
from agents.snapshot import Policies, load_snapshot
from arena.config import Budget
from arena.execution.files import opened
from arena.execution.job import Pinned
from arena.execution.news import tell
from arena.league.config import GameConfig, LearnerConfig
from arena.learner import Learner, device
from arena.self_play import Opponent, self_play
from arena.trainer import Diverged, Stretch, TrainingConfig, mean, means, share_of_points
from envs.bots import bot, every_name
from envs.core import EnvSpec
from envs.errors import InputError
from envs.registry import build

CACHED = 256
"""Opponents that a process keeps, at most."""


@dataclass(frozen=True, slots=True)
class Clock:
    """What of a league's budget is spent when a stretch begins."""

    budget: Budget
    seconds: float
    steps: int
    """Env steps of all learners, those included that others are about to train meanwhile."""

    def share(self, seconds: float, steps: int) -> float:
        """0..1 of the budget that is spent after so much more."""
        return self.budget.share(self.seconds + seconds, self.steps + steps)


class Trains(NamedTuple):
    """What is told of a stretch after every rollout."""

    name: str
    """Of the learner."""
    steps: int
    """Env steps so far in this stretch."""
    speed: float
    """Env steps per second."""


class Trained(NamedTuple):
    """What came of a stretch."""

    state: bytes
    """Of the learner, for `Learner.load`."""
    metrics: Metrics
    """Means over the stretch."""
    speed: float
    """Env steps per second."""


@dataclass(frozen=True, slots=True)
class StretchJob:
    """One stretch. Calling it trains; it ends early where the budget does."""

    name: str
    """Of the learner."""
    learner: LearnerConfig
    game: GameConfig
    training: TrainingConfig
    """Of this learner."""
    seed: int
    """Of the learner."""
    state: bytes
    """Of the learner, see `Learner.state`."""
    mirror: float
    """Its share of games with itself."""
    opponents: tuple[tuple[str, Pinned, float], ...]
    """Whom it meets, by name, and their shares of all games."""
    games_seed: int
    """Of the games."""
    clock: Clock
    device: str
    threads: int
    """That it uses."""
    cpus: int = 1
    """Cores that it takes on an executor."""
    gpus: float = 0.0
    """GPUs likewise."""
    tells: ClassVar[bool] = True
    """It has news, see `Trains`."""

    @property
    def files(self) -> dict[str, str]:
        """Paths by hash, of what another machine needs."""
        return {who.hash: who.text for _, who, _ in self.opponents if who.hash}

    @property
    def shares(self) -> dict[str, float]:
        """Those of its opponents, by name."""
        return {name: share for name, _, share in self.opponents}

    def __call__(self) -> Trained:
        """Train.

        Raises:
            InputError: a device that is not here, an opponent's file that is not the one it was, or learning diverged.
        """
        spec = build(self.game.id, 1, self.game.options).spec
        threads = _threads(self.threads)
        place = device(self.device)
        learner = Learner(self.name, self.learner, spec, self.seed, place, threads)
        learner.load(self.state)
        opponents = [(_opponent(who, spec, place), share) for _, who, share in self.opponents]
        streams = self_play(
            learner.crew, self.game.id, self.game.options, opponents, self.training, self.games_seed
        )  # fmt: skip
        stretch = Stretch(learner.crew, streams, threads)
        began, before, speed = time.monotonic(), learner.steps, 0.0
        rows: list[Metrics] = []
        while stretch.steps < self.training.snapshot_steps and (not rows or self._share(began, stretch.steps) < 1):
            try:
                metrics = stretch.iterate(self._progress(learner, self._share(began, stretch.steps)))
            except Diverged as fault:
                raise InputError(f"{self.name}: {fault}") from None
            figures = {"game_steps": mean(stretch.lengths), "past_score": share_of_points(stretch.scores)}
            rows.append({**metrics, **figures})
            learner.steps = before + stretch.steps
            learner.episodes += len(stretch.lengths)
            learner.training_seconds += stretch.seconds
            speed = stretch.steps / (time.monotonic() - began)
            tell(Trains(self.name, stretch.steps, speed))
        learner.stretches += 1
        return Trained(learner.state(learner.seconds), means(rows), speed)

    @property
    def steps(self) -> int:
        """Env steps that it takes, unless the budget ends before."""
        each = self.training.games // self.training.streams * self.training.streams * self.training.steps
        return -(-self.training.snapshot_steps // each) * each

    def _share(self, began: float, steps: int) -> float:
        return self.clock.share(time.monotonic() - began, steps)

    def _progress(self, learner: Learner, share: float) -> float:
        """0..1 of what the learner has ahead of it: of the budget, of which `share` is spent, or of its life, where
        that is limited by steps."""
        reset = self.learner.reset
        if reset is None or not reset.steps:
            return share
        return min(1.0, (learner.steps - learner.born) / max(reset.steps, self.training.snapshot_steps))


_threads = lru_cache(Threads)


def _opponent(who: Pinned, spec: EnvSpec, place: torch.device) -> Opponent:
    return bot(who.text, spec) if who.text in every_name() else _policies(who, place)


@lru_cache(maxsize=CACHED)
def _policies(who: Pinned, place: torch.device) -> Policies:
    with opened(who.hash, who.text) as path:
        return {post: policy.to(place) for post, policy in load_snapshot(path).policies.items()}
