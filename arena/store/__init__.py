"""The run folder: everything a league knows, on disk, readable at any moment."""

from arena.store.folder import RunFolder
from arena.store.inbox import Request
from arena.store.manifest import Snapshot
from arena.store.roster import Event, Member

__all__ = ["Event", "Member", "Request", "RunFolder", "Snapshot"]
