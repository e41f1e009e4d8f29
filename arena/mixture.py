"""Mixture: a player who is somebody else in each game, drawn with given weights, as solutions of payoff tables are."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from envs.errors import InputError


class Mixture:
    """Takes a player's place in `arena.play`, `arena.Match` and `arena.tournament`.

        arena.play("SlimeVolley-v0", [arena.Mixture({"master": 3, "tracker": 1}), "baseline"])

    One of its players is drawn for each game, from the seed, and has all of the mixture's seats in it. The results of a
    match say who it was; in a tournament they say the name of the mixture.
    """

    def __init__(self, players: Mapping[Any, float], name: str = "mixture") -> None:
        """
        Args:
            players: weights by player, who is whatever `arena.play` takes; they need not add up to 1.
            name: what it is called.

        Raises:
            InputError: nobody, or weights that cannot be.
        """
        if not isinstance(players, Mapping):
            raise InputError(f'{name}: a mixture is weights by player, such as {{"master": 3, "tracker": 1}}.')
        weights: dict[Any, Any] = dict(players)
        wrong = [
            weight for weight in weights.values() if not isinstance(weight, int | float) or not 0 <= weight < math.inf
        ]
        if wrong:
            raise InputError(f"{name}: the weights of a mixture are numbers from 0, not {wrong[0]!r}.")
        total = math.fsum(weights.values())
        if not total:
            raise InputError(f"{name}: a mixture needs somebody with a weight above 0.")
        if any(isinstance(who, Mixture) for who in weights):
            raise InputError(f"{name}: a mixture is of players, not of mixtures: multiply the weights out.")
        self.name = name
        self.shares: dict[Any, float] = {who: weight / total for who, weight in weights.items() if weight}
        """Of each player, adding up to 1."""

    def __repr__(self) -> str:
        """Who is in it."""
        shares = ", ".join(f"{getattr(who, 'name', who)}: {share:.3g}" for who, share in self.shares.items())
        return f"{self.name} ({shares})"
