"""What a league run leaves behind, as text for people and as an object for programs."""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from arena.cli.leaderboard import print_leaderboard, score, skill, standings_json
from arena.cli.program import command

if TYPE_CHECKING:
    from arena.league import League
    from arena.league.standings import Standing

YARDSTICK = "baseline"
"""The anchor that a league is expected to beat."""
USUAL_GAME = "SlimeVolley-v0"
"""What `arena match` and `arena watch` play unless they are told."""
TOP = 20
"""Snapshots on the leaderboard at the end of a run; `arena league leaderboard` shows all."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A run when its process ends."""

    path: str
    env: str
    options: dict[str, Any]
    """Of the env, where they are not its defaults."""
    ended: str
    """budget, interrupted or terminated."""
    share: float
    """0..1 of the budget spent."""
    seconds: float
    """Spent on training and rating, earlier processes included."""
    steps: int
    """Env steps trained, all learners."""
    games: int
    """Rated games in the log."""
    above: dict[str, Any] | None
    """seconds, steps and snapshot of the first rating in which the newest snapshot beat the YARDSTICK."""
    anchors: tuple[str, ...]
    table: list[Standing]
    """Best first."""

    @classmethod
    def of(cls, league: League, ended: str, share: float) -> Outcome:
        """The outcome of `league` as it is now."""
        from arena.league.overview import first_above
        from envs.registry import make

        seconds, game = league.seconds, league.config.game
        usual = make(game.id).spec.options
        first = first_above(league.folder.metrics(), YARDSTICK)
        return cls(
            path=str(league.folder.path),
            env=game.id,
            options={key: value for key, value in game.options.items() if value != usual.get(key)},
            ended=ended,
            share=share,
            seconds=seconds,
            steps=league.steps,
            games=league.folder.games(),
            above={key: first[key] for key in ("seconds", "steps", "snapshot")} if first else None,
            anchors=league.config.anchors,
            table=league.leaderboard(),
        )

    @property
    def champion(self) -> Standing | None:
        """The best that is no anchor."""
        from arena.league.standings import champion

        return champion(self.table)

    @property
    def speed(self) -> float:
        """Env steps per second of training and rating."""
        return self.steps / self.seconds if self.seconds else 0.0

    def as_json(self) -> dict[str, Any]:
        """The object that --json prints."""
        return {
            "run": self.path,
            "env": self.env,
            "ended": self.ended,
            "budget_share": self.share,
            "seconds": self.seconds,
            "steps": self.steps,
            "steps_per_second": self.speed,
            "games": self.games,
            "peak_rss_mib": peak_rss_mib(),
            "above_baseline": self.above,
            "champion": self.champion.name if self.champion else None,
            "players": standings_json(self.table),
        }

    def print(self) -> None:
        """Leaderboard, champion, figures, and the commands that come next."""
        from arena.league.standings import met

        if self.table:
            title = f"{self.path}: {self.games:,} rated games of {self.env}"
            print_leaderboard(self.table, met(self.table, self.anchors), title, TOP)
            print()
        for line in (*self._champion(), *self._figures(), *self._next()):
            print(line)

    def _champions(self) -> dict[str, str]:
        """How the champion is named on the command line; one for each side of a game whose sides are not alike, by
        that side."""
        from arena.league.standings import champion

        found = {}
        for part in dict.fromkeys(one.part for one in self.table):
            if champion(self.table, part):
                found[part] = f"{self.path}@champion{f':{part}' if part else ''}"
        return found

    def _champion(self) -> Sequence[str]:
        from arena.league.standings import champion

        lines = []
        for part in self._champions():
            best = champion(self.table, part)
            assert best is not None
            scores = ", ".join(f"{score(summary)} against {anchor}" for anchor, summary in best.against.items())
            who = f"champion{f' as {part}' if part else ''}: {best.name}, skill {skill(best.rating)}"
            lines.append(who + (f"; mean score {scores}" if scores else ""))
        return lines

    def _figures(self) -> Sequence[str]:
        lines = [
            f"trained: {self.steps:,} env steps in {self.seconds:.1f} s with rating ({self.speed:,.0f} steps/s); "
            f"peak memory {peak_rss_mib():,.0f} MiB"
        ]
        if self.above:
            lines.append(
                f"above {YARDSTICK}: the newest snapshot's mean score first passed 0 after "
                f"{self.above['seconds']:.1f} s and {self.above['steps']:,} env steps ({self.above['snapshot']})"
            )
        elif YARDSTICK in self.anchors:
            lines.append(f"above {YARDSTICK}: no new snapshot's mean score has passed 0 yet")
        if self.ended != "budget":
            lines.append(f"{self.ended} at {self.share:.0%} of the budget; nothing that was trained is lost")
        return lines

    def _next(self) -> Sequence[str]:
        """Commands, ready to be copied."""
        lines = []
        best = list(self._champions().values())
        if best:
            players = self._line_up(best)
            game = [] if self.env == USUAL_GAME else ["--env", self.env]
            for key, value in self.options.items():
                game += ["--set", f"{key}={value if isinstance(value, str) else json.dumps(value)}"]
            lines.append(f"watch it:  {command('watch', *players, *game)}")
            lines.append(f"match it:  {command('match', *players, *game)}")
            lines.append(f"all of it: {command('report', self.path, '--open')}")
        more = ["--budget", "5m"] if self.ended == "budget" else []
        lines.append(f"train on:  {command('league', 'resume', self.path, *more)}")
        return lines

    def _line_up(self, best: Sequence[str]) -> list[str]:
        """A player for each team: champions of different sides, or the champion and an anchor, or it alone."""
        from envs.registry import build
        from envs.side import team_count

        teams = team_count(build(self.env, 1, self.options).spec)
        others = [*best[1:], *(self.anchors[:1] or best)]
        return [best[0], *(others * teams)][:teams]


def peak_rss_mib() -> float:
    """Most memory that this process has held, MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
