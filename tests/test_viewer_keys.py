"""The viewer's keys, mouse and speeds, on a display that nobody sees."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pygame
import pytest

from arena.replay import Replay
from arena.replay.rules import rules_of
from arena.viewer import playback as playback_module
from arena.viewer.playback import Playback
from arena.viewer.steering import HOLDING, JUMP, WINDING, Steering
from arena.viewer.timeline import SIDE, place, timeline
from arena.viewer.window import Viewer
from envs import make
from envs.bots import Random
from envs.scene import Circle, Rectangle
from envs.slime_volley.bots import bot
from tests.test_viewer import arrived, played, words

STEP = 1 / 30


@pytest.fixture
def viewer() -> Iterator[Viewer]:
    opened = Viewer(played("tracker", "tracker"), width=300)
    yield opened
    opened.close()


def press(viewer: Viewer, *keys: int, seconds: float = 0.0, mod: int = 0, up: bool = True) -> bool:
    """Press keys (and let them go), then let the viewer work for a tick."""
    for key in keys:
        pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=key, unicode="", mod=mod))
        if up:
            pygame.event.post(pygame.event.Event(pygame.KEYUP, key=key, mod=mod))
    return viewer.tick(seconds)


def arrive(viewer: Viewer) -> None:
    """Wait until it is where it was sent to."""
    while viewer.playback.seeking:
        viewer.tick(STEP)


def test_space_pauses_and_goes_on(viewer: Viewer) -> None:
    assert press(viewer, seconds=STEP)
    assert viewer.playback.steps == 1
    press(viewer, pygame.K_SPACE, seconds=STEP)
    press(viewer, seconds=STEP)
    assert viewer.steering.paused
    assert viewer.playback.steps == 1
    press(viewer, pygame.K_SPACE, seconds=STEP)
    assert viewer.playback.steps == 2


def test_arrows_step_and_pause(viewer: Viewer) -> None:
    press(viewer, pygame.K_RIGHT, pygame.K_PERIOD, pygame.K_RIGHT, seconds=STEP)
    assert viewer.steering.paused
    assert viewer.playback.steps == 3
    press(viewer, pygame.K_LEFT, pygame.K_COMMA, seconds=STEP)
    assert viewer.playback.steps == 1


def test_an_arrow_that_is_held_down_winds(viewer: Viewer) -> None:
    press(viewer, pygame.K_RIGHT, up=False)
    ticks = round((HOLDING + 1) / STEP)
    for _ in range(ticks):
        viewer.tick(STEP)
    assert viewer.playback.steps == pytest.approx(1 + 30 * WINDING, abs=2 * WINDING)
    there = viewer.playback.steps
    press(viewer, pygame.K_LEFT, up=False)  # both at once: neither
    viewer.tick(STEP)
    assert viewer.playback.steps == there - 1
    pygame.event.post(pygame.event.Event(pygame.KEYUP, key=pygame.K_RIGHT))
    for _ in range(ticks):
        viewer.tick(STEP)
    assert viewer.playback.steps == pytest.approx(0, abs=2 * WINDING)


def test_shift_and_home_jump(viewer: Viewer) -> None:
    press(viewer, pygame.K_SPACE)
    press(viewer, pygame.K_RIGHT, mod=pygame.KMOD_LSHIFT)
    arrive(viewer)
    assert viewer.playback.steps == JUMP * 30
    press(viewer, pygame.K_RIGHT)
    press(viewer, pygame.K_LEFT, mod=pygame.KMOD_RSHIFT)
    assert viewer.playback.steps == 1
    press(viewer, pygame.K_END)
    arrive(viewer)
    assert viewer.playback.ended
    press(viewer, pygame.K_HOME)
    assert viewer.playback.steps == 0


def test_r_runs_backwards(viewer: Viewer) -> None:
    while viewer.playback.steps < 60:
        viewer.playback.step()
    press(viewer, pygame.K_r, pygame.K_UP, seconds=STEP)
    assert viewer.playback.steps == 58
    assert viewer.steering.status == "−2x"
    press(viewer, pygame.K_r, seconds=STEP)
    assert viewer.playback.steps == 60


def test_speed_keys_stay_between_a_quarter_and_sixteen(viewer: Viewer) -> None:
    press(viewer, pygame.K_UP)
    assert viewer.steering.speed == 2
    press(viewer, *[pygame.K_PLUS] * 9)
    assert viewer.steering.speed == 16
    press(viewer, *[pygame.K_MINUS] * 3, pygame.K_DOWN)
    assert viewer.steering.speed == 1
    press(viewer, *[pygame.K_DOWN] * 9)
    assert viewer.steering.speed == 0.25


def test_faster_plays_more_steps_in_the_same_time(viewer: Viewer) -> None:
    press(viewer, pygame.K_UP, pygame.K_UP, seconds=2 * STEP)
    assert viewer.playback.steps == 8


def test_a_hiccup_does_not_fast_forward(viewer: Viewer) -> None:
    press(viewer, seconds=60.0)
    assert viewer.playback.steps <= 3


def test_n_and_b_go_through_the_games() -> None:
    viewer = Viewer(played(), width=100)
    for expected in (1, 1, 2):  # to the result, to the next game, to its result
        press(viewer, pygame.K_n)
        arrive(viewer)
        assert len(viewer.playback.scores) == expected
    assert viewer.playback.ended
    press(viewer, pygame.K_b)
    assert viewer.playback.steps == 0
    assert "game 1" in words(viewer.playback.scene())
    viewer.close()


def test_brackets_go_to_points_and_serves() -> None:
    viewer = Viewer(played("baseline", "noop", lives=3), width=100)
    press(viewer, pygame.K_SPACE, pygame.K_RIGHTBRACKET)
    arrive(viewer)
    first = viewer.playback.steps
    assert viewer.playback.game.points == [(first, 0)]
    press(viewer, pygame.K_RIGHTBRACKET)
    arrive(viewer)
    assert viewer.playback.steps == viewer.playback.game.points[1][0] > first
    press(viewer, pygame.K_LEFTBRACKET)
    assert viewer.playback.steps == first
    viewer.close()


@pytest.mark.parametrize("key", [pygame.K_q, pygame.K_ESCAPE])
def test_quit_keys_end_it(viewer: Viewer, key: int) -> None:
    assert not press(viewer, key)


def test_closing_the_window_ends_it(viewer: Viewer) -> None:
    pygame.event.post(pygame.event.Event(pygame.QUIT))
    assert not viewer.tick(STEP)


def test_other_keys_do_nothing(viewer: Viewer) -> None:
    def state() -> tuple[object, ...]:
        steering, playback = viewer.steering, viewer.playback
        return steering.speed, steering.paused, playback.position, playback.day, playback.overlays

    before = state()
    # p and w mean something where there are networks to ask, which these players do not have.
    assert press(viewer, pygame.K_x, pygame.K_F5, pygame.K_TAB, pygame.K_p, pygame.K_w)
    assert state() == before


def screen() -> bytes:
    surface = pygame.display.get_surface()
    assert surface is not None
    return pygame.image.tobytes(surface, "RGB")


def test_h_shows_the_keys_over_the_picture(viewer: Viewer) -> None:
    press(viewer, pygame.K_SPACE)
    plain = screen()
    press(viewer, pygame.K_h)
    assert screen() != plain
    pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=pygame.K_h, unicode="H"))
    viewer.tick(0.0)
    assert screen() == plain


def names_in(line: str) -> list[str]:
    return [{"esc": "escape"}.get(key, key) for key in line.partition("\t")[0].split()]


@pytest.mark.parametrize("game", ["SlimeVolley-v0", "ConnectFour-v0", "Spread-v0", "CartPole-v1"])
def test_every_key_of_the_help_is_obeyed(game: str) -> None:
    """A key is obeyed if pressing it changes what is shown, how it runs, or whether."""

    def state(key: str) -> tuple[object, ...]:
        env = make(game, 1)
        players = [Random(env.spec.action_spaces[0]) for _ in range(max(env.spec.teams) + 1)]
        steering = Steering(Playback(env, players, games=2))
        playback = steering.playback
        playback.next_game()
        arrived(playback)
        playback.next_game()
        playback.step()
        playback.step()
        steering.obey(key)
        arrived(playback)
        own = {name: value for name, value in vars(steering).items() if name != "playback"}
        return own, playback.scene(), playback.over

    env = make(game, 1)
    players = [Random(env.spec.action_spaces[0]) for _ in range(max(env.spec.teams) + 1)]
    keys = [key for line in Steering(Playback(env, players)).keys for key in names_in(line)]
    assert {"space", "left", "h", "q"} <= {*keys}
    assert ("v" in keys) == ("t" in keys) == (game == "SlimeVolley-v0")
    untouched = state("")
    for key in keys:
        assert state(key) != untouched, key


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


def still(steps: int = 40) -> Replay:
    """Nobody does anything until the time is over."""
    options = {"max_steps": steps, "serve_delay": 1000}
    actions = np.zeros((steps, 2), np.int64)
    rules = rules_of("SlimeVolley-v0", options)
    return Replay("SlimeVolley-v0", options, 1, ("a", "b"), (None, None), actions, (0.0, 0.0), "limit", rules, "0" * 64)


def test_stored_games_stay_at_their_end_and_can_be_rewound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playback_module, "BANNER_SECONDS", 0.01)
    viewer = Viewer(Playback.of_replays([still()]), width=200, speed=16)
    for _ in range(20):
        assert viewer.tick(STEP)
    assert viewer.steering.paused and viewer.playback.ended
    press(viewer, pygame.K_LEFT)
    assert viewer.playback.steps == 39
    viewer.close()


def test_the_strip_is_where_the_game_is() -> None:
    playback = Playback.of_replays([still()])
    playback.seek(10)
    strip = timeline(playback, 640, "2x")
    knob = next(shape for shape in strip.shapes if isinstance(shape, Circle))
    assert knob.x == pytest.approx(SIDE + 500 / 4)
    assert words(strip).splitlines() == ["0:00", "2x"]
    assert place(playback, knob.x / 640, 640) == pytest.approx(10)
    assert place(playback, 0.0, 640) == 0
    assert place(playback, 1.0, 640) == 40


def test_points_are_marked_on_the_strip() -> None:
    playback = played("baseline", "noop", lives=3)
    for _ in range(2):
        playback.next_point()
        arrived(playback)
    marks = [s for s in timeline(playback, 640, "").shapes if isinstance(s, Rectangle) and s.right - s.left == 3]
    assert len(marks) == 2
    assert (marks[1].left + marks[1].right) / 2 == 640 - SIDE  # the game is as long as it has been watched


def test_the_mouse_scrubs() -> None:
    viewer = Viewer(Playback.of_replays([still()]), width=640)
    bottom = viewer._window.size[1] - 10

    def at(kind: int, x: float, **button: int) -> int:
        pygame.event.post(pygame.event.Event(kind, {"pos": (round(x), bottom), **button}))
        viewer.tick(STEP)
        return viewer.playback.steps

    assert at(pygame.MOUSEBUTTONDOWN, SIDE + 250, button=1) == 20
    assert at(pygame.MOUSEMOTION, SIDE + 375) == 30
    assert at(pygame.MOUSEMOTION, SIDE + 125) == 10
    assert at(pygame.MOUSEBUTTONUP, SIDE + 125, button=1) == 10
    viewer.tick(STEP)
    assert viewer.playback.steps == 11  # and it goes on from there
    viewer.close()


def test_bots_of_any_name_fit(viewer: Viewer) -> None:
    """Names are only text, however long."""
    env = make("SlimeVolley-v0", 1)
    long, odd = bot("noop", env.spec), bot("noop", env.spec)
    long.name, odd.name = "x" * 3000, "<script>\n\x00漢字 العربية 🙂"
    shown = Viewer(Playback(env, [long, odd]), width=200)
    assert shown.tick(STEP)
    shown.close()
