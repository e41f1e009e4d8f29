"""MADDPG on simple_spread, here and in AgileRL: env steps per second at equal batch size and gradient steps per step.

    python -m benchmarks.maddpg_speed --agilerl OTHER_VENV/bin/python [--rounds 3]

OTHER_VENV has `pip install agilerl peft mpe2`; without --agilerl only ours is measured. Both run by turns, one torch
thread each, with a few games side by side and with many; AgileRL steps its copies of mpe2's game in processes of their
own, as its training loop wants it.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from itertools import product
from statistics import median
from time import perf_counter

GAMES = (8, 32)
BATCHES = (64, 1024)
"""AgileRL's default, and ours, which is the paper's."""
LEARN_STEP = 8
"""Env steps, counted in all games, for each gradient step of all agents."""
STEPS = {64: 8_000, 1024: 4_000}
"""Env steps that AgileRL is given."""
PEER = """
import sys, time, warnings
warnings.filterwarnings("ignore")
import torch
torch.set_num_threads(1)
from agilerl.algorithms import MADDPG
from agilerl.components import ReplayBuffer
from agilerl.training.train_multi_agent_off_policy import train_multi_agent_off_policy
from agilerl.vector.pz_async_vec_env import AsyncPettingZooVecEnv
from mpe2 import simple_spread_v3

if __name__ == "__main__":
    games, batch, learn_step, steps = map(int, sys.argv[1:])
    env = AsyncPettingZooVecEnv([lambda: simple_spread_v3.parallel_env() for _ in range(games)])
    env.reset()
    spaces = ([space(a) for a in env.agents] for space in (env.single_observation_space, env.single_action_space))
    net = {"encoder_config": {"hidden_size": [64]}, "head_config": {"hidden_size": [64]}}
    shape = {"batch_size": batch, "learn_step": learn_step, "vect_noise_dim": games, "net_config": net}
    agent = MADDPG(*spaces, agent_ids=env.agents, **shape)
    began = time.perf_counter()
    pop, _ = train_multi_agent_off_policy(
        env, "spread", "MADDPG", [agent], ReplayBuffer(max_size=100_000), max_steps=steps, evo_steps=steps,
        eval_steps=25, learning_delay=1000, verbose=False,
    )
    print("RATE", pop[0].steps / (time.perf_counter() - began))
    env.close()
"""


def ours(games: int, batch: int, seconds: float = 10.0) -> float:
    """Env steps per second."""
    from agents.algorithms import registry
    from agents.parallel import Threads
    from agents.policy import PolicyConfig
    from arena.self_play import alone
    from arena.trainer import Stretch
    from envs.registry import make

    threads, spec = Threads(1), make("Spread-v0").spec
    settings = {"batch_size": batch, "updates_per_step": 1 / LEARN_STEP, "start": 1000}
    shape = PolicyConfig(hidden=(64, 64), activation="relu")
    crew = registry.build_crew("maddpg", spec, spec.roles, settings, shape, 0, "cpu", threads, "own")
    stretch = Stretch(crew, alone(crew, spec.id, {}, games, 0, steps=25), threads)
    while stretch.steps < 2_000:
        stretch.iterate(0.0)
    began, before = perf_counter(), stretch.steps
    while perf_counter() - began < seconds:
        stretch.iterate(0.0)
    return (stretch.steps - before) / (perf_counter() - began)


def theirs(python: str, games: int, batch: int) -> float:
    """The same of AgileRL."""
    words = [python, "-c", PEER, *map(str, (games, batch, LEARN_STEP, STEPS[batch]))]
    done = subprocess.run(
        words, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=False
    )
    rates = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("RATE")]
    if not rates:
        sys.exit(f"AgileRL did not run: {(done.stderr.strip() or 'it said nothing').splitlines()[-1]}")
    return float(rates[0])


def main() -> None:
    """Read the command line, measure by turns, print medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--agilerl", metavar="PYTHON", help="interpreter of an environment that has it")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    for batch, games in product(BATCHES, GAMES):
        rates = [
            (ours(games, batch), theirs(arguments.agilerl, games, batch) if arguments.agilerl else 0.0)
            for _ in range(arguments.rounds)
        ]
        own, other = (median(column) for column in zip(*rates, strict=True))
        line = f"batch {batch}, {games} games: ours {own:,.0f} env steps/s"
        print(line + (f", AgileRL {other:,.0f}: {own / other:.1f} times" if other else ""), flush=True)


if __name__ == "__main__":
    main()
