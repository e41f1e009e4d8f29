"""Write: reports to files, whole or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from arena.report import compare as comparison
from arena.report.markdown import comparison_markdown, markdown
from arena.report.page import page
from arena.report.pieces import pictures
from arena.store import RunFolder
from arena.store.files import write_atomic
from envs.errors import InputError


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to write."""

    out: Path | None
    """The page; None: report.html in the run folder."""
    compare: bool
    markdown: Path | None
    png: Path | None
    """A folder."""


@dataclass(frozen=True, slots=True)
class Written:
    """Files."""

    page: Path
    markdown: Sequence[Path]
    png: Sequence[Path]


def write(dirs: Sequence[Path], wanted: Wanted) -> Written:
    """Write what is wanted of the runs in `dirs`: of one, or of several side by side.

    Raises:
        InputError: a folder that holds no run, runs that cannot be compared, or a place that cannot be written to.
    """
    target = wanted.out or (Path("comparison.html") if wanted.compare else dirs[0] / "report.html")
    for path in (target, wanted.markdown):
        if path is not None and not path.absolute().parent.is_dir() and path.parent != dirs[0]:
            raise InputError(f"cannot write {path}: there is no folder {path.parent}.")
        if path is not None and path.is_dir():
            raise InputError(f"cannot write {path}: it is a folder.")
    with ExitStack() as stack:
        runs = [stack.enter_context(RunFolder.open(path)) for path in dirs]
        if wanted.compare:
            found = comparison.read(runs)
            html, text, drawn = comparison.page(found), comparison_markdown(found), comparison.charts(found)
        else:
            html, text, drawn = page(runs[0]), "", None
        files = {target: html.encode()}
        if wanted.markdown:
            files[wanted.markdown] = (text or markdown(runs[0])).encode()
        png = []
        if wanted.png:
            for name, data in pictures(runs[0], drawn).items():
                png.append(wanted.png / f"{name}.png")
                files[png[-1]] = data
    try:
        if wanted.png:
            wanted.png.mkdir(parents=True, exist_ok=True)
        for path, data in files.items():
            write_atomic(path, data)
    except OSError as fault:
        raise InputError(f"cannot write {fault.filename or target}: {fault.strerror or fault}.") from None
    return Written(target, [wanted.markdown] if wanted.markdown else [], png)
