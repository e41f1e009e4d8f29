"""`arena report`: what a run says, as a page to look at and as pieces for papers."""

from __future__ import annotations

from pathlib import Path

from tyro.conf import Positional


def report(
    dirs: Positional[tuple[Path, ...]],
    out: Path | None = None,
    compare: bool = False,
    markdown: Path | None = None,
    png: Path | None = None,
    open: bool = False,
    json: bool = False,
) -> int:
    """Write the report of a run: one HTML page that needs nothing else, and no network.

    Of a league: leaderboard, ratings over training, results against the anchors, who beats whom, cycles, lineage, games
    to play in the page. Of a run of `arena train`: its learning curve. Of both: training curves, resources, settings.
    All from the run folder alone, also while it is being written.

    Args:
        dirs: run folder; with --compare several, all of leagues or all of `arena train`.
        out: write the page to this file, instead of DIR/report.html (with --compare, comparison.html here).
        compare: one page about several runs: curves over each other, settings that differ, champions.
        markdown: write leaderboard, results and facts as Markdown to this file.
        png: write the charts as PNG pictures into this folder, which is made if it is not there.
        open: show the page in the browser.
        json: print one object: page (the file), bytes, and lists markdown and png (files that were written).
    """
    import json as jsonlib

    from arena.report.write import Wanted, write
    from envs.errors import InputError

    if not dirs:
        raise InputError("missing DIRS: give a run folder.")
    if len(dirs) > 1 and not compare:
        raise InputError(f"a report is of one run, not of {len(dirs)}: --compare puts several side by side.")
    if compare and len(dirs) < 2:
        raise InputError("--compare needs at least two run folders.")
    written = write(dirs, Wanted(out, compare, markdown, png))
    if open:
        import webbrowser

        webbrowser.open(written.page.absolute().as_uri())
    if json:
        files = {"markdown": list(map(str, written.markdown)), "png": list(map(str, written.png))}
        print(jsonlib.dumps({"page": str(written.page), "bytes": written.page.stat().st_size, **files}))
    else:
        print(f"{written.page}: {written.page.stat().st_size / 1e3:,.0f} kB")
        for file in (*written.markdown, *written.png):
            print(file)
    return 0
