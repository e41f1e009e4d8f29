"""Compare: several runs of one game on one page: curves over each other, champions, and the settings that differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import yaml

from arena.report import league, training
from arena.report.facts import count, duration, signed, tiles
from arena.report.html import Json, escape, tag
from arena.report.league import LeagueNumbers
from arena.report.lines import COLORS, Line, chart, training_lines
from arena.report.page import assembled
from arena.report.section import Section, figure, table
from arena.report.training import TrainingNumbers
from arena.store import RunFolder
from arena.store.about import kind_of
from envs.errors import InputError

Numbers = LeagueNumbers | TrainingNumbers
Rows = Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Runs side by side."""

    names: Sequence[str]
    """[runs] what they are called: their folders, or paths where those are alike."""
    numbers: Sequence[Numbers]
    """[runs] all of leagues or all of training runs."""
    settings: Mapping[str, Sequence[str]]
    """[runs] values of each setting that differs, by dotted path; "" where a run does not have it."""

    @property
    def env(self) -> str:
        """The game."""
        return self.numbers[0].env

    @property
    def leagues(self) -> list[LeagueNumbers]:
        """[runs], or none if they are training runs."""
        return [one for one in self.numbers if isinstance(one, LeagueNumbers)]

    @property
    def trainings(self) -> list[TrainingNumbers]:
        """[runs], or none if they are leagues."""
        return [one for one in self.numbers if isinstance(one, TrainingNumbers)]

    @property
    def anchors(self) -> list[str]:
        """Those that all leagues have met, who has played most first: ratings are relative to the first of them."""
        common = set.intersection(*(set(one.anchors) for one in self.leagues)) if self.leagues else set()
        games = {
            name: sum(one.summary.games for league in self.leagues for one in league.table if one.name == name)
            for name in common
        }
        return sorted(common, key=lambda name: (-games[name], name))


def read(runs: Sequence[RunFolder]) -> Comparison:
    """Look at `runs`.

    Raises:
        InputError: leagues and training runs, or runs of different games; or a folder that cannot be read.
    """
    kinds = {kind_of(run.about) for run in runs}
    if len(kinds) > 1:
        raise InputError("a league and a run of `arena train` cannot be compared: give runs of one kind.")
    reader: Callable[[RunFolder], Numbers] = league.read if kinds == {"league"} else training.read
    numbers = [reader(run) for run in runs]
    envs = list(dict.fromkeys(one.env for one in numbers))
    if len(envs) > 1:
        raise InputError(f"runs of different games cannot be compared: {', '.join(envs)}.")
    names = [run.path.resolve().name for run in runs]
    if len(set(names)) < len(names):
        names = [str(run.path) for run in runs]
    if len(set(names)) < len(names):
        raise InputError("a run is to be compared with itself: give each folder once.")
    return Comparison(names, numbers, _differing([_settings(run) for run in runs]))


def page(found: Comparison) -> str:
    """The whole page."""
    title = f"{found.env}: {' and '.join(found.names) if len(found.names) < 4 else f'{len(found.names)} runs'}"
    first = Section(
        "facts", "", tiles({name: _tile(one) for name, one in zip(found.names, found.numbers, strict=True)})
    )
    return assembled(title, "Runs side by side", first, sections(found), charts(found))


def sections(found: Comparison) -> list[Section]:
    """The parts of the page."""
    drawn = charts(found)
    small = {kind: [name for name in drawn if name.startswith(kind)] for kind in ("anchor-", "training-")}
    plots = {
        kind: tag("div", *(figure(name, drawn[name]["title"]) for name in names), class_="plots")
        for kind, names in small.items()
    }
    heads, rows = champions(found)
    zero = found.anchors[0] if found.anchors else ""
    note = f"Elo points above {zero}, from one fit to all games of each run. " if zero else ""
    main = "rating" if found.leagues else "evaluation"
    best = "Champions" if found.leagues else "Best evaluations"
    parts = [
        Section("champions", best, table(heads, rows, "Every run", words=2)),
        Section(main, "Ratings over training" if found.leagues else "Learning curves",
                tag("p", escape(f"{note}Bands: 95 % intervals."), class_="lede") + figure(main)),
    ]  # fmt: skip
    if small["anchor-"]:
        parts.append(Section("anchors", "Against the anchors", plots["anchor-"]))
    if small["training-"]:
        parts.append(Section("training", "Training", plots["training-"]))
    rows = [[name, *values] for name, values in found.settings.items()]
    differing = (
        table(["setting", *found.names], rows, "Settings that differ") if rows else tag("p", "No setting differs.")
    )
    return [*parts, Section("settings", "Settings that differ", differing)]


def charts(found: Comparison) -> Json:
    """The numbers of the charts, by name."""
    drawn: Json = {}
    if found.leagues:
        zero = found.anchors[0] if found.anchors else None
        unit = f"Elo points above {zero}" if zero else "Elo points"
        lines = [league.rating_lines(one, zero) for one in found.leagues]
        drawn["rating"] = chart(_named(found, lines), unit, "Ratings over training")
        met = [league.anchor_lines(one) for one in found.leagues]
        for at, anchor in enumerate(found.anchors):
            against = _named(found, [lines.get(anchor, []) for lines in met])
            drawn[f"anchor-{at}"] = chart(against, "share of games won", f"vs {anchor}", domain=(0.0, 1.0))
        told = [training_lines(one.metrics, _owners(one)) for one in found.leagues]
    else:
        curves = [[training.evaluation_line(one)] for one in found.trainings]
        drawn["evaluation"] = chart(_named(found, curves), "mean score", "Learning curves")
        told = [training_lines(one.metrics, one.learners) for one in found.trainings]
    for key in dict.fromkeys(key for curves in told for key in curves):
        words = key.replace("_", " ")
        drawn[f"training-{key}"] = chart(_named(found, [curves.get(key, []) for curves in told]), words, words)
    return drawn


def champions(found: Comparison) -> tuple[list[str], Rows]:
    """Heads and rows of the table of the best of each run."""
    if found.trainings:
        heads = ["run", "best", "mean score", "95 % interval", "env steps", "time"]
        return heads, [_best(name, one) for name, one in zip(found.names, found.trainings, strict=True)]
    zero = found.anchors[0] if found.anchors else None
    unit = f"Elo above {zero}" if zero else "Elo"
    heads = ["run", "champion", unit, *(f"vs {name}" for name in found.anchors), "env steps", "time", "rated games"]
    rows = [
        row
        for name, one in zip(found.names, found.leagues, strict=True)
        for row in _leaders(name, one, zero, found.anchors)
    ]
    return heads, rows


def _best(name: str, one: TrainingNumbers) -> list[str]:
    best = one.best
    said = ["–", "–", "–"]
    if best:
        low, high = best["score_ci95"] or (None, None)
        ends = f"{signed(low)} to {signed(high)}" if low is not None and high is not None else "–"
        said = [best["snapshot"], signed(best["score_mean"]), ends]
    last: Mapping[str, Any] = one.metrics[-1] if one.metrics else {"steps": 0, "seconds": 0.0}
    return [name, *said, count(last["steps"]), duration(last["seconds"])]


def _leaders(name: str, one: LeagueNumbers, zero: str | None, anchors: Sequence[str]) -> Iterator[list[str]]:
    spent = [count(one.overview.steps), duration(one.overview.seconds), f"{one.overview.games:,}"]
    for best in one.champions:
        rating = league.relative(one.fit, best.name, zero)
        met = (best.against.get(anchor) for anchor in anchors)
        scores = [signed(summary.score_mean) if summary else "–" for summary in met]
        yield [name, best.name, f"{signed(rating.mean, 0)} ± {1.96 * rating.stderr:.0f}", *scores, *spent]
    if not one.champions:
        yield [name, "–", "–", *("–" for _ in anchors), *spent]


def _tile(one: Numbers) -> tuple[str, str]:
    if isinstance(one, TrainingNumbers):
        best = one.best
        return (
            (signed(best["score_mean"]), f"best mean score, {best['snapshot']}") if best else ("–", "no evaluation yet")
        )
    spent = f"{count(one.overview.steps)} env steps, {duration(one.overview.seconds)}"
    return " and ".join(best.name for best in one.champions) or "–", spent


def _named(found: Comparison, lines: Sequence[Sequence[Line]]) -> list[Line]:
    """Lines of all runs: a colour for each run, and a dash for each of its members."""
    return [
        replace(line, name=name if len(own) == 1 else f"{name}: {line.name}", own=run % COLORS + COLORS * at)
        for run, (name, own) in enumerate(zip(found.names, lines, strict=True))
        for at, line in enumerate(own)
    ]


def _owners(one: LeagueNumbers) -> dict[str, int]:
    return {name: owner for name, owner in one.owners.items() if owner is not None}


def _settings(run: RunFolder) -> dict[str, str]:
    """By dotted path, as text."""
    text = (run.path / "config.yaml").read_text(encoding="utf-8", errors="replace")
    return dict(_flat(yaml.safe_load(text), ""))


def _flat(value: object, path: str) -> Iterator[tuple[str, str]]:
    """A list of things with names is told by these names."""
    if isinstance(value, list) and value and all(isinstance(one, dict) and "name" in one for one in value):
        value = {one["name"]: one for one in value}
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _flat(inner, f"{path}.{key}" if path else str(key))
    else:
        yield path, str(value)


def _differing(settings: Sequence[Mapping[str, str]]) -> dict[str, list[str]]:
    keys = dict.fromkeys(key for own in settings for key in own)
    rows = {key: [own.get(key, "") for own in settings] for key in keys}
    return {key: values for key, values in rows.items() if len(set(values)) > 1}
