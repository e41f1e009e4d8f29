"""A tournament on a simulated Ray cluster of four nodes on this machine, of which one is killed half way."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from arena.execution import Job, make_executor
from arena.store.verify import verify
from arena.tournaments.blocks import Block
from arena.tournaments.config import TournamentConfig
from arena.tournaments.tournament import Tournament
from tests.cli import object_of
from tests.clusters import add_node, cluster_of
from tests.jobs import Halting
from tests.test_tournament import BOTS, GAME, config, play

NODES = 4


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    with cluster_of(NODES) as made:
        yield made


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
                late.append(add_node(cluster))
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


def test_standard_output_is_left_alone(cluster: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Ray would print there that a node has been lost, when it notices: into the JSON of whatever command runs then."""
    with make_executor("ray", address=cluster.address):
        lost = {"lines": ["The node with node id: 852aa3c6 has been marked dead"], "pid": "raylet", "is_err": False}
        import_module("ray._private.worker").print_to_stdstream(lost, ignore_prefix=False)
    assert capsys.readouterr().out == ""
