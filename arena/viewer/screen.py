"""Screen: a terminal taken over for pictures, and given back as it was, however the program ends.

Escape sequences are those of ECMA-48 and xterm; mode 2026 (a frame is shown at once) is ignored by terminals that do
not know it.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import termios
import threading
import time
import tty
from collections.abc import Callable, Mapping, Sequence
from types import FrameType
from typing import Any

import numpy as np

from arena.viewer.cells import PLAIN, TRUE_COLOR, Cells, Style, cells_of, panel, write
from envs.errors import InputError
from envs.scene import Scene

ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J"
"""Other screen, no cursor, no line wrap, clear."""
LEAVE = "\x1b[?2026l\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l"
BEGIN, END = "\x1b[?2026h", "\x1b[?2026l"
SEQUENCES = {"A": "up", "B": "down", "C": "right", "D": "left", "H": "home", "F": "end",
             "1~": "home", "4~": "end", "5~": "page up", "6~": "page down", "3~": "delete",
             "1;2A": "shift+up", "1;2B": "shift+down", "1;2C": "shift+right", "1;2D": "shift+left"}  # fmt: skip
"""What follows ESC [ or ESC O."""
NAMES = {" ": "space", "\r": "return", "\n": "return", "\t": "tab", "\x7f": "backspace", "\x1b": "escape"}
GREY = (150, 156, 162)
SIZE = (80, 24)
"""Where a terminal does not say its own."""


class Screen:
    """Shows scenes, and the keys pressed; in use it is as `envs.draw.Window`. Made in the main thread."""

    def __init__(self) -> None:
        """Take over the terminal of standard output; keys come from standard input, where that is one too.

        Raises:
            InputError: standard output is no terminal, or one that cannot place text.
        """
        self._out = sys.stdout.fileno() if _is_terminal(sys.stdout) else -1
        if self._out < 0 or os.environ.get("TERM", "dumb") in ("", "dumb"):
            raise InputError("standard output is no terminal that can show pictures.")
        self.style = Style.of(os.environ, sys.stdout.encoding or "ascii")
        self._in = sys.stdin.fileno() if _is_terminal(sys.stdin) else -1
        self._mode = termios.tcgetattr(self._in) if self._in >= 0 else None
        self._shown: Cells | None = None
        self._stale = True
        """What the terminal shows is not known."""
        self._typed = b""
        self._due = time.monotonic()
        self._asked = self._due
        self.written = 0
        """Bytes sent to the terminal so far."""
        self.is_open = True
        self._handlers = {number: signal.getsignal(number) for number in self._handling()}
        try:
            self._enter()
        except BaseException:
            self.close()
            raise

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows, as they are now."""
        try:
            columns, rows = os.get_terminal_size(self._out)
        except OSError:
            return SIZE
        return columns or SIZE[0], rows or SIZE[1]

    def show(self, scene: Scene, overlay: Sequence[str] = (), line: str = "") -> None:
        """Draw `scene` as large as fits above the `line`, and the lines of `overlay` in a panel over its middle; only
        cells that have changed are written."""
        columns, rows = self.size
        cells = cells_of(scene, columns, max(1, rows - 1), self.style)
        if rows > 1:
            cells = cells.with_rows(rows)
            write(cells, rows - 1, 0, line, GREY, self.style)
        if overlay:
            panel(cells, overlay, self.style)
        known = self._shown is not None and self._shown.glyph.shape == cells.glyph.shape and not self._stale
        changed = changes(self._shown if known else None, cells)
        self._shown, self._stale = cells, False  # a Ctrl-Z during the next line makes it stale again
        if changed:
            self._write(BEGIN + changed + END)

    def pressed(self) -> list[str]:
        """Keys pressed since the last call, oldest first: "space", "right", "a", "+"; "quit" if it hung up."""
        while self._in >= 0 and select.select([self._in], [], [], 0)[0]:
            try:
                read = os.read(self._in, 4096)
            except OSError:
                read = b""
            if not read:
                self._in = -1
                return [*keys_of(self._typed), "quit"]
            self._typed += read
        typed, self._typed = self._typed, b""
        return keys_of(typed)

    def pace(self, fps: float) -> float:
        """Wait so that calls come `fps` times a second at most, or less if a key is pressed; the seconds since the
        last call."""
        began = time.monotonic()
        self._due = max(self._due + 1 / fps, began)
        left = self._due - began
        if self._in >= 0:
            select.select([self._in], [], [], left)
        else:
            time.sleep(left)
        now = time.monotonic()
        self._due = min(self._due, now)
        passed, self._asked = now - self._asked, now
        return passed

    def close(self) -> None:
        """Give the terminal back; a second call does nothing."""
        if not self.is_open:
            return
        self.is_open = False
        self._leave()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def _enter(self) -> None:
        for number, handle in self._handling().items():
            signal.signal(number, handle)
        if self._in >= 0:
            tty.setcbreak(self._in)
        self._stale = True
        self._write(ENTER)

    def _leave(self) -> None:
        try:
            self._write(LEAVE)
            if self._mode is not None:
                termios.tcsetattr(self._in if self._in >= 0 else self._out, termios.TCSAFLUSH, self._mode)
        except (OSError, termios.error):
            pass  # it hung up: there is nothing to give back

    def _handling(self) -> Mapping[signal.Signals, Callable[[int, FrameType | None], Any]]:
        """Signals that would leave the terminal as it is."""
        if threading.current_thread() is not threading.main_thread():
            return {}
        return {signal.SIGTERM: _end, signal.SIGHUP: _end, signal.SIGTSTP: self._pause}

    def _pause(self, number: int, frame: FrameType | None) -> None:
        """Ctrl-Z: stop with the terminal as it was, and take it over again when the shell lets us go on."""
        self._leave()
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        self._enter()

    def _write(self, text: str) -> None:
        data = memoryview(text.encode("utf-8" if self.style.unicode else "ascii", "replace"))
        self.written += len(data)
        while data:
            data = data[os.write(self._out, data) :]


def changes(before: Cells | None, after: Cells) -> str:
    """What turns a terminal that shows `before` (None: anything) in plain colours into one that shows `after`."""
    text = []
    if before is None:
        text.append("\x1b[0m\x1b[2J")
        shape = after.glyph.shape
        before = Cells(np.full(shape, ord(" ")), np.full(shape, PLAIN), np.full(shape, PLAIN), after.colors)
    visible = (after.glyph != ord(" ")) & (after.ink != before.ink)
    changed = (after.glyph != before.glyph) | (after.paper != before.paper) | visible
    where: tuple[int, int] | None = None
    pen = _Pen(after)
    for row, column in np.argwhere(changed & (after.glyph > 0)).tolist():
        if where != (row, column):
            near = where is not None and where[0] == row
            text.append(f"\x1b[{column - where[1]}C" if where and near else f"\x1b[{row + 1};{column + 1}H")
        text.append(pen.write(row, column))
        double = column + 1 < after.glyph.shape[1] and not after.glyph[row, column + 1]
        where = row, column + 1 + double
    if text:
        text.append("\x1b[0m")
    return "".join(text)


def lines(cells: Cells) -> list[str]:
    """The rows of `cells`, to be printed one below the other."""
    found = []
    for row, glyphs in enumerate(cells.glyph.tolist()):
        pen = _Pen(cells)
        words = "".join(pen.write(row, column) for column, glyph in enumerate(glyphs) if glyph)
        found.append(words + "\x1b[0m" if cells.colors else words)
    return found


class _Pen:
    """Writes cell by cell, and the colour only where it changes."""

    def __init__(self, cells: Cells) -> None:
        self._cells = cells
        self._ink = self._paper = PLAIN

    def write(self, row: int, column: int) -> str:
        cells, codes = self._cells, []
        glyph, paper, ink = (int(part[row, column]) for part in (cells.glyph, cells.paper, cells.ink))
        if paper != self._paper:
            codes.append(_code(paper, cells.colors, 40))
            self._paper = paper
        if glyph != ord(" ") and ink != self._ink:
            codes.append(_code(ink, cells.colors, 30))
            self._ink = ink
        return f"\x1b[{';'.join(codes)}m{chr(glyph)}" if codes else chr(glyph)


def _code(color: int, colors: int, base: int) -> str:
    """The parameter of SGR that chooses a colour for ink (`base` 30) or paper (40)."""
    if color == PLAIN:
        return str(base + 9)
    if colors == TRUE_COLOR:
        return f"{base + 8};2;{color >> 16};{color >> 8 & 255};{color & 255}"
    if colors == 16:
        return str(base + color if color < 8 else base + 52 + color)
    return f"{base + 8};5;{color}"


def keys_of(typed: bytes) -> list[str]:
    """The keys in what a terminal sent; sequences that no key of ours has are left out."""
    keys = []
    text = typed.decode("utf-8", "ignore")
    at = 0
    while at < len(text):
        letter = text[at]
        at += 1
        if letter == "\x1b" and text[at : at + 1] in ("[", "O") and at + 1 < len(text):
            end = at + 1
            while end < len(text) - 1 and not "@" <= text[end] <= "~":
                end += 1
            keys.append(SEQUENCES.get(text[at + 1 : end + 1], ""))
            at = end + 1
        elif letter in NAMES:
            keys.append(NAMES[letter])
        elif letter.isprintable():
            keys.append(letter.lower())
    return [key for key in keys if key]


def _is_terminal(stream: Any) -> bool:
    """Whether it is a file that is a terminal."""
    try:
        return bool(stream.isatty() and os.isatty(stream.fileno()))
    except (AttributeError, OSError, ValueError):
        return False


def _end(number: int, frame: FrameType | None) -> None:
    """SIGTERM and SIGHUP: unwind, so that the terminal is given back."""
    raise SystemExit(128 + number)
