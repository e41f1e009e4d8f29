"""The page of a tournament: table, picture, games to play, who gave up games and why."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from arena.execution.serial import SerialExecutor
from arena.report.page import data, page
from arena.result import Result
from arena.store import RunFolder
from arena.tournaments.config import Entrant, GameConfig, TournamentConfig
from arena.tournaments.tournament import Tournament

EVIL = "<script>"
PLAYERS = ("perfect", "one-ply", "random")


def played(path: Path, format: str) -> Path:
    """A tournament of the players of tic-tac-toe, one of whom has a name that is no markup."""
    names = (*PLAYERS[:2], EVIL)
    entrants = tuple(Entrant(name=name, player=who) for name, who in zip(names, PLAYERS, strict=True))
    setting = TournamentConfig(format=format, game=GameConfig(id="TicTacToe-v0"), entrants=entrants, games=4)
    with Tournament.create(path, setting) as made, SerialExecutor() as executor:
        assert made.run(executor)
        assert made.replay_faults == []
    return path


@pytest.mark.parametrize(("format", "id"), [("round-robin", "crosstable"), ("double-elimination", "bracket")])
def test_a_page_of_a_tournament(format: str, id: str, tmp_path: Path) -> None:
    path = played(tmp_path / "run", format)
    with RunFolder.open(path) as run:
        html, told = page(run), data(run)
    assert {"table", id, "payoff", "resources", "settings"} <= told["sections"].keys()
    assert "<svg" in told["sections"][id]
    assert [name for name in PLAYERS[:2] if name in told["sections"]["table"]] == list(PLAYERS[:2])
    assert EVIL not in told["sections"]["table"] + told["sections"][id]
    assert "&lt;script&gt;" in told["sections"]["table"]
    assert told["charts"]["payoff"]["views"]
    stored = {file.stem for file in (path / "replays").glob("*.replay")}
    assert {"longest", "latest"} <= stored
    assert html.count('"frames"') or '"data"' in html  # films of them are in it
    assert "No games have been stored" not in html


def test_games_that_were_given_away_are_told(tmp_path: Path) -> None:
    path = played(tmp_path / "run", "round-robin")
    with Tournament.open(path) as found:
        assert "forfeits" not in data(found.folder)["sections"]
        block = next(iter(found.results))
        one = found.results[block][0]
        reason = f"{EVIL} gave no answer"
        found.results[block] = (Result(one.env, one.players, one.score, one.steps, one.seed, "forfeit", reason),)
        from arena.report.tournament import _forfeits

        rows = _forfeits(found)
    assert re.search("&lt;script&gt; gave no answer", rows)
    assert EVIL not in rows
