"""The pictures: every shape where it belongs, at any size, and slime volleyball recognisable."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pygame
import pytest

from envs.draw import Image, paint, rgb_array, size
from envs.scene import Circle, Color, HalfDisc, Line, Picture, Rectangle, Scene, Shape, Text
from envs.slime_volley.scene import DAY, NIGHT, Palette, in_palette, slime_scene
from envs.window import Window

BLACK, RED, WHITE = (0, 0, 0), (255, 0, 0), (255, 255, 255)


def canvas(*shapes: Shape) -> Scene:
    """10 x 5 units at 20 pixels each, with these shapes on black."""
    return Scene(left=-5, right=5, bottom=0, top=5, background=BLACK, shapes=shapes, width=200)


def pixel(image: Image, scene: Scene, x: float, y: float) -> Color:
    """The colour at a point given in game units."""
    scale = image.shape[1] / (scene.right - scene.left)
    red, green, blue = image[int((scene.top - y) * scale), int((x - scene.left) * scale)]
    return int(red), int(green), int(blue)


def court(palette: Palette = NIGHT, **changes: object) -> Scene:
    """A slime volleyball moment: ball in the air on the right, left player standing, right one jumping."""
    moment: dict[str, object] = {
        "ball": np.array([5.0, 10.0, 0.0, 0.0]),
        "players": np.array([[-12.0, 1.5, 0.0, 0.0], [8.0, 4.0, 0.0, 0.0]]),
        "sides": (-1, 1),
        "lives": (5, 5),
        "delay": 0,
        "loser": None,
    }
    return slime_scene(**{**moment, **changes}, palette=palette)  # type: ignore[arg-type]


def test_rgb_array_has_the_scene_size_and_keeps_its_aspect() -> None:
    image = rgb_array(canvas())
    assert image.shape == (100, 200, 3)
    assert image.dtype == np.uint8
    assert image.flags.c_contiguous
    assert image.flags.writeable
    assert rgb_array(canvas(), width=80).shape == (40, 80, 3)
    assert size(canvas(), 401) == (401, 200)


def test_pictures_do_not_share_memory() -> None:
    first = rgb_array(canvas())
    second = rgb_array(canvas(Rectangle(-5, 0, 5, 5, RED)))
    assert not first.any()
    assert (second == RED).all()


@pytest.mark.parametrize("width", [200, 333, 800])
def test_a_disc_covers_its_area_around_its_centre(width: int) -> None:
    scene = canvas(Circle(1.3, 2.6, 1.0, RED))
    image = rgb_array(scene, width)
    scale = width / 10
    share = image[..., 0] / 255
    rows, columns = np.indices(share.shape) + 0.5
    assert share.sum() == pytest.approx(np.pi * scale**2, rel=0.01)
    assert (share * columns).sum() / share.sum() == pytest.approx((1.3 + 5) * scale, abs=0.15)
    assert (share * rows).sum() / share.sum() == pytest.approx((5 - 2.6) * scale, abs=0.15)
    assert pixel(image, scene, 1.3 + 1.1, 2.6) == BLACK
    assert pixel(image, scene, 1.3 + 0.9, 2.6) == RED


def test_edges_are_smooth() -> None:
    values = set(rgb_array(canvas(Circle(0, 2.5, 1.0, RED)))[..., 0].ravel().tolist())
    assert len(values) > 10


def test_a_half_disc_is_the_upper_half_only() -> None:
    scene = canvas(HalfDisc(0, 2, 1.5, RED))
    image = rgb_array(scene)
    assert pixel(image, scene, 0, 2.1) == RED
    assert pixel(image, scene, 0, 3.4) == RED
    assert pixel(image, scene, -1.4, 2.1) == RED
    assert pixel(image, scene, 0, 1.9) == BLACK
    assert pixel(image, scene, 1.4, 3.0) == BLACK
    assert (image[..., 0] / 255).sum() == pytest.approx(np.pi * 30**2 / 2, rel=0.01)


def test_rectangles_are_exact_on_whole_pixels_and_shared_between() -> None:
    scene = canvas(Rectangle(-1, 1, 2, 3, RED))
    image = rgb_array(scene)
    assert (image == RED).all(axis=2).sum() == 60 * 40
    assert (image.any(axis=2)).sum() == 60 * 40
    shifted = rgb_array(canvas(Rectangle(-1.025, 1, 2.025, 3, RED)))  # half a pixel more on both sides
    assert (shifted[..., 0] / 255).sum() == pytest.approx(61 * 40, rel=0.002)


def test_a_line_has_its_width_in_any_direction() -> None:
    for end in [(3.0, 2.5), (0.0, 4.5), (2.0, 4.5)]:
        scene = canvas(Line(0, 2.5, *end, 0.5, RED))
        image = rgb_array(scene)
        length = np.hypot(end[0], end[1] - 2.5)
        assert pixel(image, scene, end[0] / 2, (2.5 + end[1]) / 2) == RED
        assert (image[..., 0] > 127).sum() == pytest.approx(length * 0.5 * 400, rel=0.15)


def test_text_is_centred_and_as_high_as_asked() -> None:
    scene = canvas(Text(1, 2.5, "HHHH", 1.0, WHITE))
    inked = np.argwhere(rgb_array(scene).any(axis=2))
    top, left = inked.min(axis=0)
    bottom, right = inked.max(axis=0)
    assert (left + right) / 2 == pytest.approx(6 * 20, abs=2)
    assert (top + bottom) / 2 == pytest.approx(2.5 * 20, abs=3)
    assert 8 <= bottom - top <= 20


def inked(*shapes: Shape) -> tuple[int, int]:
    """First and last column with ink, of 200."""
    columns = np.flatnonzero(rgb_array(canvas(*shapes)).any(axis=(0, 2)))
    return int(columns[0]), int(columns[-1])


def test_text_is_aligned() -> None:
    assert inked(Text(0, 2.5, "HHH", 1.0, WHITE, "left"))[0] == pytest.approx(100, abs=3)
    assert inked(Text(0, 2.5, "HHH", 1.0, WHITE, "right"))[1] == pytest.approx(100, abs=3)


@pytest.mark.parametrize(
    "text", ["W" * 9, "W" * 500, "漢字かな" * 40, "Ж" * 60, "<b>&amp;" * 20, "🙂" * 90, "ñ\n\0\x1b[2J"]
)
def test_text_stays_in_its_room(text: str) -> None:
    left, right = inked(Text(0, 2.5, text, 1.0, WHITE, room=4.0))
    assert left >= 60 and right < 140
    if len(text) > 60:
        assert right - left > 60  # it is cut short, not made tiny


def test_text_with_room_is_as_it_was() -> None:
    wide, plain = Text(0, 2.5, "abc", 1.0, WHITE, room=9.0), Text(0, 2.5, "abc", 1.0, WHITE)
    np.testing.assert_array_equal(rgb_array(canvas(wide)), rgb_array(canvas(plain)))


def test_a_picture_fills_its_rectangle() -> None:
    pixels = np.array([[RED, WHITE], [WHITE, RED]], np.uint8)
    scene = canvas(Picture(-1, 1, 3, 3, 2, 2, pixels.tobytes()))
    image = rgb_array(scene)
    assert pixel(image, scene, 0, 2.5) == RED
    assert pixel(image, scene, 2, 2.5) == WHITE
    assert pixel(image, scene, 0, 1.5) == WHITE
    assert pixel(image, scene, 2, 1.5) == RED
    assert image.any(axis=2).sum() == 80 * 40


def test_text_survives_someone_elses_quit() -> None:
    words = canvas(Text(0, 2.5, "before", 1.0, WHITE))
    before = rgb_array(words)
    pygame.quit()
    assert (rgb_array(words) == before).all()
    assert rgb_array(canvas(Text(0, 2.5, "after", 1.0, WHITE))).any()


def test_later_shapes_hide_earlier_ones_and_what_is_outside_is_cut() -> None:
    scene = canvas(Circle(0, 2, 1, WHITE), Rectangle(-9, -9, 9, 9, RED))
    assert (rgb_array(scene) == RED).all()


def test_paint_fills_any_surface() -> None:
    surface = pygame.Surface((50, 25), 0, 32)
    paint(canvas(Rectangle(-5, 0, 0, 5, RED)), surface)
    assert surface.get_at((10, 10))[:3] == RED
    assert surface.get_at((40, 10))[:3] == BLACK


def test_slime_volleyball_is_where_the_state_says() -> None:
    scene = court()
    image = rgb_array(scene)
    assert image.shape == (500, 1200, 3)
    assert pixel(image, scene, 5, 10) == NIGHT.ball
    assert pixel(image, scene, -12, 1.6) == NIGHT.left
    assert pixel(image, scene, 8, 4.1) == NIGHT.right
    assert pixel(image, scene, 8, 3.9) == NIGHT.background
    assert pixel(image, scene, 0, 2.5) == NIGHT.fence
    assert pixel(image, scene, 0, 3.9) == NIGHT.fence
    assert pixel(image, scene, 0, 1.0) == NIGHT.ground
    assert pixel(image, scene, -20, 12) == NIGHT.background


def test_the_ground_hides_what_sinks_into_it() -> None:
    scene = court(ball=np.array([5.0, 1.2, 0.0, 0.0]))
    assert pixel(rgb_array(scene), scene, 5, 1.2) == NIGHT.ground


def test_day_changes_the_colours_and_nothing_else() -> None:
    night, day = court(), court(DAY)
    assert pixel(rgb_array(day), day, 5, 10) == DAY.ball
    assert day.background == DAY.background
    assert [colourless(shape) for shape in day.shapes] == [colourless(shape) for shape in night.shapes]
    assert in_palette(night, DAY) == day
    assert in_palette(day, DAY) == day


def colourless(shape: Shape) -> Shape:
    assert not isinstance(shape, Picture)
    return replace(shape, color=BLACK)


def test_day_dims_the_second_of_a_side_too() -> None:
    players = np.array([[-15.0, 1.5, 0, 0], [-6.0, 1.5, 0, 0], [6.0, 1.5, 0, 0], [15.0, 1.5, 0, 0]])
    night, day = (court(palette, players=players, sides=(-1, -1, 1, 1)) for palette in (NIGHT, DAY))
    assert in_palette(night, DAY) == day


def coins(scene: Scene) -> list[tuple[float, float]]:
    found = [shape for shape in scene.shapes if isinstance(shape, Circle) and shape.color == NIGHT.fence]
    return [(coin.x, coin.y) for coin in found if coin.y > 10]


def test_coins_are_the_lives_but_the_last() -> None:
    assert coins(court(lives=(3, 2))) == [(-22.5, 18.5), (-20.5, 18.5), (22.5, 18.5)]
    assert coins(court(lives=(1, 1))) == []
    assert coins(court(lives=(0, 1))) == []
    assert all(abs(x) > 2 for x, _ in coins(court(lives=(1000, 1000))))


def pupils(scene: Scene) -> list[tuple[float, float]]:
    """Where each pupil stands, seen from the middle of its eye."""
    discs = [shape for shape in scene.shapes if isinstance(shape, Circle)]
    eyes = [disc for disc in discs if disc.color == NIGHT.eye]
    blacks = [disc for disc in discs if disc.color == NIGHT.pupil]
    return [(black.x - eye.x, black.y - eye.y) for eye, black in zip(eyes, blacks, strict=True)]


def test_eyes_follow_the_ball() -> None:
    for x, y in pupils(court(ball=np.array([0.0, 19.0, 0.0, 0.0]))):
        assert np.hypot(x, y) == pytest.approx(0.225)
        assert y > 0
    (left, _), (right, _) = pupils(court(ball=np.array([0.0, 5.0, 0.0, 0.0])))
    assert left > 0 > right


def test_the_loser_looks_down_until_the_serve_flies() -> None:
    sad = np.array([-1.0, -3.0]) / np.sqrt(10) * 0.225
    assert pupils(court(loser=1, delay=10))[1] == pytest.approx(tuple(sad))
    assert pupils(court(loser=1, delay=10))[0] == pupils(court())[0]
    assert pupils(court(loser=-1, delay=10))[0] == pytest.approx((-sad[0], sad[1]))
    assert pupils(court(loser=1, delay=0)) == pupils(court())


def test_a_ball_above_the_picture_is_marked_at_its_edge() -> None:
    scene = court(ball=np.array([-7.0, 22.0, 0.0, 0.0]))
    assert pixel(rgb_array(scene), scene, -7, 19.7) == NIGHT.ball


def test_the_second_of_a_side_is_dimmer() -> None:
    """By a third of the way to the background; nothing else is drawn otherwise."""
    players = np.array([[-15.0, 1.5, 0, 0], [-6.0, 1.5, 0, 0], [6.0, 1.5, 0, 0], [15.0, 1.5, 0, 0]])
    scene = court(players=players, sides=(-1, -1, 1, 1))
    bodies = [(shape.x, shape.color) for shape in scene.shapes if isinstance(shape, HalfDisc)]
    dimmed = [
        tuple(round((2 * own + dark) / 3) for own, dark in zip(color, NIGHT.background, strict=True))
        for color in (NIGHT.left, NIGHT.right)
    ]
    assert bodies == [(-15, NIGHT.left), (-6, dimmed[0]), (6, NIGHT.right), (15, dimmed[1])]
    plain = court(players=players[[0, 2]], sides=(-1, 1))
    assert len(scene.shapes) == len(plain.shapes) + 2 * 3  # body, eye and pupil


def test_a_window_shows_the_scene_at_any_shape_and_closes() -> None:
    window = Window("test", 200, 200)
    try:
        window.show(canvas(Rectangle(-5, 0, 5, 5, RED)), ["space\tpause", "one"])
        screen = pygame.display.get_surface()
        assert screen is not None
        assert screen.get_at((2, 100))[:3] == RED
        assert screen.get_at((100, 20))[:3] == BLACK  # the scene is half as high as this window
        assert screen.get_at((100, 60))[:3] == RED
        pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=pygame.K_RIGHT, unicode=""))
        pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=pygame.K_EQUALS, unicode="+"))
        pygame.event.post(pygame.event.Event(pygame.QUIT))
        assert window.pressed() == ["right", "+", "quit"]
        assert window.held() == {"right", "="}
        assert window.is_open
    finally:
        window.close()
        window.close()
    assert not window.is_open


@pytest.fixture
def strip() -> Iterator[Window]:
    """200 x 100 pixels of scene and 20 of strip."""
    window = Window("test", 200, 100, strip=20)
    yield window
    window.close()


def post(kind: int, **what: object) -> None:
    pygame.event.post(pygame.event.Event(kind, what))


def test_keys_are_held_until_they_are_let_go(strip: Window) -> None:
    post(pygame.KEYDOWN, key=pygame.K_LEFT, mod=pygame.KMOD_LSHIFT)
    post(pygame.KEYDOWN, key=pygame.K_a, unicode="A", mod=pygame.KMOD_LSHIFT)
    assert strip.pressed() == ["shift+left", "a"]
    assert strip.pressed() == []
    assert strip.held() == {"left", "a"}
    post(pygame.KEYUP, key=pygame.K_a)
    strip.pressed()
    assert strip.held() == {"left"}
    post(pygame.WINDOWFOCUSLOST)
    strip.pressed()
    assert strip.held() == set()


def test_a_key_that_is_tapped_counts_as_held_once(strip: Window) -> None:
    post(pygame.KEYDOWN, key=pygame.K_UP)
    post(pygame.KEYUP, key=pygame.K_UP)
    strip.pressed()
    assert strip.held() == {"up"}
    strip.pressed()
    assert strip.held() == set()


def test_the_strip_is_below_the_scene(strip: Window) -> None:
    blue = Scene(0, 200, 0, 20, (0, 0, 255), (), 200)
    strip.show(canvas(Rectangle(-5, 0, 5, 5, RED)), (), blue)
    screen = pygame.display.get_surface()
    assert screen is not None
    assert strip.size == (200, 120)
    assert screen.get_at((100, 99))[:3] == RED
    assert screen.get_at((100, 101))[:3] == (0, 0, 255)


def test_the_strip_is_scrubbed_from_where_it_is_gripped(strip: Window) -> None:
    def told(kind: int, x: int, y: int) -> float | None:
        post(kind, pos=(x, y), **({} if kind == pygame.MOUSEMOTION else {"button": 1}))
        strip.pressed()
        return strip.scrubbed()

    assert told(pygame.MOUSEMOTION, 30, 110) is None
    assert told(pygame.MOUSEBUTTONDOWN, 30, 50) is None  # on the scene
    assert told(pygame.MOUSEMOTION, 40, 110) is None
    assert told(pygame.MOUSEBUTTONUP, 40, 110) is None
    assert told(pygame.MOUSEBUTTONDOWN, 50, 110) == 0.25
    assert strip.scrubbed() is None
    assert told(pygame.MOUSEMOTION, 100, 10) == 0.5
    assert told(pygame.MOUSEMOTION, 500, 10) == 1.0
    assert told(pygame.MOUSEBUTTONUP, 150, 10) == 0.75
    assert told(pygame.MOUSEMOTION, 20, 110) is None
