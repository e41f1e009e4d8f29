"""A tournament on a simulated Ray cluster of four nodes on this machine, of which one is killed half way."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # loopback only; read when Ray is imported
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"

from arena.execution import Job, make_executor
from arena.store.verify import verify
from arena.tournaments.blocks import Block
from arena.tournaments.config import TournamentConfig
from arena.tournaments.tournament import Tournament
from tests.cli import object_of
from tests.jobs import Halting
from tests.test_tournament import BOTS, GAME, config, play

STORE = 100_000_000
"""Bytes of shared memory for each node."""
NODES = 4


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    pytest.importorskip("ray", reason="the extra `ray` is not installed")
    head = {"num_cpus": 1, "object_store_memory": STORE, "include_dashboard": False,
            "_system_config": {"worker_niceness": 0}}  # fmt: skip
    made: Any = import_module("ray.cluster_utils").Cluster(initialize_head=True, head_node_args=head)
    for _ in range(NODES - 1):
        made.add_node(num_cpus=1, object_store_memory=STORE)
    yield made
    made.shutdown()


class Halted(Tournament):
    """A tournament whose blocks wait while it is halted, and say where they are."""

    marks = Path()

    def work(self, block: Block) -> Job:
        return Halting(self.job(block), self.marks)

    def waiting_on(self, node: str) -> bool:
        return any(self.marks.glob(f"{node}-*"))


def test_a_node_dies_and_another_joins(cluster: Any, tmp_path: Path) -> None:
    """The games are those that are played anywhere else; each counts once."""
    setting: TournamentConfig = config("double-round-robin", (*BOTS, "random", "noop"), games=4)
    first = play(tmp_path / "serial", setting)
    for workers in (1, 2, 3):
        assert play(tmp_path / f"{workers}", setting, make_executor("process", workers)) == first
    late: list[Any] = []
    marks = tmp_path / "marks"
    marks.mkdir()

    def show(found: Tournament) -> None:
        assert isinstance(found, Halted)
        if not late and found.games >= found.most / 2:
            (marks / "halt").touch()
            doomed = [node for node in cluster.list_all_nodes() if not node.head and found.waiting_on(node.node_id)]
            if doomed:
                cluster.remove_node(doomed[0], allow_graceful=False)
                late.append(cluster.add_node(num_cpus=1, object_store_memory=STORE))
        if late and found.waiting_on(late[0].node_id):
            (marks / "halt").unlink(missing_ok=True)

    with Halted.create(tmp_path / "ray", setting) as found, make_executor("ray", address=cluster.address) as executor:
        found.marks = marks
        assert executor.workers == NODES
        assert found.run(executor, show=show)
        assert late
        assert found.fingerprint() == first
        assert found.games == found.most == 30 * 4 == sum(len(results) for results in found.results.values())
    assert verify(tmp_path / "ray") == []


def test_the_commands(cluster: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On a cluster that is there."""
    game = [word for key, value in GAME.options.items() for word in ("--set", f"{key}={value}")]
    ray = ("--executor", "ray", "--ray-address", cluster.address)
    tournament = ("tournament", "gauntlet", *BOTS, *game, "--games", "4")
    found = [
        object_of(*tournament, "--out", f"{tmp_path}/{place}", *how, capsys=capsys)
        for place, how in enumerate(((), (*ray, "--workers", "2")))
    ]
    assert found[0]["fingerprint"] == found[1]["fingerprint"]
    match = ("match", "tracker", "baseline", *game, "--games", "300", "--replays", f"{tmp_path}/x")
    assert object_of(*match, *ray, capsys=capsys) == object_of(*match, capsys=capsys)
