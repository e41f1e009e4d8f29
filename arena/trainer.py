"""Trainer: play -> collect -> update, for one learner over one stretch of training.

A stretch is a function of the learner's state, of who plays along and of a seed: it begins with fresh games, so what it
gives depends neither on other learners nor on the number of threads.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from pydantic import Field

from agents.algorithms.algorithm import Metrics
from agents.crew import Crew, Experience, Sees
from agents.experience import experience, together
from agents.parallel import Threads
from agents.play import Step, play
from envs.config import Config
from envs.core import BatchEnv, Bools, Floats, Ints
from envs.errors import InputError
from envs.player import Player


class TrainingConfig(Config):
    """How experience is made in self-play."""

    options: dict[str, Any] = {}
    """Env options that hold in training only, such as lives = 1 (games end at each point)."""
    games: int = Field(2048, ge=4)
    """Games played side by side."""
    steps: int = Field(32, ge=1)
    """Steps per rollout."""
    streams: int = Field(2, ge=1)
    """Parts of the games that are played apart; threads share them, results do not depend on the threads."""
    opponents: int = Field(16, ge=1)
    """Frozen players met in one stretch, at most; they are drawn as `matchmaking` says."""
    snapshot_steps: int = Field(4_000_000, ge=1)
    """Env steps in a stretch, after which a snapshot is frozen; rounded up to whole rollouts. A policy that holds its
    actions is trained on an env that skips the steps in between, so that each env step is a decision."""


Watch = Callable[[BatchEnv, Step], None]
"""Looks on: called after each step, and may draw the env but not change it."""


class Stream:
    """Games side by side, and what a learner saw and did in them: one experience after the other."""

    def __init__(
        self,
        env: BatchEnv,
        players: Sequence[Player],
        seating: Ints,
        learns: Mapping[str, int],
        sees: Sees,
        seed: int,
        *,
        steps: int = 0,
        episodes: int = 0,
        watch: Watch | None = None,
    ) -> None:
        """An experience is `steps` steps, and the next one goes on with the same games; or, where `steps` is 0, the
        first `episodes` games of each row, and the next one begins new ones.

        Args:
            seating: [B, P], as for `play`.
            learns: index of the player who is the learner's, by post.
            sees: what is kept of each step, see `agents.crew.Crew`.
        """
        self._env, self._players, self._seating, self._watch = env, players, seating, watch
        self._learns, self._sees = learns, sees
        self._steps, self._episodes = steps, episodes
        self._seeds = np.random.default_rng(seed)
        self._mine = np.isin(seating, list(learns.values()))
        self._alone = self._mine.all(1) & (max(env.spec.teams) > 0)
        self._running = self._play(seed)
        self.steps = 0
        """Env steps that the last experience holds, games that are played while others are waited for not counted."""
        self.lengths = np.zeros(0, np.int64)
        """[G] steps of each game that ended in it."""
        self.scores = np.zeros(0)
        """[G'] the learner's score in each of them, the mean of its seats, but in those in which it met only itself."""

    def collect(self) -> Experience:
        """The next experience."""
        self._lengths: list[Ints] = [np.zeros(0, np.int64)]
        self._scores: list[Floats] = [np.zeros(0)]
        if not self._steps:
            self._running = self._play(int(self._seeds.integers(2**53)))
        found = experience(self._running, self._steps, self._episodes, self._learns, self._sees)
        self.lengths, self.scores = np.concatenate(self._lengths), np.concatenate(self._scores)
        self.steps = self._steps * self._env.num_envs or int(self.lengths.sum())
        return found

    def _play(self, seed: int) -> Iterator[Step]:
        clock = np.zeros(self._env.num_envs, np.int64)
        games = np.zeros(self._env.num_envs, np.int64)
        for step in play(self._env, self._players, self._seating, seed):
            clock += 1
            ended = step.after.terminated | step.after.truncated
            if ended.any():
                self._note(ended & ((games < self._episodes) | (self._steps > 0)), clock, step)
                clock[ended] = 0
                games += ended
            if self._watch:
                self._watch(self._env, step)
            yield step

    def _note(self, ended: Bools, clock: Ints, step: Step) -> None:
        """Games that count have `ended`."""
        self._lengths.append(clock[ended])
        met = ended & ~self._alone
        mine = self._mine[met]
        self._scores.append(np.where(mine, step.after.score[met], 0).sum(1) / mine.sum(1))


class Diverged(InputError):
    """Weights that are no finite numbers."""


class Stretch:
    """Training of one learner, until whoever iterates stops."""

    def __init__(self, crew: Crew, streams: Sequence[Stream], threads: Threads) -> None:
        """`streams` are played apart; what was seen in them is learnt from together."""
        self._crew, self._streams, self._threads = crew, streams, threads
        self._last = [list(policy.parameters())[-1] for policy in crew.policies.values()]
        self.steps = 0
        """Env steps so far."""
        self.seconds = 0.0
        """Taken by the last iteration."""
        self.lengths = np.zeros(0, np.int64)
        """[G] see `Stream`, for the last iteration."""
        self.scores = np.zeros(0)
        """[G'] likewise."""

    def iterate(self, progress: float) -> Metrics:
        """One rollout and one update; `progress` 0..1 is how much of the whole budget is spent.

        Raises:
            Diverged: learning has.
        """
        began = time.perf_counter()
        seen = self._threads.run([stream.collect for stream in self._streams])
        self.steps += sum(stream.steps for stream in self._streams)
        self.lengths = np.concatenate([stream.lengths for stream in self._streams])
        self.scores = np.concatenate([stream.scores for stream in self._streams])
        try:
            metrics = self._crew.update(together(seen), progress)
            if not all(math.isfinite(float(weights.detach().sum())) for weights in self._last):  # it reaches them all
                raise FloatingPointError
        except FloatingPointError:
            raise Diverged(
                f"learning has diverged: after {self.steps:,} env steps of this stretch weights are no finite numbers; "
                "lower learning_rate (for ppo, ippo and mappo target_kl also holds steps back)."
            ) from None
        self.seconds = time.perf_counter() - began
        return metrics


def mean(values: Sequence[float] | Floats | Ints) -> float:
    """Mean of what is known; NaN where nothing is."""
    known = np.asarray(values, np.float64)
    known = known[~np.isnan(known)]
    return float(known.mean()) if len(known) else float("nan")


def means(rows: Sequence[Metrics]) -> Metrics:
    """Mean of each metric over the updates that have it."""
    keys = dict.fromkeys(key for row in rows for key in row)
    return {key: mean([row[key] for row in rows if key in row]) for key in keys}


def share_of_points(scores: Floats) -> float:
    """0..1 of the points that were won, with half of those of a draw; NaN without games."""
    return (mean(np.sign(scores)) + 1) / 2
