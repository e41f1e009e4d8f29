"""Server: pages and figures over HTTP, to GET and HEAD alone, for a bounded number of requests at a time."""

from __future__ import annotations

import errno
import re
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from arena.dashboard.access import Access
from arena.dashboard.keeper import Keeper, Part
from envs.errors import InputError

REQUESTS = 32
"""That are answered at a time; who comes when there are as many is told to come again."""
TIMEOUT = 10.0
"""Seconds to wait for the next bytes of a request, or for them to be taken."""
LONGEST = 60.0
"""Seconds for a request from beginning to end."""
SAFE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""What anything but the page may load and run; the page says in itself which scripts it has."""
BUSY = b"HTTP/1.0 503 Service Unavailable\r\nRetry-After: 2\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
METHODS = ("GET", "HEAD")
HTML, JSON, PLAIN = "text/html; charset=utf-8", "application/json", "text/plain; charset=utf-8"


class Server(ThreadingHTTPServer):
    """Answers what browsers ask of a keeper."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, keeper: Keeper, access: Access, port: int) -> None:
        """Listen on the host of `access`; `port` 0 is any free one.

        Raises:
            InputError: a host that is not here, or a port that is taken.
        """
        self.keeper, self.access = keeper, access
        self._free = threading.BoundedSemaphore(REQUESTS)
        self._began: dict[socket.socket, float] = {}
        host = access.host
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            super().__init__((host, port), Handler)
        except (OSError, OverflowError) as fault:
            raise InputError(_why_not(fault, host, port)) from None

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    def url(self) -> str:
        """What to open in a browser, with the token if there is one."""
        host = {"0.0.0.0": socket.gethostname(), "::": socket.gethostname()}.get(self.access.host, self.access.host)
        token = f"?token={self.access.token}" if self.access.token else ""
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}/{token}"

    def server_bind(self) -> None:
        """As the parent, but without asking a name server who we are."""
        socket.socket.setsockopt(self.socket, socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = self.access.host, self.port

    def process_request(self, request: Any, client_address: Any) -> None:
        """In a thread of its own, if there is one left."""
        if not self._free.acquire(blocking=False):
            with suppress(OSError):
                request.settimeout(0.1)
                request.sendall(BUSY)
            self.shutdown_request(request)
            return
        self._began[request] = time.monotonic()
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._done(request)
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer, and let the next one come."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._done(request)

    def service_actions(self) -> None:
        """End requests that dawdle."""
        late = time.monotonic() - LONGEST
        for request, began in list(self._began.items()):
            if began < late:
                with suppress(OSError):
                    request.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Browsers go away in the middle of things; that is no fault."""

    def _done(self, request: socket.socket) -> None:
        if self._began.pop(request, None) is not None:
            self._free.release()


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Server
    timeout = TIMEOUT
    server_version, sys_version = "arena", ""
    protocol_version = "HTTP/1.0"

    def do_GET(self) -> None:
        """Answer it."""
        server, parts = self.server, urlsplit(self.path)
        if not server.access.host_fits(self.headers.get("Host"), server.port):
            self._refuse(421, "this server does not go by that name.")
        elif not server.access.admits(parts.query, self.headers.get("Cookie"), server.port):
            self._refuse(403, "a token is needed: open the address that `arena dashboard` has printed.")
        elif parts.query and parts.path == "/" and "token=" in parts.query:
            cookie = {"Set-Cookie": server.access.cookie(server.port)} if server.access.token else {}
            self._send(303, b"", PLAIN, {"Location": "/", **cookie})  # the token leaves the address
        elif parts.path in ROUTES:
            server.keeper.asked()
            try:
                ROUTES[parts.path](self)
            except InputError as fault:
                self._refuse(503, str(fault))
        else:
            self._refuse(404, "there is nothing here.")

    do_HEAD = do_GET

    def do_POST(self) -> None:
        """Refuse it: there is nothing to change here."""
        self._refuse(405, "this server only shows: ask with GET.", {"Allow": ", ".join(METHODS)})

    do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_TRACE = do_CONNECT = do_POST

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the parent finds wrong with a request, as plain text."""
        self._refuse(int(code), "this request is not understood.")

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def page(self) -> None:
        """The whole page; its policy is in it, and what a policy in a page cannot say is added."""
        part = self.server.keeper.page()
        found = re.search(rb'<meta http-equiv="Content-Security-Policy" content="([^"]*)"', part.body[:10_000])
        policy = unescape(found[1].decode()) if found else NOTHING
        self._part(part, HTML, f"{policy}; frame-ancestors 'none'")

    def state(self) -> None:
        """What the run is doing, and which figures and game are the newest."""
        self._send(200, self.server.keeper.state.as_json(), JSON)

    def data(self) -> None:
        """The newest figures."""
        self._part(self.server.keeper.data, JSON)

    def game(self) -> None:
        """The newest game."""
        if self.server.keeper.game is None:
            self._refuse(404, "there is no game yet.")
        else:
            self._part(self.server.keeper.game, JSON)

    def _part(self, part: Part, kind: str, policy: str = NOTHING) -> None:
        zips = "gzip" in self.headers.get("Accept-Encoding", "")
        more = {"X-Number": str(part.number), "Vary": "Accept-Encoding", "Content-Security-Policy": policy}
        if zips:
            more["Content-Encoding"] = "gzip"
        self._send(200, part.zipped if zips else part.body, kind, more)

    def _refuse(self, code: int, sentence: str, more: dict[str, str] | None = None) -> None:
        self._send(code, f"arena: {sentence}\n".encode(), PLAIN, more or {})

    def _send(self, code: int, body: bytes, kind: str, more: dict[str, str] | None = None) -> None:
        headers = {**SAFE, "Content-Security-Policy": NOTHING, "Content-Type": kind, **(more or {})}
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


ROUTES: dict[str, Callable[[Handler], None]] = {
    "/": Handler.page, "/state": Handler.state, "/data": Handler.data, "/game": Handler.game,
}  # fmt: skip


def _why_not(fault: Exception, host: str, port: int) -> str:
    if isinstance(fault, OSError) and fault.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is in use: choose another with --port, or 0 for any that is free."
    if isinstance(fault, OSError) and fault.errno == errno.EACCES:
        return f"port {port} of {host} is not for everybody: choose one from 1024 on with --port."
    if isinstance(fault, OSError) and not isinstance(fault, socket.gaierror) and fault.errno != errno.EADDRNOTAVAIL:
        return f"cannot listen on port {port} of {host}: {fault.strerror or fault}."
    return f"cannot listen on {host}: it is no address of this machine."
