"""The viewer: time, forwards and backwards, names, points and results, without a display and without waiting."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from arena.replay import Replay, Simulation
from arena.replay.rules import rules_of
from arena.viewer import playback as playback_module
from arena.viewer.hud import signed
from arena.viewer.live import Live
from arena.viewer.playback import BANNER_SECONDS, Playback
from arena.viewer.tween import between
from arena.viewer.window import Viewer
from envs import make
from envs.bots import Random
from envs.errors import InputError
from envs.scene import Circle, HalfDisc, Line, Rectangle, Scene, Shape, Text
from envs.side import Squad
from envs.slime_volley.bots import bot
from envs.slime_volley.scene import DAY
from tests.parlours import Parlour

STEP = 1 / 30


def played(first: str = "baseline", second: str = "noop", games: int | None = None, **options: object) -> Playback:
    """A short match: games of one point unless told otherwise."""
    env = make("SlimeVolley-v0", 1, **{"lives": 1, "serve_delay": 3, **options})
    return Playback(env, [bot(first, env.spec), bot(second, env.spec)], seed=5, games=games)


def words(scene: Scene) -> str:
    return "\n".join(shape.text for shape in scene.shapes if isinstance(shape, Text))


def to_the_result(playback: Playback) -> None:
    for _ in range(3000):
        if playback.scores:
            return
        playback.advance(STEP)
    raise AssertionError("no game ended in 3,000 steps")


def ball(scene: Scene) -> tuple[float, float]:
    color = (217, 79, 0)
    found = next(shape for shape in scene.shapes if isinstance(shape, Circle) and shape.color == color)
    return found.x, found.y


def test_a_step_of_play_takes_a_step_of_time() -> None:
    playback = played()
    assert playback.steps == 0
    for steps in range(1, 12):
        playback.advance(STEP)
        assert playback.steps == steps


@pytest.mark.parametrize(("speed", "steps"), [(0.25, 3), (1.0, 10), (4.0, 40)])
def test_speed_changes_steps_per_second(speed: float, steps: int) -> None:
    playback = played("tracker", "tracker")
    for _ in range(20):
        playback.advance(STEP / 2, speed)
    assert playback.steps == steps


def test_between_two_steps_the_ball_is_on_its_way() -> None:
    playback = played("tracker", "tracker", serve_delay=0)
    playback.advance(STEP)
    start = ball(playback.scene())
    playback.advance(STEP / 2)
    middle = ball(playback.scene())
    playback.advance(STEP / 2)
    end = ball(playback.scene())
    assert start != end
    assert middle == pytest.approx(((start[0] + end[0]) / 2, (start[1] + end[1]) / 2))


def scene_of(*shapes: Shape) -> Scene:
    return Scene(0, 24, 0, 10, (0, 0, 0), shapes, 240)


RED = (255, 0, 0)


@pytest.mark.parametrize(
    ("old", "new", "middle"),
    [
        (Circle(0, 0, 1, RED), Circle(1, 0, 1, RED), Circle(0.25, 0, 1, RED)),
        (Rectangle(0, 0, 2, 1, RED), Rectangle(1, 1, 3, 2, RED), Rectangle(0.25, 0.25, 2.25, 1.25, RED)),
        (Line(0, 0, 2, 0, 1, RED), Line(0, 1, 2, 0, 1, RED), Line(0, 0.25, 2, 0, 1, RED)),
    ],
)
def test_between_moves_shapes(old: Shape, new: Shape, middle: Shape) -> None:
    assert between(scene_of(old), scene_of(new), 0.25).shapes == (middle,)


def test_between_leaves_jumps_and_strangers_alone() -> None:
    new_serve = scene_of(Circle(9, 9, 1, RED), Line(9, 9, 9, 9, 1, RED))
    assert between(scene_of(Circle(0, 0, 1, RED), Line(0, 0, 0, 0, 1, RED)), new_serve, 0.25) == new_serve
    other = scene_of(HalfDisc(1, 0, 1, (0, 255, 0)), Rectangle(0, 0, 2, 2, RED))
    assert between(scene_of(Circle(0, 0, 1, RED), Rectangle(0, 0, 1, 1, RED)), other, 0.25) == other
    assert between(scene_of(), other, 0.25) == other


def test_names_points_rally_and_step_are_on_the_picture() -> None:
    playback = played("baseline", "noop", lives=2)
    while not playback.game.points:
        playback.advance(STEP)
    text = words(playback.scene("2x")).splitlines()
    assert text[:3] == ["1 : 0", "baseline", "noop"]
    assert text[3] == f"game 1 · step {playback.steps} · rally {playback.game.rally(playback.steps)} · 2x"


def test_other_games_show_what_they_pay() -> None:
    env = make("CartPole-v1", 1)
    playback = Playback(env, [Random(env.spec.action_spaces[0])], seed=1)
    for _ in range(5):
        playback.step()
    assert "random  +5" in words(playback.scene())


def test_ratings_are_beside_the_names_of_those_who_have_one() -> None:
    env = make("SlimeVolley-v0", 1)
    sides = [bot("baseline", env.spec), bot("noop", env.spec)]
    text = words(Playback(env, sides, ratings={"baseline": 24.96}).scene()).splitlines()
    assert "baseline (25.0)" in text and "noop" in text


def test_the_same_bot_twice_has_two_names() -> None:
    assert played("noop", "noop").names == ("noop", "noop#2")


def test_the_result_stays_for_a_moment_and_shows_the_game_that_ended() -> None:
    playback = played()
    to_the_result(playback)
    (score,) = playback.scores
    assert score == (1.0, -1.0)
    steps = playback.steps
    shown = playback.scene()
    assert "baseline wins" in words(shown)
    assert "+1 : −1" in words(shown)
    playback.advance(BANNER_SECONDS / 2, speed=16)
    assert playback.steps == steps
    playback.advance(BANNER_SECONDS / 2, speed=16)
    assert playback.steps == 0
    assert "wins" not in words(playback.scene())
    assert "game 2 · won 1 : 0" in words(playback.scene())


def test_a_draw_is_called_one() -> None:
    playback = played("tracker", "tracker", max_steps=3)
    to_the_result(playback)
    assert playback.scores == [(0.0, 0.0)]
    assert "draw" in words(playback.scene())
    playback.step()
    assert "won" not in words(playback.scene())


def test_games_are_limited() -> None:
    playback = played(games=2)
    for _ in range(3000):
        if playback.over:
            break
        playback.advance(STEP)
    assert playback.over
    assert len(playback.scores) == 2
    assert all(own + other == 0 for own, other in playback.scores)


def test_a_match_is_a_function_of_its_seed() -> None:
    first, second = played("random", "tracker"), played("random", "tracker")
    for _ in range(60):
        first.advance(STEP)
        second.advance(STEP)
    assert first.scene() == second.scene()


def test_a_player_too_many_is_refused() -> None:
    env = make("SlimeVolley-v0", 1)
    with pytest.raises(InputError, match="is played by 2, not by 3"):
        Playback(env, [bot("noop", env.spec)] * 3)


def test_sides_of_several_seats() -> None:
    """Each sits in the team that it can fill, and has the score of its first seat."""
    env = Parlour("Hunt-v0", 1)
    deer, hunters = (
        Squad(name, {name: Random(env.spec.action_spaces[seat])}) for name, seat in (("deer", 2), ("hunter", 0))
    )
    playback = Playback(env, [deer, hunters], seed=5, games=3)
    assert playback.names == ("hunter", "deer")
    while not playback.over:
        playback.step()
    assert len(playback.scores) == 3
    for pair in playback.scores:
        assert len(pair) == 3 and pair[0] == pair[1] and sum(pair) == pytest.approx(0)
    assert "hunter" in words(playback.scene()) and "deer" in words(playback.scene())


def test_numbers_have_signs_and_few_digits() -> None:
    assert [signed(value) for value in (1.0, -3.0, 0.0, -0.001, 2.345)] == ["+1", "−3", "0", "0", "+2.35"]


def test_back_is_as_it_was_forward() -> None:
    """Every picture between any two steps, all the way back and then in any order; further than moments are kept."""
    playback = played("tracker", "tracker", lives=5)
    forward = []
    for _ in range(1200):
        playback.advance(STEP / 2)
        forward.append(playback.scene())
    assert playback.position == pytest.approx(600)
    playback.advance(STEP / 2, speed=-1)
    for index in reversed(range(1199)):
        assert playback.scene() == forward[index], index
        playback.advance(STEP / 2, speed=-1)
    for index in np.random.default_rng(0).permutation(1200)[:60]:
        playback.seek((index + 1) / 2)
        assert not playback.seeking
        assert playback.scene() == forward[index], index


def test_backwards_it_stops_at_the_beginning_and_goes_on_from_there() -> None:
    playback = played("tracker", "tracker")
    first = playback.scene()
    playback.advance(10 * STEP)
    playback.advance(1.0, speed=-4)
    assert playback.position == 0
    assert playback.scene() == first
    playback.advance(STEP)
    assert playback.steps == 1


def test_what_was_watched_does_not_depend_on_how() -> None:
    """Going back and forth changes nothing of a match that is still being played."""
    plain, restless = played("random", "tracker"), played("random", "tracker")
    for _ in range(12):
        plain.advance(5 * STEP)
        restless.advance(5 * STEP)
        restless.advance(3 * STEP, speed=-1)
        restless.step(-1)
        restless.seek(0)
        restless.seek(plain.position)
    assert restless.scene() == plain.scene()


def test_single_steps_go_to_whole_steps() -> None:
    playback = played("tracker", "tracker")
    playback.advance(3.4 * STEP)
    playback.step()
    assert playback.position == 4
    playback.advance(0.4 * STEP)
    playback.step(-1)
    assert playback.position == 4
    playback.step(-1)
    assert playback.position == 3
    playback.seek(0)
    playback.step(-1)
    assert playback.position == 0


def arrived(playback: Playback) -> Playback:
    while playback.seeking:
        playback.advance(STEP)
    return playback


def test_points_are_jumped_to() -> None:
    playback = played("baseline", "noop", lives=4)
    places = []
    for _ in range(3):
        playback.next_point()
        places.append(arrived(playback).steps)
        assert playback.game.won(playback.steps) == (len(places), 0)
        assert playback.game.won(playback.steps - 1) == (len(places) - 1, 0)
    assert places == sorted(places) == [at for at, _ in playback.game.points]
    playback.next_point()
    assert arrived(playback).ended
    playback.last_point()
    assert playback.steps == places[2]
    playback.last_point()
    assert playback.steps == places[1]
    playback.advance(1.0)
    playback.last_point()
    assert playback.steps == places[1]
    for _ in range(3):
        playback.last_point()
    assert playback.steps == 0


def test_a_rally_is_counted_in_crossings_of_the_net() -> None:
    playback = played("tracker", "random", lives=5)
    sides, rallies = [0.0], [0]
    for step in range(1, 900):
        if playback.ended:
            break
        playback.step()
        sides.append(float(np.sign(ball(playback.scene())[0])))
        rallies.append(playback.game.rally(step) or 0)
    points = [at for at, _ in playback.game.points]
    assert points
    for start, end in pairwise([0, *points]):  # at the step of a point the picture shows the next serve
        seen = [side for side in sides[start:end] if side]
        assert rallies[end] == sum(a != b for a, b in pairwise(seen))
        assert rallies[end + 1 : end + 2] in ([0], [])
    assert max(rallies) > 1


def test_games_can_be_gone_back_to() -> None:
    playback = played(games=3, lives=1)
    pictures = []
    for _ in range(2):
        playback.next_game()
        assert arrived(playback).ended
        pictures.append(playback.scene())
        playback.step()
    playback.advance(5 * STEP)
    third = playback.scene()
    playback.last_game()
    assert playback.steps == 0
    playback.last_game()
    playback.seek(float("inf"))
    same = [text for text in words(arrived(playback).scene()).splitlines() if "won" not in text]
    assert same == [text for text in words(pictures[0]).splitlines() if "won" not in text]
    assert len(playback.scores) == 2
    playback.next_game()
    playback.next_game()
    playback.seek(5)
    assert playback.scene() == third


def stored(lives: int = 2, seed: int = 4, title: str = "", names: tuple[str, str] = ("ada", "bob")) -> Replay:
    """A whole game of two bots."""
    options = {"lives": lives, "serve_delay": 3}
    env = make("SlimeVolley-v0", 1, **options)
    live = Live(env.spec, [bot("baseline", env.spec), bot("random", env.spec)], seed)
    simulation = Simulation(env, seed)
    while simulation.at(simulation.steps).score is None:
        simulation.append(live.act(simulation.at(simulation.steps)))
    end = simulation.at(simulation.steps)
    assert end.score is not None and end.ended is not None
    return Replay(
        env=env.spec.id,
        options=options,
        seed=seed,
        players=names,
        ratings=(25.0, None),
        actions=np.array(simulation.actions),
        score=end.score,
        ended=end.ended,
        rules=rules_of(env.spec.id, options),
        state_hash="0" * 64,
        title=title,
    )


def test_stored_games_are_shown_to_their_recorded_ends() -> None:
    replays = [stored(seed=4, title="longest rally"), stored(seed=5, names=("<b>", "ada"))]
    playback = Playback.of_replays(replays)
    assert playback.names == ("ada", "bob")
    assert playback.length == replays[0].steps
    assert "longest rally · game 1 of 2 · step 0" in words(playback.scene())
    assert "ada (25.0)" in words(playback.scene()) and "bob" in words(playback.scene()).splitlines()
    playback.seek(100)
    assert arrived(playback).steps == 100
    playback.next_game()  # at once: nobody is playing
    assert playback.steps == 0 and playback.names == ("<b>", "ada")
    assert playback.scores == []
    playback.seek(float("inf"))
    assert arrived(playback).scores == [replays[1].score]
    playback.next_game()
    assert playback.over
    playback.last_game()
    playback.seek(float("inf"))
    assert arrived(playback).scores == [replay.score for replay in replays]
    assert "won" not in words(playback.scene())


def test_a_goal_far_away_does_not_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playback_module, "BUDGET", 0.0)
    playback = Playback.of_replays([stored(lives=5)])
    playback.seek(50)
    for _ in range(49):
        assert playback.seeking
        playback.advance(STEP)
    assert playback.steps == 50 and not playback.seeking


def test_day_is_on_the_picture() -> None:
    playback = played("tracker", "tracker")
    night = playback.scene()
    playback.day = True
    day = playback.scene()
    assert day.background == DAY.background
    assert ball(night) in [(shape.x, shape.y) for shape in day.shapes if isinstance(shape, Circle)]


def test_a_side_of_a_stored_game_is_named_once() -> None:
    env = make("SlimeVolleyDoubles-v0", 1, max_steps=2)
    replay = Replay(
        env=env.spec.id,
        options={"max_steps": 2},
        seed=1,
        players=("ada", "ada", "bob", "cy"),
        ratings=(None,) * 4,
        actions=np.zeros((2, 4), np.int64),
        score=(0.0,) * 4,
        ended="limit",
        rules=rules_of(env.spec.id, {"max_steps": 2}),
        state_hash="0" * 64,
    )
    assert Playback.of_replays([replay]).names == ("ada", "bob + cy")


def test_without_a_display_the_way_out_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "no such driver")
    with pytest.raises(InputError, match="--record"):
        Viewer(played())


def test_the_caption_is_readable_on_day_and_night() -> None:
    playback = played()
    night = playback.scene()
    inks = [shape.color for shape in night.shapes if isinstance(shape, Text)]
    assert min(map(max, inks)) > 128
    env_scene = replace(night, background=(255, 255, 255), shapes=())
    from arena.viewer.hud import with_banner

    day = with_banner(env_scene, ("a", "b"), (1.0, -1.0))
    assert max(max(shape.color) for shape in day.shapes if isinstance(shape, Text)) < 128
