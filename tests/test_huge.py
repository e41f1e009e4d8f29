"""The folder that `benchmarks.huge` makes is a league like any other."""

from __future__ import annotations

from pathlib import Path

from arena.league.overview import history, leaderboard
from arena.store import RunFolder
from arena.store.verify import verify
from benchmarks.huge import RIVALS, make
from benchmarks.report import BLOCK


def test_what_it_makes_is_whole(tmp_path: Path) -> None:
    make(tmp_path / "run", snapshots=30, games=30 * 13 * BLOCK, members=3)
    assert verify(tmp_path / "run") == []
    with RunFolder.open(tmp_path / "run") as run:
        assert len(run.snapshots()) == 30
        games = history(run)
        assert len(games) == run.games() > 20 * 13 * BLOCK
        last = run.snapshots()[-1].name
        met = {other for result in run.results() if last in result.players for other in result.players} - {last}
        assert len(met) == RIVALS + 3 and {"baseline", "tracker", "random"} < met
        table = [one.name for one in leaderboard(run) if not one.anchor]
    first, late = [f"m0{member}:0" for member in range(3)], [f"m0{member}:{9 * 2_500_000}" for member in range(3)]
    assert max(map(table.index, late)) < min(map(table.index, first))  # skill grows
