"""Whole-history Bradley-Terry: one fit to all games at once, so their order does not matter.

The model, with draws and seats, is that of `arena.ratings.davidson`. In Elo points: a lead of 400 wins ten games for
each one lost. (Elo's own 400 is ten times the score, draws counted half: a wider lead where many games are drawn.)

A weak Gaussian prior keeps the ratings of the unbeaten, and of groups that never met, finite but uncertain. The default
of 1,000 points weighs as much as an eighth of a game between equals. A rating and its standard error are relative to
the mean of all players, or to the anchor if there is one; whether one player is better than another is a question for
the error of their difference, which is smaller or larger than those two suggest: `Fit.difference`.

The fit of more than `MANY` players is that of `arena.ratings.many`, but for a bootstrap and where there is no prior.

In a free-for-all all pairs count, each as a share of a game, see `arena.ratings.pairs`.
"""

from __future__ import annotations

import math
from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator

from arena.ratings import many
from arena.ratings.cells import cells_of, numbers, table_of
from arena.ratings.davidson import Table, estimate, seats_tell
from arena.ratings.fit import Fit, Parts
from arena.ratings.games import Games, History, games_of
from arena.ratings.pairs import Floats
from arena.ratings.rating import ELO, Rating
from arena.ratings.resampling import clusters, drawn
from arena.ratings.tally import Tally
from envs.config import Config
from envs.errors import InputError, unknown

MANY = 1000
"""Players from which on no table of all against all is made. Ratings are the same to twelve digits; standard errors, of
which only those are worked out that are asked for, are right within some hundredths, in leagues within a thousandth."""


class BradleyTerrySettings(Config):
    """What is fitted, in Elo points."""

    initial: float = 1500.0
    """Mean of all players' ratings or, with an anchor, its rating."""
    anchor: str | None = None
    """Player whose rating is fixed: ratings and standard errors are relative to it."""
    prior: float | None = Field(1000.0, gt=0)
    """Standard deviation of a Gaussian around 0 on every parameter; None: maximum likelihood, where it exists."""
    seat_advantage: bool = True
    """Fit what each seat is worth, wherever that can be told from the skill of those who sit there."""
    errors: Literal["information", "bootstrap"] = "information"
    """Standard errors from the curvature of the likelihood, or from logs drawn anew, in which games of the same
    players with the same seed (the two of a seat-swapped pair) stay together."""
    replicates: int = Field(200, ge=2)
    """Logs that the bootstrap draws."""
    seed: int = Field(0, ge=0)
    """Of these draws."""

    @model_validator(mode="after")
    def _bootstrap_has_a_prior(self) -> Self:
        if self.errors == "bootstrap" and self.prior is None:
            raise ValueError("the bootstrap needs a prior, since somebody may be unbeaten in a log drawn anew")
        return self


def rate(results: History, settings: BradleyTerrySettings | None = None) -> dict[str, Rating]:
    """Rate everybody who appears in `results`, in any order.

    Raises:
        InputError: as for `fit_history`.
    """
    return fit_history(results, settings).ratings()


def fit_history(results: History, settings: BradleyTerrySettings | None = None, tally: Tally | None = None) -> Fit:
    """Fit the model to all of `results`.

    Args:
        tally: the games, counted up, where that has been done already; of duels.

    Raises:
        InputError: an anchor that did not play; or, without a prior, games that no finite ratings fit best.
    """
    settings = settings or BradleyTerrySettings()
    games = games_of(results)
    if settings.anchor is not None and settings.anchor not in games.names:
        raise unknown("player", settings.anchor, games.names)
    names, used, table = table_of(games, tally)
    if settings.prior is None:
        _expect_chains(names, table)
    prior = (ELO / settings.prior) ** 2 if settings.prior else 0.0
    seats = settings.seat_advantage and seats_tell(table)
    if len(names) > MANY and prior and settings.errors == "information":
        found = many.estimate(table, prior, seats)
        to = None if settings.anchor is None else names.index(settings.anchor)
        relative = many.Relative(found.errors, ELO, to)
        return _in_points(settings, games, names, used, found.value, relative, ELO**2 * found.seats)
    best = estimate(table, prior, seats)
    covariance = best.covariance()[:-1, :-1]
    if settings.errors == "bootstrap" and len(games):
        cells = cells_of(games)
        draws = drawn(clusters(games, numbers(games)), settings.replicates, np.random.default_rng(settings.seed))
        values = [estimate(cells.table(times), prior, seats, best.value).value[:-1] for times in draws]
        covariance = np.cov(values, rowvar=False)
    relative_to = _relative(settings, names, len(used))
    covariance = ELO**2 * relative_to @ covariance @ relative_to.T
    players = len(names)
    errors, spread = covariance[:players, :players], covariance.diagonal()[players:]
    return _in_points(settings, games, names, used, best.value, errors, spread)


def _relative(settings: BradleyTerrySettings, names: tuple[str, ...], seats: int) -> Floats:
    """[n + P, n + P] what makes skills relative to their mean or the anchor, and seats to theirs."""
    players = len(names)
    relative = np.eye(players + seats)
    if settings.anchor is None:
        relative[:players, :players] -= 1 / max(1, players)
    else:
        relative[:players, names.index(settings.anchor)] -= 1
    relative[players:, players:] -= 1 / max(1, seats)
    return relative


def _in_points(
    settings: BradleyTerrySettings, games: Games, names: tuple[str, ...], seats: tuple[int, ...], value: Floats,
    errors: Floats | Parts, spread: Floats,
) -> Fit:  # fmt: skip
    """The fit in Elo points, relative to the mean or the anchor; `errors` and the variances of seats, `spread`, are."""
    players = len(names)
    if isinstance(errors, np.ndarray):
        mean = ELO * _relative(settings, names, len(seats)) @ value[:-1]
    else:
        to = value[:players].mean() if settings.anchor is None else value[names.index(settings.anchor)]
        mean = ELO * np.append(value[:players] - to, value[players:-1] - value[players:-1].mean())
    counts = dict(zip(games.names, games.counts().tolist(), strict=True))
    ratio = math.exp(value[-1])
    return Fit(
        names=names,
        mean=settings.initial + mean[:players],
        errors=errors,
        games=tuple(counts[name] for name in names),
        seats=seats,
        seat_mean=mean[players:],
        seat_stderr=np.sqrt(np.maximum(spread, 0.0)),
        draw=ratio / (2 + ratio),
    )


def _expect_chains(names: tuple[str, ...], table: Table) -> None:
    """Raise unless a chain of wins and draws leads from everybody to everybody, as the maximum of the likelihood needs:
    Ford, "Solution of a Ranking Problem from Binary Comparisons" (1957)."""
    leads = np.eye(len(names), dtype=np.bool_)
    first, second = table.place[:, :2].T
    for a, b, points in ((first, second, table.count[:, 0]), (second, first, table.count[:, 2])):
        scored = points + table.count[:, 1] > 0
        leads[a[scored], b[scored]] = True
    while True:
        longer = leads.astype(np.float32) @ leads.astype(np.float32) > 0
        if (longer == leads).all():
            break
        leads = longer
    for i, j in np.argwhere(~leads):
        raise InputError(
            f"no chain of wins and draws leads from {names[i]} to {names[j]}, so without a prior no finite ratings fit "
            "best: give `prior` a standard deviation."
        )
