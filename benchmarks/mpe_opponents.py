"""Tag and Adversary as published tables have them: a team learns against an opponent that was trained before and stands
still (Papoudakis et al. 2021, "Benchmarking multi-agent deep RL algorithms in cooperative tasks", section 4).

    python -m benchmarks.mpe_opponents prepare FOLDER Tag-v0 [--seed 0]        the opponent, by MADDPG on both sides
    python -m benchmarks.mpe_opponents train FOLDER Tag-v0 matd3 [--seed 0]    a team against it, then 1,000 new games

The opponent is the prey in Tag, whose team are three predators, and the adversary in Adversary, whose team are two
agents. `prepare` writes its snapshot and prints how it does against random play and against those it learnt with. It
takes its most probable action, in training as in the games that count. All agents of a team are paid alike in these
games, so one number says what each gets in a game of 25 steps; a table that adds them up has it times the team's size.
"""

from __future__ import annotations

import argparse
import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents.parallel import Threads
from agents.player import seated
from agents.snapshot import freeze, load_snapshot, save_snapshot
from arena.learner import AgentConfig, Learner, device, seed_for
from arena.match import match
from arena.result import MatchSummary, summarise
from arena.self_play import alone, self_play
from arena.trainer import Stream, Stretch, TrainingConfig
from envs.bots import bot
from envs.registry import build
from envs.side import Side

GAMES, STEPS = 16, 25
"""Games side by side and steps per rollout, unless `SETTINGS` says otherwise."""
EVALUATION_SEED = 100


@dataclass(frozen=True)
class Task:
    """Who is trained before, and who learns against it."""

    opponent: str
    """Role."""
    team: str
    """Role."""


TASKS = {"Tag-v0": Task("agent", "adversary"), "Adversary-v0": Task("adversary", "agent")}
SETTINGS: dict[str, Any] = tomllib.loads("""
[Tag-v0.prepare]
algorithm = "maddpg"
budget = 625_000 # 25,000 games

[Tag-v0.maddpg] # with 625,000 steps it hangs on the prey: a third of this against some
budget = 1_500_000
[Tag-v0.maddpg.settings]
learning_rate = 2e-3
final_learning_rate = 1e-4
critic_learning_rate = 1e-2
final_critic_learning_rate = 1e-3
actor_every = 2
target_every = 2
entropy = 0.01
gamma = 0.9

[Tag-v0.matd3]
budget = 1_500_000

[Tag-v0.mappo] # with gamma 0.95, 1e-3 and entropy 0.01 it is half as good
budget = 1_000_000
games = 64
settings = { learning_rate = 2e-3, gamma = 0.98, epochs = 4, minibatch_rows = 1200, entropy = 0.02 }
policy = { normalise_value = true }

[Adversary-v0.prepare]
algorithm = "maddpg"
budget = 625_000

[Adversary-v0.maddpg]
budget = 250_000 # 10,000 games
settings = { learning_rate = 3e-3, final_learning_rate = 3e-4, entropy = 0.01 }

[Adversary-v0.matd3]
budget = 250_000
settings = { learning_rate = 3e-3, final_learning_rate = 3e-4, entropy = 0.01 }

[Adversary-v0.mappo]
budget = 1_000_000
games = 64
settings = { learning_rate = 1e-3, gamma = 0.95, epochs = 4, minibatch_rows = 1200, entropy = 0.01 }
policy = { normalise_value = true }
""")
"""By game and algorithm: the budget in env steps, and keys of `AgentConfig`."""


def trained(env: str, key: str, plays: str, opponent: Side | None, seed: int, changes: dict[str, Any]) -> Learner:
    """A learner after its budget: alone in all seats, or in those of the role `plays` against `opponent`."""
    own = {"algorithm": key, **SETTINGS[env][key], **changes}
    budget, games = own.pop("budget"), own.pop("games", GAMES)
    spec, threads = build(env, 1, {}).spec, Threads(1)
    learner = Learner(key, AgentConfig(**own, plays=plays), spec, seed_for(seed, "learner"), device("cpu"), threads)
    where = seed_for(seed, "stretch")
    streams: list[Stream]
    if opponent is None:
        streams = alone(learner.crew, env, {}, games, where, steps=STEPS)
    else:
        config = TrainingConfig(games=games, steps=STEPS, streams=1)
        streams = self_play(learner.crew, env, {}, [(opponent, 1.0)], config, where)
    stretch = Stretch(learner.crew, streams, threads)
    while stretch.steps < budget:
        stretch.iterate(stretch.steps / budget)
        learner.training_seconds += stretch.seconds
    learner.steps = stretch.steps
    return learner


def measured(env: str, one: Side, other: Side, games: int) -> MatchSummary:
    """New games from the side of `one`."""
    return summarise(match(env, {}, [one, other], games, EVALUATION_SEED), one.name)


def frozen(path: Path) -> Side:
    """The opponent of `prepare`, which takes its most probable action."""
    return seated(load_snapshot(path).policies, "opponent", True)


def prepare(path: Path, env: str, seed: int, games: int) -> dict[str, Any]:
    """Train the opponent and its company, write it to `path`, and measure it."""
    task, spec = TASKS[env], build(env, 1, {}).spec
    learner = trained(env, "prepare", "", None, seed, {})
    policies = freeze(learner.crew.policies)
    meta = {"env": env, "options": {}, "member": "opponent", "step": learner.steps, "parent": None}
    save_snapshot(path, {task.opponent: policies[task.opponent]}, meta)
    opponent, company = frozen(path), seated({task.team: policies[task.team]}, "company", True)
    against = {"random": bot("random", spec), "its company": company}
    return {
        "opponent": str(path),
        "steps": learner.steps,
        "seconds": round(learner.training_seconds),
        "it": {name: measured(env, opponent, other, games).score_mean for name, other in against.items()},
        "team": {name: measured(env, other, opponent, games).score_mean for name, other in against.items()},
    }


def train(
    path: Path, env: str, algorithm: str, seed: int, games: int, changes: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Train a team against the opponent of `path` and measure it; `changes` go before `SETTINGS`."""
    task, opponent = TASKS[env], frozen(path)
    learner = trained(env, algorithm, task.team, opponent, seed, changes or {})
    result = measured(env, seated(freeze(learner.crew.policies), "team", True), opponent, games)
    return {
        "algorithm": algorithm,
        "seed": seed,
        "score_of_each": round(result.score_mean, 2),
        "score_ci95": result.score_ci95,
        "steps": learner.steps,
        "seconds": round(learner.training_seconds),
    }


def main() -> None:
    """Read the command line, train, and print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("prepare", "train"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("env", choices=TASKS)
    parser.add_argument("algorithm", nargs="?", choices=("maddpg", "matd3", "mappo"), default="maddpg")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--games", type=int, default=1000)
    parser.add_argument("--set", default="{}", help='other keys of SETTINGS as JSON, such as {"budget": 100000}')
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    path = arguments.folder / f"{arguments.env}.safetensors"
    if arguments.what == "prepare":
        print(json.dumps(prepare(path, arguments.env, arguments.seed, arguments.games)))
        return
    changes = json.loads(arguments.set)
    print(json.dumps(train(path, arguments.env, arguments.algorithm, arguments.seed, arguments.games, changes)))


if __name__ == "__main__":
    main()
