"""League: train in turns, promote, rate, go on. The folder is the truth; everything here can be read from it again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from arena.config import Budget, load, parse_budget
from arena.execution.executor import Executor
from arena.league.admission import check
from arena.league.changes import Changes
from arena.league.config import LeagueConfig
from arena.league.course import Course
from arena.league.keeper import Keeper
from arena.league.population import Population
from arena.league.progress import Report
from arena.league.rated import RatedGames
from arena.league.standings import Standing
from arena.learner import Learner
from arena.store import RunFolder
from arena.store.held import Held
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
        self.changes = Changes(self.population, self.rated)
        self.keeper = Keeper(self.population, self.rated) if self.config.replays else None
        self._spent = self._last_seen()
        self._started: float | None = None

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
        return self.keeper.faults if self.keeper else []

    def leaderboard(self) -> list[Standing]:
        """Everybody who has been rated, best first."""
        return self.rated.standings

    def run(
        self,
        more: Budget | str | None = None,
        stop: Callable[[], bool] = lambda: False,
        report: Report = lambda _: None,
        record: Callable[[Mapping[str, Any]], None] = lambda _: None,
        executor: Executor | None = None,
    ) -> None:
        """Train until the budget is spent or `stop()` is true, which is asked between stretches.

        Args:
            more: spend this much, such as "60s" or "5M-steps", on top of what has been spent; None: what is left of
                the config's budget.
            report: told of progress after every rollout and every rating.
            record: told of every line of metrics about a member.
            executor: where learners train and rated games are played, see `arena.execution`; as many learners train at
                once as it has workers. None: in this process, one learner after the other, on all of its threads.

        Raises:
            InputError: nobody is left to train, or a file or device that a job needs is not there.
            JobFault: a job failed; what was logged before stays, and its turn is taken again.
        """
        self._started = time.monotonic()
        try:
            budget = self._total(parse_budget(more) if isinstance(more, str) else more)
            Course(self, budget, executor, report, record).go(stop)
        except BaseException:  # what was begun is begun again
            self.population.reload()
            self.rated.read()
            raise
        finally:
            self._spent, self._started = self.seconds, None

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
