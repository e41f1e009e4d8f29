"""Program: a guest's process. Lines go to it and come back; it cannot block us, flood us or outlive us.

It is the leader of a session of its own, so that Ctrl-C in the terminal does not reach it, and all that it starts can
be ended with it. Its standard error is kept in a file, or its end for an explanation.
"""

from __future__ import annotations

import atexit
import os
import secrets
import select
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from arena.guests import warden
from arena.guests.fault import Fault, Late, clipped
from arena.guests.limits import plain

LONGEST = 1 << 20
"""Bytes of a line that it may write."""
LOGGED = 1 << 20
"""Bytes of its standard error that are kept; what comes after is thrown away."""
TAIL = 2048
"""Bytes of its standard error from which a reason is told."""
CHUNK = 1 << 16
GRACE = 0.5
"""Time to leave after it has been told to, s."""
WINK = 0.1
"""How often it is looked whether it is still there, s; its children may hold its end of the pipes."""


class Program:
    """One running process."""

    def __init__(self, command: Sequence[str], log: Path | None = None, extra: Mapping[str, str] | None = None) -> None:
        """Start it.

        Args:
            log: what it writes to standard error is added to this file.
            extra: more of the environment.

        Raises:
            Fault: it cannot be started.
        """
        self._mark = secrets.token_hex(8)
        try:
            self._process = subprocess.Popen(
                list(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
                start_new_session=True, env={**os.environ, **(extra or {}), warden.VARIABLE: self._mark},
            )  # fmt: skip
        except (OSError, ValueError) as fault:
            raise Fault(f"could not be started: {fault}") from None
        _WARDEN.tell("+", self._process.pid, self._mark)
        assert self._process.stdin and self._process.stdout and self._process.stderr
        self._to, self._from, self._said = self._process.stdin, self._process.stdout, self._process.stderr
        for pipe in (self._to, self._from, self._said):
            os.set_blocking(pipe.fileno(), False)
        self._poll = select.poll()
        self._poll.register(self._from, select.POLLIN)
        self._poll.register(self._said, select.POLLIN)
        self._out: deque[memoryview] = deque()
        self._in = bytearray()
        self._ended = self._quiet = False
        self._leaves = 0.0
        """Until when it may leave by itself."""
        self._tail = b""
        self._kept = 0
        self._log: IO[bytes] | None = None
        if log:
            with suppress(OSError):
                log.parent.mkdir(parents=True, exist_ok=True)
                self._log = log.open("ab")
        self.closed = False

    def send(self, data: bytes) -> None:
        """Lines for it; what does not fit into the pipe goes with the next `line`."""
        self._out.append(memoryview(data))
        self._write()

    def idle(self) -> bool:
        """Whether it has said nothing that nobody asked for."""
        with suppress(BlockingIOError, OSError):
            self._in += os.read(self._from.fileno(), CHUNK)
        return not self._in

    def line(self, left: float) -> bytes:
        """The next line that it writes, without its end.

        Raises:
            Fault: none comes within `left` s, it is too long, or the process has ended.
        """
        limit = time.perf_counter() + left
        searched = 0
        while True:
            end = self._in.find(b"\n", searched)
            if 0 <= end <= LONGEST:
                line = bytes(self._in[:end])
                del self._in[: end + 1]
                return line
            searched = len(self._in)
            if searched > LONGEST:
                raise Fault(f"wrote a line of more than {LONGEST >> 10} KiB")
            if self._ended:
                raise Fault(self._end_told())
            now = time.perf_counter()
            if now >= limit:
                raise Late(f"gave no answer within {plain(left)}")
            self._wait(min(limit - now, WINK))

    def _wait(self, seconds: float) -> None:
        """Read and write whatever can be, after waiting for it."""
        writing = bool(self._out)
        if writing:
            self._poll.register(self._to, select.POLLOUT)
        ready = {place for place, _ in self._poll.poll(seconds * 1000)}
        if writing:
            self._poll.unregister(self._to)
            self._write()
        if self._said.fileno() in ready:
            self._hear()
        if self._from.fileno() in ready:
            self._read()
        elif not ready and self._gone():
            self._read()
            self._ended = True

    def _write(self) -> None:
        while self._out:
            try:
                sent = os.write(self._to.fileno(), self._out[0][:CHUNK])
            except BlockingIOError:
                return
            except OSError:  # it has closed its input; whether it still answers shows when it is read
                self._out.clear()
                return
            rest = self._out[0][sent:]
            if rest:
                self._out[0] = rest
            else:
                self._out.popleft()

    def _read(self) -> None:
        try:
            data = os.read(self._from.fileno(), CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._in += data
        self._ended = not data

    def _hear(self) -> None:
        """Take in what it says on standard error."""
        try:
            data = os.read(self._said.fileno(), CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._quiet = True
            self._poll.unregister(self._said)
        self._tail = (self._tail + data)[-TAIL:]
        if self._log and self._kept < LOGGED:
            kept = data[: LOGGED - self._kept]
            self._kept += len(kept)
            with suppress(OSError):
                self._log.write(kept)
                self._log.flush()

    def _gone(self) -> bool:
        """Whether the process has ended. It is not yet forgotten, so its number is nobody else's."""
        try:
            return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:
            return True

    def _end_told(self) -> str:
        """How it ended, with the last thing that it said."""
        limit = time.perf_counter() + GRACE
        while not self._gone() and time.perf_counter() < limit:
            time.sleep(0.005)
        if not self._gone():
            return f"closed its output{self._last_words()}"
        self.close()
        code = self._process.returncode
        if code < 0:
            with suppress(ValueError):
                return f"was ended by {signal.Signals(-code).name}{self._last_words()}"
        return f"ended with exit code {code}{self._last_words()}"

    def _last_words(self) -> str:
        lines = [line.strip() for line in self._tail.decode(errors="replace").splitlines() if line.strip()]
        return f" ({clipped(lines[-1], 120)})" if lines else ""

    def dismiss(self, farewell: bytes) -> None:
        """Tell it to leave by itself, before it is closed."""
        if self.closed or self._ended:
            return
        self._out.append(memoryview(farewell))
        self._write()
        with suppress(OSError):
            self._to.close()
        self._leaves = time.perf_counter() + GRACE

    def close(self) -> None:
        """End it and all that it has started; one that was dismissed has `GRACE` s from then."""
        if self.closed:
            return
        self.closed = True
        try:
            while time.perf_counter() < self._leaves and not self._gone():
                self._in.clear()
                if self._ended:
                    time.sleep(0.002)
                else:
                    self._wait(0.01)
        finally:
            warden.end(self._process.pid, self._mark)
            self._process.wait()
            for _ in range(LOGGED // CHUNK):
                if not self._quiet:
                    self._hear()
            _WARDEN.tell("-", self._process.pid, self._mark)
            for pipe in (self._to, self._from, self._said, self._log):
                if pipe:
                    with suppress(OSError):
                        pipe.close()


class _Warden:
    """The one process that watches over the guests of this one; started with the first of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0

    def tell(self, sign: str, group: int, mark: str) -> None:
        """A guest has started ("+") or ended ("-")."""
        with self._lock:
            for _ in range(2):
                if self._process is None or self._owner != os.getpid() or self._process.poll() is not None:
                    self._start()
                assert self._process and self._process.stdin
                try:
                    self._process.stdin.write(f"{sign} {group} {mark}\n".encode())
                    return
                except OSError:  # somebody has killed it; guests are told to another one
                    self._process = None

    def _start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", warden.__file__], stdin=subprocess.PIPE, bufsize=0, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        if not self._owner:
            atexit.register(self._stop)
        self._owner = os.getpid()

    def _stop(self) -> None:
        with self._lock:
            if self._process and self._owner == os.getpid() and self._process.stdin:
                self._process.stdin.close()
                self._process.wait()
                self._process = None


_WARDEN = _Warden()
