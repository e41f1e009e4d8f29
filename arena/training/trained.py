"""`arena.train`: learning in one call, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from torch import nn

from agents.policy import Policy, PolicyConfig
from agents.snapshot import Policies, load_snapshot, only
from arena.config import parse_count
from arena.learner import seed_for
from arena.players import champion
from arena.training.config import TrainConfig
from arena.training.defaults import CORES, resolve
from arena.training.evaluation import Evaluation, evaluate
from arena.training.progress import Progress
from arena.training.run import Record, Training
from envs.errors import InputError, unknown


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training leaves behind."""

    config: TrainConfig
    """Its settings, all of them."""
    policies: Policies
    """By post, as they were in the end, frozen."""
    best_policies: Policies
    """As they were when an evaluation went best."""
    history: tuple[Record, ...]
    """The lines of metrics.jsonl: means over training ("kind" is "training"), and every evaluation."""
    path: Path | None
    """The run folder; None if none was asked for."""

    @property
    def policy(self) -> Policy:
        """As it was in the end.

        Raises:
            InputError: a crew of several.
        """
        return only(self.policies)

    @property
    def best(self) -> Policy:
        """As it was when an evaluation went best.

        Raises:
            InputError: a crew of several.
        """
        return only(self.best_policies)

    def evaluate(self, episodes: int = 100, seed: int = 0, greedy: bool = True) -> Evaluation:
        """New games of what was learnt: mean score with its 95 % interval, and length.

        Args:
            seed: decides the games; none of them was played in training.
            greedy: take the most probable action; False: sample.
        """
        config, own = self.config, seed_for(seed, "trained", self.config.seed)
        return evaluate(self.policies, config.algorithm, config.env, config.options, episodes, own, greedy)[1]


def train(
    algorithm: str,
    env: str,
    *,
    steps: int | str | None = None,
    episodes: int | str | None = None,
    seed: int = 0,
    settings: Mapping[str, Any] | None = None,
    policy: str | PolicyConfig | Mapping[str, Any] | None = None,
    games: int | None = None,
    options: Mapping[str, Any] | None = None,
    config: Mapping[str, Any] | None = None,
    plain: bool = False,
    encoder: nn.Module | None = None,
    out: str | Path | None = None,
    report: Callable[[Progress], None] = lambda _: None,
) -> Trained:
    """Train `algorithm` in the game `env`, whose seats are all of one team.

    Args:
        algorithm: name; `arena algorithms` lists them.
        env: id; `arena envs` lists them.
        steps: budget in env steps, such as 100_000 or "100k".
        episodes: budget in games instead. Without either, the tuned one, or 100,000 steps.
        seed: decides everything random: two runs give identical weights.
        settings: of the algorithm, such as {"gamma": 0.99}.
        policy: "mlp", "gru" or "lstm", or a `PolicyConfig`, or some of its keys.
        games: played side by side.
        options: of the env.
        config: any other keys of `TrainConfig`, such as {"evaluation": {"episodes": 50}}.
        plain: do not use the settings that are tuned for this algorithm in this game.
        encoder: of your own in place of the policy's, from [n, *obs_shape] to [n, encoder.width]; it is copied.
        out: run folder to make, for `arena train --resume`, `arena curve` and DIR@champion; without it nothing is kept.
        report: told of progress after every rollout.

    Raises:
        InputError: an unknown name or key, or a game that the algorithm does not admit.
    """
    changes: dict[str, Any] = {**(config or {}), "seed": seed, **_budget(steps, episodes)}
    given = {"settings": settings, "policy": _policy(policy), "games": games, "options": options}
    changes |= {key: value for key, value in given.items() if value is not None}
    resolved = resolve(algorithm, env, changes, plain, "arena.train").config
    if out is not None:
        return _train(resolved, Path(out), Path(out), encoder, report)
    with TemporaryDirectory(prefix="arena-") as folder:
        return _train(resolved, Path(folder) / "run", None, encoder, report)


def _train(
    config: TrainConfig, folder: Path, path: Path | None, encoder: nn.Module | None, report: Callable[[Progress], None]
) -> Trained:
    with Training.create(folder, config, ["arena.train"], encoder) as training:
        training.run(report=report)
        best = load_snapshot(folder / champion(training.folder).file, deepcopy(encoder)).policies
        return Trained(config, training.policies, best, tuple(training.folder.metrics()), path)


def _budget(steps: int | str | None, episodes: int | str | None) -> dict[str, str]:
    given = {"steps": steps, "episodes": episodes}
    budgets = [f"{parse_count(str(value), name)}-{name}" for name, value in given.items() if value is not None]
    if len(budgets) > 1:
        raise InputError(f"steps = {steps} and episodes = {episodes}: a budget is one of them.")
    return {"budget": budgets[0]} if budgets else {}


def _policy(policy: str | PolicyConfig | Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    if isinstance(policy, PolicyConfig):
        return policy.model_dump(exclude_unset=True)
    if not isinstance(policy, str):
        return policy
    if policy not in CORES:
        raise unknown("policy", policy, CORES)
    return {"core": CORES[policy]}
