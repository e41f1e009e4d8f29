"""Dashboard: a server and the keeper that it asks."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Self

from arena.dashboard.access import Access
from arena.dashboard.keeper import Keeper
from arena.dashboard.server import Server
from arena.report.page import data, page
from arena.store import RunFolder


class Dashboard:
    """A league, served."""

    def __init__(self, path: Path, access: Access, port: int = 0) -> None:
        """Read the league once and listen; `run` answers.

        Raises:
            InputError: no league there, or a host or port that cannot be had.
        """
        self.keeper = Keeper(path, data, self._page)
        self.server = Server(self.keeper, access, port)

    def _page(self, run: RunFolder) -> str:
        """The report, with the script that follows the run."""
        follow = files("arena.dashboard").joinpath("live.js").read_text(encoding="utf-8")
        return page(run, [f"window.arena.number = {self.keeper.data.number};", follow], connect=True)

    @property
    def url(self) -> str:
        """What to open."""
        return self.server.url()

    def run(self) -> None:
        """Answer until `stop` or KeyboardInterrupt."""
        self.keeper.start()
        self.server.serve_forever(poll_interval=0.2)

    def stop(self) -> None:
        """End `run`, from another thread."""
        self.server.shutdown()

    def close(self) -> None:
        """Listen no more."""
        self.keeper.close()
        self.server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *fault: object) -> None:
        self.close()
