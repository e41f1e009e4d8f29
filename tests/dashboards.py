"""Dashboards for tests: served on loopback by this process, in a hurry."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

from arena.dashboard import keeper
from arena.dashboard.access import Access
from arena.dashboard.dashboard import Dashboard
from arena.result import Result
from arena.store import RunFolder

TOKEN = "a-token-of-many-letters"


class Answer(NamedTuple):
    """What a server has said."""

    code: int
    headers: dict[str, str]
    body: bytes

    @property
    def tree(self) -> Any:
        """The body, if it is JSON."""
        return json.loads(self.body)


@contextmanager
def served(path: Path, access: Access | None = None) -> Iterator[Dashboard]:
    """A dashboard of `path` that answers."""
    with (
        patch.multiple(keeper, PAUSE=0.05, REST=0.0),
        Dashboard(path, access or Access("127.0.0.1", None)) as dashboard,
    ):
        thread = threading.Thread(target=dashboard.run)
        thread.start()
        try:
            yield dashboard
        finally:
            dashboard.stop()
            thread.join()


def ask(
    dashboard: Dashboard, path: str, method: str = "GET", headers: dict[str, str] | None = None, host: str | None = None
) -> Answer:
    """One request; `host` is what it says in the header, "" for no such header."""
    port = dashboard.server.port
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        named = f"127.0.0.1:{port}" if host is None else host
        for name, value in {**({"Host": named} if named else {}), **(headers or {})}.items():
            connection.putheader(name, value)
        connection.endheaders()
        got = connection.getresponse()
        return Answer(got.status, dict(got.getheaders()), got.read())
    finally:
        connection.close()


def wait_for(dashboard: Dashboard, found: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The state, once it is as wanted."""
    end = time.monotonic() + 60
    while True:
        state: dict[str, Any] = ask(dashboard, "/state").tree
        if found(state):
            return state
        assert time.monotonic() < end, state
        time.sleep(0.05)


def add_games(run: RunFolder, key: str, winner: str, loser: str, env: str, games: int = 8) -> None:
    """Log a match, every game of which `winner` wins."""
    results = []
    for game in range(games):
        pair, score = ((winner, loser), (1.0, -1.0)) if game % 2 else ((loser, winner), (-1.0, 1.0))
        results.append(Result(env, pair, score, 30, game // 2, "rules"))
    run.append_block(key, results)
