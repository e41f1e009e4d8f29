"""League: the numbers of a league's report, read from its folder and from nothing else."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from arena.league.history import PART, compared, parts
from arena.league.overview import Overview, outline, overview, roles, spec_of
from arena.league.standings import Standing, champion, standings
from arena.ratings.bradley_terry import BradleyTerrySettings, fit_history
from arena.ratings.cycles import Cycle, cycles
from arena.ratings.disagreement import Disagreement, disagreements
from arena.ratings.fit import Fit
from arena.ratings.games import Games
from arena.ratings.payoff import Payoff, payoff_of
from arena.ratings.rating import Rating
from arena.report.lines import Line
from arena.store import Event, Member, RunFolder, Snapshot

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LeagueNumbers:
    """What a league's log and files say."""

    env: str
    overview: Overview
    table: Sequence[Standing]
    """The leaderboard."""
    fit: Fit
    """Of all games at once."""
    payoff: Payoff
    """Of wins."""
    champions: Sequence[Standing]
    """The best, or the best of each part where teams are not alike."""
    cycles: Sequence[Cycle]
    disagreements: Sequence[Disagreement]
    snapshots: Sequence[Snapshot]
    members: Sequence[Member]
    events: Sequence[Event]
    metrics: Sequence[Record]
    owners: Mapping[str, int | None]
    """Number of the member that every player, snapshot and member belongs to, for its colour; None: an anchor."""
    seconds: Mapping[str, float]
    """Of the run, at which each snapshot was made."""

    @property
    def by_rating(self) -> list[str]:
        """All players, best first."""
        mean = dict(zip(self.fit.names, self.fit.mean.tolist(), strict=True))
        part = {one.name: one.part for one in self.table}
        return sorted(self.payoff.names, key=lambda name: (part.get(name, ""), -mean[name]))

    @property
    def by_age(self) -> list[str]:
        """All players: anchors, then member by member from the oldest snapshot on."""
        age = {snapshot.name: at for at, snapshot in enumerate(self.snapshots)}
        order = {member.name: at for at, member in enumerate(self.members)}

        def key(name: str) -> tuple[bool, int, int, str]:
            member = member_of(name)
            return self.owners[name] is not None, order.get(member, len(order)), age.get(name, -1), name

        return sorted(self.payoff.names, key=key)

    @property
    def anchors(self) -> list[str]:
        """Names of the anchors that have played."""
        return [one.name for one in self.table if one.anchor]


def member_of(player: str) -> str:
    """Name of the member that `player` is, or is a snapshot of, or plays a part as."""
    return player.rpartition(":")[0] or player.partition(PART)[0]


def read(run: RunFolder) -> LeagueNumbers:
    """The numbers of `run`, also while it goes on.

    Raises:
        InputError: it is no league, or its files cannot be read.
    """
    config, spec = outline(run), spec_of(run)
    games = compared(run.meetings(), spec)
    fit = fit_history(games, BradleyTerrySettings(initial=0.0))
    given = roles(run)
    table = standings(games, given, parts=parts(run.meetings(), spec), fit=fit)
    members, snapshots, metrics = run.members(), run.snapshots(), list(run.metrics())
    best = [champion(table, part) for part in dict.fromkeys(one.part for one in table)]
    payoff = payoff_of(games)
    online = {one.name: one.rating for one in table}
    return LeagueNumbers(
        env=config.game.id,
        overview=overview(run),
        table=table,
        fit=fit,
        payoff=payoff,
        champions=[one for one in best if one],
        cycles=cycles(payoff),
        disagreements=disagreements(online, fit) if table else [],
        snapshots=snapshots,
        members=members,
        events=run.events(),
        metrics=metrics,
        owners=_owners(games, members, snapshots),
        seconds=_seconds(snapshots, metrics),
    )


def _owners(games: Games, members: Sequence[Member], snapshots: Sequence[Snapshot]) -> dict[str, int | None]:
    learners = [member.name for member in members if member.role != "anchor"]
    number = {name: at for at, name in enumerate(learners)}
    everybody = (*(member.name for member in members), *(one.name for one in snapshots), *games.names)
    return {name: number.get(name, number.get(member_of(name))) for name in everybody}


def _seconds(snapshots: Sequence[Snapshot], metrics: Sequence[Record]) -> dict[str, float]:
    """By the records of rating; by the clock, from the first snapshot, where there are none."""
    told = {record["snapshot"]: float(record["seconds"]) for record in metrics if record["kind"] == "rating"}
    first = snapshots[0].created if snapshots else 0.0
    return {one.name: told.get(one.name, one.created - first) for one in snapshots}


def rating_lines(numbers: LeagueNumbers, zero: str | None = None) -> list[Line]:
    """Rating of the snapshots of every member, by the fit to all games, with 95 % intervals.

    Args:
        zero: player whose rating is 0, without error; without one the mean of all players is.
    """
    known = set(numbers.fit.names)
    lines: dict[str, Line] = {}
    for one in numbers.snapshots:
        owner = numbers.owners[one.member]
        if one.name in known and owner is not None:
            rating = relative(numbers.fit, one.name, zero)
            line = lines.setdefault(one.member, Line(one.member, owner))
            line.add(one.step, numbers.seconds[one.name], rating.mean, rating.interval(), one.name)
    return list(lines.values())


def relative(fit: Fit, name: str, zero: str | None) -> Rating:
    """Rating of the player `name`; see `rating_lines`."""
    at = fit.names.index(name)
    if zero is None:
        return Rating(float(fit.mean[at]), math.sqrt(max(0.0, float(fit.covariance[at, at]))), fit.games[at])
    return Rating(*fit.difference(name, zero), fit.games[at])


def anchor_lines(numbers: LeagueNumbers) -> dict[str, list[Line]]:
    """By anchor: the share of games that every member's snapshots won against it, draws half, with 95 % intervals."""
    payoff = numbers.payoff
    place = {name: at for at, name in enumerate(payoff.names)}
    share, (low, high) = payoff.win_share, payoff.interval()
    found: dict[str, list[Line]] = {}
    for anchor in numbers.anchors:
        lines: dict[str, Line] = {}
        for one in numbers.snapshots:
            owner, cell = numbers.owners[one.member], (place.get(one.name, -1), place[anchor])
            if owner is not None and cell[0] >= 0 and payoff.games[cell]:
                line = lines.setdefault(one.member, Line(one.member, owner))
                ends = (1 + float(low[cell])) / 2, (1 + float(high[cell])) / 2
                line.add(one.step, numbers.seconds[one.name], float(share[cell]), ends, one.name)
        if lines:
            found[anchor] = list(lines.values())
    return found
