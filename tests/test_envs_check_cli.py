"""`arena envs check`: what an environment is and lacks, said before anybody trains in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from arena.cli import main
from tests.cli import check_refused, object_of
from tests.test_from_pettingzoo import Walk

HERE = __name__


def sloppy() -> Walk:
    """Shows what lies outside its space."""

    class Sloppy(Walk):
        def observation_space(self, agent: str) -> spaces.Space[Any]:
            return spaces.Box(0, 2, (1,), np.float32)

    return Sloppy({"left_0": 2, "right_0": 3})


def chancy() -> Walk:
    """Follows no seed."""

    class Chancy(Walk):
        def seen(self, agents: list[str]) -> dict[str, Any]:
            return {agent: np.random.default_rng().uniform(0, 9, 1).astype(np.float32) for agent in agents}

    return Chancy({"left_0": 2, "right_0": 3})


def births() -> Walk:
    return Walk({"left_0": 5, "right_0": 5}, born=3)


def test_a_sound_game(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["envs", "check", "KuhnPoker-v0", "--steps", "40"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("KuhnPoker-v0: 2 seats in 2 teams, at most 3 steps; in turns, ")
    assert "  seat_1: team 1, role player, sees Box" in said
    assert "played 40 steps of 3 games, " in said and " steps/s\n" in said
    assert "  deterministic  ok: The seed decides everything" in said
    assert said.endswith("keeps the contract\n")


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    said = object_of("envs", "check", "KuhnPoker-v0", "--steps", "40", capsys=capsys)
    assert (said["env"], said["seats"], said["teams"], said["roles"]) == ("KuhnPoker-v0", 2, [0, 1], ["player"] * 2)
    assert said["in_turns"] and said["saves"] and said["zero_sum"] and said["symmetric"] and not said["masked"]
    assert said["ok"] and set(said["rules"].values()) == {None} and len(said["rules"]) == 12
    assert said["steps_per_second"] > 0 and said["ended"] > 9
    assert said["actions"] == ["Discrete(2)"] * 2


def test_a_game_from_elsewhere_with_options(capsys: pytest.CaptureFixture[str]) -> None:
    said = object_of(
        "envs", "check", "pettingzoo:rps_v2", "--steps", "30", "--set", "max_cycles=5", "--set", "teams=[0, 0]",
        capsys=capsys,
    )  # fmt: skip
    assert (said["max_steps"], said["teams"], said["options"]) == (5, [0, 0], {"max_cycles": 5, "teams": [0, 0]})
    assert said["ok"] and not said["saves"] and said["ended"] == 18


@pytest.mark.parametrize(
    ("id", "broken", "sentence"),
    [
        ("sloppy", {"arrays"}, "step 2: obs of seat 1 lies outside its space"),
        ("chancy", {"deterministic", "own-arrays", "batch", "draws", "refusals"}, "obs differs"),
        ("births", {"play"}, "agents are born in the middle of a game (late)"),
    ],
)
def test_what_is_broken_is_said(id: str, broken: set[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["envs", "check", f"{HERE}:{id}", "--steps", "20"]
    assert main([*words, "--json"]) == 2
    said = json.loads(capsys.readouterr().out)
    assert not said["ok"]
    assert {name for name, fault in said["rules"].items() if fault} == broken
    assert any(sentence in fault for fault in said["rules"].values() if fault)
    assert main(words) == 2
    text = capsys.readouterr().out
    assert sentence in text and text.endswith(f"breaks {len(broken)} rule{'s' * (len(broken) > 1)}\n")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("envs check KuhnPoke-v0", "did you mean 'KuhnPoker-v0'"),
        ("envs check KuhnPoker-v0 --steps 1", "--steps must be 2 or more"),
        ("envs check KuhnPoker-v0 --set max=3", "KuhnPoker-v0: unknown key 'max'"),
        ("envs chek KuhnPoker-v0", "unexpected argument 'chek'"),
        ("envs check", "missing ENV"),
    ],
)
def test_bad_input_is_one_sentence(
    line: str, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    check_refused(line, sentence, tmp_path, capsys)


def test_the_list_counts_right(capsys: pytest.CaptureFixture[str]) -> None:
    """`arena envs` alone still lists the games; a game of one step has one step."""
    assert main(["envs"]) == 0
    said = capsys.readouterr().out
    line = next(line for line in said.splitlines() if line.startswith("RockPaperScissors-v0"))
    assert "  2 seats, 1 step, sees " in line
    assert "arena envs check ID" in said
    assert main(["envs", "--help"]) == 0
    assert "--json" in capsys.readouterr().out
