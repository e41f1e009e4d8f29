"""Cast: who takes part in a match, from whatever a program gave: names, players, functions, classes, mixtures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.match import Draw, names_of
from arena.mixture import Mixture
from arena.players import player_of
from arena.records import Results
from arena.result import Result
from envs.core import EnvSpec
from envs.errors import InputError, unknown
from envs.side import Side, Squad, rotations, seated

Anybody = str | Path | Side | Mixture | Callable[..., Any] | type
"""Whoever can play."""
Players = Sequence[Anybody] | Mapping[str, Anybody]
"""Whoever does, with names of one's own if it is a mapping."""
Seating = Sequence[int | str]
"""[P] who sits in each seat, by place or name."""
DRAWS = 1 << 21
"""Sets the seeds of mixtures apart from other seeds that follow from that of a block."""


@dataclass(frozen=True, eq=False)
class Cast:
    """Who takes part."""

    names: tuple[str, ...]
    """[K] of the players, as they were given; all different."""
    sides: tuple[Side, ...]
    """[S] everybody who may sit: each player, or the players of a mixture."""
    called: tuple[str, ...]
    """[S] what results call them; all different."""
    members: tuple[tuple[int, ...], ...]
    """[K] which sides are of each player; several if it is a mixture."""
    shares: tuple[tuple[float, ...], ...]
    """[K] with which probability each of them plays."""
    given: tuple[Anybody, ...] = ()
    """[S] what each of the sides was made of."""

    def lineup(self, spec: EnvSpec, given: Sequence[Seating] | None = None) -> list[list[int]]:
        """[R][P] which side sits where in the games of a round, a mixture being the first of its sides.

        Args:
            given: the same by places or names of the players; None: everybody everywhere by turns, as far as they can.

        Raises:
            InputError: nobody of that name, a wrong number of seats or players, or somebody who cannot sit there.
        """
        if given is None:
            turns = rotations([self.sides[own[0]] for own in self.members], spec)
            given = [[order[team] for team in spec.teams] for order in turns]
        if not given or any(isinstance(row, str) or len(row) != spec.seats for row in given):
            names = ", ".join(spec.seat_names)
            raise InputError(f"{spec.id}: a lineup is a list of games, each naming who sits in its seats {names}.")
        rows = [[self.members[self._place(who)][0] for who in row] for row in given]
        self._check(spec, rows)
        return rows

    def _place(self, who: int | str) -> int:
        if isinstance(who, str):
            if who not in self.names:
                raise unknown("player", who, self.names)
            return self.names.index(who)
        if not 0 <= who < len(self.names):
            raise InputError(f"a lineup counts the {len(self.names)} players from 0: there is no {who}.")
        return who

    def _check(self, spec: EnvSpec, rows: Sequence[Sequence[int]]) -> None:
        """Raise an InputError unless everybody who may sit somewhere can."""
        table = np.array(rows, np.int64)
        for own in self.members:
            for side in own:
                seated(spec, self.sides, np.where(table == own[0], side, table))

    def draw(self, who: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
        """`who` [B, P], with one of the sides of each mixture for each game, in the block with this seed."""
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(DRAWS,)))
        for own, shares in zip(self.members, self.shares, strict=True):
            if len(own) > 1:
                chosen = rng.choice(own, len(who), p=shares)
                who = np.where(who == own[0], chosen[:, None], who)
        return who

    @property
    def drawing(self) -> Draw:
        """`draw` as data, without the sides."""
        return replace(self, sides=(), given=()).draw

    def credited(self, results: Sequence[Result]) -> Results:
        """The same games, with the mixture's name wherever one of its sides sat."""
        if all(len(own) == 1 for own in self.members):
            return Results(results)
        known = {self.called[side]: name for name, own in zip(self.names, self.members, strict=True) for side in own}
        return Results(replace(one, players=tuple(known[name] for name in one.players)) for one in results)


def cast_of(
    players: Players, spec: EnvSpec, greedy: bool = True, *, trust: bool = False, logs: Path | None = None
) -> Cast:
    """The players of the game `spec`. The arguments are those of `arena.players.player_of`.

    Raises:
        InputError: somebody is nobody, or nobody is given.
    """
    if isinstance(players, str):
        raise InputError(f"players are a list, such as [{players!r}, 'baseline'], not one name.")
    if not players:
        raise InputError("nobody plays: give a player for each team.")
    own = dict(players) if isinstance(players, Mapping) else {}
    sides: list[Side] = []
    named: list[Side | Mixture] = []
    members, shares = [], []
    given: list[Anybody] = []
    for name, who in own.items() if own else [(None, who) for who in players]:
        parts = list(who.shares.items()) if isinstance(who, Mixture) else [(who, 1.0)]
        found = [player_of(part, spec, greedy, trust=trust, logs=logs) for part, _ in parts]
        if name is not None and not isinstance(who, Mixture):
            found = [renamed(found[0], name, spec)]
        members.append(tuple(range(len(sides), len(sides) + len(found))))
        shares.append(tuple(share for _, share in parts))
        given += [part for part, _ in parts]
        named.append(who if isinstance(who, Mixture) else found[0])
        sides += found
    names = tuple(own) or tuple(names_of(named))
    return Cast(names, tuple(sides), tuple(names_of(sides)), tuple(members), tuple(shares), tuple(given))


def renamed(side: Side, name: str, spec: EnvSpec) -> Squad:
    """`side` under another name, in the game `spec`."""
    return Squad(name, side.players if isinstance(side, Squad) else dict.fromkeys(spec.roles, side))
