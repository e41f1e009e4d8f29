"""Per-seat ratings: a log in which whoever sits in another seat is another player. Any rater reads it.

Games against oneself then count too: they tell the seats apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from arena.result import Result

SEAT = "@seat"
"""Between a player's name and its seat. Names of members have no "@", and whatever a name looks like, the last "@seat"
of the new one is ours: no two players or seats get the same name."""


def by_seat(results: Iterable[Result]) -> Iterator[Result]:
    """The same games between "ada:1000@seat0", "baseline@seat1" and so on.

    Seats that a player holds together, level with each other and against somebody else, are one team: all of them are
    called after the first.
    """
    known: dict[tuple[str, ...], tuple[str, ...]] = {}
    for result in results:
        if len(set(result.players)) == len(result.players):
            if result.players not in known:
                known[result.players] = tuple(map(seated, result.players, range(len(result.players))))
            yield replace(result, players=known[result.players])
        else:
            yield replace(result, players=_teams(result))


def seated(name: str, seat: int) -> str:
    """What `name` is called in `seat`."""
    return f"{name}{SEAT}{seat}"


def unseated(name: str) -> tuple[str, int]:
    """The name and the seat that `seated` was given."""
    player, _, seat = name.rpartition(SEAT)
    return player, int(seat)


def _teams(result: Result) -> tuple[str, ...]:
    """Names by seat [P] where a player holds several."""
    names = []
    for seat, name in enumerate(result.players):
        own = [at for at, other in enumerate(result.players) if other == name]
        level = len({result.score[at] for at in own}) == 1
        team = level and len(own) < len(result.players)
        names.append(seated(name, own[0] if team else seat))
    return tuple(names)
