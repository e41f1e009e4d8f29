"""Payoff: who won how much against whom, as the heat map of a page takes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from arena.ratings.payoff import Payoff
from arena.report.html import Json
from arena.report.lines import short

MOST_NAMES = 60
"""Players of whom each has a row; of more, neighbouring snapshots of a member share one unless all are asked for."""
MOST_CELLS = 8_000
"""Pairs that a page holds; where more have met, groups alone are shown."""


def heat(payoff: Payoff, by_rating: Sequence[str], by_age: Sequence[str], owners: Mapping[str, int | None]) -> Json:
    """The heat map of `payoff`.

    Args:
        by_rating: all players, best first.
        by_age: all players, by member and age.
        owners: number of the member that each player belongs to; None: an anchor.
    """
    payoff = payoff.among(by_rating)
    views: list[Json] = []
    if len(by_age) > MOST_NAMES:
        groups = grouped(by_age, owners)
        table = np.zeros((len(groups), len(by_rating)))
        place = {name: at for at, name in enumerate(by_rating)}
        for row, members in enumerate(groups.values()):
            table[row, [place[name] for name in members]] = 1.0
        games = (table @ payoff.games @ table.T).astype(np.int64)
        pooled = Payoff(tuple(groups), "win", games, table @ payoff.total @ table.T, table @ payoff.squares @ table.T)
        owned = [owners[members[0]] for members in groups.values()]
        order = list(range(len(groups)))
        views.append({"name": "groups of snapshots, by age", **_view(pooled, owned), "order": order})
    met = int((np.triu(payoff.games, 1) > 0).sum())
    if not views or met <= MOST_CELLS:
        all_of_them = _view(payoff, [owners[name] for name in by_rating])
        place = {name: at for at, name in enumerate(by_rating)}
        views.append({"name": "everybody, best first", **all_of_them, "order": list(range(len(by_rating)))})
        views.append({"name": "everybody, by age", "same": len(views) - 1, "order": [place[name] for name in by_age]})
    return {"type": "heat", "title": "Share of games won by the row against the column", "views": views}


def grouped(by_age: Sequence[str], owners: Mapping[str, int | None]) -> dict[str, list[str]]:
    """Players in groups with names: neighbouring snapshots of one member together, so many that there are at most
    `MOST_NAMES`; anchors alone."""
    size = 1
    while True:
        size += 1
        groups: list[list[str]] = []
        for name in by_age:
            member = name.rpartition(":")[0]
            last = groups[-1] if groups else []
            if last and owners[name] is not None and len(last) < size and last[0].rpartition(":")[0] == member:
                last.append(name)
            else:
                groups.append([name])
        if len(groups) <= MOST_NAMES or size >= len(by_age):
            return {_group_name(members): members for members in groups}


def _group_name(members: Sequence[str]) -> str:
    last = members[-1].rpartition(":")[2]
    return members[0] if len(members) == 1 else f"{members[0]} to {last}"


def _view(payoff: Payoff, owners: Sequence[int | None]) -> Json:
    """Names, and a cell for each two that met: row, column, games, share of wins with its 95 % interval."""
    share, ends = payoff.win_share, payoff.interval()
    low, high = ((1 + end) / 2 for end in ends)
    cells = [
        [i, j, int(payoff.games[i, j]), *(short(round(float(of[i, j]), 3)) for of in (share, low, high))]
        for i, j in np.argwhere(np.triu(payoff.games, 1) > 0).tolist()
    ]
    inside = [[i, int(payoff.games[i, i])] for i in range(len(payoff.names)) if payoff.games[i, i]]
    return {"names": list(payoff.names), "owners": list(owners), "cells": cells, "inside": inside}
