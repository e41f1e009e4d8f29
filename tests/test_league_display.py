"""What a league shows while it runs and when it has ended: terminals, narrow ones, and none."""

from __future__ import annotations

import fcntl
import io
import os
import re
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import arena
from arena.cli import main
from arena.cli.leaderboard import print_leaderboard, score, skill
from arena.cli.outcome import peak_rss_mib
from arena.cli.program import command
from arena.cli.progress import Lines, Picture, clock, display, latest
from arena.cli.signals import StopSignals
from arena.league import Progress
from arena.league.overview import first_above
from arena.league.standings import Standing, standings
from arena.ratings.rating import Rating
from arena.result import MatchSummary, Result
from arena.store import lock
from envs.errors import InputError
from tests.test_league_cli import TINY

ANCHORS = ("baseline", "tracker", "random")
ROLES = {**dict.fromkeys(ANCHORS, "anchor"), "ada": "main", "bob": "main-exploiter"}


class Terminal(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True

    def text(self) -> str:
        """What was written, without colours and cursor movements."""
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", self.getvalue())


def table(members: Sequence[str] = ("ada", "bob"), steps: Sequence[int] = (1_000_000, 2_000_000)) -> list[Standing]:
    """Standings of a league in which everybody met the anchors and lost to them."""
    names = [f"{member}:{step}" for step in steps for member in members]
    pairs = [(anchor, name) for anchor in ANCHORS for name in names]
    games = [Result("SlimeVolley-v0", pair, (1.0, -1.0), 9, seed, "rules") for pair in pairs for seed in range(4)]
    return standings(games, ROLES)


def progress(
    standings: Sequence[Standing] = (), phase: str = "training ada", share: float = 0.25, told: Sequence[str] = ()
) -> Progress:
    return Progress(phase, share, 12.0, 1_234_567, 98_765.4, standings, ROLES, told)


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of 80 columns."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("NO_COLOR", raising=False)


def test_cells() -> None:
    assert skill(Rating(25.04, 1.25, 3)) == "25.0 ±1.2"
    assert score(None) == "-"
    assert score(MatchSummary("ada", 4, 1, 1, 2, -0.25, None, 9.0)) == "-0.25"
    assert score(MatchSummary("ada", 4, 1, 1, 2, -0.25, (-0.75, 0.25), 9.0)) == "-0.25 ±0.50"
    assert [clock(seconds) for seconds in (0, 59.9, 61, 3600, 86_399)] == [
        "0:00",
        "0:59",
        "1:01",
        "1:00:00",
        "23:59:59",
    ]


def test_a_leaderboard_in_a_file_has_all_columns(capsys: pytest.CaptureFixture[str]) -> None:
    print_leaderboard(table(), ANCHORS, "a run [1]")
    said = capsys.readouterr().out
    assert said.startswith("a run [1]")
    header = said.splitlines()[1].split()
    assert header == ["#", "player", "role", "skill", "sure", "games", "won/drawn/lost", *ANCHORS]
    assert "0/0/12" in said
    assert "…" not in said


@pytest.mark.usefixtures("narrow")
def test_a_leaderboard_fits_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Terminal()
    monkeypatch.setattr(sys, "stdout", shown)
    print_leaderboard(table(), ANCHORS, "run")
    header = shown.text().splitlines()[1].split()
    assert header[:3] == ["#", "player", "skill"]
    assert header[-3:] == list(ANCHORS)
    assert "won/drawn/lost" not in header
    assert "…" not in shown.text()
    assert max(map(len, shown.text().splitlines())) <= 80


def test_a_long_leaderboard_is_cut_but_keeps_the_anchors(capsys: pytest.CaptureFixture[str]) -> None:
    standings = table(steps=range(1000, 31_000, 1000))
    print_leaderboard(standings, ANCHORS, "run", most=5)
    rows = [line for line in capsys.readouterr().out.splitlines() if re.match(r" *\d+ ", line)]
    assert len(rows) == 5 + 3
    assert sum(" anchor " in row for row in rows) == 3
    print_leaderboard(standings, ANCHORS, "run", most=5)
    assert "and 55 more" in capsys.readouterr().out


def test_events_are_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    lines = Lines(ANCHORS)
    for told in (
        (),
        ("reset eve",),
        ("reset eve", "promoted ada"),
        ("promoted ada", "cycle"),
        ("promoted ada", "cycle"),
    ):
        lines(progress(told=told))
    said = [line.partition("%  ")[2] for line in capsys.readouterr().err.splitlines()]
    assert [line for line in said if "env steps" not in line] == ["reset eve", "promoted ada", "cycle"]


def test_latest_ratings_are_those_of_anchors_best_and_newest() -> None:
    board = table(steps=(900_000, 1_000_000, 2_000_000))
    best = next(standing.name for standing in board if not standing.anchor)
    shown = latest(board)
    assert {standing.name for _, standing in shown} == {*ANCHORS, best, "ada:2000000", "bob:2000000"}
    assert [rank for rank, _ in shown] == sorted(rank for rank, _ in shown)


def test_lines_are_few(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    lines, before, after = Lines(ANCHORS), table(["ada"], [1]), table(["ada"], [1, 2])
    final = list(after)
    for board, phase in (([], "training ada"), (before, ""), (after, ""), (final, "final games")):
        for _ in range(10):
            lines(progress(board, phase))
            now += 1
    now += 15
    lines(progress(final, "training bob"))
    lines(progress(final, "training bob"))
    said = capsys.readouterr().err.splitlines()
    assert [line.partition("%  ")[2].partition(":")[0] for line in said] == [
        "1,234,567 env steps, 98,765 steps/s, training ada",
        "rated ada",
        "rated ada",
        "best ada",
        "1,234,567 env steps, 98,765 steps/s, training bob",
    ]
    assert said[1].startswith("   12.0 s   25%  rated ada:1: skill ")
    assert re.search(r"mean score -1\.00 ±0\.00 against baseline, .* against tracker, .* against random$", said[1])


def test_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    terminal = Terminal()
    console = Console(file=terminal, width=80, force_terminal=True)
    picture = Picture(Path("runs/[x]"), ANCHORS)
    console.print(picture)
    picture(progress())
    console.print(picture)
    assert "1,234,567 env steps  98,765 steps/s  training ada" in terminal.text()
    assert "25%" in terminal.text()
    assert "player" not in terminal.text()
    picture(progress(table()))
    picture.tell("finishing")
    console.print(picture)
    assert "league runs/[x]  finishing" in terminal.text()
    assert re.search(r"player +skill +baseline +tracker +random", terminal.text())
    assert "…" not in terminal.text()


@pytest.mark.parametrize(("terminal", "term", "kind"), [
    (True, "xterm", Picture), (True, "dumb", Lines), (True, "", Lines), (False, "xterm", Lines),
])  # fmt: skip
def test_displays(terminal: bool, term: str, kind: type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", term)
    monkeypatch.setattr(sys, "stderr", Terminal() if terminal else io.StringIO())
    with display(Path("x"), ANCHORS) as shown:
        assert type(shown) is kind


def test_a_run_in_a_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TERM", "xterm-256color")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    Path("tiny.toml").write_text(TINY, encoding="utf-8")
    assert main(["league", "run", "tiny.toml", "--out", "run"]) == 0
    assert "league run  Ctrl-C ends it after this stretch" in terminal.text()
    assert "champion: " in capsys.readouterr().out


def test_the_first_rating_above_0() -> None:
    ratings: list[dict[str, Any]] = [
        {"kind": "training", "learner": "ada"},
        {"kind": "rating", "snapshot": "ada:1", "scores": {"baseline": -1.0, "random": 1.0}},
        {"kind": "rating", "snapshot": "bob:1", "scores": {"random": 2.0}},
        {"kind": "final"},
        {"kind": "rating", "snapshot": "ada:2", "scores": {"baseline": 0.5, "random": None}},
        {"kind": "rating", "snapshot": "bob:2", "scores": {"baseline": 0.6}},
    ]
    assert first_above(ratings, "baseline") == ratings[4]
    assert first_above(ratings, "random") == ratings[1]
    assert first_above(ratings, "tracker") is None


def test_signals_ask_then_insist(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    before = signal.getsignal(signal.SIGINT)
    told: list[int] = []
    with StopSignals(lambda: told.append(1)) as stop:
        assert not stop.asked()
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)  # `timeout` sends it to the process and to its group
        assert stop.asked()
        assert (stop.word, stop.exit_code, told) == ("terminated", 143, [1])
        now += 1
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_commands_are_called_as_this_process_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "bin" / "arena"
    script.parent.mkdir()
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "argv", [str(script), "league"])
    assert command("watch", "my runs/x@champion") == f"{script} watch 'my runs/x@champion'"
    monkeypatch.setenv("PATH", f"{script.parent}{os.pathsep}/bin")
    assert command("watch", Path("x")) == "arena watch x"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "/bin")
    monkeypatch.setattr(sys, "argv", ["./bin/arena"])
    assert command("envs") == "./bin/arena envs"
    monkeypatch.setattr(sys, "argv", ["/somewhere/arena/__main__.py"])
    assert command("envs") == f"{sys.executable} -m arena envs"
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    assert command("envs").endswith("-m arena envs")


def test_peak_memory_is_in_mib() -> None:
    assert 20 < peak_rss_mib() < 50_000


def test_a_reader_that_looks_at_the_lock_does_not_refuse_a_writer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lock"
    assert lock.holder(path) is None
    first, second, looking = lock.Lock(path), lock.Lock(path), path.open("wb")
    fcntl.flock(looking, fcntl.LOCK_SH)
    monkeypatch.setattr("time.sleep", lambda seconds: looking.close() if seconds else None)
    assert first.take() is None
    assert second.take() == lock.holder(path) == str(os.getpid())
    first.release()
    assert lock.holder(path) is None
    assert second.take() is None
    second.release()


def test_from_python(tmp_path: Path) -> None:
    small = ["training.games=8", "training.steps=8", "training.snapshot_steps=64", "evaluation.games=2"]
    small += ["game.options.max_steps=50", "game.options.serve_delay=0"]
    config = {"anchors": ["random"], "learners": [{"name": "ada"}], "budget": "64-steps"}
    with arena.League.create(tmp_path / "a", "slime-laptop", [*small, "budget=64-steps"]) as league:
        assert league.config.anchors == ANCHORS
        with pytest.raises(InputError, match="is being written"):
            arena.League.open(tmp_path / "a", write=True)
        league.run()
        league.run("64-steps")
        assert league.steps == 128
        board = league.leaderboard()
    assert arena.League.open(tmp_path / "a").leaderboard() == board
    ready = arena.LeagueConfig.model_validate(config)
    with arena.League.create(str(tmp_path / "b"), ready) as league:
        assert league.config == ready
    with pytest.raises(InputError, match="overrides"):
        arena.League.create(tmp_path / "c", ready, ["seed=1"])
    with pytest.raises(InputError, match="must be above 0"):
        arena.League.open(tmp_path / "b").run("0s")
    assert {path.name for path in tmp_path.iterdir()} == {"a", "b"}
