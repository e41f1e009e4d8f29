"""Between main memory and the device where networks are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from agents.player import Pool
from agents.transfer import received, sent, sent_array
from arena.execution import make_executor
from arena.league import League
from arena.league.config import ResourcesConfig
from arena.store.verify import verify
from envs.registry import build
from tests.leagues import tiny
from tests.minds import new_policy

GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")


def test_in_main_memory_nothing_is_copied() -> None:
    array = np.arange(6.0).reshape(2, 3)
    tensor = sent_array(array, "cpu")
    array[0, 0] = 7
    assert tensor[0, 0] == 7
    assert sent(tensor, torch.device("cpu")) is tensor
    assert received(tensor).base is not None and np.shares_memory(received(tensor), array)


@GPU
def test_there_and_back() -> None:
    array = np.random.default_rng(0).random((1000, 7))
    there = sent_array(array, "cuda")
    assert there.is_cuda and sent(there, "cuda") is there
    assert (received(there) == array).all()


@GPU
def test_a_pool_plays_where_its_policies_are() -> None:
    spec = build("SlimeVolley-v0", 1, {}).spec
    policies = [new_policy(spec, seed) for seed in range(3)]
    member = np.array([0, 1, 1, 2])
    obs = np.random.default_rng(0).random((4, 12), np.float32)
    legal, memory = np.ones((4, 6), bool), np.zeros((4, 0), np.float32)
    here = Pool(policies, member).act(obs, legal, memory, np.random.default_rng(1))
    there = Pool([policy.to("cuda") for policy in policies], member).act(obs, legal, memory, np.random.default_rng(1))
    assert (here.action == there.action).all()


@GPU
@pytest.mark.parametrize("kind", [None, "process"])
def test_a_league_learns_on_a_gpu(kind: str | None, tmp_path: Path) -> None:
    config = tiny(device="cuda", resources=ResourcesConfig(gpus=0.5))
    with League.create(tmp_path / "run", config) as league:
        if kind is None:
            league.run()
        else:
            with make_executor(kind, 2) as executor:
                league.run(executor=executor)
        assert league.steps >= 1200
    assert verify(tmp_path / "run") == []
