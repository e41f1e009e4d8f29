"""Course: what happens in a league in which order. Learners take turns: a stretch of training, promotion, a snapshot,
its rating games. As many turns go on at once as the executor has workers for; the folder is written by this process
alone, as turns end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from agents.parallel import cores
from agents.snapshot import save_snapshot
from arena.config import Budget
from arena.execution.agenda import WAIT, Agenda, Work
from arena.execution.executor import Executor
from arena.execution.news import heard
from arena.execution.threads import ThreadsExecutor
from arena.league.finals import finals
from arena.league.opponents import opponents_of
from arena.league.population import Population
from arena.league.progress import Progress, Report
from arena.league.stretch import Clock, StretchJob, Trained, Trains
from arena.learner import Learner, seed_for
from arena.memory import give_back
from arena.result import summarise
from envs.errors import InputError

if TYPE_CHECKING:
    from arena.league.league import League

Record = Callable[[Mapping[str, Any]], None]
HURRY = 10.0
"""Where nobody waits, ratings of very many games may be out of date for so many times as long as they take."""


class Course:
    """One `League.run`."""

    def __init__(
        self, league: League, budget: Budget, executor: Executor | None, report: Report, record: Record
    ) -> None:
        """`executor` None: jobs run in this process, on the league's threads."""
        self._league, self._budget, self._tell, self._record = league, budget, report, record
        self._folder, self._config = league.folder, league.config
        self._population, self._rated, self._changes = league.population, league.rated, league.changes
        self._here = executor is None
        self._executor = executor or ThreadsExecutor(self._population.threads)
        self._agenda = Agenda(self._executor)
        self._rated.hurry(0.0 if self._here or self._config.sync else HURRY)
        self._turns: dict[str, StretchJob | None] = {}
        """Learners whose turn it is, by name, and what they train; None before and after that."""
        self._doing: dict[str, str] = {}
        """What else goes on, for people, by learner."""
        self._trained: dict[str, int] = {}
        """Env steps so far of those that train, as far as is known."""
        self._speeds: dict[str, float] = {}
        """Env steps per second of learners, lately."""

    def go(self, stop: Callable[[], bool]) -> None:
        """Train until the budget is spent or `stop()` is true."""
        try:
            with heard(self._hear):
                self._go(stop)
        finally:
            self._agenda.drop()

    def _go(self, stop: Callable[[], bool]) -> None:
        # The untrained networks, whose clumsy play is worth remembering; or what a process that died did not rate.
        Population.enrol(self._folder, self._config)  # where a process died before it could
        self._population.refresh()
        self._changes.answer_requests()
        if self._config.sync:
            self._in_rounds(stop)
        else:
            self._in_turns(stop)
        if self._share() >= 1 and self._agenda.finish(finals(self._league, self._say), self._report):
            self._report()
        self._changes.answer_requests()  # what came meanwhile, such as games of people
        if self._league.keeper:
            self._league.keeper.keep()

    def _in_turns(self, stop: Callable[[], bool]) -> None:
        """Nobody waits for anybody; those begin first who have had the fewest turns."""
        self._rate_all(self._population.learners)
        self._changes.find_cycles()
        over = False
        while not over or len(self._agenda):
            while not over and (self._next() or not len(self._agenda)):
                over = self._share() >= 1 or stop()
                if not over:
                    self._look_around()
                    learner = self._next()
                    if learner:
                        self._turns[learner.name] = None
                        self._agenda.add(self._take_turn(learner))
            if len(self._agenda):
                self._report()
                self._agenda.look(WAIT)

    def _in_rounds(self, stop: Callable[[], bool]) -> None:
        """All who have had the fewest turns take theirs together."""
        half = 0 < len(self._round) < len(self._population.learners)
        self._rate_all(self._round)  # in the middle of a round, those whose turn it was not yet see what the others saw
        if not half:
            self._changes.find_cycles()
        while half or (self._share() < 1 and not stop()):
            half = False
            self._look_around()
            self._agenda.finish(self._take_turns(), self._report)

    def _look_around(self) -> None:
        """See who has come or gone."""
        self._changes.answer_requests()
        fresh = [one for one in self._population.learners if not one.stretches]
        self._rate_all([one for one in fresh if not self._population.is_frozen(one.latest)])
        if not self._population.learners:
            raise InputError(f"{self._folder.path} has no learner left: `arena league add` gives it one.")

    @property
    def _round(self) -> list[Learner]:
        """Learners who have had the fewest turns."""
        learners, turns = self._population.learners, self._population.turns
        fewest = min(map(turns, learners), default=0)
        return [one for one in learners if turns(one) == fewest]

    def _next(self) -> Learner | None:
        """Who can begin a turn now, if there is a worker, and something left of the budget for it."""
        waiting = [one for one in self._population.learners if one.name not in self._turns]
        if not waiting:
            return None
        learner = min(waiting, key=self._population.turns)
        if self._turns:
            taken = sum(map(self._cpus, self._turns)) + self._cpus(learner.name)
            planned = self._budget.share(self._league.seconds, self._league.steps + self._under_way)
            if taken > self._executor.workers or planned >= 1:
                return None
        return learner

    def _rate_all(self, learners: list[Learner]) -> None:
        for learner in learners:
            self._agenda.finish(self._freeze_and_rate(learner), self._report)

    def _cpus(self, name: str) -> int:
        return self._config.resources_of(self._population.configs[name]).cpus

    def _take_turn(self, learner: Learner) -> Work[None]:
        """All of one turn, while others have theirs."""
        self._renew(learner)
        job = self._job(learner)
        (trained,) = yield from self._train({learner.name: job})
        self._take(learner, job, trained)
        yield from self._decide(learner)
        yield from self._freeze_and_rate(learner)
        self._tidy()
        self._turns.pop(learner.name, None)

    def _take_turns(self) -> Work[None]:
        """A turn of each of those who have had the fewest. What they begin with is on file before any of them trains,
        and nothing is rated before all have, so a round that was cut off goes on as if it had not been."""
        learners = self._round
        for learner in learners:
            self._renew(learner)
        jobs: dict[str, StretchJob] = {}
        for learner in learners:
            jobs[learner.name] = self._turns[learner.name] = self._job(learner)
        found = yield from self._train(jobs)
        for learner, trained in zip(learners, found, strict=True):
            self._take(learner, jobs[learner.name], trained)
            yield from self._decide(learner)
        for learner in self._population.learners:  # also those whose turns ended before the round was cut off
            yield from self._freeze_and_rate(learner)
        self._tidy()

    def _train(self, jobs: dict[str, StretchJob]) -> Work[list[Trained]]:
        """Stretches of learners, by name, which train at the same time."""
        self._turns.update(jobs)
        found = yield list(jobs.values())
        for name in jobs:
            self._turns[name] = None
            self._trained.pop(name, None)
        return found

    @contextmanager
    def _does(self, learner: Learner, what: str) -> Iterator[None]:
        """Inside, this is what is done about `learner`."""
        self._doing[learner.name] = what
        try:
            yield
        finally:
            self._doing.pop(learner.name, None)

    def _renew(self, learner: Learner) -> None:
        if self._changes.renew(learner):
            self._save(learner)

    def _save(self, learner: Learner) -> None:
        resume = self._population.resume_path(learner.name).relative_to(self._folder.path).as_posix()
        self._folder.write_atomic(resume, learner.state(self._league.seconds))

    def _job(self, learner: Learner) -> StretchJob:
        """Its next stretch."""
        config = self._population.configs[learner.name]
        needs = self._config.resources_of(config)
        seed = seed_for(self._config.seed, "stretch", learner.name, learner.stretches)
        rng = np.random.default_rng(seed)
        mirror, shares = opponents_of(learner, self._population, self._changes.view, rng)
        return StretchJob(
            name=learner.name,
            learner=config,
            game=self._config.game,
            training=self._config.training_of(config),
            seed=self._population.seed_of(config),
            state=learner.state(self._league.seconds),
            mirror=mirror,
            opponents=tuple((name, self._population.pinned(name), share) for name, share in shares.items()),
            games_seed=seed,
            clock=Clock(self._budget, self._league.seconds, self._league.steps + self._under_way),
            device=self._config.device,
            threads=(self._config.threads or cores()) if self._here else needs.cpus,
            cpus=needs.cpus,
            gpus=needs.gpus,
        )

    @property
    def _under_way(self) -> int:
        """Env steps that are being trained elsewhere, or are about to be."""
        return sum(job.steps for job in self._turns.values() if job)

    def _take(self, learner: Learner, job: StretchJob, trained: Trained) -> None:
        """Let `learner` be what it has become."""
        learner.load(trained.state)
        self._speeds[learner.name] = trained.speed
        met = {"steps_per_second": trained.speed, "mirror": job.mirror, "opponents": job.shares}
        self._note("training", learner, {**met, **trained.metrics})

    def _decide(self, learner: Learner) -> Work[None]:
        """Whether it is promoted; then what it is now is what it goes on from."""
        with self._does(learner, f"deciding on {learner.latest}"):
            learner.pooled = yield from self._changes.promote(learner)
        self._save(learner)

    def _freeze_and_rate(self, learner: Learner) -> Work[None]:
        """If the learner is to be in the pool as it is now, make sure that it is on file and has met who it should."""
        if not learner.pooled or learner.renewed == learner.stretches:  # it has become somebody else since
            return
        name = learner.latest
        if not self._population.is_frozen(name):
            parent = learner.parent
            meta = {"env": self._config.game.id, "member": learner.name, "step": learner.steps, "parent": parent}
            save_snapshot(self._folder.snapshot_path(learner.name, learner.steps), learner.crew.policies, meta)
            self._folder.add_snapshot(learner.name, learner.steps, parent)
        rivals = self._rated.rivals(name)
        met = [other for other in self._population.anchors if self._population.can_meet(name, other)]
        pairs = [(name, other) for other in (*met, *rivals)]
        with self._does(learner, f"rating games of {name}"):
            played = yield from self._rated.play("rating", pairs, self._config.evaluation.games)
        if played:
            scores = {
                " ".join(other for other in players if other != name) or name: summarise(results, name).score_mean
                for players, results in played.items()
                if name in players
            }
            rating = self._rated.ratings.get(name)
            figures = {"mean": rating.mean, "sigma": rating.stderr} if rating else {}
            self._note("rating", learner, {"snapshot": name, **figures, "scores": scores})
            self._report()
        learner.parent = name

    def _say(self, what: str) -> None:
        """This is done about the whole league."""
        self._doing[""] = what

    def _tidy(self) -> None:
        """After a turn."""
        self._changes.find_cycles()
        if self._league.keeper:
            self._league.keeper.look(self._league.seconds)
        give_back()

    def _note(self, kind: str, learner: Learner, values: Mapping[str, Any]) -> None:
        """A line of metrics about `learner`."""
        spent = {"step": learner.steps, "seconds": self._league.seconds, "steps": self._league.steps}
        line = {"kind": kind, "member": learner.name, **spent, **values}
        self._folder.append_metrics(line)
        self._record(line)

    def _hear(self, news: object) -> None:
        """A learner has come so far in its stretch."""
        if isinstance(news, Trains) and self._turns.get(news.name):
            self._trained[news.name], self._speeds[news.name] = news.steps, news.speed
            self._report()

    def _share(self) -> float:
        """How much of the budget is spent."""
        return self._budget.share(self._league.seconds, self._league.steps)

    def _report(self) -> None:
        steps = self._league.steps + sum(self._trained.values())
        training = [name for name, job in self._turns.items() if job]
        known = [name for name in training if name in self._speeds] or list(self._speeds)[-1:]
        speed = sum(self._speeds[name] for name in known)
        share = self._budget.share(self._league.seconds, steps)
        phases = [f"training {', '.join(training)}"] * bool(training) + list(self._doing.values())
        phase = "; ".join(phases) or "going on"
        seen = (share, self._league.seconds, steps, speed)
        self._tell(Progress(phase, *seen, self._rated.shown, self._population.parts, tuple(self._changes.told)))
