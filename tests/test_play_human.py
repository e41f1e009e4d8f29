"""People play: time, sides, results, instant replay; in a window that nobody sees."""

from __future__ import annotations

from pathlib import Path

import pytest

from arena.replay import read_replay, verify, write_replay
from arena.viewer.human_match import game_seeds
from arena.viewer.session import COUNTDOWN, SessionOptions
from tests.people import Sitting


def test_after_the_countdown_a_step_takes_a_step_of_time() -> None:
    sitting = Sitting("human", "tracker")
    sitting.wait(COUNTDOWN - 0.1)
    assert sitting.phase == "countdown"
    assert sitting.match.game.steps == 0
    assert "1" in sitting.glass.words.split("\n")
    sitting.to("play")
    sitting.wait(1.0)
    assert sitting.match.game.steps == pytest.approx(30, abs=2)
    slow = Sitting("human", "tracker", options=SessionOptions(speed=0.5))
    slow.to("play")
    slow.wait(1.0)
    assert slow.match.game.steps == pytest.approx(15, abs=2)


def test_what_hands_do_is_what_is_played() -> None:
    sitting = Sitting("human", "noop")
    sitting.to("play")
    sitting.glass.down = {"right"}
    sitting.wait(0.3)
    sitting.glass.down = set()
    sitting.wait(0.2)
    actions = [int(action[0]) for action in sitting.match.game.actions]
    assert set(actions[:8]) == {1}
    assert actions[-1] == 0


def test_pause_and_restart() -> None:
    sitting = Sitting("human", "tracker")
    sitting.to("play")
    sitting.wait(0.5)
    steps = sitting.match.game.steps
    sitting.press("space")
    sitting.wait(2.0)
    assert (sitting.phase, sitting.match.game.steps) == ("paused", steps)
    assert "paused" in sitting.glass.words
    sitting.press("space")
    assert sitting.phase == "countdown"
    sitting.to("play")
    sitting.press("n")
    assert sitting.match.game.steps >= steps  # only while it is paused
    seed = sitting.match.game.seed
    sitting.press("space", "n")
    assert sitting.match.game.steps == 0
    assert sitting.match.game.seed != seed


def test_sides_are_swapped_on_the_same_serves_and_the_match_ends_when_it_is_decided() -> None:
    sitting = Sitting("human", "baseline", best_of=3, env="SlimeVolleySimple-v0")
    sitting.to("over")
    games = sitting.match.games
    assert [game.order for game in games] == [(0, 1), (1, 0)]
    assert games[0].seed == games[1].seed
    assert [result.players for result in sitting.results] == [("human", "baseline"), ("baseline", "human")]
    assert sitting.match.won == [0, 2]
    assert "baseline wins the match" in sitting.glass.words
    sitting.press("return")
    assert sitting.phase == "countdown"
    assert sitting.match.games == []
    assert len(sitting.match.all_games) == 2
    assert sitting.match.game.seed != games[0].seed


def test_a_side_is_kept() -> None:
    sitting = Sitting("baseline", side="right", best_of=3, env="SlimeVolleySimple-v0")
    sitting.to("over")
    assert {result.players for result in sitting.results} == {("baseline", "human")}
    assert len({game.seed for game in sitting.match.games}) == 2


def test_the_last_point_again() -> None:
    sitting = Sitting("human", "baseline", best_of=1)
    sitting.press("r")
    assert sitting.phase == "countdown"  # there is none yet
    sitting.until(lambda: sitting.match.game.points[1] == 1)
    sitting.press("r")
    assert sitting.phase == "replay"
    steps = sitting.match.game.steps
    assert len(sitting.match.game.last_point) > 30
    sitting.wait(1.0)
    assert "replay" in sitting.glass.words
    assert sitting.match.game.steps == steps
    sitting.press("space")
    assert sitting.phase == "countdown"
    sitting.to("play")
    sitting.press("r")
    sitting.until(lambda: sitting.phase != "replay")  # it ends by itself
    assert sitting.match.game.steps == pytest.approx(steps, abs=2)


def test_with_replays_every_point_is_shown_again_the_last_one_too() -> None:
    sitting = Sitting("human", "baseline", best_of=1, env="SlimeVolleySimple-v0", options=SessionOptions(replays=True))
    sitting.to("replay")
    assert sitting.match.game.result
    sitting.to("result")
    sitting.to("over")


def test_two_people_keep_their_sides_and_steer_apart() -> None:
    sitting = Sitting("human", "human", best_of=2, env="SlimeVolleySimple-v0")
    sitting.to("play")
    sitting.glass.down = {"d", "left"}
    sitting.wait(0.3)
    sitting.glass.down = set()
    assert [tuple(map(int, action)) for action in sitting.match.game.actions[:5]] == [(1, 1)] * 5
    sitting.to("over")
    assert {result.players for result in sitting.results} == {("human 1", "human 2")}


def test_a_board_game_by_keys_and_by_clicks() -> None:
    sitting = Sitting("human", "human", env="TicTacToe-v0", best_of=1)
    sitting.wait(3)
    assert sitting.match.game.steps == 0  # time stands still
    assert "press a number" in sitting.glass.words
    sitting.press("1")
    sitting.wait(1)
    sitting.press("1")
    sitting.wait(1)
    assert sitting.match.game.steps == 1  # that cell is taken
    for key in "425":
        sitting.press(key)
        sitting.wait(1)
    sitting.glass.click = (2.5, 2.5)  # the upper right cell, which is 3
    sitting.until(lambda: bool(sitting.match.games), 60)
    assert sitting.results[0].score == (1.0, -1.0)
    assert "human 1 wins" in sitting.glass.words
    assert "the first won" in sitting.glass.words  # below the board with all of its pieces
    sitting.to("over")


def test_connect_four_against_a_bot_that_is_seen_to_move() -> None:
    sitting = Sitting(env="ConnectFour-v0", best_of=1)
    sitting.wait(1)
    sitting.press("4")
    assert sitting.match.game.steps == 1
    sitting.wait(0.3)
    assert sitting.match.game.steps == 1
    sitting.wait(0.4)
    assert sitting.match.game.steps == 2


def faces(sitting: Sitting) -> list[str]:
    return [word for word in sitting.glass.words.split("\n") if word in ("J", "Q", "K")]


def test_cards_of_others_are_hidden_until_the_hand_is_over() -> None:
    sitting = Sitting("human", "random", env="KuhnPoker-v0", best_of=1)
    sitting.wait(1)
    assert len(faces(sitting)) == 1
    for _ in range(8):
        if not sitting.match.games:
            sitting.press("2")
            sitting.wait(1.2)
    assert len(faces(sitting)) == 2


def test_choices_at_the_same_time_have_keys_of_their_own() -> None:
    sitting = Sitting("human", "human", env="RockPaperScissors-v0", best_of=1)
    sitting.wait(1.5)
    sitting.press("2")
    assert not sitting.match.games
    sitting.press("8")
    assert sitting.results[0].score == (-1.0, 1.0)  # scissors cut paper


def test_a_team_is_steered_together_or_one_by_one() -> None:
    sitting = Sitting("human", env="Spread-v0", best_of=1)
    sitting.to("play")
    sitting.glass.down = {"left"}
    sitting.wait(0.5)
    assert sitting.match.game.actions[-1].tolist() == [1, 1, 1]
    sitting.press("tab")
    sitting.wait(0.3)
    assert sitting.match.game.actions[-1].tolist() == [1, 0, 0]
    assert "you steer agent_0" in sitting.glass.words


def test_whoever_plays_the_smaller_team_where_teams_differ() -> None:
    sitting = Sitting("random", env="Tag-v0", best_of=1)
    assert list(sitting.match.game.people) == [3]


def test_games_can_be_played_again(tmp_path: Path) -> None:
    sitting = Sitting("human", "baseline", best_of=2, env="SlimeVolleySimple-v0")
    sitting.to("play")
    sitting.glass.down = {"right", "up"}
    sitting.to("over")
    replays = sitting.match.replays()
    assert len(replays) == 2
    for number, replay in enumerate(replays):
        verify(replay)
        write_replay(replay, tmp_path / f"{number}.replay")
        assert read_replay(tmp_path / f"{number}.replay").players == replay.players


def test_a_session_runs_until_it_is_quit_and_closes_its_window() -> None:
    sitting = Sitting("human", "tracker")
    sitting.glass.keys = ["h", "q"]
    assert sitting.session.run() == 0
    assert sitting.glass.closed
    sitting = Sitting("human", "tracker")
    sitting.press("h")
    assert any("jump" in line for line in sitting.glass.overlay)
    sitting.press("-")
    assert sitting.session.speed == 0.75
    rated = Sitting("human", "tracker", options=SessionOptions(rated=True))
    rated.press("-")
    assert rated.session.speed == 1


def test_seeds_of_games_differ_and_fit_everywhere() -> None:
    seeds = game_seeds(3)
    found = [next(seeds) for _ in range(50)]
    assert len(set(found)) == 50
    assert max(found) < 1 << 53
