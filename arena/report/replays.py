"""Replays in a page: which can be played there, and a page of nothing but them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from arena.replay.replay import Replay
from arena.report.film import Unfilmable, film
from arena.report.html import Json, asset, document, escape, json_block, tag
from envs.errors import InputError

ROOM = 700_000
"""Bytes of films that a page holds; what does not fit is named."""


def films(replays: Iterable[Replay], room: int = ROOM) -> tuple[list[Json], list[str]]:
    """Films of as many of `replays` as `room` bytes hold, and a sentence for each that is left out."""
    made: list[Json] = []
    lost: list[str] = []
    for replay in replays:
        who = f"{replay.title or replay.env} ({' against '.join(dict.fromkeys(replay.players))})"
        try:
            shown = film(replay)
        except (InputError, Unfilmable) as fault:
            lost.append(f"{who} is not shown: {str(fault).rstrip('.')}.")
            continue
        size = len(shown["data"])
        if size > room:
            lost.append(f"{who} is not shown: its {replay.steps:,} steps would make the page too large.")
            continue
        room -= size
        made.append(shown)
    return made, lost


def theatre(lost: Sequence[str]) -> str:
    """Where games are played: a list to choose from, and the player, both filled by scripts from the block "films"."""
    missing = tag("ul", *(tag("li", escape(sentence)) for sentence in lost), class_="lost") if lost else ""
    return tag(
        "div",
        tag("div", id="games-list", role="group", aria_label="Games"),
        tag("div", id="player"),
        class_="theatre",
    ) + missing  # fmt: skip


def replay_page(replays: Sequence[Replay], title: str = "") -> str:
    """A page that plays `replays` and needs nothing else. Those that cannot be shown are named in it.

    Raises:
        InputError: there is nothing to play: the only replay cannot be played here.
    """
    made, lost = films(replays, room=20 * ROOM)
    if not made:
        raise InputError(lost[0] if lost else "there is no replay to show.")
    heading = title or made[0]["title"] or f"A game of {made[0]['env']}"
    header = tag("header", tag("h1", escape(heading)), tag("p", escape(made[0]["env"])))
    body = header + tag("main", theatre(lost), class_="alone") + json_block("films", made)
    return document(heading, body, asset("page.css"), [*map(asset, ("film.js", "player.js", "page.js"))])
