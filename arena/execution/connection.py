"""Connection: with a Ray cluster that is there, or with one that is started on this machine."""

from __future__ import annotations

import os
import socket
from importlib import import_module
from typing import Any

from envs.errors import InputError

LOCAL = "local"
"""The address that stands for a cluster which is started for this executor."""
AUTO = "auto"
"""That for the one which runs on this machine."""
QUIET = {"log_to_driver": False, "logging_level": "ERROR"}
KNOCK = 5.0
"""Seconds for a first answer of a cluster, for which Ray itself would wait for minutes."""
OWN = {
    "_node_ip_address": "127.0.0.1",
    "include_dashboard": False,
    "object_store_memory": 2**28,  # bytes of shared memory, for files and results
    "_system_config": {
        "worker_niceness": 0,  # by itself Ray lets everything else on the machine go first
        "gcs_rpc_server_reconnect_timeout_s": 10,  # a SIGTERM to the whole group ends it; it does not come back
    },
}
"""A cluster that is started here."""


def connect(ray: Any, address: str, workers: int | None) -> None:
    """Connect this process to the cluster at `address`; see `arena.execution.ray.RayExecutor`.

    Args:
        ray: the package.
        workers: cores of a cluster that is started here; None: as many as there are.

    Raises:
        InputError: there is no cluster.
    """
    try:
        if address == LOCAL:
            cores = {} if workers is None else {"num_cpus": workers}
            ray.init(LOCAL, **OWN, **cores, **QUIET)
        else:
            if address != AUTO:
                _knock(address)
            ray.init(address, **QUIET)
        _hush()
    except (OSError, ValueError, RuntimeError) as fault:
        reason = (str(fault).strip() or type(fault).__name__).splitlines()[0].rstrip(".")
        advice = "`ray start --head` starts one"
        if reason.startswith("Failed to connect"):  # somebody is there: it may ask for a token
            advice = f"on a machine of the cluster, {AUTO} finds it, and the token that it may ask for"
        raise InputError(f"no Ray cluster at {address}: {reason}; {advice}.") from None


def _hush() -> None:
    """Keep Ray's messages about lost nodes off standard output, where a command may be printing JSON; it has no setting
    for that. What is lost is said by `arena.execution.ray.RayExecutor`."""
    import_module("ray._private.worker").__dict__["_worker_logs_enabled"] = False


def _knock(address: str) -> None:
    """See whether anybody is at HOST:PORT.

    Raises:
        OSError: nobody is.
        ValueError: it is no HOST:PORT.
    """
    host, colon, port = address.rpartition(":")
    if not (host and colon and port.isdecimal()):
        raise ValueError(f"give {AUTO}, {LOCAL} or HOST:PORT")
    socket.create_connection((host.strip("[]"), int(port)), KNOCK).close()


def imported(address: str) -> Any:
    """The package.

    Raises:
        InputError: it is not there.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if address in ("", LOCAL):  # else Ray listens on all addresses; it is read when Ray is imported
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    try:
        return import_module("ray")
    except ImportError:
        raise InputError(
            "the executor ray needs a package that is not installed: pip install 'selfplay-arena[ray]'."
        ) from None
