"""Access: who may look. On loopback anybody on this machine; from elsewhere whoever has the token.

A page on the web can make a browser ask any address, also this one, under a name that it has pointed here (DNS
rebinding): so a request must say in `Host` how this server is reached, by address or by a name that is known here.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
import secrets
import socket
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlsplit

from envs.errors import InputError

SHORTEST = 16
"""Characters of a token."""
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Access:
    """The rules for one server."""

    def __init__(self, host: str, token: str | None) -> None:
        """Take the rules for a server on `host`, a name or an address; beyond loopback a token is made if none is
        given.

        Raises:
            InputError: a token that is easily guessed or cannot be part of an address.
        """
        if token is not None and not re.fullmatch(rf"[A-Za-z0-9_.~-]{{{SHORTEST},200}}", token):
            raise InputError(
                f"--token must have {SHORTEST} to 200 letters, digits, '-', '_', '.' and '~'; without it, one is made."
            )
        self.host = host
        self.token = token if token is not None or is_loopback(host) else secrets.token_urlsafe(24)
        self._names = {host.lower(), *LOOPBACK}
        if not is_loopback(host):
            self._names |= {socket.gethostname().lower(), socket.getfqdn().lower()}

    def host_fits(self, said: str | None, port: int) -> bool:
        """Whether the header `Host` names this server. Addresses as numbers cannot be rebound."""
        try:
            parts = urlsplit(f"//{said or ''}")
            name, given = (parts.hostname or "").lower(), parts.port
        except ValueError:
            return False
        if given not in (port, None if port == 80 else port) or parts.username is not None or parts.path:
            return False
        return name in self._names or (not is_loopback(self.host) and _is_address(name))

    def admits(self, query: str, cookie: str | None, port: int) -> bool:
        """Whether a request shows the token, in its address or in its cookie, where there is one."""
        if self.token is None:
            return True
        shown = parse_qs(query).get("token", [])[:1]
        try:
            kept = SimpleCookie(cookie or "").get(self.cookie_name(port))
        except CookieError:
            kept = None
        return any(_same(text, self.token) for text in [*shown, *([kept.value] if kept else [])])

    def cookie_name(self, port: int) -> str:
        """Cookies are shared by all ports of a host, so each has its own."""
        return f"arena-{port}"

    def cookie(self, port: int) -> str:
        """What a browser keeps after it has shown the token once."""
        return f"{self.cookie_name(port)}={self.token}; Path=/; HttpOnly; SameSite=Strict"


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches `host`."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _same(shown: str, token: str) -> bool:
    """In a time that tells nothing of either."""
    return hmac.compare_digest(hashlib.sha256(shown.encode()).digest(), hashlib.sha256(token.encode()).digest())
