"""Held: what lives in an open run folder and closes it in the end."""

from __future__ import annotations

from typing import Self

from arena.store.folder import RunFolder


class Held:
    """A league, a tournament or a training; `with` closes its folder."""

    folder: RunFolder

    def close(self) -> None:
        """Close the folder, and let others write."""
        self.folder.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *fault: object) -> None:
        self.close()
