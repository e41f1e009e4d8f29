"""Names of raters. A new one is one file with `rate` and its settings, and one line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from arena.ratings import bradley_terry, elo, glicko2, openskill, trueskill
from arena.ratings.rating import Rating
from envs.config import Config
from envs.errors import unknown

POINTS, ELO_POINTS = "skill points", "Elo points"


@dataclass(frozen=True, slots=True)
class Rater:
    """A way to rate everybody in a log."""

    name: str
    summary: str
    """One line."""
    unit: str
    """Of its means and standard errors."""
    rate: Callable[..., dict[str, Rating]]
    """Of results, or of `Games`, and settings; None for the default ones."""
    settings: type[Config]
    """Model of its settings."""
    origin: str
    """The setting that moves all means alike."""
    ordered: bool
    """Whether the order of the games matters."""


RATERS: dict[str, Rater] = {
    rater.name: rater
    for rater in (
        Rater(
            "trueskill",
            "Gaussian skills, updated game by game",
            POINTS,
            trueskill.rate,
            trueskill.TrueSkillSettings,
            origin="mu",
            ordered=True,
        ),
        Rater(
            "bradley-terry",
            "one fit to all games, with draws and seats: does not depend on their order",
            ELO_POINTS,
            bradley_terry.rate,
            bradley_terry.BradleyTerrySettings,
            origin="initial",
            ordered=False,
        ),
        Rater(
            "elo",
            "a fixed step per game; its standard error is that of such a filter",
            ELO_POINTS,
            elo.rate,
            elo.EloSettings,
            origin="initial",
            ordered=True,
        ),
        Rater(
            "glicko2",
            "rating, deviation and volatility, updated period by period",
            ELO_POINTS,
            glicko2.rate,
            glicko2.Glicko2Settings,
            origin="initial",
            ordered=True,
        ),
        Rater(
            "openskill",
            "Plackett-Luce by the openskill package, an extra: free for any use",
            POINTS,
            openskill.rate,
            openskill.OpenSkillSettings,
            origin="mu",
            ordered=True,
        ),
    )
}


def rater(name: str) -> Rater:
    """The rater called `name`.

    Raises:
        InputError: there is none.
    """
    if name not in RATERS:
        raise unknown("rating", name, RATERS)
    return RATERS[name]
