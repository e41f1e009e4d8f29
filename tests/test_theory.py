"""Leagues on games whose equilibrium is known: some ways to choose opponents lead there, and some go round in circles.

What a league has learnt is the mixture that its matchmaking trains against: the Nash mixture of its snapshots, all of
them alike, or, in naive self-play, the newest alone. Exploitability is what a best reply to that wins per game.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agents.snapshot import load_snapshot
from arena.equilibrium import policy_strategy, tree_of
from arena.league import League
from arena.league.theory import exploitabilities
from arena.store import RunFolder
from envs.core import Floats

GAMES = ("RockPaperScissors-v0", "BiasedRockPaperScissors-v0")
NASH = ("budget=24k-steps",)
NAIVE = ("matchmaking={window = 1.0, window_size = 1}", "budget=24k-steps", "evaluation.rivals=0")
FICTITIOUS = ("matchmaking={uniform = 1.0}", "evaluation.rivals=0")
slow = pytest.mark.slow


def played(path: Path, preset: str, seed: int, *change: str) -> dict[str, float]:
    """Exploitabilities after a run."""
    with League.create(path, preset, [f"seed={seed}", "threads=1", *change]) as league:
        league.run()
    with RunFolder.open(path) as run:
        return dict(exploitabilities(run))


def strategies(path: Path, game: str) -> Floats:
    """[snapshots, 3] how often each played rock, paper and scissors, oldest first."""
    tree = tree_of(game)
    with RunFolder.open(path) as run:
        return np.stack([policy_strategy(tree, load_snapshot(path / one.file).policy)[0] for one in run.snapshots()])


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("game", GAMES)
def test_nash_matchmaking_finds_the_equilibrium(game: str, seed: int, tmp_path: Path) -> None:
    """Although the newest snapshot is a best response, and easy to beat itself."""
    found = played(tmp_path / "run", "rps-psro", seed, f"game.id={game}", *NASH)
    assert found["nash"] < 0.05
    assert found["newest"] > max(0.1, 3 * found["nash"])
    assert (strategies(tmp_path / "run", game).max(axis=0) > 0.75).all()  # rock, paper and scissors are all there


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("game", GAMES)
def test_naive_self_play_goes_round_in_circles(game: str, seed: int, tmp_path: Path) -> None:
    """Each snapshot is the pure reply to the one before, and so loses everything to the next."""
    found = played(tmp_path / "run", "rps-psro", seed, f"game.id={game}", *NAIVE)
    assert found["newest"] > 0.9
    seen = strategies(tmp_path / "run", game)[3:]
    assert (seen.max(axis=1) > 0.95).all()
    assert (np.diff(seen.argmax(axis=1)) % 3 == 1).all()  # paper after rock, scissors after paper, rock after scissors


@pytest.mark.parametrize("seed", range(3))
def test_fictitious_matchmaking_finds_the_equilibrium(seed: int, tmp_path: Path) -> None:
    """The more entropy the responses have, the sooner the average comes to rest; here it does so at the equilibrium,
    which is even."""
    change = (*FICTITIOUS, "budget=120k-steps", "learners.0.settings.entropy=0.3")
    assert played(tmp_path / "run", "rps-psro", seed, *change)["uniform"] < 0.05


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=slow) for seed in (1, 2))])
@pytest.mark.parametrize(("game", "entropy"), [pytest.param(GAMES[0], 0.15, marks=slow), (GAMES[1], 0.1)])
def test_fictitious_play_proper_finds_it_slowly(game: str, entropy: float, seed: int, tmp_path: Path) -> None:
    """With nearly pure responses its error falls with the root of the stretches (conjectured by Karlin, 1959)."""
    change = (f"game.id={game}", *FICTITIOUS, "budget=368k-steps", f"learners.0.settings.entropy={entropy}")
    assert played(tmp_path / "run", "rps-psro", seed, *change)["uniform"] < 0.05


@slow
@pytest.mark.parametrize("seed", range(3))
def test_nash_matchmaking_learns_to_bluff(seed: int, tmp_path: Path) -> None:
    """Kuhn poker: a best reply to any single snapshot wins more than one to the mixture, which is close to 0."""
    found = played(tmp_path / "run", "kuhn-psro", seed)
    assert found["nash"] < 0.05
    assert found["newest"] > 2 * found["nash"]


def test_games_that_cannot_be_solved_say_nothing(tmp_path: Path) -> None:
    change = ("budget=1-steps", "training.games=8", "training.steps=1", "evaluation.games=2", "game.options.lives=1")
    assert played(tmp_path / "run", "slime-laptop", 0, *change, "anchors=[]", "evaluation.final_games=0") == {}
