"""League: train in turns, freeze, rate, go on. The folder is the truth; everything here can be read from it again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache, partial
from itertools import takewhile
from pathlib import Path
from typing import Self

import numpy as np

from agents.algorithms.algorithm import Metrics
from agents.parallel import Threads
from agents.player import seated
from agents.policy import Policy
from agents.snapshot import load_snapshot, save_snapshot
from arena.config import Budget, load, parse_budget
from arena.league import matchmaking
from arena.league.admission import check
from arena.league.config import LeagueConfig
from arena.league.progress import Progress, Report
from arena.league.standings import Standing, standings
from arena.learner import Learner, device, seed_for
from arena.match import run_block
from arena.ratings.rating import Rating
from arena.ratings.trueskill import rate
from arena.result import Result, summarise
from arena.store import RunFolder
from arena.trainer import Stretch, mean, means, self_play, share_of_points
from envs.errors import InputError
from envs.player import Player
from envs.registry import build
from envs.slime_volley.bots import bot


class League:
    """A league in a run folder."""

    def __init__(self, folder: RunFolder) -> None:
        """Use `create` or `open`.

        Raises:
            InputError: a config or a resume file that cannot be read.
        """
        folder.expect("league")
        self.folder = folder
        self.config = load(LeagueConfig, folder.path / "config.yaml")
        self._threads = Threads(self.config.threads or None)
        self._spec = build(self.config.game.id, 1, self.config.game.options).spec
        self._anchors: dict[str, Player] = {name: bot(name, self._spec) for name in self.config.anchors}
        self._policy = lru_cache(maxsize=256)(self._load_policy)
        self._learners = self._load_learners()
        self._spent = self._last_seen()
        self._started: float | None = None
        self._standings = self.leaderboard()
        self._speed = 0.0

    @classmethod
    def create(
        cls,
        path: str | Path,
        config: LeagueConfig | str | Path,
        overrides: Iterable[str] = (),
        command: Sequence[str] = (),
    ) -> Self:
        """Start a league in a new folder.

        Args:
            config: settings, or a preset's name, or a run file.
            overrides: "dotted.key=value" each, for a preset or a file.
            command: the words that the league was started with, for the record.

        Raises:
            InputError: a config that fits no game, or a folder that is taken or cannot be written.
        """
        if isinstance(config, LeagueConfig):
            if overrides:
                raise InputError("overrides change a preset or a file: make the LeagueConfig as it shall be.")
        else:
            config = load(LeagueConfig, config, overrides)
        check(config)
        return cls._in(RunFolder.create(path, config, config.seed, command))

    @classmethod
    def open(cls, path: str | Path, write: bool = False) -> Self:
        """Open a league, to read it or (`write`) to go on with it.

        Raises:
            InputError: no run there, or, for writing, one that another process writes.
        """
        return cls._in(RunFolder.open(path, write))

    @classmethod
    def _in(cls, folder: RunFolder) -> Self:
        """The league of `folder`, which is closed if that fails."""
        try:
            return cls(folder)
        except BaseException:
            folder.close()
            raise

    def close(self) -> None:
        """Let others write."""
        self.folder.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *fault: object) -> None:
        self.close()

    @property
    def steps(self) -> int:
        """Env steps trained, all learners."""
        return sum(learner.steps for learner in self._learners)

    @property
    def seconds(self) -> float:
        """Time spent on training and rating."""
        return self._spent + (0.0 if self._started is None else time.monotonic() - self._started)

    def leaderboard(self) -> list[Standing]:
        """Everybody who has been rated, best first."""
        return standings(list(self.folder.results()), self.config.anchors)

    def run(
        self,
        more: Budget | str | None = None,
        stop: Callable[[], bool] = lambda: False,
        report: Report = lambda _: None,
    ) -> None:
        """Train until the budget is spent or `stop()` is true, which is asked between stretches.

        Args:
            more: spend this much, such as "60s" or "5M-steps", on top of what has been spent; None: what is left of
                the config's budget.
            report: told of progress after every rollout and every rating.
        """
        self._started = time.monotonic()
        try:
            self._spend(self._total(parse_budget(more) if isinstance(more, str) else more), stop, report)
        except BaseException:  # what was begun is begun again
            self._learners, self._standings = self._load_learners(), self.leaderboard()
            raise
        finally:
            self._spent, self._started = self.seconds, None

    def _spend(self, budget: Budget, stop: Callable[[], bool], report: Report) -> None:
        # The untrained networks, whose clumsy play is worth remembering; or what a process that died did not rate.
        for learner in self._learners:
            self._freeze_and_rate(learner, budget, report)
        while self._share(budget) < 1 and not stop():
            learner = min(self._learners, key=lambda one: one.stretches)
            self._train(learner, budget, report)
            resume = self._resume_path(learner).relative_to(self.folder.path).as_posix()
            self.folder.write_atomic(resume, learner.state(self.seconds))
            self._freeze_and_rate(learner, budget, report)
        if self._share(budget) >= 1:
            self._finals(budget, report)

    def _load_learners(self) -> list[Learner]:
        """The learners as the folder has them."""
        where = device(self.config.device)
        learners = [
            Learner(config.name, config, self._spec, self._seed("learner", config.name), where, self._threads)
            for config in self.config.learners
        ]
        for learner in learners:
            learner.restore(self._resume_path(learner))
        return learners

    def _last_seen(self) -> float:
        """Seconds of the budget that were spent when the folder was last written to."""
        noted = (float(record["seconds"]) for record in self.folder.metrics())
        return max(*(learner.seconds for learner in self._learners), *noted, 0.0)

    def _total(self, more: Budget | None) -> Budget:
        if more is None:
            return parse_budget(self.config.budget)
        if more.seconds is not None:
            return Budget(seconds=self._spent + more.seconds)
        return Budget(steps=self.steps + (more.steps or 0))

    def _share(self, budget: Budget) -> float:
        """How much of `budget` is spent."""
        return budget.share(self.seconds, self.steps)

    def _report(self, report: Report, phase: str, budget: Budget) -> None:
        report(Progress(phase, self._share(budget), self.seconds, self.steps, self._speed, self._standings))

    def _train(self, learner: Learner, budget: Budget, report: Report) -> None:
        """One stretch; it ends early where the budget does."""
        config = self.config.training
        seed = self._seed("stretch", learner.name, learner.stretches)
        shares = self._opponents(learner, np.random.default_rng(seed))
        opponents = [(self._policy(name), share) for name, share in shares.items()]
        game = self.config.game
        streams = self_play(learner.algorithm, game.id, game.options, opponents, config, seed)
        stretch = Stretch(learner.algorithm, streams, self._threads)
        began, before = time.monotonic(), learner.steps
        rows: list[Metrics] = []
        while stretch.steps < config.snapshot_steps and (not rows or self._share(budget) < 1):
            metrics = stretch.iterate(self._share(budget))
            figures = {"game_steps": mean(stretch.lengths), "past_score": share_of_points(stretch.scores)}
            rows.append({**metrics, **figures})
            learner.steps = before + stretch.steps
            learner.episodes += len(stretch.lengths)
            learner.training_seconds += stretch.seconds
            self._speed = stretch.steps / (time.monotonic() - began)
            self._report(report, f"training {learner.name}", budget)
        learner.stretches += 1
        record = {"kind": "training", "learner": learner.name, "step": learner.steps, "seconds": self.seconds}
        self.folder.append_metrics({**record, "steps_per_second": self._speed, "opponents": shares, **means(rows)})

    def _opponents(self, learner: Learner, rng: np.random.Generator) -> dict[str, float]:
        """Past snapshots, of anybody, for the learner's next stretch, and their shares of its games with the past.

        A beginner, who has none of its own yet, meets itself alone: losing to the others would teach it little.
        """
        if not learner.stretches:
            return {}
        past = [snapshot.name for snapshot in self.folder.snapshots()]
        ratings = {standing.name: standing.rating for standing in self._standings}
        count = self.config.training.opponents
        return matchmaking.shares(self.config.matchmaking, learner.latest, past, ratings, count, rng)

    def _freeze_and_rate(self, learner: Learner, budget: Budget, report: Report) -> None:
        """Make sure that the learner is on file as it is now, and has met who it should meet."""
        name = learner.latest
        known = [snapshot.name for snapshot in self.folder.snapshots()]
        # The log as it was when the snapshot was new, so that one half-rated meets the same rivals again.
        before = list(takewhile(lambda result: name not in result.players, self.folder.results()))
        rivals = self._rivals(
            name, known[: known.index(name)] if name in known else known, rate(before) if before else {}
        )
        if name not in known:
            parents = [snapshot.name for snapshot in self.folder.snapshots() if snapshot.member == learner.name]
            parent = parents[-1] if parents else None
            meta = {"env": self.config.game.id, "member": learner.name, "step": learner.steps, "parent": parent}
            save_snapshot(self.folder.snapshot_path(learner.name, learner.steps), learner.algorithm.policy, meta)
            self.folder.add_snapshot(learner.name, learner.steps, parent)
        pairs = [(name, other) for other in (*self.config.anchors, *rivals)]
        played = self._play("rating", pairs, self.config.evaluation.games, budget, report)
        if played:
            scores = {other: summarise(results, name).score_mean for (_, other), results in played.items()}
            record = {"kind": "rating", "snapshot": name, "seconds": self.seconds, "steps": self.steps}
            self.folder.append_metrics({**record, "scores": scores})

    def _rivals(self, name: str, others: Sequence[str], ratings: Mapping[str, Rating]) -> list[str]:
        """The best snapshot so far, and others at random."""
        count = min(self.config.evaluation.rivals, len(others))
        rng = np.random.default_rng(self._seed("rivals", name))
        best = sorted((other for other in others if other in ratings), key=lambda other: -ratings[other].exposed)[:1]
        rest = [other for other in others if other not in best]
        drawn: list[str] = rng.permutation(rest)[: max(0, count - len(best))].tolist()
        return [*best[:count], *drawn]

    def _finals(self, budget: Budget, report: Report) -> None:
        """More games where they decide something: among the best, and between the champion and the anchors."""
        done = (record["steps"] for record in self.folder.metrics() if record["kind"] == "final")
        if not self.config.evaluation.final_games or self.steps in done:
            return
        best = [standing.name for standing in self._standings if not standing.anchor][:4]
        pairs = [(a, b) for i, a in enumerate(best) for b in best[i + 1 :]]
        pairs += [(name, anchor) for name in best for anchor in self.config.anchors]
        self._play("final", pairs, self.config.evaluation.final_games, budget, report)
        self.folder.append_metrics({"kind": "final", "seconds": self.seconds, "steps": self.steps})

    def _play(
        self, kind: str, pairs: Sequence[tuple[str, str]], games: int, budget: Budget, report: Report
    ) -> dict[tuple[str, str], list[Result]]:
        """Play the pairs that are not in the log yet, log them, and rate everybody again."""
        logged = self.folder.blocks()
        todo = {f"{kind}|{a}|{b}|{games}": (a, b) for a, b in pairs}
        todo = {key: pair for key, pair in todo.items() if key not in logged}
        if not todo:
            return {}
        self._report(report, f"{kind} games of {pairs[0][0]}", budget)
        game = self.config.game
        blocks = self._threads.run([
            partial(run_block, game.id, game.options, [self._player(a), self._player(b)], games, self._seed(key))
            for key, (a, b) in todo.items()
        ])  # fmt: skip
        for key, results in zip(todo, blocks, strict=True):
            self.folder.append_block(key, results)
        self._standings = self.leaderboard()
        self._report(report, f"{kind} games of {pairs[0][0]}", budget)
        return dict(zip(todo.values(), blocks, strict=True))

    def _player(self, name: str) -> Player:
        if name in self._anchors:
            return self._anchors[name]
        return seated(self._policy(name), name, self.config.evaluation.greedy)

    def _load_policy(self, name: str) -> Policy:
        member, _, step = name.rpartition(":")
        return load_snapshot(self.folder.snapshot_path(member, int(step))).policy

    def _resume_path(self, learner: Learner) -> Path:
        return self.folder.path / "resume" / f"{learner.name}.pt"

    def _seed(self, *what: str | int) -> int:
        return seed_for(self.config.seed, *what)
