"""Trainer: play -> collect -> update, for one learner over one stretch of training.

A stretch is a function of the learner's state, of who plays along and of a seed: it begins with fresh games, so what it
gives depends neither on other learners nor on the number of threads.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from pydantic import Field

from agents.algorithms.algorithm import Algorithm, Metrics
from agents.collect import collect, collect_games
from agents.parallel import Threads
from agents.play import Step, play
from agents.player import PolicyPlayer, Pool
from agents.policy import Policy
from agents.rollout import Rollout, cat
from envs.config import Config
from envs.core import BatchEnv, Floats, Ints
from envs.player import Player
from envs.registry import build


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
    """Games side by side, and what player 0, who learns, saw and did in them: one rollout after the other."""

    def __init__(
        self,
        env: BatchEnv,
        players: Sequence[Player],
        seating: Ints,
        seed: int,
        *,
        steps: int = 0,
        episodes: int = 0,
        watch: Watch | None = None,
    ) -> None:
        """A rollout is `steps` steps, and the next one goes on with the same games; or, where `steps` is 0, the first
        `episodes` games of each row, and the next one begins new ones.

        Args:
            seating: [B, P], as for `play`.
        """
        self._env, self._players, self._seating, self._watch = env, players, seating, watch
        self._steps, self._episodes = steps, episodes
        self._seeds = np.random.default_rng(seed)
        self._alone = (seating == 0).all(1) & (env.spec.seats > 1)
        self._clock = np.zeros(env.num_envs, np.int64)
        self._running = self._play(seed)
        self.steps = 0
        """Env steps that the last rollout holds, games that are played while others are waited for not counted."""
        self.lengths = np.zeros(0, np.int64)
        """[G] steps of each game that ended in the last rollout."""
        self.scores = np.zeros(0)
        """[G'] the learner's score in each of them, but in those in which it only met itself."""

    def collect(self) -> Rollout:
        """The next rollout."""
        return self._collect_steps() if self._steps else self._collect_episodes()

    def _collect_steps(self) -> Rollout:
        self._lengths: list[Ints] = [np.zeros(0, np.int64)]
        self._scores: list[Floats] = [np.zeros(0)]
        rollout = collect(self._running, self._steps)
        self.steps = self._steps * self._env.num_envs
        self.lengths, self.scores = np.concatenate(self._lengths), np.concatenate(self._scores)
        return rollout

    def _collect_episodes(self) -> Rollout:
        self._lengths, self._scores = [], []
        rollout = collect_games(self._play(int(self._seeds.integers(2**53))), self._episodes)
        counted = (rollout.ended & ~rollout.score.isnan()).T
        self.lengths, self.scores = rollout.lengths.numpy(), rollout.score.T[counted].double().numpy()
        self.steps = int(self.lengths.sum())
        return rollout

    def _play(self, seed: int) -> Iterator[Step]:
        self._clock[:] = 0
        for step in play(self._env, self._players, self._seating, seed):
            self._clock += 1
            ended = step.after.terminated | step.after.truncated
            if ended.any():
                self._lengths.append(self._clock[ended])
                self._clock[ended] = 0
                met = ended & ~self._alone
                self._scores.append(step.after.score[met][self._seating[met] == 0])
            if self._watch:
                self._watch(self._env, step)
            yield step


class Stretch:
    """Training of one learner, until whoever iterates stops."""

    def __init__(self, algorithm: Algorithm, streams: Sequence[Stream], threads: Threads) -> None:
        """`streams` are played apart; their rollouts are learnt from together."""
        self._algorithm, self._streams, self._threads = algorithm, streams, threads
        self.steps = 0
        """Env steps so far."""
        self.seconds = 0.0
        """Taken by the last iteration."""
        self.lengths = np.zeros(0, np.int64)
        """[G] see `Stream`, for the last iteration."""
        self.scores = np.zeros(0)
        """[G'] likewise."""

    def iterate(self, progress: float) -> Metrics:
        """One rollout and one update; `progress` 0..1 is how much of the whole budget is spent."""
        began = time.perf_counter()
        rollouts = self._threads.run([stream.collect for stream in self._streams])
        self.steps += sum(stream.steps for stream in self._streams)
        self.lengths = np.concatenate([stream.lengths for stream in self._streams])
        self.scores = np.concatenate([stream.scores for stream in self._streams])
        metrics = self._algorithm.update(cat(rollouts), progress)
        self.seconds = time.perf_counter() - began
        return metrics


def self_play(
    algorithm: Algorithm,
    env_id: str,
    options: Mapping[str, Any],
    opponents: Sequence[tuple[Policy | Player, float]],
    config: TrainingConfig,
    seed: int,
) -> list[Stream]:
    """Games of two seats, in which the learner meets itself and `opponents`.

    Those are frozen policies, which hold actions as long as the learner, and players of any other kind, each with its
    share of all games; what is left of 1 the learner plays against itself. It learns from both seats there, and from
    its own elsewhere.
    """
    each = config.games // config.streams
    frozen = [(one, share) for one, share in opponents if share and isinstance(one, Policy)]
    others = [(one, share) for one, share in opponents if share and not isinstance(one, Policy)]
    players: list[Player] = [PolicyPlayer(algorithm.behaviour, "learner")]
    shares: list[float] = []
    if frozen:
        players.append(Pool([policy for policy, _ in frozen], [share for _, share in frozen]))
        shares.append(sum(share for _, share in frozen))
    players += [player for player, _ in others]
    shares += [share for _, share in others]
    everything = {**options, **config.options, **held(algorithm.policy)}
    seeds = np.random.SeedSequence(seed).generate_state(config.streams, np.uint64) >> np.uint64(11)
    return [
        Stream(build(env_id, each, everything), players, seats(each, shares), int(one), steps=config.steps)
        for one in seeds
    ]


def alone(
    algorithm: Algorithm,
    env_id: str,
    options: Mapping[str, Any],
    games: int,
    seed: int,
    *,
    steps: int = 0,
    episodes: int = 0,
    watch: Watch | None = None,
) -> list[Stream]:
    """`games` games of one seat, in which the learner sits; `steps` or `episodes` of each per rollout."""
    env = build(env_id, games, {**options, **held(algorithm.policy)})
    learner = PolicyPlayer(algorithm.behaviour, "learner")
    seating = np.zeros((games, 1), np.int64)
    return [Stream(env, [learner], seating, seed, steps=steps, episodes=episodes, watch=watch)]


def held(policy: Policy) -> dict[str, int]:
    """Options of an env in which each step is one decision of `policy`."""
    hold = policy.config.hold
    return {"frame_skip": hold} if hold > 1 else {}


def seats(games: int, shares: Sequence[float]) -> Ints:
    """[games, 2] who sits where: player 0 everywhere, but in a share of the games `shares[k]` player k + 1 in
    alternating seats. Bounds are rounded, so that nobody's games are lost."""
    bounds = np.rint(np.cumsum([0.0, *shares[::-1]]) * games).astype(np.int64)[::-1]
    seating = np.zeros((games, 2), np.int64)
    for player, (stop, start) in enumerate(pairwise(bounds.tolist()), start=1):
        rows = np.arange(games - stop, games - start)
        seating[rows, rows % 2] = player
    return seating


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
