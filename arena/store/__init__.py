"""The run folder: everything a league knows, on disk, readable at any moment."""

from arena.store.folder import RunFolder
from arena.store.log import Snapshot

__all__ = ["RunFolder", "Snapshot"]
