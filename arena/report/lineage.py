"""Lineage: which snapshot was trained from which, as the tree of a page takes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from arena.report.html import Json
from arena.report.lines import short
from arena.store import Snapshot


def tree(
    snapshots: Sequence[Snapshot],
    seconds: Mapping[str, float],
    owners: Mapping[str, int | None],
    ratings: Mapping[str, float],
    marked: Sequence[str],
) -> Json:
    """The tree of `snapshots`: a row for each member, from left to right as they were made.

    Args:
        seconds: of the run, at which each snapshot was made, by name.
        owners: number of the member that each is of, by name; None: an anchor.
        ratings: of those that have one.
        marked: champions.
    """
    place = {snapshot.name: at for at, snapshot in enumerate(snapshots)}
    nodes = [
        [
            snapshot.name,
            snapshot.member,
            short(round(seconds[snapshot.name], 1)),
            snapshot.step,
            place.get(snapshot.parent or "", -1),
            short(round(ratings[snapshot.name], 1)) if snapshot.name in ratings else None,
        ]
        for snapshot in snapshots
    ]
    return {
        "type": "tree",
        "title": "Which snapshot was trained from which",
        "members": [[member, owners[member]] for member in dict.fromkeys(snapshot.member for snapshot in snapshots)],
        "nodes": nodes,
        "marked": [place[name] for name in marked if name in place],
    }
