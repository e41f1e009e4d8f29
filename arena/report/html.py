"""HTML: text and numbers put into a page so that they stay text and numbers, and the page itself, which may load
nothing and run nothing but what is written in it."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

__all__ = ["asset", "document", "escape", "json_block", "tag"]


def tag(name: str, *children: str, **attributes: object) -> str:
    """An element around `children`, which are HTML already. Attributes are escaped; None and False are left out, True
    is there without a value, and a trailing "_" and inner "_" of names become nothing and "-"."""
    said = ""
    for key, value in attributes.items():
        if value is not None and value is not False:
            word = key.rstrip("_").replace("_", "-")
            said += f" {word}" if value is True else f' {word}="{escape(str(value))}"'
    return f"<{name}{said}>{''.join(children)}</{name}>"


def json_block(id: str, value: object) -> str:
    """`value` for scripts, which find it by `id`. Nothing in it can end the block or begin a comment."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return f'<script type="application/json" id="{escape(id)}">{text}</script>'


@cache
def asset(name: str) -> str:
    """A file beside this one, such as "page.css"."""
    return files("arena.report").joinpath(name).read_text(encoding="utf-8")


def document(title: str, body: str, style: str, scripts: Sequence[str], connect: bool = False) -> str:
    """A whole page. A content security policy admits exactly `style` and `scripts`.

    Args:
        title: plain text.
        body: HTML.
        connect: whether scripts may ask the server that the page came from.
    """
    allowed = {
        "default-src": "'none'",
        "script-src": " ".join(map(_hash, scripts)) or "'none'",
        "style-src": _hash(style),
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        **({"connect-src": "'self'"} if connect else {}),
    }
    policy = "; ".join(f"{kind} {sources}" for kind, sources in allowed.items())
    head = (
        '<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        '<link rel="icon" href="data:,">\n'
        f"<title>{escape(title)}</title>\n<style>{style}</style>"
    )
    ends = "\n".join(f"<script>{script}</script>" for script in scripts)
    return f'<!doctype html>\n<html lang="en">\n<head>\n{head}\n</head>\n<body>\n{body}\n{ends}\n</body>\n</html>\n'


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


Json = dict[str, Any]
"""An object that JSON can hold."""
