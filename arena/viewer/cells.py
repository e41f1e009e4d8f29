"""Cells: a scene as characters with colours, for terminals.

In colour every cell shows four quarters in the two colours that fit them best (block characters). Without colour it
shows 2 x 4 dots (braille), the denser the more a shape stands out from the background. Where only ASCII can be
written, a cell is one patch of colour, or one letter of a ramp from faint to strong. Words are written as words.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from envs.core import Floats
from envs.draw import Image, rgb_array
from envs.scene import Color, Scene, Text

ACROSS, DOWN = 4, 8
"""Pixels painted for a cell, which is about twice as high as it is wide."""
PLAIN = -1
"""The terminal's own colour."""
QUARTERS = " ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█"
"""Block characters; bit 1 is the upper left quarter, 2 the upper right, 4 the lower left, 8 the lower right."""
PAIRS = tuple(combinations(range(4), 2))
SAME = 300
"""Squared distance of two colours in RGB, 0..255 each, up to which a cell is painted as one."""
BRAILLE = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
"""Bits of the dots in U+2800 to U+28FF."""
BAYER = (np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]) + 0.5) / 16
"""Ordered dithering: contrast, 0..1, from which each dot of a 4 x 4 field is set (Bayer 1973)."""
RAMP = " .:-=+*#%@"
TYPED = {"−": "-", "·": "|", "…": "...", "×": "x", "–": "-", "’": "'", "°": "deg"}
"""What ASCII has instead."""
ELLIPSIS = (".", "…")
TRUE_COLOR = 2**24
TERMS = ("-direct", "kitty", "alacritty", "foot", "ghostty", "wezterm", "contour")
"""Parts of a TERM that shows 24 bits of colour and says so nowhere else."""
STANDARD = (
    0x000000, 0xCD0000, 0x00CD00, 0xCDCD00, 0x0000EE, 0xCD00CD, 0x00CDCD, 0xE5E5E5,
    0x7F7F7F, 0xFF0000, 0x00FF00, 0xFFFF00, 0x5C5CFF, 0xFF00FF, 0x00FFFF, 0xFFFFFF,
)  # fmt: skip
"""The sixteen colours as xterm has them."""

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Style:
    """What a terminal can show."""

    colors: int = 0
    """TRUE_COLOR, 256, 16 or 0."""
    unicode: bool = True
    """Blocks and braille; else ASCII."""

    @classmethod
    def of(cls, environ: Mapping[str, str], encoding: str) -> Style:
        """By TERM, COLORTERM and NO_COLOR (https://no-color.org), and the encoding of what is written."""
        term = environ.get("TERM", "")
        colors = 16
        if environ.get("NO_COLOR") or term in ("", "dumb") or term.startswith("vt"):
            colors = 0
        elif environ.get("COLORTERM") in ("truecolor", "24bit") or any(part in term for part in TERMS):
            colors = TRUE_COLOR
        elif "256" in term:
            colors = 256
        return cls(colors, encoding.lower().replace("-", "") == "utf8")


@dataclass(frozen=True, slots=True)
class Cells:
    """A screen full."""

    glyph: Ints
    """[R, C] code points; 0 right of a character that takes two cells."""
    ink: Ints
    """[R, C] colour of the character: 0xRRGGBB, or its number among 256 or 16, or PLAIN."""
    paper: Ints
    """[R, C] colour behind it."""
    colors: int
    """As in `Style`."""

    @classmethod
    def blank(cls, columns: int, rows: int, style: Style) -> Cells:
        """Nothing, on the terminal's own background."""
        shape = (rows, columns)
        plain = np.full(shape, PLAIN)
        return cls(np.full(shape, ord(" ")), plain, plain.copy(), style.colors)

    def with_rows(self, rows: int) -> Cells:
        """With empty rows below, so that there are so many."""
        more = ((0, rows - len(self.glyph)), (0, 0))
        ink, paper = (np.pad(part, more, constant_values=PLAIN) for part in (self.ink, self.paper))
        return Cells(np.pad(self.glyph, more, constant_values=ord(" ")), ink, paper, self.colors)


def cells_of(scene: Scene, columns: int, rows: int, style: Style) -> Cells:
    """`scene` as large as fits into the middle of `columns` x `rows`, with its words on top."""
    cells = Cells.blank(columns, rows, style)
    share = min(columns * ACROSS / scene.width, rows * DOWN / scene.height)
    wide = min(columns, max(1, round(scene.width * share / ACROSS)))
    bare = replace(scene, shapes=tuple(shape for shape in scene.shapes if not isinstance(shape, Text)))
    image = rgb_array(bare, wide * ACROSS)
    high = min(rows, max(1, round(len(image) / DOWN)))
    image = _cut(image, high * DOWN)
    top, left = (rows - high) // 2, (columns - wide) // 2
    box = np.s_[top : top + high, left : left + wide]
    cells.glyph[box], cells.ink[box], cells.paper[box] = _picture(image, scene.background, style)
    taken: set[tuple[int, int]] = set()
    for shape in scene.shapes:
        if isinstance(shape, Text):
            x = left + (shape.x - scene.left) / (scene.right - scene.left) * wide
            y = top + (scene.top - shape.y) / (scene.top - scene.bottom) * high
            room = min(columns, shape.room / (scene.right - scene.left) * wide)
            _place(cells, x, int(y), room, shape, style, taken)
    return cells


def panel(cells: Cells, lines: Sequence[str], style: Style) -> None:
    """Write `lines` over the middle of `cells`; a tab separates two columns."""
    table = [line.split("\t") for line in lines]
    key = max((len(row[0]) for row in table if len(row) > 1), default=0) + 2
    texts = [row[0].ljust(key) + row[1] if len(row) > 1 else row[0] for row in table]
    wide = max(map(len, texts))
    rows, columns = cells.glyph.shape
    top = max(0, (rows - len(texts)) // 2)
    for row, text in enumerate(["", *texts, ""], start=top - 1):
        if 0 <= row < rows:
            left = max(0, (columns - wide) // 2 - 2)
            write(cells, row, left, f"  {text.ljust(wide)}  ", (240, 240, 240), style, paper=(20, 20, 20))


def write(cells: Cells, row: int, left: int, text: str, color: Color, style: Style, paper: Color | None = None) -> None:
    """Put `text` into a row, clipped; on `paper`, or on what is there."""
    ink = int(packed(np.array(color), style))
    columns = cells.glyph.shape[1]
    at = left
    for letter, width in letters(text, style):
        if at >= 0 and at + width <= columns:
            here = np.s_[row, at : at + width]
            cells.glyph[here] = [ord(letter), 0][:width]
            cells.ink[here] = ink
            cells.paper[here] = cells.paper[row, at] if paper is None else int(packed(np.array(paper), style))
        at += width


def letters(text: str, style: Style) -> Iterator[tuple[str, int]]:
    """What can be shown of `text`, and how many cells each character takes. Control characters are left out: a
    player's name must not steer the terminal."""
    if not style.unicode:
        text = "".join(TYPED.get(letter, letter) for letter in text).encode("ascii", "replace").decode()
    for letter in text:
        if letter.isprintable() and not unicodedata.combining(letter):
            yield letter, 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def packed(rgb: NDArray[np.generic], style: Style) -> Ints:
    """Colours [..., 3], 0..255, as a terminal names them: see `Cells.ink`."""
    exact = np.rint(rgb.astype(np.float64)).astype(np.int64)
    if not style.colors:
        return np.full(exact.shape[:-1], PLAIN)
    if style.colors == TRUE_COLOR:
        whole: Ints = exact @ np.array([1 << 16, 1 << 8, 1])
        return whole
    if style.colors == 16:
        known = np.array([[color >> 16, color >> 8 & 255, color & 255] for color in STANDARD])
        return np.asarray(np.square(exact[..., None, :] - known).sum(-1).argmin(-1))
    levels = np.array([0, 95, 135, 175, 215, 255])  # of xterm's colour cube; greys are 8, 18, ..., 238
    place = np.abs(exact[..., None] - levels).argmin(-1)
    cube = 16 + 36 * place[..., 0] + 6 * place[..., 1] + place[..., 2]
    step = np.clip(np.rint((exact.mean(-1) - 8) / 10), 0, 23).astype(np.int64)
    off_cube = np.square(exact - levels[place]).sum(-1)
    off_grey = np.square(exact - (8 + 10 * step)[..., None]).sum(-1)
    nearest: Ints = np.where(off_grey < off_cube, 232 + step, cube)
    return nearest


def _cut(image: Image, height: int) -> Image:
    """`image` with `height` rows: the last one repeated, or the last ones left out."""
    missing = max(0, height - len(image))
    return np.pad(image, ((0, missing), (0, 0), (0, 0)), mode="edge")[:height]


def _picture(image: Image, background: Color, style: Style) -> tuple[Ints, Ints, Ints]:
    """Glyph, ink and paper [R, C] of pixels [8 R, 4 C, 3]."""
    if style.colors and style.unicode:
        return _quarters(_pooled(image, 2, 2), style)
    shape = (len(image) // DOWN, image.shape[1] // ACROSS)
    plain = np.full(shape, PLAIN)
    if style.colors:
        return np.full(shape, ord(" ")), plain, packed(_pooled(image, 1, 1)[:, :, 0], style)
    if style.unicode:
        contrast = _contrast(_pooled(image, 4, 2), background).reshape(*shape, 4, 2)
        limit = np.stack([BAYER[:, :2], BAYER[:, 2:]])[np.arange(shape[1]) % 2]
        dots = ((contrast > limit) * BRAILLE).sum((-1, -2))
        return np.where(dots > 0, 0x2800 + dots, ord(" ")), plain, plain
    ramp = np.array([ord(letter) for letter in RAMP])
    contrast = _contrast(_pooled(image, 1, 1), background)[..., 0]
    return ramp[np.rint(contrast * (len(RAMP) - 1)).astype(np.int64)], plain, plain


def _pooled(image: Image, down: int, across: int) -> Floats:
    """Mean colours [R, C, down x across, 3] of the parts of each cell."""
    rows, columns = len(image) // DOWN, image.shape[1] // ACROSS
    parts = image.reshape(rows, down, DOWN // down, columns, across, ACROSS // across, 3)
    mean: Floats = parts.mean((2, 5), dtype=np.float32).swapaxes(1, 2).reshape(rows, columns, down * across, 3)
    return mean


def _contrast(colors: Floats, background: Color) -> Floats:
    """How much colours [..., 3] differ from the background, 0..1; what is seen at all is seen clearly."""
    furthest = np.abs(colors - np.array(background)).max(-1) / max(*background, *(255 - one for one in background))
    contrast: Floats = np.sqrt(furthest.clip(0, 1))
    return contrast


def _quarters(colors: Floats, style: Style) -> tuple[Ints, Ints, Ints]:
    """The two colours that are furthest apart in a cell of quarters [R, C, 4, 3], and who is nearer to which."""
    apart = np.stack([np.square(colors[:, :, a] - colors[:, :, b]).sum(-1) for a, b in PAIRS], -1)
    pair = np.array(PAIRS)[apart.argmax(-1)]
    ends = np.take_along_axis(colors, pair[..., None], axis=2)
    distance = np.square(colors[:, :, :, None] - ends[:, :, None]).sum(-1)
    second = distance[..., 1] < distance[..., 0]
    second ^= second[..., :1]  # the first quarter always shows paper, so that equal cells are equal
    two = apart.max(-1) > SAME
    second &= two[..., None]
    ink, paper = _mean(colors, second), _mean(colors, ~second)
    glyphs = np.array([ord(glyph) for glyph in QUARTERS])
    return (
        glyphs[(second * [1, 2, 4, 8]).sum(-1)],
        np.where(two, packed(ink, style), PLAIN),
        packed(paper, style),
    )


def _mean(colors: Floats, chosen: NDArray[np.bool_]) -> Floats:
    """Mean colour [R, C, 3] of the `chosen` [R, C, 4] quarters."""
    mean: Floats = (colors * chosen[..., None]).sum(2) / np.maximum(chosen.sum(-1), 1)[..., None]
    return mean


def _place(
    cells: Cells, x: float, row: int, room: float, words: Text, style: Style, taken: set[tuple[int, int]]
) -> None:
    """Put words, cut to `room` columns, at column `x` of the first row from `row` on where they cover no others."""
    text = "".join(letter for letter, _ in letters(words.text, style))
    wide = sum(width for _, width in letters(text, style))
    while wide > max(room, 1):
        text = text[:-2] + ELLIPSIS[style.unicode]
        wide = sum(width for _, width in letters(text, style))
    left = round(x - {"left": 0.0, "center": 0.5, "right": 1.0}[words.align] * wide)
    for down in range(max(0, row), len(cells.glyph)):
        wanted = {(down, at) for at in range(left, left + wide)}
        if not wanted & taken:
            taken |= wanted
            bare = not style.colors  # dots beside letters would be read with them
            write(cells, down, left - bare, f" {text} " if bare else text, words.color, style)
            return
