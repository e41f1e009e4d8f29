"""Trainer: play -> collect -> update, for one learner over one stretch of self-play.

A stretch is a function of the learner's state, its opponents and a seed: it begins with fresh games, so what it
gives depends neither on other learners nor on the number of threads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from pydantic import Field

from agents.algorithms.ppo import PPO, Metrics
from agents.collect import collect
from agents.parallel import Threads
from agents.play import Step, play
from agents.player import PolicyPlayer, Pool
from agents.policy import Policy
from agents.rollout import Rollout, cat
from envs.config import Config
from envs.core import Ints
from envs.registry import build


class TrainingConfig(Config):
    """How experience is made."""

    options: dict[str, Any] = {}
    """Env options that hold in training only, such as lives = 1 (games end at each point)."""
    games: int = Field(2048, ge=4)
    """Games played side by side."""
    steps: int = Field(32, ge=1)
    """Steps per rollout."""
    streams: int = Field(2, ge=1)
    """Parts of the games that are played apart; threads share them, results do not depend on the threads."""
    past: float = Field(0.5, ge=0, le=1)
    """Share of games against past snapshots; in the rest the learner plays itself."""
    opponents: int = Field(8, ge=1)
    """Past snapshots met in one stretch, at most."""
    snapshot_steps: int = Field(4_000_000, ge=1)
    """Env steps in a stretch, after which a snapshot is frozen; rounded up to whole rollouts. A policy that holds its
    actions is trained on an env that skips the steps in between, so that each env step is a decision."""


class Stretch:
    """Self-play of one learner, in games of two seats, until whoever iterates stops."""

    def __init__(
        self,
        algorithm: PPO,
        env_id: str,
        options: Mapping[str, Any],
        opponents: Sequence[tuple[Policy, float]],
        config: TrainingConfig,
        seed: int,
        threads: Threads,
    ) -> None:
        """`opponents` are frozen policies, which hold actions as long as the learner, and their shares of the games
        against the past; without any, the learner only plays itself.

        Learning rows come from both seats where the learner plays itself, and from its own seat elsewhere.
        """
        self._algorithm, self._config, self._threads = algorithm, config, threads
        each = config.games // config.streams
        hold = algorithm.policy.config.hold
        held = {"frame_skip": hold} if hold > 1 else {}
        everything = {**options, **config.options, **held}
        self._past = round(each * config.past) if opponents else 0
        self._streams = [
            self._stream(build(env_id, each, everything), opponents, int(stream_seed))
            for stream_seed in np.random.SeedSequence(seed).generate_state(config.streams, np.uint64) >> np.uint64(11)
        ]
        self.rollout_steps = each * config.streams * config.steps
        """Env steps in one rollout."""

    def _stream(self, env: Any, opponents: Sequence[tuple[Policy, float]], seed: int) -> Iterator[Step]:
        learner = PolicyPlayer(self._algorithm.policy, "learner")
        if not self._past:
            return play(env, [learner], np.zeros((env.num_envs, 2), np.int64), seed)
        pool = Pool([policy for policy, _ in opponents], [share for _, share in opponents])
        return play(env, [learner, pool], seats(env.num_envs, self._past), seed)

    def iterate(self, progress: float) -> Metrics:
        """One rollout and one update; `progress` 0..1 is how much of the whole budget is spent."""
        rollouts = self._threads.run([partial(collect, stream, self._config.steps) for stream in self._streams])
        metrics = self._algorithm.update(cat(rollouts), progress)
        return {**metrics, **_games(rollouts, self._past)}


def seats(games: int, past: int) -> Ints:
    """[games, 2] who sits where: player 0 everywhere, but in the last `past` games player 1 in alternating seats."""
    seating = np.zeros((games, 2), np.int64)
    rows = np.arange(games - past, games)
    seating[rows, rows % 2] = 1
    return seating


def _games(rollouts: Sequence[Rollout], past: int) -> Metrics:
    """Length of the games that ended, and the learner's share of points against the past; NaN where there were none."""
    ended = sum(int(r.ended.sum()) for r in rollouts)
    rows = sum(r.ended.numel() for r in rollouts)
    against = [r.score[:, r.lane_count - past :] for r in rollouts] if past else []
    scores = torch.cat([s[~s.isnan()] for s in against]) if against else torch.zeros(0)
    return {
        "game_steps": rows / ended if ended else float("nan"),
        "past_score": float((scores.sign().mean() + 1) / 2) if len(scores) else float("nan"),
    }
