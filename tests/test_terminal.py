"""Scenes as characters: what is drawn, in which colours, and how little of it is sent."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from arena.viewer.cells import PLAIN, STANDARD, TRUE_COLOR, Cells, Style, cells_of, packed, panel, write
from arena.viewer.screen import changes, keys_of, lines
from arena.viewer.terminal import scene_text
from envs.bots import bot
from envs.registry import build
from envs.scene import Circle, Color, Rectangle, Scene, Shape, Text
from tests.pty_screen import Emulator

RED, BLUE, BLACK = (200, 0, 0), (0, 0, 200), (0, 0, 0)
COLORED, DOTS, ASCII = Style(TRUE_COLOR), Style(0), Style(0, unicode=False)


def scene_of(*shapes: Shape, background: Color = BLACK) -> Scene:
    """8 x 4 units: on 16 x 4 cells a unit is two cells wide and one high."""
    return Scene(0, 8, 0, 4, background, shapes, 640)


def text_of(cells: Cells) -> list[str]:
    return ["".join(chr(glyph) for glyph in row if glyph) for row in cells.glyph.tolist()]


def rgb(color: Color) -> int:
    return color[0] << 16 | color[1] << 8 | color[2]


def test_quarters_of_cells_have_their_colours() -> None:
    cells = cells_of(scene_of(Rectangle(0, 2, 4, 4, RED), Rectangle(4, 0, 8, 0.5, BLUE)), 16, 4, COLORED)
    assert (cells.paper[:2, :8] == rgb(RED)).all() and (cells.glyph[:2, :8] == ord(" ")).all()
    assert (cells.paper[:2, 8:] == 0).all()
    assert text_of(cells)[3] == " " * 8 + "▄" * 8
    assert (cells.ink[3, 8:] == rgb(BLUE)).all() and (cells.paper[3] == 0).all()
    half = cells_of(scene_of(Rectangle(0.25, 0, 1, 4, RED)), 16, 4, COLORED)
    assert text_of(half)[0][:3] == "▐  "
    assert [int(color) for color in half.paper[0, :3]] == [0, rgb(RED), 0]


def test_a_scene_keeps_its_shape_in_the_middle() -> None:
    wide, high = (cells_of(scene_of(background=RED), columns, rows, COLORED) for columns, rows in ((16, 10), (40, 4)))
    assert (wide.paper[3:7] == rgb(RED)).all() and (wide.paper[:3] == PLAIN).all() and (wide.paper[7:] == PLAIN).all()
    assert (high.paper[:, 12:28] == rgb(RED)).all() and (high.paper[:, :12] == PLAIN).all()


def test_dots_and_letters_stand_for_contrast() -> None:
    scene = scene_of(Rectangle(0, 0, 4, 4, (255, 255, 255)), Rectangle(4, 0, 6, 4, (60, 60, 60)))
    dots, letters = cells_of(scene, 16, 4, DOTS), cells_of(scene, 16, 4, ASCII)
    assert text_of(dots)[0].startswith("⣿" * 8) and text_of(dots)[0].endswith(" " * 4)
    faint = {bin(ord(dot) - 0x2800).count("1") for dot in text_of(dots)[0][8:12]}
    assert faint <= {3, 4, 5}
    assert text_of(letters) == ["@" * 8 + "====" + " " * 4] * 4
    assert (dots.ink == PLAIN).all() and (dots.paper == PLAIN).all()


def test_colours_without_unicode_are_patches() -> None:
    cells = cells_of(scene_of(Rectangle(0, 0, 4, 4, RED)), 16, 4, Style(TRUE_COLOR, unicode=False))
    assert (cells.glyph == ord(" ")).all()
    assert (cells.paper[:, :8] == rgb(RED)).all() and (cells.paper[:, 8:] == 0).all()


def test_words_are_written_as_words_and_do_not_cover_each_other() -> None:
    first, second = Text(4, 3.5, "ada  1", 1, RED), Text(4, 3.4, "step 12", 0.1, BLUE)
    cells = cells_of(scene_of(first, second), 16, 4, COLORED)
    assert text_of(cells)[:2] == ["     ada  1     ", "    step 12     "]
    assert cells.ink[0, 5] == rgb(RED) and cells.ink[1, 4] == rgb(BLUE)
    left, right = Text(0, 0.5, "left", 1, RED, "left"), Text(8, 0.5, "right", 1, RED, "right")
    assert text_of(cells_of(scene_of(left, right), 16, 4, COLORED))[3] == "left       right"
    long = cells_of(scene_of(Text(0, 0.5, "a long name", 1, RED, "left", room=3)), 16, 4, COLORED)
    assert text_of(long)[3] == "a lon…" + " " * 10
    assert text_of(cells_of(scene_of(replace(first, text="é − ·")), 16, 4, ASCII))[0] == "      ? - |     "


def test_a_name_cannot_steer_the_terminal() -> None:
    evil = Text(4, 3.5, "a\x1b[2Jb\x07\x9b\n\u202ec", 1, RED)
    for style in (COLORED, DOTS, ASCII):
        shown = "".join(text_of(cells_of(scene_of(evil), 40, 4, style)))
        assert "a[2Jb" in shown
        assert all(letter.isprintable() for letter in shown)


def test_wide_letters_take_two_cells() -> None:
    cells = Cells.blank(10, 1, COLORED)
    write(cells, 0, 1, "a漢b", RED, COLORED)
    assert cells.glyph[0, 1:5].tolist() == [ord("a"), ord("漢"), 0, ord("b")]
    screen = Emulator(10, 1)
    screen.feed(changes(None, cells))
    assert screen.text() == [" a漢b     "]
    write(cells, 0, 9, "漢", RED, COLORED)  # no room for its second half
    assert cells.glyph[0, 9] == ord(" ")


def test_a_panel_has_two_columns() -> None:
    cells = Cells.blank(24, 6, DOTS)
    panel(cells, ("space\tpause", "q\tquit"), DOTS)
    assert [line.rstrip() for line in text_of(cells)[2:4]] == ["      space  pause", "      q      quit"]
    panel(Cells.blank(3, 1, DOTS), ("space\tpause",) * 9, DOTS)  # too small: clipped


@pytest.mark.parametrize(("environ", "encoding", "style"), [
    ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, "utf-8", Style(TRUE_COLOR)),
    ({"TERM": "tmux-256color"}, "UTF-8", Style(256)),
    ({"TERM": "xterm-kitty"}, "utf8", Style(TRUE_COLOR)),
    ({"TERM": "xterm"}, "utf-8", Style(16)),
    ({"TERM": "vt100"}, "utf-8", Style(0)),
    ({"TERM": "xterm-256color", "COLORTERM": "truecolor", "NO_COLOR": "1"}, "utf-8", Style(0)),
    ({"TERM": "xterm-256color", "NO_COLOR": ""}, "utf-8", Style(256)),
    ({"TERM": "linux"}, "ISO-8859-1", Style(16, unicode=False)),
    ({}, "ascii", Style(0, unicode=False)),
])  # fmt: skip
def test_what_a_terminal_can_show(environ: dict[str, str], encoding: str, style: Style) -> None:
    assert Style.of(environ, encoding) == style


def test_colours_are_the_nearest_there_are() -> None:
    colors = np.array([[255, 0, 0], [0, 0, 0], [8, 8, 8], [128, 128, 128], [95, 135, 175], [250, 5, 3]])
    assert packed(colors, Style(256)).tolist() == [196, 16, 232, 244, 67, 196]
    assert packed(colors[:2], Style(16)).tolist() == [STANDARD.index(0xFF0000), 0]
    assert packed(colors, Style(TRUE_COLOR))[4] == 95 << 16 | 135 << 8 | 175
    assert (packed(colors, Style(0)) == PLAIN).all()


@pytest.mark.parametrize("style", [COLORED, Style(256), Style(16), DOTS, ASCII, Style(256, unicode=False)])
def test_changes_make_the_screen_what_it_shall_be(style: Style) -> None:
    """Frame after frame of a game, on a small emulator of a terminal."""
    env = build("SlimeVolley-v0", 1, {})
    env.reset(0)
    player = bot("random", env.spec)
    assert player.name == "random"
    screen, before = Emulator(60, 16), None
    rng = np.random.default_rng(0)
    for _ in range(40):
        env.step(rng.integers(0, env.spec.action_spaces[0].n, (1, 2)))  # type: ignore[attr-defined]
        cells = cells_of(env.draw(0), 60, 16, style)
        screen.feed(changes(before, cells))
        before = cells
        assert screen.text() == text_of(cells)
        seen = cells.glyph != ord(" ")
        assert (screen.paper == cells.paper).all()
        assert (screen.ink == cells.ink)[seen].all()
    assert changes(cells, cells) == ""


def test_little_is_sent() -> None:
    """The ball moves by a cell: some tens of bytes, where the whole picture takes thousands."""
    floor = Rectangle(0, 0, 8, 1, BLUE)
    before, after = (cells_of(scene_of(floor, Circle(x, 3, 0.3, RED)), 80, 20, COLORED) for x in (4.0, 4.1))
    assert 0 < len(changes(before, after)) < 600
    assert len(changes(None, after)) > 1200


def test_one_scene_as_text() -> None:
    scene = scene_of(Rectangle(0, 0, 4, 4, (255, 255, 255)), Text(6, 3.5, "hi", 1, RED))
    plain = scene_text(scene, 16, 4)
    assert plain.split("\n")[0] == "⣿" * 8 + "    hi".ljust(8).replace("    hi  ", "   hi   ")
    assert "\x1b" not in plain and plain.isascii() is False
    assert scene_text(scene, 16, 4, ASCII).isascii()
    colored = scene_text(scene, 16, 4, COLORED).split("\n")
    assert len(colored) == 4 and all(line.endswith("\x1b[0m") for line in colored)
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored[0]) == " " * 11 + "hi" + " " * 3
    assert "\x1b[48;2;255;255;255" in colored[0] and lines(cells_of(scene, 16, 4, COLORED)) == colored


def test_keys_are_what_terminals_send_for_them() -> None:
    assert keys_of(b" .qH") == ["space", ".", "q", "h"]
    assert keys_of(b"\x1b[A\x1b[B\x1bOC\x1bOD") == ["up", "down", "right", "left"]
    assert keys_of(b"\x1b") == ["escape"]
    assert keys_of(b"\x1b[1;5C\x1b[15~\x1b[?1;2cn") == ["n"]  # keys that nobody knows, and an answer to a question
    assert keys_of(b"\x1b[H\x1b[4~\x1b[5~\r\t\x7f") == ["home", "end", "page up", "return", "tab", "backspace"]
    assert keys_of("é\x00\xff".encode()) == ["é", "ÿ"]
    assert keys_of(b"\xff\xfe\x1b[") == ["escape", "["]
