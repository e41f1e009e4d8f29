"""Training: the numbers and sections of the report of a run of `arena train`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from arena.config import load
from arena.report.facts import configuration, count, duration, signed, usage
from arena.report.html import Json, escape, tag
from arena.report.lines import Line, chart, training_lines
from arena.report.resources import resources
from arena.report.section import Section, figure, scrolling
from arena.store import RunFolder, Snapshot


class _Outline(BaseModel):
    """The part of a run's config that is read; `TrainConfig`, all of it, would bring torch along."""

    algorithm: str
    env: str
    budget: str


@dataclass(frozen=True, slots=True)
class TrainingNumbers:
    """What a training run's files say."""

    algorithm: str
    env: str
    budget: str
    running: bool
    games: int
    evaluations: Sequence[Mapping[str, Any]]
    """Records, by steps; of a stretch that was begun again the latest."""
    metrics: Sequence[Mapping[str, Any]]
    snapshots: Sequence[Snapshot]
    learners: Mapping[str, int]
    """Numbers of the learners, for their colours."""

    @property
    def best(self) -> Mapping[str, Any] | None:
        """The evaluation with the highest mean score; of equal ones the latest."""
        return max(self.evaluations, key=lambda one: (one["score_mean"], one["steps"]), default=None)


def read(run: RunFolder) -> TrainingNumbers:
    """The numbers of `run`, also while it goes on.

    Raises:
        InputError: it is no training run, or its files cannot be read.
    """
    run.expect("training")
    config = load(_Outline, run.path / "config.yaml")
    metrics = list(run.metrics())
    latest = {one["steps"]: one for one in metrics if one["kind"] == "evaluation"}
    learners = dict.fromkeys(str(one["learner"]) for one in metrics if one["kind"] == "training")
    return TrainingNumbers(
        algorithm=config.algorithm,
        env=config.env,
        budget=config.budget,
        running=run.writer() is not None,
        games=run.games(),
        evaluations=[latest[steps] for steps in sorted(latest)],
        metrics=metrics,
        snapshots=run.snapshots(),
        learners={name: at for at, name in enumerate(learners)},
    )


def head(numbers: TrainingNumbers) -> dict[str, tuple[str, str]]:
    """What is told first."""
    facts = {}
    if best := numbers.best:
        facts["best mean score"] = (signed(best["score_mean"]), f"{best['snapshot']}, {best['games']} games")
        last = numbers.evaluations[-1]
        facts["last mean score"] = (signed(last["score_mean"]), f"after {count(last['steps'])} env steps")
    steps = max((one["steps"] for one in numbers.metrics), default=0)
    seconds = max((one["seconds"] for one in numbers.metrics), default=0.0)
    facts["env steps"] = (count(steps), "being written" if numbers.running else f"budget {numbers.budget}")
    facts["time"] = (duration(seconds), "")
    facts["snapshots"] = (f"{len(numbers.snapshots):,}", f"{numbers.games:,} games of evaluation")
    return facts


def evaluation_line(numbers: TrainingNumbers, name: str = "", own: int = 0) -> Line:
    """Mean score of the evaluations with 95 % intervals."""
    line = Line(name or numbers.algorithm, own)
    for one in numbers.evaluations:
        mean = float(one["score_mean"])
        low, high = one["score_ci95"] or (mean, mean)
        line.add(one["steps"], one["training_seconds"], mean, (low, high), one["snapshot"])
    return line


def sections(run: RunFolder, numbers: TrainingNumbers) -> list[Section]:
    """All of them but the games to play."""
    curves = training_lines(numbers.metrics, numbers.learners)
    training = "".join(figure(f"training-{key}", key.replace("_", " ")) for key in curves)
    return [
        Section(
            "evaluation", "Learning curve",
            tag("p", "Mean score of the evaluations, with 95 % intervals.", class_="lede") + figure("evaluation")
            + _table(numbers),
        ),
        Section(
            "training", "Training",
            tag("div", training, class_="plots") if training else tag("p", "No training yet.", class_="note"),
        ),
        Section("resources", "Resources", usage(resources(run.path, numbers.metrics), numbers.games, run.about)),
        Section("settings", "Settings", configuration(run)),
    ]  # fmt: skip


def charts(numbers: TrainingNumbers) -> Json:
    """The numbers of all charts, by name."""
    drawn = {"evaluation": chart([evaluation_line(numbers)], "mean score", "Learning curve")}
    for key, lines in training_lines(numbers.metrics, numbers.learners).items():
        drawn[f"training-{key}"] = chart(lines, key.replace("_", " "), key.replace("_", " "))
    return drawn


def _table(numbers: TrainingNumbers) -> str:
    if not numbers.evaluations:
        return ""
    names = ("snapshot", "env steps", "mean score", "95 % interval", "lowest score", "steps per game", "games")
    heads = (
        tag("th", tag("button", name, type="button"), scope="col", class_="word" if name == "snapshot" else None)
        for name in names
    )
    table = tag(
        "table", tag("caption", "Every evaluation"), tag("thead", tag("tr", *heads)),
        tag("tbody", *map(_row, numbers.evaluations)), class_="sortable", id="evaluations-table",
    )  # fmt: skip
    return tag("details", tag("summary", "As a table"), scrolling(table, "Evaluations"))


def _row(one: Mapping[str, Any]) -> str:
    low, high = one["score_ci95"] or (None, None)
    interval = f"{signed(low)} to {signed(high)}" if low is not None and high is not None else "–"
    cells = (
        (f"{one['steps']:,}", one["steps"]), (signed(one["score_mean"]), one["score_mean"]),
        (interval, low), (signed(one["score_min"]), one["score_min"]),
        (f"{one['steps_mean']:.0f}", one["steps_mean"]), (f"{one['games']:,}", one["games"]),
    )  # fmt: skip
    shown = (tag("td", text, data_value="" if value is None else value) for text, value in cells)
    return tag("tr", tag("th", escape(one["snapshot"]), scope="row", class_="word"), *shown)
