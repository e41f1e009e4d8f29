"""`arena dashboard`: the report of a league in a browser, which follows the league while it runs."""

from __future__ import annotations

import webbrowser
from pathlib import Path

from tyro.conf import Positional

from envs.errors import InputError


def dashboard(
    dir: Positional[Path], port: int = 0, host: str = "127.0.0.1", token: str | None = None, open: bool = False
) -> int:
    """Serve the page of `arena report DIR` to browsers of this machine, renewed while the league runs, with games of
    the champion against the one before it.

    It only reads, and it rests longer than it works. The page says when the run has ended; Ctrl-C ends the server and
    not the league. It speaks plain HTTP: from another machine it is best reached through `ssh -L PORT:127.0.0.1:PORT`.

    Args:
        dir: run folder of a league, running or stopped.
        port: to listen on; 0 takes any that is free.
        host: address or name to listen on. Beyond loopback, such as 0.0.0.0, who has no token is refused.
        token: what browsers must show, 16 characters or more; without it one is made where `host` is not loopback.
        open: open the page in this machine's browser.
    """
    from arena.dashboard.access import Access
    from arena.dashboard.dashboard import Dashboard

    if not 0 <= port < 1 << 16:
        raise InputError(f"--port must be from 0 to {(1 << 16) - 1}, not {port}.")
    with Dashboard(dir, Access(host, token), port) as served:
        try:
            print(f"{dir} at {served.url}\nCtrl-C ends it.", flush=True)
            if open and not webbrowser.open(served.url):
                print("there is no browser here to open.", flush=True)
            served.run()
        except KeyboardInterrupt:  # the usual way to end it
            print()
    return 0
