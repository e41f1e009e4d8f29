"""Ray clusters of several nodes on this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import pytest

os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # loopback only; read when Ray is imported
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"

STORE = 100_000_000
"""Bytes of shared memory for each node."""


@contextmanager
def cluster_of(nodes: int) -> Iterator[Any]:
    """Ray's own cluster for tests, of so many nodes of one core each."""
    pytest.importorskip("ray", reason="the extra `ray` is not installed")
    head = {"num_cpus": 1, "object_store_memory": STORE, "include_dashboard": False,
            "_system_config": {"worker_niceness": 0}}  # fmt: skip
    made: Any = import_module("ray.cluster_utils").Cluster(initialize_head=True, head_node_args=head)
    for _ in range(nodes - 1):
        add_node(made)
    yield made
    made.shutdown()


def add_node(cluster: Any) -> Any:
    """One more of the same."""
    return cluster.add_node(num_cpus=1, object_store_memory=STORE)
