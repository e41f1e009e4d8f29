"""League: train in turns, promote, rate, go on. The folder is the truth; everything here can be read from it again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from agents.algorithms.algorithm import Metrics
from agents.snapshot import save_snapshot
from arena.config import Budget, load, parse_budget
from arena.league.admission import check
from arena.league.changes import Changes
from arena.league.config import LeagueConfig
from arena.league.keeper import Keeper
from arena.league.opponents import opponents_of
from arena.league.population import Population
from arena.league.progress import Progress, Report
from arena.league.rated import RatedGames
from arena.league.standings import Standing
from arena.learner import Learner, seed_for
from arena.memory import give_back
from arena.result import summarise
from arena.self_play import self_play
from arena.store import RunFolder
from arena.store.held import Held
from arena.trainer import Stretch, mean, means, share_of_points
from envs.errors import InputError
from envs.registry import build


class League(Held):
    """A league in a run folder."""

    def __init__(self, folder: RunFolder) -> None:
        """Use `create` or `open`.

        Raises:
            InputError: a config or a resume file that cannot be read.
        """
        folder.expect("league")
        self.folder = folder
        self.config = load(LeagueConfig, folder.path / "config.yaml")
        spec = build(self.config.game.id, 1, self.config.game.options).spec
        self.population = Population(folder, self.config, spec)
        self.rated = RatedGames(self.population)
        self._changes = Changes(self.population, self.rated)
        self._keeper = Keeper(self.population, self.rated) if self.config.replays else None
        self._spent = self._last_seen()
        self._started: float | None = None
        self._speed = 0.0
        self._record: Callable[[Mapping[str, Any]], None] = lambda _: None

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
        return cls._in(RunFolder.create(path, config, config.seed, command), config)

    @classmethod
    def open(cls, path: str | Path, write: bool = False) -> Self:
        """Open a league, to read it or (`write`) to go on with it.

        Raises:
            InputError: no run there, or, for writing, one that another process writes.
        """
        return cls._in(RunFolder.open(path, write))

    @classmethod
    def _in(cls, folder: RunFolder, fresh: LeagueConfig | None = None) -> Self:
        """The league of `folder`, which is closed if that fails; a `fresh` one has yet to get its members."""
        try:
            if fresh:
                Population.enrol(folder, fresh)
            return cls(folder)
        except BaseException:
            folder.close()
            raise

    @property
    def learners(self) -> list[Learner]:
        """Members that train."""
        return self.population.learners

    @property
    def steps(self) -> int:
        """Env steps trained, all learners, retired ones too."""
        return sum(learner.steps for learner in self.population.everybody)

    @property
    def seconds(self) -> float:
        """Time spent on training and rating."""
        return self._spent + (0.0 if self._started is None else time.monotonic() - self._started)

    @property
    def replay_faults(self) -> list[str]:
        """Why games that are worth watching could not be stored as replays."""
        return self._keeper.faults if self._keeper else []

    def leaderboard(self) -> list[Standing]:
        """Everybody who has been rated, best first."""
        return self.rated.standings

    def run(
        self,
        more: Budget | str | None = None,
        stop: Callable[[], bool] = lambda: False,
        report: Report = lambda _: None,
        record: Callable[[Mapping[str, Any]], None] = lambda _: None,
    ) -> None:
        """Train until the budget is spent or `stop()` is true, which is asked between stretches.

        Args:
            more: spend this much, such as "60s" or "5M-steps", on top of what has been spent; None: what is left of
                the config's budget.
            report: told of progress after every rollout and every rating.
            record: told of every line of metrics about a member.
        """
        self._started, self._record = time.monotonic(), record
        try:
            self._spend(self._total(parse_budget(more) if isinstance(more, str) else more), stop, report)
        except BaseException:  # what was begun is begun again
            self.population.reload()
            self.rated.read()
            raise
        finally:
            self._spent, self._started = self.seconds, None

    def _spend(self, budget: Budget, stop: Callable[[], bool], report: Report) -> None:
        # The untrained networks, whose clumsy play is worth remembering; or what a process that died did not rate.
        Population.enrol(self.folder, self.config)  # where a process died before it could
        self.population.refresh()
        self._changes.answer_requests()
        for learner in self.learners:
            self._freeze_and_rate(learner, budget, report)
        self._changes.find_cycles()
        while self._share(budget) < 1 and not stop():
            self._changes.answer_requests()
            for learner in self.learners:  # those that have just been added
                if not learner.stretches:
                    self._freeze_and_rate(learner, budget, report)
            if not self.learners:
                raise InputError(f"{self.folder.path} has no learner left: `arena league add` gives it one.")
            learner = min(self.learners, key=self.population.turns)
            self._changes.renew(learner)
            self._train(learner, budget, report)
            self._report(report, f"deciding on {learner.latest}", budget)
            learner.pooled = self._changes.promote(learner)
            resume = self.population.resume_path(learner.name).relative_to(self.folder.path).as_posix()
            self.folder.write_atomic(resume, learner.state(self.seconds))
            self._freeze_and_rate(learner, budget, report)
            self._changes.find_cycles()
            if self._keeper:
                self._keeper.look(self.seconds)
            give_back()
        if self._share(budget) >= 1:
            self._finals(budget, report)
        self._changes.answer_requests()  # what came meanwhile, such as games of people
        if self._keeper:
            self._keeper.keep()

    def _last_seen(self) -> float:
        """Seconds of the budget that were spent when the folder was last written to."""
        noted = (float(record["seconds"]) for record in self.folder.metrics())
        return max(*(learner.seconds for learner in self.population.everybody), *noted, 0.0, 0.0)

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
        seen = (self._share(budget), self.seconds, self.steps, self._speed)
        report(Progress(phase, *seen, self.rated.standings, self.population.parts, tuple(self._changes.told)))

    def _train(self, learner: Learner, budget: Budget, report: Report) -> None:
        """One stretch; it ends early where the budget does."""
        config, game = self.config.training_of(self.population.configs[learner.name]), self.config.game
        seed = self._seed("stretch", learner.name, learner.stretches)
        mirror, shares = opponents_of(learner, self.population, self._changes.view, np.random.default_rng(seed))
        opponents = [(self.population.opponent(name), share) for name, share in shares.items()]
        streams = self_play(learner.crew, game.id, game.options, opponents, config, seed)
        stretch = Stretch(learner.crew, streams, self.population.threads)
        began, before = time.monotonic(), learner.steps
        rows: list[Metrics] = []
        while stretch.steps < config.snapshot_steps and (not rows or self._share(budget) < 1):
            metrics = stretch.iterate(self._progress(learner, budget))
            figures = {"game_steps": mean(stretch.lengths), "past_score": share_of_points(stretch.scores)}
            rows.append({**metrics, **figures})
            learner.steps = before + stretch.steps
            learner.episodes += len(stretch.lengths)
            learner.training_seconds += stretch.seconds
            self._speed = stretch.steps / (time.monotonic() - began)
            self._report(report, f"training {learner.name}", budget)
        learner.stretches += 1
        met = {"steps_per_second": self._speed, "mirror": mirror, "opponents": shares}
        self._note("training", learner, {**met, **means(rows)})

    def _progress(self, learner: Learner, budget: Budget) -> float:
        """0..1 of what a learner has ahead of it: of the budget, or of its life, where that is limited by steps."""
        reset = self.population.configs[learner.name].reset
        if reset is None or not reset.steps:
            return self._share(budget)
        stretch = self.config.training_of(self.population.configs[learner.name]).snapshot_steps
        return min(1.0, (learner.steps - learner.born) / max(reset.steps, stretch))  # it is not reset within a stretch

    def _freeze_and_rate(self, learner: Learner, budget: Budget, report: Report) -> None:
        """If the learner is to be in the pool as it is now, make sure that it is on file and has met who it should."""
        if not learner.pooled:
            return
        name, known = learner.latest, [snapshot.name for snapshot in self.folder.snapshots()]
        if name not in known:
            parent = learner.parent
            meta = {"env": self.config.game.id, "member": learner.name, "step": learner.steps, "parent": parent}
            save_snapshot(self.folder.snapshot_path(learner.name, learner.steps), learner.crew.policies, meta)
            self.folder.add_snapshot(learner.name, learner.steps, parent)
        rivals = self.rated.rivals(name)
        met = [other for other in self.population.anchors if self.population.can_meet(name, other)]
        pairs = [(name, other) for other in (*met, *rivals)]
        phase = f"rating games of {name}"
        games = self.config.evaluation.games
        played = self.rated.play("rating", pairs, games, lambda: self._report(report, phase, budget))
        if played:
            self._report(report, phase, budget)
            scores = {
                " ".join(other for other in players if other != name) or name: summarise(results, name).score_mean
                for players, results in played.items()
                if name in players
            }
            rating = self.rated.ratings.get(name)
            figures = {"mean": rating.mean, "sigma": rating.stderr} if rating else {}
            self._note("rating", learner, {"snapshot": name, **figures, "scores": scores})
        learner.parent = name

    def _note(self, kind: str, learner: Learner, values: Mapping[str, Any]) -> None:
        """A line of metrics about `learner`."""
        spent = {"step": learner.steps, "seconds": self.seconds, "steps": self.steps}
        line = {"kind": kind, "member": learner.name, **spent, **values}
        self.folder.append_metrics(line)
        self._record(line)

    def _finals(self, budget: Budget, report: Report) -> None:
        """More games where they decide something: among the best, and between the champion and the anchors."""
        done = (record["steps"] for record in self.folder.metrics() if record["kind"] == "final")
        if not self.config.evaluation.final_games or self.steps in done:
            return
        key, first = f"finals|{self.steps}", self.rated.best(4)
        if not self.folder.append_event(
            "finals", None, {"players": first}, key
        ):  # they had begun, and changed who leads
            first = next(event.detail["players"] for event in self.folder.events() if event.key == key)
        pairs = [(a, b) for i, a in enumerate(first) for b in first[i + 1 :]]
        pairs += [(name, anchor) for name in first for anchor in self.population.anchors]
        pairs = [pair for pair in pairs if self.population.can_meet(*pair)]
        if pairs:
            phase = f"final games of {pairs[0][0]}"
            games = self.config.evaluation.final_games
            self.rated.play("final", pairs, games, lambda: self._report(report, phase, budget))
            self._report(report, phase, budget)
        self.folder.append_metrics({"kind": "final", "seconds": self.seconds, "steps": self.steps})

    def _seed(self, *what: str | int) -> int:
        return seed_for(self.config.seed, *what)
