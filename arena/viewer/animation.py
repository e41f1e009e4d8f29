"""GIF and animated WebP, written picture by picture in memory that does not grow.

Only the rectangle that changed is stored, and the unchanged pixels in it are transparent: flat drawings
become small that way without losing anything (WebP) or hardly a colour (GIF). Pillow packs the pixels; it
could write the files as well, but would hold all pictures until the last one is there.

Containers: GIF89a specification (CompuServe 1990) with the NETSCAPE2.0 loop block; RIFF/WebP container
specification, "Animation" (Google, RFC 9649 section 2.7).
"""

from __future__ import annotations

import struct
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from envs.draw import Image

CLEAR = 255
"""Entry of a GIF's colour table that means: as before."""
SAME, CLOSE = 12, 48
"""Distances, summed over red, green and blue: up to the first two colours share an entry of the common table,
up to the second an entry will do when the table is full."""

Box = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels; the last two are outside."""


class Clock:
    """Durations in whole units that never drift from the real time."""

    def __init__(self, unit: float) -> None:
        self._unit = unit
        self._seconds = 0.0
        self._given = 0

    def units(self, seconds: float) -> int:
        self._seconds += seconds
        units = round(self._seconds / self._unit) - self._given
        self._given += units
        return units


def _change(before: Image | None, image: Image) -> tuple[Box, NDArray[np.bool_]]:
    """The smallest box, from an even corner, with all changed pixels, and which of its pixels they are."""
    if before is None:
        return (0, 0, image.shape[1], image.shape[0]), np.ones(image.shape[:2], np.bool_)
    differs = image != before
    rows = np.flatnonzero(differs.reshape(len(image), -1).any(axis=1))
    if not len(rows):
        return (0, 0, 1, 1), np.zeros((1, 1), np.bool_)
    top, bottom = int(rows[0]) & ~1, int(rows[-1]) + 1
    red, green, blue = differs[top:bottom].transpose(2, 0, 1)
    changed = red | green | blue  # several times as fast as any() over an axis of three
    columns = np.flatnonzero(changed.any(axis=0))
    left, right = int(columns[0]) & ~1, int(columns[-1]) + 1
    return (left, top, right, bottom), changed[:, left:right]


class WebP:
    """Animated, lossless."""

    def __init__(self, path: Path, width: int, height: int) -> None:
        self._file = path.open("wb")
        self._clock = Clock(0.001)
        self._before: Image | None = None
        animated, alpha = 0x02, 0x10
        canvas = struct.pack("<B3x", animated | alpha) + _three(width - 1) + _three(height - 1)
        self._file.write(b"RIFF\0\0\0\0WEBP" + _chunk(b"VP8X", canvas))
        self._file.write(_chunk(b"ANIM", struct.pack("<4BH", 0, 0, 0, 255, 0)))  # background; loops for ever

    def add(self, image: Image, seconds: float) -> None:
        (left, top, right, bottom), changed = _change(self._before, image)
        self._before = image
        pixels = np.empty((*changed.shape, 4), np.uint8)
        np.multiply(image[top:bottom, left:right], changed[..., None], out=pixels[..., :3])
        np.multiply(changed, np.uint8(255), out=pixels[..., 3])
        still = BytesIO()
        Pillow.fromarray(pixels).save(still, "WEBP", lossless=True, quality=50, method=1)
        place = b"".join(map(_three, (left // 2, top // 2, right - left - 1, bottom - top - 1)))
        timing = _three(self._clock.units(seconds)) + b"\0"  # blend over what is there, leave it there
        self._file.write(_chunk(b"ANMF", place + timing + still.getvalue()[12:]))  # without its RIFF header

    def finish(self) -> None:
        size = self._file.tell() - 8
        self._file.seek(4)
        self._file.write(struct.pack("<I", size))
        self.close()

    def close(self) -> None:
        self._file.close()


def _three(number: int) -> bytes:
    """A 24-bit number."""
    return struct.pack("<I", number)[:3]


def _chunk(name: bytes, data: bytes) -> bytes:
    """A RIFF chunk, padded to an even length."""
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


class Gif:
    """255 colours shared by all pictures, collected as they come; a picture that needs more gets its own."""

    def __init__(self, path: Path, width: int, height: int) -> None:
        self._file = path.open("wb")
        self._clock = Clock(0.01)
        self._before: Image | None = None
        self._table = np.zeros((0, 3), np.int64)
        loop = b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0"
        self._file.write(b"GIF89a" + struct.pack("<HHB2x", width, height, 0xF7))
        self._file.write(_table_bytes(self._table) + loop)  # the real table follows in `finish`

    def add(self, image: Image, seconds: float) -> None:
        (left, top, right, bottom), changed = _change(self._before, image)
        self._before = image
        pixels = image[top:bottom, left:right][changed]
        packed = pixels.astype(np.int64) @ (65536, 256, 1)
        values, inverse, counts = np.unique(packed, return_inverse=True, return_counts=True)
        colors = np.stack([values >> 16, values >> 8 & 255, values & 255], axis=1)
        self._table = _extended(self._table, colors[np.argsort(-counts, kind="stable")])
        nearest, apart = _nearest(colors, self._table)
        own = b""
        if (apart > CLOSE).any():
            table = _median_cut(pixels) if len(colors) > CLEAR else colors
            nearest, _ = _nearest(colors, table)
            own = _table_bytes(table)
        index = np.full(changed.shape, CLEAR, np.uint8)
        index[changed] = nearest[inverse]
        keep_and_clear = 0x04 | 0x01
        control = struct.pack("<BBHBB", 4, keep_and_clear, self._clock.units(seconds), CLEAR, 0)
        place = struct.pack("<HHHHB", left, top, right - left, bottom - top, 0x87 if own else 0)
        self._file.write(b"\x21\xf9" + control + b"\x2c" + place + own + _lzw(index))

    def finish(self) -> None:
        self._file.write(b"\x3b")
        self._file.seek(13)
        self._file.write(_table_bytes(self._table))
        self.close()

    def close(self) -> None:
        self._file.close()


def _extended(table: NDArray[np.int64], colors: NDArray[np.int64]) -> NDArray[np.int64]:
    """`table` with those of `colors` [n, 3] that it lacks, the first ones first, as long as there is room."""
    if len(table):
        colors = colors[_nearest(colors, table)[1] > SAME]
    for color in colors:
        if len(table) == CLEAR:
            break
        if not (np.abs(table - color).sum(axis=1) <= SAME).any():
            table = np.concatenate([table, color[None]])
    return table


def _median_cut(pixels: Image) -> NDArray[np.int64]:
    """255 colours that stand for all of `pixels` [n, 3]."""
    found = Pillow.fromarray(pixels[None]).quantize(CLEAR, Pillow.Quantize.MEDIANCUT)
    return np.array(found.getpalette()).reshape(-1, 3)[:CLEAR]


def _nearest(colors: NDArray[np.int64], table: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """For each of `colors` [n, 3] the closest entry of `table`, and how much that differs; [n] each."""
    apart = np.abs(colors[:, None] - table[None]).sum(axis=2)
    return apart.argmin(axis=1), apart.min(axis=1)


def _table_bytes(table: NDArray[np.int64]) -> bytes:
    """256 entries; the ones that are not used are black."""
    return table.astype(np.uint8).tobytes().ljust(256 * 3, b"\0")


def _lzw(index: NDArray[np.uint8]) -> bytes:
    """Compressed indices: what follows a picture's place and colours in a file that Pillow writes."""
    still = BytesIO()
    Pillow.fromarray(index).save(still, "GIF", optimize=False, interlace=0)
    data = still.getvalue()
    header = 13 + 3 * 2 ** ((data[10] & 7) + 1)
    if data[header : header + 1] != b"\x2c":
        raise RuntimeError("this Pillow writes GIF files in an order that is not understood.")
    return data[header + 10 : -1]
