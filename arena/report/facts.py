"""Facts: numbers as people read them, and what is known of a run whatever its kind."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from arena.report.html import escape, tag
from arena.report.resources import Resources
from arena.report.section import table
from arena.store import RunFolder


def count(value: float) -> str:
    """12,345 or 78.6M."""
    if abs(value) >= 1e6:
        return f"{value / 1e6:.3g}M" if abs(value) < 1e9 else f"{value / 1e9:.3g}G"
    return f"{value:,.0f}"


def duration(seconds: float) -> str:
    """8.5 s, 10 min 17 s or 1 h 02 min."""
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    return f"{minutes // 60} h {minutes % 60:02} min"


def size(bytes: float) -> str:
    """Of a file: 23 kB, 1.2 MB."""
    for scale, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if bytes >= scale:
            return f"{bytes / scale:.3g} {unit}"
    return f"{bytes:.0f} B"


def signed(value: float, digits: int = 2) -> str:
    """+1.25 or −0.31, and 0.00 without a sign."""
    text = f"{value:+.{digits}f}"
    return (text[1:] if float(text) == 0 else text).replace("-", "−")


def moment(about: Mapping[str, Any]) -> str:
    """When a run began."""
    return f"{datetime.fromisoformat(about['created']):%Y-%m-%d %H:%M} UTC"


def tiles(facts: Mapping[str, tuple[str, str]]) -> str:
    """What is told first: a name, and the number with a small note below it, plain text."""
    cells = (
        tag("div", tag("dt", escape(name)), tag("dd", escape(value), tag("small", escape(note)) if note else ""))
        for name, (value, note) in facts.items()
    )
    return tag("dl", *cells, class_="tiles")


def facts(pairs: Mapping[str, str]) -> str:
    """Names and texts below each other."""
    return tag("dl", *(tag("dt", escape(k)) + tag("dd", escape(v)) for k, v in pairs.items()), class_="facts")


def usage(found: Resources, games: int, about: Mapping[str, Any]) -> str:
    """The section of resources."""
    said = {"time": duration(found.seconds)}
    if found.seconds:
        share = found.training / found.seconds
        said["of it"] = f"{share:.0%} training, {1 - share:.0%} rating and everything else"
    said["env steps"] = f"{found.steps:,}"
    if found.seconds:
        said["env steps per second"] = f"{count(found.steps / found.seconds)} over the whole time"
    said["games in the log"] = f"{games:,}"
    said["disk"] = f"{size(sum(found.disk.values()))}: " + ", ".join(
        f"{part} {size(bytes)}" for part, bytes in found.disk.items()
    )
    said["versions"] = f"python {about['python']}, " + ", ".join(
        f"{name} {version}" for name, version in about["versions"].items() if version
    )
    rows = [[one.name, str(one.stretches), f"{one.steps:,}", f"{one.speed:,.0f}"] for one in found.learners]
    heads = ["learner", "stretches of training", "env steps", "env steps/s while it trains (median)"]
    return facts(said) + (table(heads, rows, "Per learner") if rows else "")


def configuration(run: RunFolder) -> str:
    """The section of settings."""
    about = run.about
    said = {
        "started": moment(about),
        "command": " ".join(map(str, about["command"])) or "from Python",
        "seed": str(about["seed"]),
    }
    text = (run.path / "config.yaml").read_text(encoding="utf-8", errors="replace")
    block = tag("pre", tag("code", escape(text)), tabindex=0, role="region", aria_label="config.yaml")
    return facts(said) + tag("details", tag("summary", "All settings (config.yaml)"), block)
