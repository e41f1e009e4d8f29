"""Page: the report of a run as one page of HTML that needs nothing else.

`page(run)` is the whole page. `data(run)` is what may change of it while the run goes on; in a page that is open,
`window.arena.update(data)` puts it there. What a reader has sorted, unfolded or chosen stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from arena.league.overview import TOURNAMENT
from arena.replay.picks import prominence
from arena.replay.replay import SUFFIX, Replay, read_replay
from arena.report import tournament, training
from arena.report.facts import moment, tiles
from arena.report.html import Json, asset, document, escape, json_block, tag
from arena.report.league import read
from arena.report.replays import films, theatre
from arena.report.section import Section
from arena.report.sections import charts, head, sections
from arena.store import RunFolder
from arena.store.about import kind_of
from envs.errors import InputError

SCRIPTS = ("film.js", "player.js", "charts.js", "heat.js", "page.js")
GAMES = "games"
"""Id of the section with the games to play, which is not part of `data`."""


def data(run: RunFolder) -> Json:
    """What the page of `run` shows: title, sections (HTML by id, titles not included), and charts (numbers by name).

    Values that JSON has. A pure function of the run folder; 70 kB for a small league, 400 kB for 200 snapshots.

    Raises:
        InputError: the folder cannot be read.
    """
    title, parts, drawn = _told(run)
    return {"title": title, "sections": {part.id: part.html for part in parts}, "charts": drawn}


def page(run: RunFolder, scripts: Sequence[str] = (), connect: bool = False) -> str:
    """The report of `run`, a league, a tournament or a training run, as it is now.

    Args:
        scripts: more JavaScript, run after the page's own; `window.arena.update` takes what `data` returns,
            `window.arena.player(element, film)` plays a film.
        connect: whether it may ask the server that it came from.

    Raises:
        InputError: the folder cannot be read.
    """
    title, parts, drawn = _told(run)
    made, lost = films(stored(run.path))
    games = Section(GAMES, "Games", _games(made, lost))
    heads, rest = parts[:1], parts[1:]
    return assembled(title, _subtitle(run), heads[0], [rest[0], games, *rest[1:]], drawn, made, scripts, connect)


def assembled(
    title: str,
    subtitle: str,
    first: Section,
    parts: Sequence[Section],
    drawn: Json,
    made: Sequence[Json] = (),
    scripts: Sequence[str] = (),
    connect: bool = False,
) -> str:
    """A page of `parts` with its navigation; `first` stands above them without a title."""
    links = (tag("li", tag("a", part.id.capitalize(), href=f"#{part.id}")) for part in parts)
    theme = tag("button", "Dark", id="theme", type="button")
    body = "\n".join(
        [
            tag("a", "Skip to the content", href="#content", class_="skip"),
            tag("header", tag("h1", escape(title)), tag("p", escape(subtitle)),
                tag("div", tag("div", first.html, class_="content"), id=first.id)),
            tag("nav", tag("div", tag("ul", *links), theme), aria_label="Sections"),
            tag("main", tag("noscript", tag("p", "Charts and games need JavaScript.")), *map(_section, parts),
                id="content", tabindex=-1),
            tag("footer", tag("p", "Written by ", tag("code", "arena report"), ", from the run folder alone.")),
            json_block("charts", drawn),
            json_block("films", list(made)),
        ]
    )  # fmt: skip
    return document(title, body, asset("page.css"), [*map(asset, SCRIPTS), *scripts], connect)


def stored(path: Path) -> list[Replay]:
    """The replays in the run folder `path`, the most telling first; damaged ones are passed over."""
    found = []
    for file in sorted((path / "replays").glob(f"*{SUFFIX}"), key=lambda file: prominence(file.stem)):
        try:
            found.append(read_replay(file))
        except InputError:
            continue
    return found


def _told(run: RunFolder) -> tuple[str, list[Section], Json]:
    """Title, the facts that are told first as a section of their own, all sections, and charts."""
    name = run.path.resolve().name
    if kind_of(run.about) == "training":
        found = training.read(run)
        parts, drawn = training.sections(run, found), training.charts(found)
        return (
            f"{found.algorithm} on {found.env}: {name}",
            [Section("facts", "", tiles(training.head(found))), *parts],
            drawn,
        )
    if kind_of(run.about) == TOURNAMENT:
        title, first, parts, drawn = tournament.told(run)
        return title, [Section("facts", "", tiles(first)), *parts], drawn
    numbers = read(run)
    parts, drawn = sections(run, numbers), charts(numbers)
    return f"{numbers.env}: {name}", [Section("facts", "", tiles(head(numbers))), *parts], drawn


def _subtitle(run: RunFolder) -> str:
    kinds = {"league": "A league", TOURNAMENT: "A tournament"}
    return f"{kinds.get(kind_of(run.about), 'A training run')}, started {moment(run.about)}, seed {run.about['seed']}"


def _section(part: Section) -> str:
    label = f"{part.id}-title"
    return tag(
        "section",
        tag("h2", escape(part.title), id=label),
        tag("div", part.html, class_="content"),
        id=part.id, aria_labelledby=label,
    )  # fmt: skip


def _games(made: Sequence[Json], lost: Sequence[str]) -> str:
    if not made and not lost:
        return tag("p", "No games have been stored in this run's folder yet.", class_="note")
    lede = "Played again from seed and actions. Space plays and stops, arrow keys step, + and − change the speed."
    return tag("p", lede, class_="lede") + theatre(lost)
