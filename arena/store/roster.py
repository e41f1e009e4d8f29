"""Roster: who is a member of a league, and what happened to its members."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from arena.store.database import Database
from arena.store.files import plain
from envs.errors import InputError, unknown

Status = Literal["active", "retired"]


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a league."""

    name: str
    role: str
    status: Status
    spec: dict[str, Any]
    """What the league needs to make it: for a learner its part of the run file."""
    parent: str | None
    """Whom it descends from: a member, or a snapshot."""
    added: float
    """s since 1970."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened."""

    id: int
    """Counted from 1."""
    key: str | None
    """Of what may only be told once."""
    time: float
    """s since 1970."""
    kind: str
    """added, retired, imported, or what a league tells of."""
    member: str | None
    """Whom it happened to."""
    detail: dict[str, Any]


class Roster:
    """Members and events of a run. Neither is ever taken away."""

    def __init__(self, db: Database) -> None:
        """Read and write them in `db`."""
        self._db = db

    def add(self, name: str, role: str, spec: Mapping[str, Any], parent: str | None) -> Member:
        """Add an active member; an event tells of it.

        Raises:
            InputError: there is one of that name.
        """
        with self._db.transaction():
            held = self._db.execute("SELECT status FROM members WHERE name = ?", (name,)).fetchone()
            if held:
                raise InputError(f"there is a member {name!r} already ({held[0]}): choose another name.")
            member = Member(name, role, "active", plain(spec, infinite=True), parent, time.time())
            row = {"name": name, "role": role, "status": "active", "spec": json.dumps(member.spec)}
            self._db.add("members", {**row, "parent": parent, "added": member.added})
            self.tell("added", name, {"role": role, "parent": parent}, None)
        return member

    def retire(self, name: str) -> bool:
        """Retire a member, for good; an event tells of it. False, and nothing changes, if it is retired already.

        Raises:
            InputError: there is none of that name.
        """
        with self._db.transaction():
            held = self._db.execute("SELECT id, status FROM members WHERE name = ?", (name,)).fetchone()
            if not held:
                raise unknown("member", name, [member.name for member in self.members()])
            if held[1] == "retired":
                return False
            self._db.change("members", held[0], {"status": "retired"})
            self.tell("retired", name, {}, None)
        return True

    def members(self) -> list[Member]:
        """All of them, retired ones too, in the order they were added."""
        rows = self._db.execute("SELECT name, role, status, spec, parent, added FROM members ORDER BY id")
        return [Member(name, role, status, json.loads(spec), *rest) for name, role, status, spec, *rest in rows]

    def tell(self, kind: str, member: str | None, detail: Mapping[str, Any], key: str | None) -> bool:
        """Append an event; False, and nothing changes, if one has this `key`."""
        with self._db.transaction():
            if key is not None and self._db.execute("SELECT 1 FROM events WHERE key = ?", (key,)).fetchone():
                return False
            row = {"key": key, "time": time.time(), "kind": kind, "member": member}
            self._db.add("events", {**row, "detail": json.dumps(plain(detail))})
        return True

    def events(self, after: int) -> list[Event]:
        """Those with an id above `after`, in order."""
        columns = "id, key, time, kind, member, detail"
        rows = self._db.execute(f"SELECT {columns} FROM events WHERE id > ? ORDER BY id", (after,))
        return [Event(id, key, time, kind, member, json.loads(detail)) for id, key, time, kind, member, detail in rows]
