"""`arena bench ratings` prints every figure that it promises, and its made-up log is one."""

from __future__ import annotations

import json

import pytest

from arena.bench import ratings
from arena.cli import main


def test_bench_ratings(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ratings, "GAMES", 300)
    assert main(["bench", "ratings", "--games", "250", "--seconds", "0.001", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert set(figures) == {
        "trueskill", "elo", "glicko2", "read", "fit", "bootstrap",
        "log_append", "log_leaderboard", "log_leaderboard_cpu", "log_peak",
    }  # fmt: skip
    assert all(figure["low"] <= figure["value"] <= figure["high"] for figure in figures.values())
    assert figures["trueskill"]["settings"] == {"games": 300, "players": 200}
    assert figures["log_peak"]["settings"]["games"] == 250
    assert 30 < figures["log_peak"]["value"] < 3000, "MiB"


@pytest.mark.parametrize("games", [0, 7, 10_001])
def test_a_made_up_log_has_the_games_asked_for(games: int) -> None:
    made = [result for block in ratings.blocks(games) for result in block]
    assert len(made) == games
    for first, second in zip(made[::2], made[1::2], strict=False):
        assert first.players == second.players[::-1] and first.seed == second.seed
        assert first.players[0] != first.players[1]
        assert first.score[0] == -first.score[1]
