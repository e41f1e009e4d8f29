"""Sections: the parts of a league's page, from its numbers. Text that comes from a run is escaped here."""

from __future__ import annotations

from arena.report.board import leaderboard
from arena.report.facts import configuration, count, duration, signed, usage
from arena.report.html import Json, escape, tag
from arena.report.league import LeagueNumbers, anchor_lines, rating_lines
from arena.report.lineage import tree
from arena.report.lines import chart, training_lines
from arena.report.payoff import heat
from arena.report.resources import resources
from arena.report.section import Section, figure, scrolling
from arena.store import Event, RunFolder

TOLD = 5
"""Disagreements that are told in full."""
EVENTS = 200
"""Latest ones that are told."""
DULL = ("added", "finals")
"""Kinds of events that a page does not tell of."""


def head(numbers: LeagueNumbers) -> dict[str, tuple[str, str]]:
    """What is told first."""
    over = numbers.overview
    best = numbers.champions
    state = "being written" if over.writer else f"{min(over.share, 1.0):.0%} of its budget"
    facts = {}
    if best:
        notes = ", ".join(f"{signed(one.fit.mean, 0)} Elo" for one in best)
        facts["champion" + "s" * (len(best) > 1)] = (" and ".join(one.name for one in best), notes)
    facts["env steps"] = (count(over.steps), state)
    facts["time"] = (duration(over.seconds), f"budget {over.budget}")
    facts["rated games"] = (f"{over.games:,}", f"{len(numbers.table):,} players")
    facts["snapshots"] = (f"{over.snapshots:,}", f"of {len(over.learners)} learner{'s' * (len(over.learners) != 1)}")
    return facts


def sections(run: RunFolder, numbers: LeagueNumbers) -> list[Section]:
    """All of them but the games to play."""
    anchors = "".join(
        figure(f"anchor-{at}", name) for at, name in enumerate(anchor_lines(numbers))
    ) or tag("p", "No anchor has been met.", class_="note")  # fmt: skip
    used = resources(run.path, numbers.metrics)
    curves = training_lines(numbers.metrics, _numbers(numbers))
    training = "".join(figure(f"training-{key}", key.replace("_", " ")) for key in curves)
    return [
        Section("leaderboard", "Leaderboard", leaderboard(numbers) + _disagreements(numbers)),
        Section(
            "rating", "Rating over training",
            tag("p", "Every snapshot, rated by one fit to all games, so that the order of the games does not matter. "
                "Bands: 95 % intervals. Dashed: anchors.", class_="lede") + figure("rating"),
        ),
        Section(
            "anchors", "Against the anchors",
            tag("p", "Share of games won, draws half, with 95 % intervals.", class_="lede")
            + tag("div", anchors, class_="plots"),
        ),
        Section(
            "payoff", "Who beats whom",
            tag("p", "Share of games that the row won against the column, draws half.", class_="lede")
            + figure("payoff"),
        ),
        Section("cycles", "Cycles", _cycles(numbers)),
        Section(
            "lineage", "Lineage",
            tag("p", "Which snapshot was trained from which; the ring marks the champion.", class_="lede")
            + figure("lineage") + _events(numbers),
        ),
        Section(
            "training", "Training",
            tag("div", training, class_="plots") if training else tag("p", "No training yet.", class_="note"),
        ),
        Section("resources", "Resources", usage(used, numbers.overview.games, run.about)),
        Section("settings", "Settings", configuration(run)),
    ]  # fmt: skip


def charts(numbers: LeagueNumbers) -> Json:
    """The numbers of all charts, by name."""
    ratings = numbers.fit.ratings()
    means = {name: rating.mean for name, rating in ratings.items()}
    levels = [{"name": name, "y": round(means[name], 1)} for name in numbers.anchors]
    drawn = {"rating": chart(rating_lines(numbers), "Elo points", "Rating over training", levels)}
    for at, (name, lines) in enumerate(anchor_lines(numbers).items()):
        drawn[f"anchor-{at}"] = chart(lines, "share of games won", f"Against {name}", domain=(0.0, 1.0))
    if numbers.payoff.names:
        drawn["payoff"] = heat(numbers.payoff, numbers.by_rating, numbers.by_age, numbers.owners)
    best = [one.name for one in numbers.champions]
    drawn["lineage"] = tree(numbers.snapshots, numbers.seconds, numbers.owners, means, best)
    for key, lines in training_lines(numbers.metrics, _numbers(numbers)).items():
        drawn[f"training-{key}"] = chart(lines, key.replace("_", " "), key.replace("_", " "))
    return drawn


def _numbers(numbers: LeagueNumbers) -> dict[str, int]:
    return {name: owner for name, owner in numbers.owners.items() if owner is not None}


def _disagreements(numbers: LeagueNumbers) -> str:
    found = numbers.disagreements
    if not found:
        return ""
    told = "".join(tag("li", escape(str(one))) for one in found[:TOLD])
    rest = f" The {TOLD} surest of {len(found):,} such pairs:" if len(found) > TOLD else ""
    return tag(
        "details",
        tag("summary", "Where TrueSkill and the fit to all games disagree"),
        tag("p", f"TrueSkill follows the order of the games.{rest}", class_="note"),
        tag("ul", told, class_="note"),
    )


def _cycles(numbers: LeagueNumbers) -> str:
    if not numbers.cycles:
        return tag(
            "p", "No three players beat each other in a circle so clearly that it cannot be luck.", class_="note"
        )
    items = []
    for cycle in numbers.cycles:
        links = zip(cycle.players, (*cycle.players[1:], cycle.players[0]), cycle.margins, cycle.games, strict=True)
        rows = (
            tag("li", f"{_named(a, numbers)} beats {_named(b, numbers)} ", tag("small", _link(margin, games)))
            for a, b, margin, games in links
        )
        items.append(tag("li", tag("ol", *rows), tag("small", f"strength {cycle.strength:.2f}")))
    lede = "Three of whom each beats the next, beyond luck: no single number ranks them. Margin: (won − lost) / games."
    return tag("p", lede, class_="lede") + tag("ul", *items, class_="rings")


def _link(margin: float, games: int) -> str:
    return f"{signed(margin)}, {games:,} games"


def _named(name: str, numbers: LeagueNumbers) -> str:
    owner = numbers.owners.get(name)
    own = "own-anchor" if owner is None else f"own{owner % 8}"
    return tag("span", class_=f"swatch {own}", aria_hidden="true") + escape(name)


def _events(numbers: LeagueNumbers) -> str:
    told = [event for event in numbers.events if event.kind not in DULL][-EVENTS:]
    if not told:
        return ""
    start = min(event.time for event in numbers.events)
    rows = (
        tag("tr", tag("td", duration(event.time - start)), tag("td", escape(event.kind), class_="word"),
            tag("td", escape(event.member or ""), class_="word"), tag("td", escape(_detail(event)), class_="word"))
        for event in reversed(told)
    )  # fmt: skip
    names = ("after", "what", "who", "details")
    heads = (tag("th", name, scope="col", class_=None if name == "after" else "word") for name in names)
    table = tag("table", tag("caption", "The latest first"), tag("thead", tag("tr", *heads)), tag("tbody", *rows))
    return tag(
        "details",
        tag("summary", f"What happened: {len(told):,} event{'s' * (len(told) != 1)}"),
        scrolling(table, "Events"),
    )


def _detail(event: Event) -> str:
    return ", ".join(f"{key} {value}" for key, value in event.detail.items())
