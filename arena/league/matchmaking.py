"""Matchmaking: whom a learner meets. Pure functions of the payoff table and of ratings.

Each branch weighs the frozen snapshots; a config says what share of the games each branch gets.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import Field, model_validator

from arena.ratings.payoff import Payoff
from arena.ratings.rating import Rating
from arena.ratings.trueskill import TrueSkillSettings
from envs.config import Config

Weights = NDArray[np.float64]
PRIOR = 8.0
"""Games that a rating's forecast of a pair counts for, beside those that the two have played."""
SOLVER_PRIOR = 2.0
"""Draws that a pair counts as having played besides, before a meta-strategy is solved for."""


class MatchmakingConfig(Config):
    """Shares of a learner's games, in any unit. A branch that has nobody to offer leaves its share to the mirror."""

    mirror: float = Field(0.0, ge=0)
    """Against itself as it is now; it learns from both seats."""
    latest: float = Field(0.0, ge=0)
    """Against the newest snapshot of every other member."""
    uniform: float = Field(0.0, ge=0)
    """All snapshots alike: fictitious self-play (Heinrich et al. 2015)."""
    early: float = Field(0.0, ge=0)
    """The n-th oldest with weight 1 / n, so that a tenth of all training is as present as the nine tenths after it:
    players who still make mistakes teach what mistakes are worth."""
    window: float = Field(0.0, ge=0)
    """The newest `window_size` snapshots alike."""
    window_size: int = Field(10, ge=1)
    """See `window`."""
    delta: float = Field(0.0, ge=0)
    """The newest 1 - `delta_oldest` of all snapshots alike: delta-uniform (Bansal et al. 2018)."""
    delta_oldest: float = Field(0.5, ge=0, lt=1)
    """Share of the history, from its start, that `delta` leaves out."""
    hard: float = Field(0.0, ge=0)
    """Prioritised fictitious self-play: weight (1 - chance to win) ** `power` (Vinyals et al. 2019)."""
    even: float = Field(0.0, ge=0)
    """The same with weight chance x (1 - chance): equals first."""
    power: float = Field(2.0, gt=0)
    """See `hard`."""
    close: float = Field(0.0, ge=0)
    """Close in rating: weight exp(-(difference / `close_width`) ** 2)."""
    close_width: float = Field(4.0, gt=0)
    """Skill points, see `close`."""
    nash: float = Field(0.0, ge=0)
    """By the maximum-entropy Nash equilibrium of the payoff table (PSRO, Lanctot et al. 2017; Balduzzi et al. 2018)."""
    replicator: float = Field(0.0, ge=0)
    """By projected replicator dynamics on it (Lanctot et al. 2017)."""
    alpha_rank: float = Field(0.0, ge=0)
    """By alpha-rank on it (Omidshafiei et al. 2019)."""
    solve_most: int = Field(500, ge=2)
    """Snapshots among which `nash`, `replicator` and `alpha_rank` are solved at most, the best by rating, as the work
    grows with the cube of their number: a second or so for 500. The others get nothing then."""
    forgotten: float = Field(0.0, ge=0)
    """Against those whom an earlier snapshot of this member beat and the newest one does not."""
    anchors: float = Field(0.0, ge=0)
    """Against the scripted and imported players, all alike. Who is trained on them is not measured by them."""
    against: tuple[str, ...] = ()
    """Roles or names of the members whose snapshots all branches choose from; none: everybody's."""

    @model_validator(mode="after")
    def _somebody(self) -> MatchmakingConfig:
        if not any(self.shares().values()):
            raise ValueError(f"all shares are 0: give one of {', '.join(('mirror', *BRANCHES))}")
        return self

    def shares(self) -> dict[str, float]:
        """What each branch was given."""
        return {
            "mirror": self.mirror, "latest": self.latest, "uniform": self.uniform, "early": self.early,
            "window": self.window, "delta": self.delta, "hard": self.hard, "even": self.even, "close": self.close,
            "nash": self.nash, "replicator": self.replicator, "alpha_rank": self.alpha_rank,
            "forgotten": self.forgotten, "anchors": self.anchors,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Past:
    """Somebody frozen."""

    name: str
    member: str
    role: str


@dataclass(frozen=True)
class View:
    """What is known when a learner is to be matched."""

    member: str
    """Who is matched."""
    newest: str
    """Its last snapshot, which stands for it in payoff and ratings."""
    past: Sequence[Past]
    """[n] whom it may meet, oldest first."""
    payoff: Payoff
    """Of wins."""
    scores: Payoff
    """Of scores, which is what learners are after: meta-strategies are solved on it."""
    ratings: Mapping[str, Rating] = field(default_factory=dict)
    """TrueSkill; who is missing counts as an equal of everybody."""
    own: Sequence[str] = ()
    """The learner's earlier snapshots, whether it may meet them or not."""

    def only(self, against: Sequence[str]) -> View:
        """The same without anchors, and with only those whose member's name or role is in `against`; all, if that is
        empty."""
        learnt = [one for one in self.past if one.role != "anchor"]
        return replace(self, past=[one for one in learnt if not against or {one.member, one.role} & set(against)])

    @cached_property
    def names(self) -> list[str]:
        """[n]."""
        return [one.name for one in self.past]

    @cached_property
    def wins(self) -> Weights:
        """[n] chance to beat each: wins and half the draws of the games so far, and `PRIOR` as ratings foresee."""
        return self.chances(self.newest)

    def chances(self, name: str) -> Weights:
        """[n] the same for any player `name`."""
        games, total = self.payoff.row(name, self.names)
        own = self.ratings.get(name)
        others = [self.ratings.get(other) for other in self.names]
        foreseen = np.array([win_probability(own, other) if own and other else 0.5 for other in others])
        chances: Weights = ((games + total) / 2 + PRIOR * foreseen) / (games + PRIOR)
        return chances


def win_probability(a: Rating, b: Rating) -> float:
    """Chance that `a` beats `b` (Herbrich et al. 2006): both skills and both performances are uncertain."""
    beta = TrueSkillSettings().beta
    spread = math.sqrt(a.stderr**2 + b.stderr**2 + 2 * beta**2)
    return 0.5 * math.erfc((b.mean - a.mean) / spread / math.sqrt(2))


def latest(view: View, config: MatchmakingConfig) -> Weights:
    """The newest of every member, but of the learner's own."""
    newest = {one.member: place for place, one in enumerate(view.past)}
    return _ones(view, [place for member, place in newest.items() if member != view.member])


def uniform(view: View, config: MatchmakingConfig) -> Weights:
    """All alike."""
    return np.ones(len(view.past))


def early(view: View, config: MatchmakingConfig) -> Weights:
    """The older, the more."""
    return 1.0 / np.arange(1, len(view.past) + 1)


def window(view: View, config: MatchmakingConfig) -> Weights:
    """The newest ones alike."""
    return _ones(view, range(max(0, len(view.past) - config.window_size), len(view.past)))


def delta(view: View, config: MatchmakingConfig) -> Weights:
    """All alike from some point of the history on; the newest one always."""
    first = min(int(config.delta_oldest * len(view.past)), max(0, len(view.past) - 1))
    return _ones(view, range(first, len(view.past)))


def hard(view: View, config: MatchmakingConfig) -> Weights:
    """The hardest first."""
    weights: Weights = (1 - view.wins) ** config.power
    return weights


def even(view: View, config: MatchmakingConfig) -> Weights:
    """Equals first: who is far behind is not crushed all the time."""
    weights: Weights = view.wins * (1 - view.wins)
    return weights


def close(view: View, config: MatchmakingConfig) -> Weights:
    """Close in rating first; nobody, while the learner or all others are unrated."""
    own = view.ratings.get(view.newest)
    if own is None:
        return np.zeros(len(view.past))
    means = [view.ratings[name].mean if name in view.ratings else np.inf for name in view.names]
    weights: Weights = np.exp(-(((np.array(means) - own.mean) / config.close_width) ** 2))
    return weights


def nash(view: View, config: MatchmakingConfig) -> Weights:
    """The meta-strategy that no mixture beats."""
    from arena.ratings.nash import nash as solve

    return _solved(solve, view, config)


def replicator(view: View, config: MatchmakingConfig) -> Weights:
    """The meta-strategy that projected replicator dynamics arrive at on average."""
    from arena.ratings.meta import projected_replicator as solve

    return _solved(solve, view, config)


def alpha_rank(view: View, config: MatchmakingConfig) -> Weights:
    """How often evolution is at each."""
    from arena.ratings.alpha_rank import alpha_rank as solve

    return _solved(solve, view, config)


def forgotten(view: View, config: MatchmakingConfig) -> Weights:
    """Those once beaten and now lost to: the more, the larger the loss. Of snapshots that were played, not foreseen."""
    earlier = {name for name in view.own if name != view.newest}
    cells, names = view.payoff.cells(), view.payoff.names
    own = np.array([name in earlier for name in names], np.bool_)
    won = own[cells.row] & (cells.total > 0)
    beaten = {names[at] for at in np.unique(cells.column[won]).tolist()}
    games, total = view.payoff.row(view.newest, view.names)
    lost: Weights = np.maximum(0.0, -total / (games + SOLVER_PRIOR)) * np.array([name in beaten for name in view.names])
    return lost


def anchors(view: View, config: MatchmakingConfig) -> Weights:
    """The players that do not learn."""
    return _ones(view, [place for place, one in enumerate(view.past) if one.role == "anchor"])


Branch = Callable[[View, MatchmakingConfig], Weights]
_ALL: tuple[Branch, ...] = (
    latest, uniform, early, window, delta, hard, even, close, nash, replicator, alpha_rank, forgotten, anchors,
)  # fmt: skip
BRANCHES = {branch.__name__: branch for branch in _ALL}


def mixture(config: MatchmakingConfig, view: View) -> tuple[float, Weights]:
    """The mirror's share and the shares [n] of `view.past`; they add up to 1."""
    given = config.shares()
    whole = sum(given.values())
    learnt = view.only(config.against)
    place = {name: index for index, name in enumerate(view.names)}
    share, mirror = np.zeros(len(view.past)), given["mirror"] / whole
    for name, branch in BRANCHES.items():
        if not given[name]:
            continue
        chosen = view if name == "anchors" else learnt
        weights = branch(chosen, config)
        if weights.sum() > 0:
            share[[place[one] for one in chosen.names]] += given[name] / whole * weights / weights.sum()
        else:
            mirror += given[name] / whole
    return mirror, share


def draw(share: Weights, count: int, rng: Generator) -> dict[int, float]:
    """At most `count` places with shares that add up to the same: `share` itself where it has no more, else by
    systematic sampling, which is true to it on average and to its large entries each time."""
    total = share.sum()
    held = np.flatnonzero(share)
    if len(held) <= count:
        return {int(place): float(share[place]) for place in held}
    marks = (rng.random() + np.arange(count)) / count * total
    drawn = np.minimum(np.searchsorted(np.cumsum(share), marks, side="right"), held[-1])
    places, times = np.unique(drawn, return_counts=True)
    return {int(place): float(total * often / count) for place, often in zip(places, times, strict=True)}


def _solved(solve: Callable[[Weights], Weights], view: View, config: MatchmakingConfig) -> Weights:
    """[n] the meta-strategy of the best `solve_most`; of those who are not rated yet nothing is known, so they come
    first."""
    means = [view.ratings[name].mean if name in view.ratings else np.inf for name in view.names]
    best = np.sort(np.argsort(-np.array(means), kind="stable")[: config.solve_most])
    weights = np.zeros(len(view.past))
    if len(best):
        weights[best] = solve(_table(replace(view, past=[view.past[at] for at in best])))
    return weights


def _table(view: View) -> Weights:
    """[n, n] mean scores; where a game is not zero-sum, by how much one is ahead."""
    table = view.scores.among(view.names).filled(SOLVER_PRIOR)
    ahead: Weights = (table - table.T) / 2
    return ahead


def _ones(view: View, places: Any) -> Weights:
    weights = np.zeros(len(view.past))
    weights[list(places)] = 1.0
    return weights
