"""The viewer: time, speed, keys and results, without a display and without waiting."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pygame
import pytest

from arena.viewer import playback as playback_module
from arena.viewer.hud import signed
from arena.viewer.playback import BANNER_SECONDS, Playback, between
from arena.viewer.window import KEYS, Viewer
from envs import make
from envs.bots import Random
from envs.errors import InputError
from envs.scene import Circle, HalfDisc, Rectangle, Scene, Shape, Text
from envs.side import Squad
from envs.slime_volley.bots import bot
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


@pytest.fixture
def viewer() -> Iterator[Viewer]:
    opened = Viewer(played(), width=300)
    yield opened
    opened.close()


def press(viewer: Viewer, *keys: int, seconds: float = 0.0) -> bool:
    """Press keys, then let the viewer work for a tick."""
    for key in keys:
        pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=key, unicode=""))
    return viewer.tick(seconds)


def test_a_step_of_play_takes_a_step_of_time() -> None:
    playback = played()
    assert playback.steps == 1
    for steps in range(2, 12):
        playback.advance(STEP)
        assert playback.steps == steps


@pytest.mark.parametrize(("speed", "steps"), [(0.25, 3), (1.0, 10), (4.0, 40)])
def test_speed_changes_steps_per_second(speed: float, steps: int) -> None:
    playback = played("tracker", "tracker")
    for _ in range(20):
        playback.advance(STEP / 2, speed)
    assert playback.steps == pytest.approx(1 + steps, abs=1)


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


def test_between_leaves_jumps_and_strangers_alone() -> None:
    red = (255, 0, 0)
    near = between(scene_of(Circle(0, 0, 1, red)), scene_of(Circle(1, 0, 1, red)), 0.25)
    assert near.shapes == (Circle(0.25, 0, 1, red),)
    new_serve = scene_of(Circle(9, 9, 1, red))
    assert between(scene_of(Circle(0, 0, 1, red)), new_serve, 0.25) == new_serve
    other = scene_of(HalfDisc(1, 0, 1, (0, 255, 0)), Rectangle(0, 0, 2, 2, red))
    assert between(scene_of(Circle(0, 0, 1, red), Rectangle(0, 0, 1, 1, red)), other, 0.25) == other
    assert between(scene_of(), other, 0.25) == other


def test_names_score_and_step_are_on_the_picture() -> None:
    playback = played("baseline", "noop", lives=2)
    while playback.steps < 40:
        playback.advance(STEP)
    text = words(playback.scene("2x"))
    assert "baseline" in text
    assert "noop" in text
    assert "game 1 · step 40 · 2x" in text
    assert "0 : 0" in text or "+1 : −1" in text


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
    assert ball(shown)[1] < 4  # about to land, not the next serve at 12
    playback.advance(BANNER_SECONDS / 2, speed=16)
    assert playback.steps == steps
    playback.advance(BANNER_SECONDS / 2, speed=16)
    assert playback.steps == 1
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


def test_space_pauses_and_goes_on(viewer: Viewer) -> None:
    assert press(viewer, seconds=STEP)
    before = viewer.playback.steps
    press(viewer, pygame.K_SPACE, seconds=STEP)
    press(viewer, seconds=STEP)
    assert viewer.paused
    assert viewer.playback.steps == before
    press(viewer, pygame.K_SPACE, seconds=STEP)
    assert viewer.playback.steps == before + 1


def test_right_and_period_step_and_pause(viewer: Viewer) -> None:
    before = viewer.playback.steps
    press(viewer, pygame.K_RIGHT, pygame.K_PERIOD, seconds=STEP)
    assert viewer.paused
    assert viewer.playback.steps == before + 2


def test_speed_keys_stay_between_a_quarter_and_sixteen(viewer: Viewer) -> None:
    press(viewer, pygame.K_UP)
    assert viewer.speed == 2
    press(viewer, *[pygame.K_PLUS] * 9)
    assert viewer.speed == 16
    press(viewer, *[pygame.K_MINUS] * 3, pygame.K_DOWN)
    assert viewer.speed == 1
    press(viewer, *[pygame.K_DOWN] * 9)
    assert viewer.speed == 0.25


def test_faster_plays_more_steps_in_the_same_time(viewer: Viewer) -> None:
    press(viewer, pygame.K_UP, pygame.K_UP, seconds=0.0)
    before = viewer.playback.steps
    press(viewer, seconds=2 * STEP)
    assert viewer.playback.steps == before + 8


def test_a_hiccup_does_not_fast_forward(viewer: Viewer) -> None:
    before = viewer.playback.steps
    press(viewer, seconds=60.0)
    assert viewer.playback.steps <= before + 3


def test_n_goes_to_the_result_and_then_to_the_next_game(viewer: Viewer) -> None:
    press(viewer, pygame.K_n)
    for _ in range(100):
        if not viewer.skipping:
            break
        viewer.tick(STEP)
    assert len(viewer.playback.scores) == 1
    press(viewer, pygame.K_n)
    assert viewer.playback.steps == 1
    assert len(viewer.playback.scores) == 1


@pytest.mark.parametrize("key", [pygame.K_q, pygame.K_ESCAPE])
def test_quit_keys_end_it(viewer: Viewer, key: int) -> None:
    assert not press(viewer, key)


def test_closing_the_window_ends_it(viewer: Viewer) -> None:
    pygame.event.post(pygame.event.Event(pygame.QUIT))
    assert not viewer.tick(STEP)


def test_other_keys_do_nothing(viewer: Viewer) -> None:
    before = (viewer.speed, viewer.paused, viewer.playback.steps)
    assert press(viewer, pygame.K_x, pygame.K_F5, pygame.K_TAB)
    assert (viewer.speed, viewer.paused, viewer.playback.steps) == before


def test_h_shows_the_keys_over_the_picture(viewer: Viewer) -> None:
    viewer.paused = True

    def picture() -> bytes:
        viewer.tick(0.0)
        screen = pygame.display.get_surface()
        assert screen is not None
        return pygame.image.tobytes(screen, "RGB")

    plain = picture()
    pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=pygame.K_h, unicode="h"))
    assert picture() != plain
    pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=pygame.K_h, unicode="H"))
    assert picture() == plain


def test_every_key_of_the_help_is_obeyed(viewer: Viewer) -> None:
    """A key is obeyed if pressing it changes the viewer or the playback."""
    for key in (word for line in KEYS for word in line.partition("\t")[0].split()):
        seen: list[object] = []
        for name in ("", {"esc": "escape"}.get(key, key)):
            fresh = Viewer(played(), speed=1.0, width=200)
            fresh._obey(name)
            state = {k: v for k, v in vars(fresh).items() if k not in ("playback", "_window")}
            seen.append((state, fresh.playback.steps))
            fresh.close()
        assert seen[0] != seen[1], key


def test_run_ends_by_time_and_closes_the_window() -> None:
    viewer = Viewer(played(), width=200)
    seconds = viewer.run(fps=200, max_seconds=0.05)
    assert 0.05 <= seconds < 5
    assert not pygame.display.get_init()


def test_run_ends_after_the_last_game(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playback_module, "BANNER_SECONDS", 0.01)
    viewer = Viewer(played(games=1, max_steps=5), speed=16, width=200)
    viewer.run(fps=200, max_seconds=20)
    assert viewer.playback.over


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
    assert max(max(shape.color) for shape in day.shapes) < 128
