"""Training in games of one seat: what a run writes, and that it is the same however it was interrupted."""

from __future__ import annotations

import io
import itertools
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import arena
import arena.training.run as run_module
import envs.registry
from agents.play import Step
from agents.policy import PolicyConfig
from agents.snapshot import load_snapshot, same_weights
from arena.config import load
from arena.players import champion, find_snapshot, load_player
from arena.store import RunFolder
from arena.trainer import Stretch
from arena.training import Progress, TrainConfig, Training
from arena.training.defaults import resolve, sort_keys, tuned
from envs.core import BatchEnv
from envs.errors import InputError
from tests.parlours import open_house
from tests.probes import Patience, Probe, Recall

TINY: dict[str, Any] = {
    "algorithm": "ppo",
    "env": "CartPole-v1",
    "budget": "1200-steps",
    "games": 4,
    "steps": 16,
    "stretch_steps": 300,
    "settings": {"minibatch_rows": 32, "epochs": 2},
    "policy": {"hidden": [8]},
    "evaluation": {"every": 500, "episodes": 3},
}
"""Rollouts of 64 steps, stretches of 320: four fill the budget. Evaluations at 0, 512, 1024, and at the end."""
EVALUATED = ["ppo:0", "ppo:512", "ppo:1024", "ppo:1216"]


def tiny(**change: Any) -> TrainConfig:
    """TINY with some keys replaced."""
    return TrainConfig.model_validate({**TINY, **change})


def after(stretches: int) -> Callable[[], bool]:
    """Stop after so many."""
    asked = itertools.count()
    return lambda: next(asked) >= stretches


def run(path: Path, config: TrainConfig) -> dict[str, Any]:
    """A whole run in a new folder, and what came out."""
    with Training.create(path, config) as training:
        training.run()
    return outcome(path)


def outcome(path: Path) -> dict[str, Any]:
    """Everything a run leaves behind, but times."""
    timed = ("seconds", "training_seconds", "steps_per_second")
    with RunFolder.open(path) as folder:
        state = torch.load(path / "resume" / "learner.pt", weights_only=True)
        del state["seconds"], state["training_seconds"]
        buffer = io.BytesIO()
        torch.save(state, buffer)
        return {
            "files": {file.name: file.read_bytes() for file in sorted((path / "snapshots").iterdir())},
            "snapshots": [(s.name, s.member, s.step, s.parent, s.hash) for s in folder.snapshots()],
            "results": list(folder.results()),
            "metrics": [{key: v for key, v in line.items() if key not in timed} for line in folder.metrics()],
            "resume": buffer.getvalue(),
        }


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the run lies that the others are compared with."""
    return tmp_path_factory.mktemp("runs") / "whole"


@pytest.fixture(scope="module")
def whole(path: Path) -> dict[str, Any]:
    return run(path, tiny())


@pytest.fixture
def probes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The probes by their ids."""
    for probe in (Patience, Recall):
        monkeypatch.setitem(envs.registry._MAKERS, f"{probe.__name__}-v0", maker(probe))


def maker(probe: type[Probe]) -> envs.registry.Maker:
    return lambda id, count, options: probe(count)


def test_what_a_run_writes(whole: dict[str, Any], path: Path) -> None:
    assert [name for name, *_ in whole["snapshots"]] == EVALUATED
    assert [parent for *_, parent, _ in whole["snapshots"]] == [None, *EVALUATED[:-1]]
    assert len(whole["results"]) == 4 * 3
    assert {result.players for result in whole["results"]} == {(name,) for name in EVALUATED}
    kinds = [(line["kind"], line["steps"]) for line in whole["metrics"]]
    assert kinds == [
        ("evaluation", 0), ("training", 320), ("training", 512), ("evaluation", 512), ("training", 640),
        ("training", 960), ("training", 1024), ("evaluation", 1024), ("training", 1216), ("evaluation", 1216),
    ]  # fmt: skip
    about = json.loads((path / "run.json").read_text())
    assert (about["seed"], about["kind"]) == (0, "training")
    assert load(TrainConfig, path / "config.yaml") == tiny()
    assert not list(path.glob("**/.*"))


def test_metrics_are_those_of_the_games(whole: dict[str, Any]) -> None:
    training = [line for line in whole["metrics"] if line["kind"] == "training"]
    assert all({"entropy", "kl", "score", "game_steps", "episodes", "learner"} <= line.keys() for line in training)
    assert training[-1]["episodes"] > 20
    assert training[0]["score"] == training[0]["game_steps"] > 8  # a point for each step
    for line, name in zip([m for m in whole["metrics"] if m["kind"] == "evaluation"], EVALUATED, strict=True):
        scores = [result.score[0] for result in whole["results"] if result.players == (name,)]
        assert (line["snapshot"], line["games"]) == (name, 3)
        assert line["score_mean"] == pytest.approx(np.mean(scores))
        assert line["score_min"] == min(scores)
        assert line["score_ci95"][0] <= line["score_mean"] <= line["score_ci95"][1]


def test_snapshots_are_what_the_learner_was(whole: dict[str, Any], path: Path) -> None:
    last = load_snapshot(path / "snapshots" / "ppo-1216.safetensors")
    meta = {"env": "CartPole-v1", "options": {}, "member": "ppo", "step": 1216, "parent": "ppo:1024"}
    assert last.meta == meta
    state = torch.load(path / "resume" / "learner.pt", weights_only=True)
    assert (state["stretches"], state["steps"]) == (4, 1216)
    for name, weights in last.policy.state_dict().items():
        assert torch.equal(weights, state["crew"]["player"]["policy"][name])


def test_the_champion_has_the_best_mean_score(whole: dict[str, Any], path: Path) -> None:
    means = {line["snapshot"]: line["score_mean"] for line in whole["metrics"] if line["kind"] == "evaluation"}
    with RunFolder.open(path) as folder:
        best = champion(folder).name
        assert find_snapshot(folder, "ppo").name == "ppo:1216"
    assert means[best] == max(means.values())
    spec = envs.registry.make("CartPole-v1").spec
    assert load_player(f"{path}@champion", spec).name == best


def test_of_equal_champions_the_latest(tmp_path: Path) -> None:
    """Everything is worth the same in games that end after a step."""
    found = run(tmp_path / "run", tiny(options={"max_steps": 1}))
    assert {result.score for result in found["results"]} == {(1.0,)}
    with RunFolder.open(tmp_path / "run") as folder:
        assert champion(folder).name == "ppo:1216"


def test_equal_seeds_give_equal_runs_also_on_more_threads(whole: dict[str, Any], tmp_path: Path) -> None:
    assert run(tmp_path / "again", tiny(threads=2)) == whole
    other = run(tmp_path / "other", tiny(seed=1))
    assert other["files"].keys() == whole["files"].keys()
    assert all(other["files"][name] != data for name, data in whole["files"].items())


@pytest.mark.parametrize("stretches", [1, 2, 3])
def test_resuming_is_never_having_stopped(stretches: int, whole: dict[str, Any], tmp_path: Path) -> None:
    with Training.create(tmp_path / "run", tiny()) as training:
        training.run(stop=after(stretches))
        assert training.steps == 320 * stretches
    with Training.open(tmp_path / "run", write=True) as training:
        training.run()
    assert outcome(tmp_path / "run") == whole


def test_going_on_in_the_same_process(whole: dict[str, Any], tmp_path: Path) -> None:
    with Training.create(tmp_path / "run", tiny()) as training:
        for _ in range(6):
            training.run(stop=after(1))
    assert outcome(tmp_path / "run") == whole


class Killed(BaseException):
    """What ends a process in mid-work."""


def fail_at(call: int, function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, but the call of this number (from 0) raises and does nothing."""
    count = itertools.count()

    def failing(*given: Any, **named: Any) -> Any:
        if next(count) == call:
            raise Killed
        return function(*given, **named)

    return failing


@pytest.mark.parametrize("reopen", [True, False])
@pytest.mark.parametrize(
    ("owner", "name", "call"),
    [
        (Stretch, "iterate", 0),
        (Stretch, "iterate", 12),
        (run_module, "save_snapshot", 2),
        (run_module, "evaluate", 0),
        (RunFolder, "append_block", 1),
        (RunFolder, "append_metrics", 5),
        (RunFolder, "write_atomic", 0),
        (RunFolder, "write_atomic", 3),
    ],
)
def test_dying_anywhere_loses_nothing(
    owner: Any, name: str, call: int, reopen: bool, whole: dict[str, Any], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """What was begun is begun again: the same games, the same bytes; metrics may tell of it twice."""
    training = Training.create(tmp_path / "run", tiny())
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, fail_at(call, getattr(owner, name)))
        with pytest.raises(Killed):
            training.run()
    if reopen:
        training.close()
        training = Training.open(tmp_path / "run", write=True)
    with training:
        training.run()
    assert {**outcome(tmp_path / "run"), "metrics": None} == {**whole, "metrics": None}


def test_more_budget_goes_on(tmp_path: Path) -> None:
    with Training.create(tmp_path / "run", tiny()) as training:
        training.run()
        training.run()
        assert training.steps == 1216  # nothing was left
        training.run("100-steps")
        assert training.steps == 1216 + 128
        episodes = training.episodes
        training.run("10-episodes")
        assert episodes + 10 <= training.episodes < episodes + 20
        assert training.share() == 1


def test_a_budget_of_episodes(tmp_path: Path) -> None:
    seen: list[Progress] = []
    with Training.create(tmp_path / "run", tiny(budget="40-episodes", evaluation={"episodes": 2})) as training:
        training.run(report=seen.append)
        assert 40 <= training.episodes < 60
    shares = [progress.share for progress in seen]
    assert shares == sorted(shares) and shares[-1] == 1
    assert seen[-1].episodes == training.episodes
    assert len({id(progress.evaluation) for progress in seen}) > 5


def test_a_budget_of_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = itertools.count(1000.0)
    monkeypatch.setattr("arena.training.run.time.monotonic", lambda: next(now))
    with Training.create(tmp_path / "run", tiny(budget="60s")) as training:
        training.run()
        assert 60 <= training.seconds < 100
        spent, steps = training.seconds, training.steps
    with Training.open(tmp_path / "run", write=True) as training:
        assert spent - 5 <= training.seconds <= spent
        training.run("20s")
        assert training.steps > steps


def test_whole_episodes(tmp_path: Path) -> None:
    """Each rollout is so many games from start to end: steps count what is learnt from, and nothing is cut."""
    seen: list[Progress] = []
    with Training.create(tmp_path / "run", tiny(steps=0, episodes=2)) as training:
        training.run(report=seen.append)
        folder = training.folder
        assert training.episodes % 8 == 0
        lengths = [line["game_steps"] for line in folder.metrics() if line["kind"] == "training"]
    assert [progress.episodes for progress in seen] == list(range(8, training.episodes + 1, 8))
    assert 8 < np.mean(lengths) < 60
    assert seen[0].steps == pytest.approx(8 * seen[0].game_steps)


def test_progress(tmp_path: Path) -> None:
    seen: list[Progress] = []
    lines: list[Any] = []
    with Training.create(tmp_path / "run", tiny()) as training:
        training.run(report=seen.append, record=lines.append)
        assert [dict(line) for line in lines] == [
            {**line, "score_ci95": own["score_ci95"]} if "score_ci95" in line else line
            for line, own in zip(training.folder.metrics(), lines, strict=True)
        ]
    assert [progress.steps for progress in seen] == list(range(64, 1217, 64))
    assert seen[-1].share == 1
    assert all(progress.speed > 0 and "entropy" in progress.metrics for progress in seen)
    assert seen[-1].evaluation is not None and seen[-1].evaluation.player == "ppo:1216"
    assert seen[-1].score == seen[-1].game_steps > 8


def test_watching_changes_nothing(whole: dict[str, Any], tmp_path: Path) -> None:
    steps: list[Step] = []

    def watch(env: BatchEnv, step: Step) -> None:
        env.draw(0)
        steps.append(step)

    with Training.create(tmp_path / "run", tiny()) as training:
        training.run(watch=watch)
    assert len(steps) == 1216 / 4
    assert outcome(tmp_path / "run") == whole


def test_stretches_have_room_for_whole_games(tmp_path: Path) -> None:
    with Training.create(tmp_path / "run", tiny(stretch_steps=0, options={"max_steps": 10})) as training:
        training.run(stop=after(1))
        assert training.steps == 192  # 4 rows x 4 games x 10 steps, in rollouts of 64
    long = tiny(stretch_steps=0, options={"max_steps": 10}, budget="40k-steps")
    with Training.create(tmp_path / "long", long) as training:
        training.run(stop=after(1))
        assert training.steps == 2048  # a twentieth of the budget is more than that


class Width(nn.Module):
    """An encoder of one's own."""

    width = 5

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, self.width)

    def forward(self, obs: torch.Tensor) -> torch.Tensor:
        return torch.tanh(self.layer(obs))


def test_from_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    small: dict[str, Any] = {
        "games": 4,
        "policy": {"hidden": (8,)},
        "config": {"steps": 16, "evaluation": {"episodes": 2}},
    }
    trained = arena.train("ppo", "CartPole-v1", steps="1k", plain=True, **small)
    assert trained.path is None
    assert list(tmp_path.iterdir()) == []
    assert trained.evaluate(5) == trained.evaluate(5) != trained.evaluate(5, seed=1)
    assert "mean score" in str(trained.evaluate(5, greedy=False))
    kept = arena.train("ppo", "CartPole-v1", steps=1000, plain=True, out=tmp_path / "run", **small)
    assert same_weights(kept.policy, trained.policy) and same_weights(kept.best, trained.best)
    assert kept.path == tmp_path / "run"
    with arena.Training.open(kept.path) as training:
        assert same_weights(training.policies["player"], kept.policy)
        assert [line["steps"] for line in kept.history] == [line["steps"] for line in training.folder.metrics()]
    other = arena.train("ppo", "CartPole-v1", steps=1000, plain=True, seed=1, **small)
    assert not same_weights(other.policy, trained.policy)


def test_an_encoder_of_ones_own(tmp_path: Path) -> None:
    encoder = Width()
    before = encoder.layer.weight.clone()
    config = {"steps": 16, "evaluation": {"episodes": 2}}
    given: dict[str, Any] = {"steps": 500, "games": 4, "config": config, "encoder": encoder, "out": tmp_path / "run"}
    trained = arena.train("ppo", "CartPole-v1", **given)
    assert torch.equal(encoder.layer.weight, before)  # it was copied
    assert not torch.equal(trained.policy.encoder.layer.weight, before)  # type: ignore[union-attr, arg-type]
    assert trained.evaluate(2).games == 2
    with pytest.raises(InputError, match="encoder"):
        load_snapshot(tmp_path / "run" / "snapshots" / "ppo-512.safetensors")
    with Training.open(tmp_path / "run", encoder=encoder) as training:
        assert same_weights(training.policies["player"], trained.policy)


TEAM: dict[str, Any] = {
    "games": 8,
    "policy": {"hidden": (8,)},
    "config": {"steps": 3, "evaluation": {"episodes": 10}},
}


@pytest.mark.parametrize("parameters", ["shared", "own"])
def test_a_team_of_several_posts(parameters: str, tmp_path: Path) -> None:
    """One policy for each, in Python and on file; a run goes on as if it had never stopped."""
    posts = ["guest", "guide"] if parameters == "shared" else ["guest.0", "guide.0"]
    given = {**TEAM, "config": {**TEAM["config"], "parameters": parameters}}
    with open_house():
        trained = arena.train("ppo", "Meet-v0", steps=600, out=tmp_path / "whole", **given)
        assert sorted(trained.policies) == sorted(trained.best_policies) == posts
        for name in ("policy", "best"):
            with pytest.raises(InputError, match="has not one policy but 2"):
                getattr(trained, name)
        assert trained.evaluate(5) == trained.evaluate(5)
        last = [line for line in trained.history if line["kind"] == "training"][-1]
        assert all(math.isfinite(last[f"{post}/policy_loss"]) for post in posts)
        with Training.open(tmp_path / "whole") as training:
            assert all(same_weights(training.policies[post], trained.policies[post]) for post in posts)
            config = training.config
        with Training.create(tmp_path / "parts", config) as training:
            training.run(stop=after(1))
        with Training.open(tmp_path / "parts", write=True) as training:
            training.run()
        whole, parts = outcome(tmp_path / "whole"), outcome(tmp_path / "parts")
        assert whole["files"] == parts["files"] and whole["resume"] == parts["resume"]
        assert whole["results"] == parts["results"]


def test_a_team_learns_to_meet() -> None:
    """Both see where, and both must go there: by chance they meet once in nine steps, so a third in a game of three."""
    with open_house():
        config = {"steps": 6, "evaluation": {"episodes": 20}}
        settings = {"learning_rate": 3e-2, "minibatch_rows": 512, "entropy": 0.1}
        trained = arena.train(
            "ppo", "Meet-v0", steps="25k", games=64, policy={"hidden": (16,)}, settings=settings, config=config
        )
        assert trained.evaluate(100).score_mean > 2.9


@pytest.mark.usefixtures("probes")
def test_it_learns() -> None:
    """The future matters, and what was seen, where the network has a memory."""
    for env, steps, policy in (("Patience-v0", "7k", "mlp"), ("Recall-v0", "16k", "gru")):
        settings = {"learning_rate": 1e-2, "minibatch_rows": 256, "gamma": 0.9}
        config = {"steps": 8, "evaluation": {"every": 10**6}}
        trained = arena.train("ppo", env, steps=steps, games=64, settings=settings, policy=policy, config=config)
        assert trained.evaluate(50).score_mean > 0.9, env


def test_tuned_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "tuned").mkdir()
    text = """
["CartPole-v1"]
budget = "7k-steps"
steps = 9
settings = { gamma = 0.5, epochs = 2 }
policy = { core = "gru" }
"""
    (tmp_path / "tuned" / "ppo.toml").write_text(text)
    monkeypatch.setattr("arena.training.defaults.files", lambda package: tmp_path)
    config, used = resolve("ppo", "CartPole-v1", {})
    assert used
    assert (config.budget, config.steps, config.settings["gamma"], config.policy.core) == ("7k-steps", 9, 0.5, "gru")
    config, _ = resolve("ppo", "CartPole-v1", {"settings": {"gamma": 0.6}, "policy": {"hidden": [3]}, "episodes": 1})
    assert (config.settings["gamma"], config.settings["epochs"]) == (0.6, 2)
    assert (config.policy.core, config.policy.hidden, config.steps, config.episodes) == ("gru", (3,), 0, 1)
    for plain, env in ((True, "CartPole-v1"), (False, "Acrobot-v1")):
        config, used = resolve("ppo", env, {}, plain)
        assert not used
        assert (config.settings["gamma"], config.policy.core) != (0.5, "gru")


def tuned_pairs() -> Iterator[tuple[str, str]]:
    import tomllib

    for file in (Path(arena.__file__).parent / "tuned").glob("*.toml"):
        yield from ((file.stem, env) for env in tomllib.loads(file.read_text()))


@pytest.mark.parametrize(("algorithm", "env"), [*tuned_pairs()])
def test_tuned_files_are_valid(algorithm: str, env: str) -> None:
    found = tuned(algorithm, env)
    assert found and {"budget", "settings"} <= found.keys()
    run_module.check(resolve(algorithm, env, {}).config)


def test_keys_of_the_run_and_of_the_algorithm() -> None:
    keys = {"gamma": 0.9, "games": 3, "policy": {"core": "gru"}, "settings": {"epochs": 1}}
    assert sort_keys(keys) == {"games": 3, "policy": {"core": "gru"}, "settings": {"gamma": 0.9, "epochs": 1}}
    assert sort_keys({"seed": 1}) == {"seed": 1}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"env": "CartPole-v9"}, "did you mean 'CartPole-v"),
        ({"env": "SlimeVolley-v0"}, "is played by 2: `arena league run`"),
        ({"options": {"max_step": 1}}, "did you mean 'max_steps'"),
        ({"env": "gym:CartPole-v1", "policy": {"hold": 3}}, "has no option frame_skip"),
        ({"policy": {"encoder": "conv"}}, "reads images"),
        pytest.param(
            {"device": "cuda"}, "torch sees no GPU", marks=pytest.mark.skipif(torch.cuda.is_available(), reason="GPU")
        ),
    ],
)
def test_a_run_that_cannot_be(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        Training.create(tmp_path / "no" / "run", tiny(**change))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gama": 1}, r"unknown key 'settings\.gama': did you mean 'settings\.gamma'\?$"),
        ({"settings": {"epochs": 0}}, r"settings\.epochs = 0: .*greater than or equal to 1\.$"),
        ({"budget": "soon"}, "or episodes such as 500-episodes"),
        ({"budget": "0-episodes"}, "above 0"),
        ({"steps": 3, "episodes": 2}, "steps = 3, episodes = 2"),
        ({"policy": {"core": "gro"}}, r"policy\.core = 'gro'"),
        ({"evaluation": {"game": 1}}, r"unknown key 'evaluation\.game'"),
    ],
)
def test_settings_that_make_no_sense(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as fault:
        resolve("ppo", "CartPole-v1", sort_keys(change), where="--set")
    assert "\n" not in str(fault.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"algorithm": "pp0"}, "unknown algorithm 'pp0': did you mean 'ppo'"),
        ({"steps": "many"}, "steps 'many' is no number"),
        ({"steps": 1, "episodes": 1}, "a budget is one of them"),
        ({"policy": "gur"}, "unknown policy 'gur': did you mean 'gru'"),
        ({"env": "gym:CartPole-v1", "policy": PolicyConfig(hold=2)}, "frame_skip"),
    ],
)
def test_calls_that_make_no_sense(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        arena.train(**{"algorithm": "ppo", "env": "CartPole-v1", **arguments})


def test_settings_without_a_limit_are_read_back(tmp_path: Path) -> None:
    config = tiny(settings={"max_grad_norm": float("inf")})
    with Training.create(tmp_path / "run", config) as training:
        assert training.config == config


def test_kinds_of_runs_are_not_confused(path: Path, whole: dict[str, Any], tmp_path: Path) -> None:
    assert whole
    with pytest.raises(InputError, match=r"is a training run: `arena train --resume .*whole` goes on"):
        arena.League.open(path)
    with pytest.raises(InputError, match="already holds a run: `arena train --resume"):
        Training.create(path, tiny())
    arena.League.create(tmp_path / "league", "slime-laptop").close()
    with pytest.raises(InputError, match=r"is a league run: `arena league resume .*league` goes on"):
        Training.open(tmp_path / "league")
