"""What a training leaves behind, as text for people and as an object for programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from arena.cli.outcome import peak_rss_mib
from arena.cli.program import command

if TYPE_CHECKING:
    from arena.training import Training


@dataclass(frozen=True, slots=True)
class TrainOutcome:
    """A run when its process ends."""

    path: str
    algorithm: str
    env: str
    tuned: bool | None
    """Whether tuned settings were used; None for a run that went on."""
    ended: str
    """budget, interrupted or terminated."""
    share: float
    """0..1 of the budget spent."""
    seconds: float
    training_seconds: float
    """Without evaluations."""
    steps: int
    episodes: int
    evaluations: list[dict[str, Any]]
    """In their order: snapshot, steps, games, score_mean, score_ci95, score_min, steps_mean."""

    @classmethod
    def of(cls, training: Training, ended: str, share: float, tuned: bool | None) -> TrainOutcome:
        """The outcome of `training` as it is now."""
        keys = ("snapshot", "steps", "games", "score_mean", "score_ci95", "score_min", "steps_mean")
        lines = [line for line in training.folder.metrics() if line["kind"] == "evaluation"]
        return cls(
            path=str(training.folder.path),
            algorithm=training.config.algorithm,
            env=training.config.env,
            tuned=tuned,
            ended=ended,
            share=share,
            seconds=training.seconds,
            training_seconds=training.training_seconds,
            steps=training.steps,
            episodes=training.episodes,
            evaluations=[{key: line[key] for key in keys} for line in lines],
        )

    @property
    def speed(self) -> float:
        """Env steps per second of training."""
        return self.steps / self.training_seconds if self.training_seconds else 0.0

    @property
    def champion(self) -> dict[str, Any]:
        """The best evaluation, the latest of equals, as `arena.players.champion` has it."""
        return max(self.evaluations, key=lambda line: (line["score_mean"], line["steps"]))

    def as_json(self) -> dict[str, Any]:
        """The object that --json prints."""
        return {
            "run": self.path,
            "algorithm": self.algorithm,
            "env": self.env,
            "tuned": self.tuned,
            "ended": self.ended,
            "budget_share": self.share,
            "seconds": self.seconds,
            "training_seconds": self.training_seconds,
            "steps": self.steps,
            "episodes": self.episodes,
            "steps_per_second": self.speed,
            "peak_rss_mib": peak_rss_mib(),
            "last": self.evaluations[-1],
            "champion": self.champion,
        }

    def print(self) -> None:
        """Figures, and the commands that come next."""
        print(
            f"trained: {self.steps:,} env steps, {self.episodes:,} games in {self.training_seconds:.1f} s "
            f"({self.speed:,.0f} steps/s), with evaluations {self.seconds:.1f} s; peak memory {peak_rss_mib():,.0f} MiB"
        )
        if self.ended != "budget":
            print(f"{self.ended} at {self.share:.0%} of the budget; nothing that was trained is lost")
        for word, line in (("last", self.evaluations[-1]), ("champion", self.champion)):
            low, high = line["score_ci95"] or (line["score_mean"],) * 2
            print(
                f"{word + ':':<9} {line['snapshot']}, mean score {line['score_mean']:.2f} "
                f"({low:.2f} to {high:.2f}) in {line['games']} games, the worst {line['score_min']:.2f}"
            )
        best = f"{self.path}@champion"
        print(f"test it:  {command('eval', best)}")
        print(f"watch it: {command('watch', best)}")
        print(f"curve:    {command('curve', self.path)}")
        more = ["--steps", "50k"] if self.ended == "budget" else []
        print(f"train on: {command('train', '--resume', self.path, *more)}")
