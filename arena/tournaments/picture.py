"""Picture: a tournament as an SVG: the bracket of an elimination, else a cross table.

Colours follow the page that it is put into (`currentColor`), and it works on light and dark ones alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from arena.store import RunFolder
from arena.tournaments.formats.bracket import Match
from arena.tournaments.formats.elimination import Elimination, Stand
from arena.tournaments.scores import scores
from arena.tournaments.table import byes_of
from arena.tournaments.tournament import Tournament

FONT = 12
"""px."""
LETTER = 0.62
"""Width of a letter in heights, about."""
CELL, HEAD = 34, 20
"""Height and width of a cell of the cross table, px."""
BOX, LINE, APART = 190, 17, 26
"""Width of a match, height of a player's line, and room between rounds, px."""
GOOD, BAD = (38, 132, 94), (190, 70, 54)
"""Red, green and blue of a cell that was won or lost."""
MOST = 64
"""Entrants of a cross table, the best ones."""
LONGEST = 24
"""Letters of a name."""
TITLES = {"winners": "", "losers": "losers' bracket", "final": "grand final", "reset": "grand final, second match"}


def picture(run: RunFolder) -> str:
    """The tournament of `run` as one `svg` element.

    Raises:
        InputError: it holds no tournament.
    """
    return drawn(Tournament(run))


def drawn(tournament: Tournament) -> str:
    """The same."""
    if isinstance(tournament.format, Elimination):
        return _bracket(tournament, tournament.format)
    return _cross_table(tournament)


def short(name: str) -> str:
    """`name`, or its beginning and end."""
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 9]}…{name[-8:]}"


def _svg(width: float, height: float, title: str, parts: Iterable[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
        f'height="{height:.0f}" role="img" aria-label="{escape(title)}" font-family="system-ui, sans-serif" '
        f'font-size="{FONT}" fill="currentColor"><title>{escape(title)}</title>{"".join(parts)}</svg>'
    )


def _text(x: float, y: float, words: str, **more: str) -> str:
    told = "".join(f' {key.replace("_", "-")}="{value}"' for key, value in more.items())
    return f'<text x="{x:.1f}" y="{y:.1f}"{told}>{escape(words)}</text>'


def _cross_table(tournament: Tournament) -> str:
    """Share of the games' points that the row got from the column, in the order of the table."""
    names, played = tournament.names, tournament.played
    groups = tournament.format.order(names, played)
    order = [name for group in groups for name in group][:MOST]
    found = scores(names, played, byes_of(tournament.format, names, played))
    left = max(len(short(name)) for name in order) * FONT * LETTER + 36
    size, top = CELL, HEAD + 6
    parts = []
    for column, _ in enumerate(order):
        parts.append(_text(left + (column + 0.5) * size, top - 8, str(column + 1), text_anchor="middle", opacity="0.7"))
    edge = left + len(order) * size
    parts.append(_text(edge + 58, top - 8, "points", text_anchor="end", opacity="0.7"))
    for row, name in enumerate(order):
        y = top + row * size
        parts.append(_text(22, y + size / 2 + 4, str(row + 1), text_anchor="end", opacity="0.7"))
        parts.append(_text(30, y + size / 2 + 4, short(name)))
        for column, other in enumerate(order):
            x = left + column * size
            seen = found[name].met.get(other)
            if row == column or seen is None or not seen.games:
                mark = "" if row != column else f'<rect x="{x}" y="{y}" width="{size}" height="{size}" opacity="0.08"/>'
                parts.append(mark)
                continue
            share = seen.points / seen.games
            red, green, blue = GOOD if share >= 0.5 else BAD
            words = f"{name} against {other}: {seen.wins} won, {seen.draws} drawn, {seen.losses} lost"
            parts.append(
                f"<g><title>{escape(words)}</title>"
                f'<rect x="{x + 1}" y="{y + 1}" width="{size - 2}" height="{size - 2}" rx="3" '
                f'fill="rgb({red},{green},{blue})" fill-opacity="{0.12 + 1.1 * abs(share - 0.5):.2f}"/>'
                f"{_text(x + size / 2, y + size / 2 + 4, f'{100 * share:.0f}', text_anchor='middle')}</g>"
            )
        parts.append(
            _text(edge + 58, y + size / 2 + 4, f"{found[name].points:g}", text_anchor="end", font_weight="600")
        )
    title = f"Cross table: per cent of the points that the row got from the column, {tournament.config.format}"
    return _svg(edge + 66, top + len(order) * size + 6, title, parts)


def _bracket(tournament: Tournament, format: Elimination) -> str:
    """Matches by round, lines to where their winners went on; the losers' bracket below."""
    names, plan = tournament.names, format.plan(tournament.names)
    stands = format.stands(names, tournament.played)
    pitch = 2 * LINE + 14
    levels = max(match.level for match in plan if match.side == "winners")
    height = (1 << (levels - 1)) * pitch
    place: dict[int, tuple[float, float]] = {}
    lowest = 0.0
    for number, match in enumerate(plan):
        if match.side == "reset" and stands[number].first is None:
            continue
        place[number] = _spot(number, match, plan, levels, height, pitch)
        lowest = max(lowest, place[number][1])
    parts = []
    for number, (x, y) in place.items():
        for source in plan[number].sources:
            if source.kind == "winner" and source.number in place and not _empty(stands[source.number]):
                x0, y0 = place[source.number]
                middle = x - APART / 2
                way = f"M{x0 + BOX:.0f} {y0 + LINE:.0f}H{middle:.0f}V{y + LINE:.0f}H{x:.0f}"
                parts.append(f'<path d="{way}" fill="none" stroke="currentColor" opacity="0.35"/>')
    for number, (x, y) in place.items():
        if not _empty(stands[number]):
            parts += _box(x, y, plan[number], stands[number])
    width = max(x for x, _ in place.values()) + BOX + 4
    return _svg(width, lowest + 2 * LINE + 12, f"Bracket, {tournament.config.format}", parts)


def _empty(stand: Stand) -> bool:
    """A bye: nobody is met."""
    return stand.over and (stand.first is None or stand.second is None)


def _spot(
    number: int, match: Match, plan: Sequence[Match], levels: int, height: float, pitch: float
) -> tuple[float, float]:
    """Left and top end of a match."""
    own = [place for place, one in enumerate(plan) if (one.side, one.level) == (match.side, match.level)]
    share = (own.index(number) + 0.5) / len(own)
    if match.side == "winners":
        column = match.level - 1 if not any(one.side == "losers" for one in plan) else match.round - 1
        return 2 + column * (BOX + APART), 16 + share * height - LINE
    if match.side == "losers":
        tall = max(1, (1 << levels) // 4) * pitch
        return 2 + (match.round - 1) * (BOX + APART), 16 + height + 24 + share * tall - LINE
    return 2 + (match.round - 1) * (BOX + APART), 16 + height / 2 - LINE


def _box(x: float, y: float, match: Match, stand: Stand) -> list[str]:
    """The two of a match, with legs won, or points where there is one leg; who went on is bold."""
    parts = [
        f'<rect x="{x:.0f}" y="{y:.0f}" width="{BOX}" height="{2 * LINE}" rx="4" fill="currentColor" '
        f'fill-opacity="0.06" stroke="currentColor" stroke-opacity="0.3"/>'
    ]
    title = TITLES[match.side]
    if title and (match.side != "losers" or match.level == 1):
        parts.append(_text(x, y - 4, title, opacity="0.7"))
    for row, (name, told) in enumerate(zip((stand.first, stand.second), told_of(stand), strict=True)):
        weight = "700" if name is not None and name == stand.winner else "400"
        base = y + row * LINE + 13
        parts.append(_text(x + 6, base, short(name) if name else "…", font_weight=weight))
        parts.append(_text(x + BOX - 6, base, told, text_anchor="end", font_weight=weight))
    return parts


def told_of(stand: Stand) -> tuple[str, str]:
    """What both have: points of the one leg, or legs won."""
    if not stand.legs:
        return "", ""
    if len(stand.legs) == 1:
        leg = stand.legs[0]
        return f"{leg.points:g}", f"{leg.swapped.points:g}"
    won = [sum(leg.wins > leg.losses for leg in stand.legs), sum(leg.wins < leg.losses for leg in stand.legs)]
    return str(won[0]), str(won[1])
