"""A league of four learners on a simulated Ray cluster of four nodes, of which one is killed and another added."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from arena.execution import make_executor
from arena.execution.news import PACE
from arena.league import League
from arena.league.progress import Progress
from arena.league.standings import champion
from arena.store import RunFolder
from arena.store.verify import verify
from tests.clusters import add_node
from tests.jobs import Telling
from tests.leagues import LEARNER, SHORT, full, outcome, tiny
from tests.test_execution_news import WORDS, told
from tests.test_ray_cluster import NODES, cluster

__all__ = ["cluster"]
"""A fixture."""
NAMES = ("ada", "bob", "cy", "dan")
BUDGET = 16 * 256


def test_a_node_dies_and_another_joins(cluster: Any, tmp_path: Path) -> None:
    """The league ends, nothing is missing, and every game was logged once."""
    config = tiny(
        budget=f"{BUDGET}-steps", learners=[{"name": name, **LEARNER} for name in NAMES], replays=False,
        game={"options": {**SHORT, "lives": 2}},
    )  # fmt: skip
    changed: list[str] = []
    together: set[int] = set()

    def change(progress: Progress) -> None:
        training = progress.phase.partition("; ")[0]
        together.add(training.startswith("training ") * (1 + training.count(",")))
        if len(changed) == 0 and progress.steps >= BUDGET // 4:
            doomed = next(node for node in cluster.list_all_nodes() if not node.head)
            cluster.remove_node(doomed, allow_graceful=False)
            changed.append("killed")
        elif len(changed) == 1 and progress.steps >= BUDGET // 2:
            add_node(cluster)
            changed.append("added")

    with make_executor("ray", address=cluster.address) as executor, League.create(tmp_path / "run", config) as league:
        assert executor.workers == NODES
        league.run(executor=executor, report=change)
        assert changed == ["killed", "added"]
        board = league.leaderboard()
        trained = {learner.name: learner.stretches for learner in league.learners}
    assert sum(trained.values()) >= 16 and min(trained.values()) >= 1
    assert max(together) == len(NAMES)
    assert verify(tmp_path / "run") == []
    with RunFolder.open(tmp_path / "run") as run:
        games = Counter(entry.block for entry in run.entries())
        assert all(count == int(key.rpartition("|")[2]) for key, count in games.items())
        met = Counter(
            (name, entry.result.seed, entry.result.players) for entry in run.entries() for name in (entry.block,)
        )
        assert max(met.values()) == 1
        assert {snapshot.name for snapshot in run.snapshots()} == {one.name for one in board if not one.anchor}
        expected = {
            f"rating|{name}|{anchor}|4" for name in (s.name for s in run.snapshots()) for anchor in config.anchors
        }
        assert expected <= set(games)
    best = champion(board)
    assert best is not None and best.name.partition(":")[0] in NAMES
    skill = {one.name: one.rating.mean for one in board}
    assert skill["baseline"] > max(value for name, value in skill.items() if ":" in name)


def test_rounds_are_the_same_on_a_cluster(cluster: Any, tmp_path: Path) -> None:
    with League.create(tmp_path / "here", full(sync=True)) as league:
        league.run()
    with (
        make_executor("ray", address=cluster.address) as executor,
        League.create(tmp_path / "there", full(sync=True)) as league,
    ):
        league.run(executor=executor)
    assert outcome(tmp_path / "there") == outcome(tmp_path / "here")


def test_news_of_jobs(cluster: Any) -> None:
    with make_executor("ray", address=cluster.address) as executor:
        found = told(executor, Telling(WORDS, 3 * PACE))
    assert found and tuple(found) == WORDS[: len(found)]


def test_the_example_of_a_cluster() -> None:
    """As far as it can be told without its machines."""
    pytest.importorskip("ray", reason="the extra `ray` is not installed")
    from ray.autoscaler._private.util import prepare_config, validate_config

    read = yaml.safe_load((Path(__file__).parents[1] / "examples" / "cluster.yaml").read_text())
    made = prepare_config(read)
    validate_config(made)
    assert made["max_workers"] == len(made["provider"]["worker_ips"])
    assert all(Path(place).exists() for place in read["file_mounts"].values())
