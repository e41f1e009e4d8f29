"""Recordings: files that others can read, of the right length, or no file at all."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pygame
import pytest
from PIL import Image as Pillow

from arena.cli import main
from arena.viewer.animation import Gif, WebP
from arena.viewer.mp4 import Mp4
from arena.viewer.playback import Playback
from arena.viewer.recorder import check_target, record
from envs import make
from envs.draw import Image, rgb_array
from envs.errors import InputError
from envs.slime_volley.bots import bot

FAKE = """#!{python}
import sys
data = sys.stdin.buffer.read()
open(sys.argv[-1], "wb").write(data)
"""
BROKEN = """#!/bin/sh
echo "Unknown encoder 'libx264'." >&2
exit 1
"""


def played(games: int | None = 1, max_steps: int = 3000) -> Playback:
    env = make("SlimeVolley-v0", 1, max_steps=max_steps)
    return Playback(env, [bot("baseline", env.spec), bot("tracker", env.spec)], seed=2, games=games)


def frames_of(path: Path) -> tuple[list[Image], list[float]]:
    """Every picture of a file as Pillow shows it, and for how many milliseconds."""
    images, times = [], []
    with Pillow.open(path) as file:
        for index in range(getattr(file, "n_frames", 1)):
            file.seek(index)
            images.append(np.asarray(file.convert("RGB")))
            times.append(float(file.info["duration"]))
    return images, times


def random_pictures(count: int) -> list[Image]:
    """Flat pictures with a square and a dot that move, and now and then nothing that changes."""
    rng = np.random.default_rng(0)
    pictures = []
    for index in range(count):
        picture = np.full((37, 51, 3), 20, np.uint8)
        x, y = rng.integers(0, 40), rng.integers(0, 30)
        picture[y : y + 5, x : x + 7] = (200, 10, 90)
        picture[36, 50] = index * 20
        pictures.append(picture)
        if index % 3 == 2:
            pictures.append(picture.copy())
    return pictures


@pytest.mark.parametrize("kind", [WebP, Gif])
def test_pictures_come_back_exactly(kind: type[WebP] | type[Gif], tmp_path: Path) -> None:
    pictures = random_pictures(12)
    path = tmp_path / "film"
    file = kind(path, 51, 37)
    for picture in pictures:
        file.add(picture, 1 / 30)
    file.finish()
    images, times = frames_of(path)
    assert len(images) == len(pictures)
    assert sum(times) == pytest.approx(len(pictures) / 30 * 1000, abs=10)
    assert all(time >= 30 for time in times)  # 10 ms and less would be shown as 100
    for image, picture in zip(images, pictures, strict=True):
        np.testing.assert_array_equal(image, picture)


def test_a_gif_gets_new_colours_when_it_needs_them(tmp_path: Path) -> None:
    path = tmp_path / "film.gif"
    gray = np.full((20, 20, 3), 128, np.uint8)
    vivid = gray.copy()
    vivid[5:10, 5:10] = (0, 255, 0)
    file = Gif(path, 20, 20)
    for picture in (gray, vivid, gray):
        file.add(picture, 0.1)
    file.finish()
    images, _ = frames_of(path)
    np.testing.assert_array_equal(images[1], vivid)
    np.testing.assert_array_equal(images[2], gray)


def test_a_gif_of_many_colours_is_close(tmp_path: Path) -> None:
    path = tmp_path / "film.gif"
    ramp = np.zeros((64, 64, 3), np.uint8)
    ramp[..., 0], ramp[..., 1] = np.arange(64)[:, None] * 4, np.arange(64)[None] * 4
    file = Gif(path, 64, 64)
    file.add(ramp, 0.1)
    file.finish()
    images, _ = frames_of(path)
    assert np.abs(images[0].astype(int) - ramp).mean() < 6


@pytest.mark.parametrize("suffix", [".webp", ".gif", ".WEBP"])
def test_a_match_is_recorded_at_real_speed(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"match{suffix}"
    told: list[float] = []
    made = record(played(), path, fps=30, width=240, max_seconds=1.5, progress=told.append)
    images, times = frames_of(path)
    assert made.pictures == len(images) == 45
    assert made.seconds == 1.5
    assert sum(times) == pytest.approx(1500, abs=10)
    assert images[0].shape == (100, 240, 3)
    assert told[-1] == 1.5
    assert told == sorted(told)
    assert not pygame.display.get_init()
    playback = played()
    for image in images:
        drawn = rgb_array(playback.scene(), 240)
        if suffix == ".gif":
            assert np.abs(image.astype(int) - drawn).max() <= 12
        else:
            np.testing.assert_array_equal(image, drawn)
        playback.advance(1 / 30)


def test_what_stands_still_is_stored_once(tmp_path: Path) -> None:
    path = tmp_path / "match.webp"
    made = record(played(max_steps=4), path, fps=30, width=120)
    images, times = frames_of(path)
    assert made.pictures == len(images) == 5
    assert made.seconds == pytest.approx(2.0 + 4 / 30, abs=0.05)  # before the first step, three more, and the banner
    assert sum(times) == pytest.approx(made.seconds * 1000, abs=5)


def test_speed_and_rate_decide_which_steps_are_seen(tmp_path: Path) -> None:
    playback = played()
    made = record(playback, tmp_path / "fast.webp", fps=10, width=60, speed=4, max_seconds=1)
    assert made.pictures == 10
    assert playback.steps == 9 * 12  # the first picture is of the beginning, the others are 12 steps apart


@pytest.fixture
def ffmpeg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes a script the only ffmpeg there is."""

    def install(script: str) -> None:
        folder = tmp_path / "bin"
        folder.mkdir()
        program = folder / "ffmpeg"
        program.write_text(script.format(python=sys.executable))
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(folder))

    return install


def test_mp4_pictures_reach_ffmpeg(ffmpeg: Callable[[str], None], tmp_path: Path) -> None:
    ffmpeg(FAKE)
    path = tmp_path / "match.mp4"
    made = record(played(max_steps=4), path, fps=30, width=60)
    raw = np.frombuffer(path.read_bytes(), np.uint8).reshape(-1, 25, 60, 3)
    assert len(raw) == round(made.seconds * 30)  # a video has a picture for every moment
    np.testing.assert_array_equal(raw[0], rgb_array(played(max_steps=4).scene(), 60))


def test_a_failing_ffmpeg_is_quoted_and_leaves_no_file(ffmpeg: Callable[[str], None], tmp_path: Path) -> None:
    ffmpeg(BROKEN)
    with pytest.raises(InputError, match=r"ffmpeg could not write the video: Unknown encoder 'libx264'\."):
        record(played(), tmp_path / "match.mp4", width=300, max_seconds=2)
    assert [path.name for path in tmp_path.iterdir()] == ["bin"]


def test_mp4_without_ffmpeg_names_the_ways_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(InputError, match=r"selfplay-arena\[video\]"):
        check_target(tmp_path / "match.mp4", 30)


def test_mp4_with_a_real_ffmpeg(tmp_path: Path) -> None:
    try:
        check_target(tmp_path / "match.mp4", 30)
    except InputError:
        pytest.skip("there is no ffmpeg here")
    path = tmp_path / "match.mp4"
    record(played(), path, width=101, max_seconds=1)  # odd sizes are padded
    data = path.read_bytes()
    assert data[4:8] == b"ftyp"
    assert data.index(b"moov") < data.index(b"mdat")  # plays before it is all there
    assert [child.name for child in tmp_path.iterdir()] == ["match.mp4"]


def test_closing_a_video_early_ends_ffmpeg(ffmpeg: Callable[[str], None], tmp_path: Path) -> None:
    ffmpeg(FAKE)
    file = Mp4(tmp_path / "match.mp4", 4, 2, 30)
    file.add(np.zeros((2, 4, 3), np.uint8), 1 / 30)
    file.close()
    assert file._process.poll() is not None


@pytest.mark.parametrize(
    ("name", "fps", "sentence"),
    [
        ("match.avi", 30, r"the name must end in \.webp, \.gif, \.mp4"),
        ("match", 30, "the name must end in"),
        ("missing/match.gif", 30, "No such file or directory"),
        ("match.gif", 60, "a .gif can show 50 pictures a second"),
        ("folder.webp", 30, "it is a folder"),
    ],
)
def test_bad_targets_are_refused_before_playing(name: str, fps: float, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "folder.webp").mkdir()
    playback = played()
    with pytest.raises(InputError, match=sentence):
        record(playback, tmp_path / name, fps=fps)
    assert playback.steps == 0
    assert [path.name for path in tmp_path.iterdir()] == ["folder.webp"]


@pytest.mark.parametrize("fault", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_an_interrupted_recording_keeps_the_old_file(
    fault: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "match.webp"
    path.write_bytes(b"old")

    def fail(seconds: float) -> None:
        if seconds > 0.5:
            raise fault

    with pytest.raises(InputError if isinstance(fault, OSError) else KeyboardInterrupt):
        record(played(), path, width=60, progress=fail)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_command_records_and_reports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "match.gif"
    words = [
        "watch",
        "baseline",
        "noop",
        "--record",
        str(path),
        "--width",
        "120",
        "--speed",
        "8",
        "--fps",
        "15",
    ]
    assert main([*words, "--set", "lives=1", "--games", "2", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    images, _ = frames_of(path)
    assert report["file"] == str(path)
    assert report["pictures"] == len(images)
    assert report["games"] == 2
    assert report["players"] == ["baseline", "noop"]
    assert len(report["scores"]) == 2
    assert report["scores"][0] in ([1.0, -1.0], [-1.0, 1.0])


def test_the_command_shows_a_window(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["watch", "tracker", "baseline", "--max-seconds", "0.1", "--width", "200", "--fps", "100"]
    assert main([*words, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["file"] is None
    assert report["seconds"] >= 0.1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("nobody noop", "nobody"),
        ("noop noop --env Tennis-v0", "unknown env 'Tennis-v0'"),
        ("noop noop --speed 0", "--speed must be above 0"),
        ("noop noop --max-seconds nan", "--max-seconds must be above 0"),
        ("noop noop --games -1", "--games must be above 0"),
        ("noop noop --seed -1", "--seed must be 0 or more"),
        ("noop noop --record match.avi", "must end in"),
        ("noop noop --record no/such/folder/match.gif", "cannot write"),
    ],
)
def test_bad_words_are_one_sentence(words: str, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", *words.split()]) == 2
    said = capsys.readouterr()
    assert sentence in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""


def test_recording_needs_no_display_and_no_torch(tmp_path: Path) -> None:
    path = str(tmp_path / "a.webp")
    program = (
        "import os, sys; os.environ.pop('SDL_VIDEODRIVER', None); os.environ.pop('DISPLAY', None)\n"
        "from arena.cli import main\n"
        f"code = main(['watch', 'noop', 'noop', '--record', {path!r}, '--max-seconds', '.2'])\n"
        "assert 'torch' not in sys.modules, 'torch was imported'\n"
        "sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a.webp").stat().st_size > 0
