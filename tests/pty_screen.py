"""A terminal for tests: an emulator of what ours writes, and a program that runs in a pseudo-terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

import numpy as np

from arena.viewer.cells import PLAIN

TOKEN = re.compile(r"\x1b\[([?0-9;]*)([A-Za-z])|\x1b[()][0-9A-Z]|([^\x1b])", re.S)


class Emulator:
    """Cursor, clearing, colours, the other screen. Fails at any sequence that it does not know."""

    def __init__(self, columns: int, rows: int) -> None:
        self.modes: set[str] = set()
        """Private modes that are on: "1049" the other screen, "7" and "25" (line wrap, cursor) once set or reset."""
        self.frames = 0
        """Begun with mode 2026."""
        self.taken = 0
        """Times that the other screen was asked for."""
        self.resize(columns, rows)

    def resize(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self._clear()
        self.row = self.column = 0

    def _clear(self) -> None:
        self.letters = [[" "] * self.columns for _ in range(self.rows)]
        self.ink = np.full((self.rows, self.columns), PLAIN)
        self.paper = np.full((self.rows, self.columns), PLAIN)
        self.pen = [PLAIN, PLAIN]

    def text(self) -> list[str]:
        """The rows."""
        return ["".join(row) for row in self.letters]

    def feed(self, text: str) -> None:
        """What a program has written."""
        for found in TOKEN.finditer(text):
            given, kind, letter = found.groups()
            if letter:
                self._write(letter)
            elif kind:
                self._obey(given, kind)

    def _write(self, letter: str) -> None:
        if letter in "\r\n":
            self.column = 0
            self.row = min(self.row + (letter == "\n"), self.rows - 1)
            return
        width = 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        if self.column + width > self.columns or self.row >= self.rows:
            return
        self.letters[self.row][self.column : self.column + width] = [letter, ""][:width]
        here = np.s_[self.row, self.column : self.column + width]
        self.ink[here], self.paper[here] = self.pen
        self.column += width

    def _obey(self, given: str, kind: str) -> None:
        numbers = [int(word) for word in given.lstrip("?").split(";") if word]
        if given.startswith("?"):
            for mode in given[1:].split(";"):
                (self.modes.add if kind == "h" else self.modes.discard)(mode)
                self.frames += mode == "2026" and kind == "h"
                self.taken += mode == "1049" and kind == "h"
                if mode == "1049":  # there and back
                    self._clear()
                    self.row = self.column = 0
        elif kind == "H":
            self.row, self.column = ((numbers or [1, 1])[0] - 1), ((numbers or [1, 1])[1] - 1)
        elif kind == "C":
            self.column += numbers[0]
        elif kind == "A":
            self.row = max(0, self.row - (numbers or [1])[0])
        elif kind == "K":
            self.letters[self.row] = [" "] * self.columns
        elif kind == "J":
            self._clear()
        elif kind == "m":
            self._color(numbers or [0])
        else:
            raise AssertionError(f"unknown sequence {given}{kind}")

    def _color(self, codes: list[int]) -> None:
        while codes:
            code = codes.pop(0)
            if code == 0:
                self.pen = [PLAIN, PLAIN]
            elif code in (38, 48):
                mode = codes.pop(0)
                color = codes.pop(0) if mode == 5 else codes.pop(0) << 16 | codes.pop(0) << 8 | codes.pop(0)
                self.pen[code == 48] = color
            elif code in (39, 49):
                self.pen[code == 49] = PLAIN
            elif code < 30:
                continue  # bold and the like
            else:
                bright, base = (8, 90) if code >= 90 else (0, 30)
                paper = code - base >= 10
                self.pen[paper] = code - base - 10 * paper + bright


class Session:
    """A program in a pseudo-terminal of its own, and what it shows."""

    def __init__(
        self, words: Sequence[str], columns: int = 80, rows: int = 24, environ: Mapping[str, str] | None = None,
        home: Path | None = None,
    ) -> None:  # fmt: skip
        self.master, self.slave = pty.openpty()
        self.screen = Emulator(columns, rows)
        self._size(columns, rows)
        self.before = termios.tcgetattr(self.slave)
        self.process = subprocess.Popen(
            words, stdin=self.slave, stdout=self.slave, stderr=subprocess.PIPE, env=dict(environ or os.environ),
            cwd=home, start_new_session=True, preexec_fn=self._take,
        )  # fmt: skip
        self.raw = b""

    def _take(self) -> None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def _size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def resize(self, columns: int, rows: int) -> None:
        """Make the window another size."""
        self._size(columns, rows)
        self.screen.resize(columns, rows)

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self.master, keys.encode())

    def wait_for(self, found: Callable[[Emulator], bool], seconds: float = 30) -> None:
        """Read what it writes until the screen is as wanted."""
        end = time.monotonic() + seconds
        while not found(self.screen):
            assert time.monotonic() < end, "\n".join(self.screen.text())
            assert self.read(0.2) or self.process.poll() is None, self.process.stderr and self.process.stderr.read()

    def read(self, patience: float) -> bool:
        """Take what it has written; whether there was anything."""
        if not select.select([self.master], [], [], patience)[0]:
            return False
        got = os.read(self.master, 65536)
        self.raw += got
        whole = self.raw.decode("utf-8", "ignore")
        cut = whole.rfind("\x1b")
        if cut >= 0 and not TOKEN.match(whole, cut):
            whole = whole[:cut]
        self.screen.feed(whole)
        self.raw = self.raw[len(whole.encode()) :]
        return True

    def end(self, seconds: float = 60) -> int:
        """Wait for its end, with all that it writes before; its exit code."""
        end = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < end
            self.read(0.1)
        while self.read(0.05):
            pass
        return self.process.returncode

    @property
    def restored(self) -> bool:
        """Whether the terminal is as it was: its modes, and what the program has asked of it."""
        return termios.tcgetattr(self.slave) == self.before and not {"1049", "2026"} & self.screen.modes and {
            "7", "25"
        } <= self.screen.modes  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *fault: object) -> None:
        self.process.kill()
        self.process.communicate()
        os.close(self.master)
        os.close(self.slave)
