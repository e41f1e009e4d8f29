"""Training: stretch after stretch, with evaluations, until the budget is spent. The folder is the truth."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any, Self

from torch import nn

from agents.algorithms.algorithm import Metrics
from agents.parallel import Threads
from agents.snapshot import Policies, freeze, save_snapshot
from arena.config import Budget, load, parse_budget
from arena.learner import Learner, device, seed_for
from arena.self_play import alone
from arena.store import RunFolder
from arena.store.held import Held
from arena.trainer import Stretch, Watch, mean, means
from arena.training.config import EVALUATIONS, TrainConfig
from arena.training.evaluation import Evaluation, evaluate
from arena.training.progress import RECENT, Progress, Report
from envs.core import EnvSpec
from envs.errors import InputError
from envs.registry import build
from envs.side import team_count

GAMES = 4
"""Whole games of each row that a stretch has room for: each stretch begins with fresh ones, and what comes late in a
game must be learnt from as often as what comes early."""
Record = Mapping[str, Any]


class Training(Held):
    """A training run in a run folder."""

    def __init__(self, folder: RunFolder, encoder: nn.Module | None = None) -> None:
        """Use `create` or `open`.

        Raises:
            InputError: a config or a resume file that cannot be read.
        """
        folder.expect("training")
        self.folder = folder
        self.config = load(TrainConfig, folder.path / "config.yaml")
        self._encoder = encoder
        self._threads = Threads(self.config.threads or None)
        self._spec = build(self.config.env, 1, self.config.options).spec
        self._learner = self._load()
        self._spent = self._learner.seconds
        self._started: float | None = None
        self._recent: tuple[deque[float], deque[float]] = (deque(maxlen=RECENT), deque(maxlen=RECENT))
        self._metrics: Metrics = {}
        self._evaluation: Evaluation | None = None
        self._speed = 0.0

    @classmethod
    def create(
        cls, path: str | Path, config: TrainConfig, command: Sequence[str] = (), encoder: nn.Module | None = None
    ) -> Self:
        """Start a run in a new folder.

        Args:
            command: the words that it was started with, for the record.
            encoder: of your own, see `Policy`; it is copied, and must be given again to `open`.

        Raises:
            InputError: a config that fits no game of one team, or a folder that is taken or cannot be written.
        """
        check(config, encoder)
        return cls._in(RunFolder.create(path, config, config.seed, command, "training"), encoder)

    @classmethod
    def open(cls, path: str | Path, write: bool = False, encoder: nn.Module | None = None) -> Self:
        """Open a run, to read it or (`write`) to go on with it.

        Raises:
            InputError: no training run there, or, for writing, one that another process writes.
        """
        return cls._in(RunFolder.open(path, write), encoder)

    @classmethod
    def _in(cls, folder: RunFolder, encoder: nn.Module | None) -> Self:
        """The run of `folder`, which is closed if that fails."""
        try:
            return cls(folder, encoder)
        except BaseException:
            folder.close()
            raise

    @property
    def steps(self) -> int:
        """Env steps trained."""
        return self._learner.steps

    @property
    def episodes(self) -> int:
        """Games that ended in training."""
        return self._learner.episodes

    @property
    def training_seconds(self) -> float:
        """Time spent on rollouts and updates."""
        return self._learner.training_seconds

    @property
    def seconds(self) -> float:
        """Time spent on training and evaluation."""
        return self._spent + (0.0 if self._started is None else time.monotonic() - self._started)

    @property
    def policies(self) -> Policies:
        """Copies of what has been learnt, by post."""
        return freeze(self._learner.crew.policies)

    def run(
        self,
        more: Budget | str | None = None,
        stop: Callable[[], bool] = lambda: False,
        report: Report = lambda _: None,
        record: Callable[[Record], None] = lambda _: None,
        watch: Watch | None = None,
    ) -> None:
        """Train until the budget is spent or `stop()` is true, which is asked between stretches.

        Args:
            more: spend this much, such as "100k-steps", on top of what has been spent; None: what is left of the
                config's budget.
            report: told of progress after every rollout and every evaluation.
            record: told of every line of metrics.jsonl.
            watch: looks on at the games of training.
        """
        self._started = time.monotonic()
        try:
            budget = self._total(parse_budget(more, episodes=True) if isinstance(more, str) else more)
            if not self.steps:
                self._evaluate(record)  # where an untrained network stands
            while self.share(budget) < 1 and not stop():
                self._train(budget, report, record, watch)
                self.folder.write_atomic(RESUME, self._learner.state(self.seconds))
        except BaseException:  # what was begun is begun again
            self._learner = self._load()
            raise
        finally:
            self._spent, self._started = self.seconds, None

    def share(self, budget: Budget | None = None) -> float:
        """How much of `budget`, or else of the config's, is spent, 0..1."""
        return (budget or self._total(None)).share(self.seconds, self.steps, self.episodes)

    def _load(self) -> Learner:
        """The learner as the folder has it."""
        learner = new_learner(self.config, self._spec, self._threads, self._encoder)
        learner.restore(self.folder.path / RESUME)
        return learner

    def _total(self, more: Budget | None) -> Budget:
        if more is None:
            return parse_budget(self.config.budget, episodes=True)
        if more.seconds is not None:
            return Budget(seconds=self._spent + more.seconds)
        if more.steps is not None:
            return Budget(steps=self.steps + more.steps)
        return Budget(episodes=self.episodes + (more.episodes or 0))

    def _train(self, budget: Budget, report: Report, record: Callable[[Record], None], watch: Watch | None) -> None:
        """One stretch; it ends early where the budget does."""
        config, learner = self.config, self._learner
        streams = alone(
            learner.crew, config.env, config.options, config.games,
            seed_for(config.seed, "stretch", learner.stretches),
            steps=config.steps, episodes=config.episodes, watch=watch,
        )  # fmt: skip
        stretch, since = Stretch(learner.crew, streams, self._threads), _Since(learner)
        size, before = self._stretch_steps(budget), learner.steps
        while stretch.steps < size and (not stretch.steps or self.share(budget) < 1):
            share, place = self.share(budget), learner.steps
            self._metrics = stretch.iterate(share)
            learner.steps = before + stretch.steps
            learner.episodes += len(stretch.lengths)
            learner.training_seconds += stretch.seconds
            self._recent[0].extend(stretch.scores.tolist())
            self._recent[1].extend(stretch.lengths.tolist())
            self._speed = since.take(self._metrics, stretch)
            if self._due(budget, share, place):
                self._note(since, record)
                self._evaluate(record)
            report(self._progress(budget))
        learner.stretches += 1
        self._note(since, record)

    def _stretch_steps(self, budget: Budget) -> int:
        least = GAMES * self.config.games * self._spec.max_steps
        return self.config.stretch_steps or max(least, (budget.steps or 0) // EVALUATIONS)

    def _due(self, budget: Budget, share: float, steps: int) -> bool:
        """Whether to evaluate, when `share` and `steps` were spent before the last iteration; at the end always."""
        now, every = self.share(budget), self.config.evaluation.every
        if every:
            return now >= 1 or self.steps // every > steps // every
        return int(now * EVALUATIONS + 1e-9) > int(share * EVALUATIONS + 1e-9)

    def _evaluate(self, record: Callable[[Record], None]) -> None:
        """Freeze the learner as it is now, and try it."""
        config, learner, name = self.config, self._learner, self._learner.latest
        parents = [snapshot.name for snapshot in self.folder.snapshots() if snapshot.step < learner.steps]
        parent = parents[-1] if parents else None
        meta = {"env": config.env, "options": config.options, "member": learner.name, "step": learner.steps}
        policies = freeze(learner.crew.policies)
        if name not in (snapshot.name for snapshot in self.folder.snapshots()):  # else a killed process left it
            save_snapshot(self.folder.snapshot_path(learner.name, learner.steps), policies, {**meta, "parent": parent})
            self.folder.add_snapshot(learner.name, learner.steps, parent)
        seed, asked = seed_for(config.seed, "evaluation", learner.steps), config.evaluation
        results, summary = evaluate(
            policies, name, config.env, config.options, asked.episodes, seed, asked.greedy
        )  # fmt: skip
        self.folder.append_block(f"evaluation|{name}|{asked.episodes}", results)
        self._evaluation = summary
        self._append(record, "evaluation", {"snapshot": name, **summary.figures()})

    def _note(self, since: _Since, record: Callable[[Record], None]) -> None:
        """A line of metrics for what was trained since the last one."""
        if since.rows:
            self._append(record, "training", {"learner": self._learner.name, **since.means()})

    def _append(self, record: Callable[[Record], None], kind: str, values: Record) -> None:
        spent = {"steps": self.steps, "episodes": self.episodes, "seconds": self.seconds}
        line = {"kind": kind, **spent, "training_seconds": self.training_seconds, **values}
        self.folder.append_metrics(line)
        record(line)

    def _progress(self, budget: Budget) -> Progress:
        scores, lengths = (mean(list(values)) for values in self._recent)
        spent = (self.share(budget), self.seconds, self.steps, self.episodes)
        return Progress(*spent, self._speed, scores, lengths, self._metrics, self._evaluation)


RESUME = "resume/learner.pt"


class _Since:
    """What has been trained since the last line of metrics."""

    def __init__(self, learner: Learner) -> None:
        self._learner = learner
        self._clear()

    def _clear(self) -> None:
        self.rows: list[Metrics] = []
        self._scores: list[float] = []
        self._lengths: list[int] = []
        self._from = self._learner.steps, self._learner.training_seconds

    def take(self, metrics: Metrics, stretch: Stretch) -> float:
        """Add the last iteration of `stretch`; returns the env steps per second."""
        self.rows.append(metrics)
        self._scores += stretch.scores.tolist()
        self._lengths += stretch.lengths.tolist()
        return self._speed()

    def means(self) -> Metrics:
        """Over all iterations that were taken; forgets them."""
        losses = means(self.rows)
        figures = {"score": mean(self._scores), "game_steps": mean(self._lengths), "steps_per_second": self._speed()}
        self._clear()
        return {**figures, **losses}

    def _speed(self) -> float:
        steps, seconds = self._learner.steps - self._from[0], self._learner.training_seconds - self._from[1]
        return steps / max(seconds, 1e-9)


def new_learner(config: TrainConfig, spec: EnvSpec, threads: Threads, encoder: nn.Module | None) -> Learner:
    """The learner of `config` before its first step; its `encoder` is a copy."""
    seed = seed_for(config.seed, "learner")
    return Learner(config.algorithm, config, spec, seed, device(config.device), threads, deepcopy(encoder))


def check(config: TrainConfig, encoder: nn.Module | None = None) -> None:
    """Raise an InputError where `config` cannot be trained; asked before anything is on disk."""
    spec = build(config.env, 1, config.options).spec
    if team_count(spec) != 1:
        raise InputError(
            f"{config.env} is played by {team_count(spec)}: `arena league run` trains players of it by self-play."
        )
    if config.policy.hold > 1 and "frame_skip" not in spec.options:
        raise InputError(f"policy.hold = {config.policy.hold}: {config.env} has no option frame_skip, which it needs.")
    _ = new_learner(config, spec, Threads(1), encoder).crew
