"""Markdown: a run in words and tables, for papers and notes."""

from __future__ import annotations

import re
from collections.abc import Sequence

from arena.cli.leaderboard import chosen
from arena.league.standings import met
from arena.report import training
from arena.report.compare import Comparison, champions
from arena.report.facts import duration, moment, signed, size
from arena.report.league import LeagueNumbers, read
from arena.report.resources import resources
from arena.store import RunFolder
from arena.store.about import kind_of


def markdown(run: RunFolder) -> str:
    """What the report of `run` says, without its pictures.

    Raises:
        InputError: the folder cannot be read.
    """
    name = run.path.resolve().name
    if kind_of(run.about) == "league":
        numbers = read(run)
        title, tiles, metrics, games = numbers.env, _league(numbers), numbers.metrics, numbers.overview.games
    else:
        found = training.read(run)
        title, tiles, metrics, games = f"{found.algorithm} on {found.env}", _training(found), found.metrics, found.games
    used = resources(run.path, metrics)
    rows = [
        ["started", moment(run.about)],
        ["command", " ".join(map(str, run.about["command"]))],
        ["seed", str(run.about["seed"])],
        ["env steps", f"{used.steps:,}"],
        ["time", duration(used.seconds)],
        ["games", f"{games:,}"],
        ["disk", size(sum(used.disk.values()))],
        *([name, str(version)] for name, version in run.about["versions"].items() if version),
    ]
    return f"# {plain(title)}: {plain(name)}\n\n{tiles}\n## The run\n\n{table(['', ''], rows)}"


def comparison_markdown(found: Comparison) -> str:
    """Champions, and the settings that differ."""
    heads, rows = champions(found)
    settings = [[name, *values] for name, values in found.settings.items()]
    differing = table(["setting", *found.names], settings) if settings else "None.\n"
    return f"# {plain(found.env)}\n\n{table(heads, rows)}\n## Settings that differ\n\n{differing}"


def _league(numbers: LeagueNumbers) -> str:
    several = any(one.part for one in numbers.table)
    anchors = met(numbers.table, [one.name.partition("@")[0] for one in numbers.table if one.anchor])
    heads = ["#", "player", "role", *(["plays"] if several else []), "skill", "Elo", "95 % interval", "games"]
    rows = []
    for rank, one in chosen(numbers.table):
        low, high = one.fit.interval()
        against = [one.against.get(anchor) for anchor in anchors]
        best = " (champion)" if one in numbers.champions else ""
        rows.append([
            str(rank), one.name + best, one.role, *([one.part] if several else []),
            f"{one.rating.mean:.1f} ± {one.rating.stderr:.1f}", signed(one.fit.mean, 0),
            f"{signed(low, 0)} to {signed(high, 0)}", f"{one.summary.games:,}",
            *(signed(summary.score_mean) if summary else "–" for summary in against),
        ])  # fmt: skip
    board = table([*heads, *(f"vs {name}" for name in anchors)], rows)
    note = (
        "Skill: TrueSkill mean and standard deviation. Elo: points from one fit to all games, 0 the mean of all "
        "players. vs an anchor: mean score per game."
    )
    cycles = "".join(f"* {plain(str(cycle))}, strength {cycle.strength:.2f}\n" for cycle in numbers.cycles)
    return f"{board}\n{note}\n\n## Cycles\n\n{cycles or 'None beyond luck.' + chr(10)}\n"


def _training(found: training.TrainingNumbers) -> str:
    rows = []
    for one in found.evaluations:
        low, high = one["score_ci95"] or (None, None)
        ends = "–" if low is None or high is None else f"{signed(low)} to {signed(high)}"
        rows.append([one["snapshot"], f"{one['steps']:,}", signed(one["score_mean"]), ends, str(one["games"])])
    return table(["snapshot", "env steps", "mean score", "95 % interval", "games"], rows) + "\n"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of plain texts."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join("| " + " | ".join(map(_cell, line)) + " |\n" for line in lines)


def _cell(text: str) -> str:
    return text if text == "---" else plain(text)


def plain(text: str) -> str:
    """`text` such that Markdown and the HTML in it show it as it is."""
    one_line = " ".join(text.split())
    return re.sub(r"([\\`*_{}\[\]<>#|~&])", r"\\\1", one_line)
