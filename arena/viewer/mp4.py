"""MP4 through ffmpeg, which is looked for on PATH and then in the package imageio-ffmpeg."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from arena.viewer.animation import Clock
from envs.draw import Image
from envs.errors import InputError


class Mp4:
    """H.264 through an ffmpeg process."""

    def __init__(self, path: Path, width: int, height: int, fps: float) -> None:
        program = ffmpeg()
        self._clock = Clock(1 / fps)
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed in `close`)
        command = [
            program, "-loglevel", "error", "-y",
            "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", str(fps), "-i", "-",
            "-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-c:v", "libx264", "-preset", "veryfast", "-crf", "20",
            "-pix_fmt", "yuv420p", "-movflags", "+faststart", "-f", "mp4", str(path),
        ]  # fmt: skip
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=self._errors)

    def add(self, image: Image, seconds: float) -> None:
        assert self._process.stdin
        data = image.tobytes()
        try:
            for _ in range(self._clock.units(seconds)):
                self._process.stdin.write(data)
        except BrokenPipeError:
            raise self._fault() from None

    def finish(self) -> None:
        assert self._process.stdin
        try:
            self._process.stdin.close()
        except BrokenPipeError:
            raise self._fault() from None
        if self._process.wait():
            raise self._fault()
        self.close()

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        if self._process.stdin and not self._process.stdin.closed:
            with suppress(BrokenPipeError):  # what is left in the buffer is not wanted any more
                self._process.stdin.close()
        self._errors.close()

    def _fault(self) -> InputError:
        self._process.wait()
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace").strip().splitlines() or ["it said nothing"]
        return InputError(f"ffmpeg could not write the video: {said[-1].strip().rstrip('.')}.")


def ffmpeg() -> str:
    """The ffmpeg to use: the one on PATH, else that of the package imageio-ffmpeg.

    Raises:
        InputError: there is neither.
    """
    if found := shutil.which("ffmpeg"):
        return found
    try:
        return str(import_module("imageio_ffmpeg").get_ffmpeg_exe())
    except (ImportError, RuntimeError):
        raise InputError(
            "an .mp4 needs ffmpeg on PATH or `pip install 'selfplay-arena[video]'`; a .webp or .gif does not."
        ) from None
