"""Inbox: what other processes ask of the one that writes a run, waiting there until it has time for it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from arena.store.database import Database, Value
from arena.store.files import plain


@dataclass(frozen=True, slots=True)
class Request:
    """Something that is asked for."""

    id: int
    """Counted from 1."""
    time: float
    """When it was asked, s since 1970."""
    kind: str
    payload: dict[str, Any]
    done: float | None
    """When it was dealt with, s since 1970; None while it waits."""
    answer: str | None
    """A sentence for whoever asked."""


class Inbox:
    """Requests in the order they were made."""

    def __init__(self, db: Database) -> None:
        """Read and write them in `db`."""
        self._db = db

    def put(self, kind: str, payload: Mapping[str, Any]) -> int:
        """Ask for something; the id of the request."""
        with self._db.transaction():
            row: dict[str, Value] = {
                "time": time.time(),
                "kind": kind,
                "payload": json.dumps(plain(payload, infinite=True)),
            }
            return self._db.add("requests", row)

    def requests(self, with_done: bool) -> list[Request]:
        """Those that wait, or all, in order."""
        some = "" if with_done else "WHERE done IS NULL"
        rows = self._db.execute(f"SELECT id, time, kind, payload, done, answer FROM requests {some} ORDER BY id")
        return [Request(id, time, kind, json.loads(payload), *rest) for id, time, kind, payload, *rest in rows]

    def done(self, id: int, answer: str | None) -> bool:
        """Note that a request has been dealt with; False, and nothing changes, if it had been.

        Raises:
            KeyError: there is no such request.
        """
        with self._db.transaction():
            held = self._db.execute("SELECT done FROM requests WHERE id = ?", (id,)).fetchone()
            if not held:
                raise KeyError(id)
            if held[0] is not None:
                return False
            self._db.change("requests", id, {"done": time.time(), "answer": answer})
        return True
