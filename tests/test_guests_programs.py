"""Programs of other people as players: good ones, and those that misbehave on command. Nothing of them is left."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import arena
import arena.match as match_module
from arena.guests import limits as limits_module
from arena.guests import program as program_module
from arena.guests import programs
from arena.guests.fault import Fault, Late
from arena.guests.limits import Limits
from arena.guests.program import Program
from arena.players import load_player
from arena.store import RunFolder
from arena.store.verify import verify
from envs.errors import InputError
from envs.registry import build
from tests.runs import Run
from tests.sources import ROOT

EXAMPLES = ROOT / "examples" / "subprocess_agent"
NAUGHTY = ROOT / "tests" / "agents" / "naughty.py"
BOARD = "TicTacToe-v0"
QUICK = Limits(move=0.4)

pytestmark = pytest.mark.skipif(os.name != "posix", reason="processes are ended as groups")


def naughty(kind: str, step: int = 1, log: Path | None = None) -> str:
    words = [sys.executable, str(NAUGHTY), kind, str(step), *([str(log)] if log else [])]
    return f"cmd:{' '.join(words)}"


def running(pid: int) -> bool:
    """Whether a process is there and not only waits to be noticed."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except ProcessLookupError:
        return False
    except OSError:
        return Path("/proc").is_dir() and Path(f"/proc/{pid}").exists()
    return state not in "ZX"


def left(log: Path) -> list[int]:
    """Processes of those that `log` names that are still there."""
    return [int(line) for line in log.read_text().split() if running(int(line))]


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    """Where processes note their numbers; whoever is left at the end is ended, so that a failure leaves nobody."""
    path = tmp_path / "pids"
    yield path
    for pid in left(path) if path.exists() else []:
        os.kill(pid, signal.SIGKILL)


KINDS = {
    "crash": r"ended with exit code 1 \(RuntimeError: something is broken in here\)",
    "exit": "ended with exit code 3",
    "killed": "was ended by SIGSEGV",
    "sleep": "gave no answer within 400 ms",
    "stubborn": "gave no answer within 400 ms",
    "busy": "gave no answer within 400 ms",
    "mute": "closed its output",
    "garbage": r"wrote 'Thinking... \?\[31m best move: 3', which is no line of the protocol",
    "binary": "which is no line of the protocol",
    "deep": "which is no line of the protocol",
    "illegal": "answered with 1000000000000000000000000000000, which is not one of the actions 0 to 8",
    "text": "answered with 'left', which is not the number of an action",
    "nothing": "answered without 'action'",
    "nan": "answered with an action that is not a finite number",
    "huge": "wrote a line of more than 1024 KiB",
    "fork": "ended with exit code 4",
    "apart": "ended with exit code 4",
    "late": "gave no answer within 400 ms",
    "stillborn": r"ended with exit code 1 \(no configuration found\)",
    "impolite": "answered without 'protocol'",
    "modern": "speaks version 99 of the protocol",
}


@pytest.mark.parametrize("kind", KINDS)
def test_who_misbehaves_loses_and_leaves_nothing(kind: str, log: Path) -> None:
    outcome = arena.play(BOARD, [naughty(kind, 1, log), "random"], 2, limits=QUICK, tested=False)
    assert len(outcome.results) == 2
    for result in outcome.results:
        own = next(seat for seat, name in enumerate(result.players) if name != "random")
        assert (result.ended, result.score[own], result.score[1 - own]) == ("forfeit", -1, 1)
        assert result.steps < 5
    for result in outcome.results:
        assert re.search(KINDS[kind], result.reason), result.reason
        assert result.reason.startswith(f"naughty-{kind}-1")
    assert log.read_text()
    assert left(log) == []


@pytest.mark.parametrize("kind", ["twice", "flood"])
def test_who_talks_too_much_is_found_out_at_the_next_question(kind: str, log: Path) -> None:
    outcome = arena.play(BOARD, [naughty(kind, 0, log), "random"], 2, limits=Limits(move=5), tested=False)
    assert {one.reason.partition(" ")[2] for one in outcome.results} == {"wrote a line that nobody had asked for"}
    assert left(log) == []


@pytest.mark.parametrize("kind", ["noise", "clinging", "fine"])
def test_who_is_only_odd_plays_on(kind: str, log: Path) -> None:
    """Six megabytes on standard error; or one that does not leave when it is told to."""
    logs = log.parent / "logs"
    outcome = arena.play(BOARD, [naughty(kind, 0, log), "random"], 2, tested=False, logs=logs)
    known = arena.play(BOARD, [lambda obs, legal: legal.argmax(), "random"], 2).results
    assert [one.score for one in outcome.results] == [one.score for one in known]
    assert left(log) == []
    kept = [path.stat().st_size for path in logs.iterdir()]
    assert len(kept) == 1
    assert (kept[0] > 0) == (kind == "noise")
    processes = len(log.read_text().split())
    assert kept[0] <= processes * program_module.LOGGED


def test_who_never_says_hello(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many processes as may fail, and no more."""
    monkeypatch.setattr(programs, "START", 0.2)
    monkeypatch.setattr(programs, "DEATHS", 2)
    outcome = arena.play(BOARD, [naughty("deaf", 0, log), "random"], 6, tested=False)
    reasons = Counter(one.reason.partition(" ")[2] for one in outcome.results)
    assert reasons == {"did not say hello within 200 ms": 2, "failed 2 times in a row, and is not started again": 4}
    assert len(log.read_text().split()) == 2
    assert left(log) == []


def test_without_a_limit_nobody_waits_for_ever(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "STALL", 0.2)
    outcome = arena.play(BOARD, [naughty("sleep", 1, log), "random"], 1, tested=False)
    assert outcome.results[0].reason.endswith("gave no answer within 200 ms")
    assert limits_module.STALL >= 1


def test_a_failed_process_is_started_anew_for_the_next_game(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It crashes at its fourth move: games that are over before are played, and clear its name."""
    monkeypatch.setattr(programs, "DEATHS", 3)
    outcome = arena.play(BOARD, [naughty("crash", 3, log), "one-ply"], 24, tested=False)
    ends = [one.ended for one in outcome.results]
    assert ends.count("forfeit") > 3
    assert ends.count("rules") > 3
    assert not any("not started again" in one.reason for one in outcome.results)


def test_two_at_fault_in_one_step_both_lose() -> None:
    both = [naughty("exit", 0), naughty("nan", 0)]
    result = arena.play("RockPaperScissors-v0", both, 1, tested=False).results[0]
    assert (result.ended, result.score, result.steps) == ("forfeit", (-1, -1), 0)
    assert result.reason == (
        "naughty-exit-0 ended with exit code 3; naughty-nan-0 answered with an action that is not a finite number"
    )


def test_against_each_other_the_first_at_fault_loses() -> None:
    """The one crashes in its first move, the other in its second."""
    outcome = arena.play(BOARD, [naughty("exit", 0), naughty("exit", 1)], 2, tested=False)
    for result in outcome.results:
        assert result.reason == "naughty-exit-0 ended with exit code 3"
        assert result.score[result.players.index("naughty-exit-0")] == -1


def test_any_number_of_workers_comes_to_the_same(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(match_module, "BLOCK", 6)
    text = naughty("crash", 3, log)
    one = arena.play(BOARD, [text, "random"], 24, seed=3, tested=False, workers=1)
    three = arena.play(BOARD, [text, "random"], 24, seed=3, tested=False, workers=3)
    assert one.results == three.results
    assert {result.ended for result in one.results} == {"rules", "forfeit"}
    assert left(log) == []


def test_a_killed_arena_leaves_no_programs(log: Path) -> None:
    """Even one that had no time to clean up; nor does Ctrl-C."""
    words = ["match", naughty("apart-later", 10**6, log), "random", "--games", "100000", "--untested"]
    for number in (signal.SIGKILL, signal.SIGINT):
        process = subprocess.Popen(
            [sys.executable, "-m", "arena", *words], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not (log.exists() and len(log.read_text().split()) >= 4):
            time.sleep(0.05)
        assert len(left(log)) >= 4
        process.send_signal(number)
        process.wait(30)
        deadline = time.monotonic() + 20
        while left(log) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert left(log) == []
        log.unlink()


def test_reasons_are_logged(tmp_path: Path) -> None:
    results = arena.play(BOARD, [naughty("exit", 0), "random"], 2, tested=False).results
    with RunFolder.create(tmp_path / "run", Run(), seed=0) as folder:
        folder.append_block("first", results)
        assert tuple(folder.results()) == results
        assert next(folder.results()).reason == "naughty-exit-0 ended with exit code 3"
    assert verify(tmp_path / "run") == []


def test_a_changed_reason_is_found_out(tmp_path: Path) -> None:
    results = arena.play(BOARD, [naughty("exit", 0), "random"], 2, tested=False).results
    with RunFolder.create(tmp_path / "run", Run(), seed=0) as folder:
        folder.append_block("first", results)
    with sqlite3.connect(tmp_path / "run" / "league.sqlite") as db:
        db.execute("UPDATE games SET reason = 'it was cold' WHERE game = 0")
    db.close()
    assert [fault.where for fault in verify(tmp_path / "run")] == ["league.sqlite: block 1"]


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
def test_the_example_in_c(tmp_path: Path) -> None:
    """It knows slime volleyball, and nothing else."""
    source = str(EXAMPLES / "tracker.c")
    flags = ["-O1", "-Wall", "-Wextra", "-Werror"]
    subprocess.run(["cc", *flags, "-o", str(tmp_path / "tracker"), source, "-lm"], check=True, timeout=60)
    text = f"cmd:{tmp_path}/tracker"
    outcome = arena.play("SlimeVolley-v0", [text, "random"], 4, options={"lives": 2})
    assert outcome.summary.wins == 4
    assert {one.ended for one in outcome.results} == {"rules"}
    with pytest.raises(InputError, match="tracker plays slime volleyball and nothing else"):
        arena.play(BOARD, [text, "random"], 2)


@pytest.mark.skipif(shutil.which("node") is None, reason="no node")
def test_the_example_in_javascript() -> None:
    text = f"cmd:node {EXAMPLES}/one_ply.js"
    outcome = arena.play(BOARD, [text, "random"], 8)
    assert outcome.players[0] == "one_ply"
    assert outcome.summary.wins > outcome.summary.losses
    assert {one.ended for one in outcome.results} == {"rules"}
    assert arena.play(BOARD, [text, "random"], 8).results == outcome.results
    with pytest.raises(InputError, match="one_ply plays TicTacToe-v0, not SlimeVolley-v0"):
        arena.play("SlimeVolley-v0", [text, "random"], 2)


def test_what_a_program_is_told(tmp_path: Path) -> None:
    """The lines of a game, as the README of the examples has them."""
    heard = tmp_path / "heard"
    script = tmp_path / "listener.py"
    script.write_text(
        "import json, sys\n"
        f"heard = open({str(heard)!r}, 'a')\n"
        "for line in sys.stdin:\n"
        "    heard.write(line)\n"
        "    heard.flush()\n"
        "    said = json.loads(line)\n"
        "    if said['type'] == 'hello':\n"
        "        print(json.dumps({'type': 'hello', 'protocol': 1, 'watches': True}), flush=True)\n"
        "    if said['type'] == 'act':\n"
        "        print(json.dumps({'action': said['legal'][-1]}), flush=True)\n"
    )
    result = arena.play(BOARD, [f"cmd:{sys.executable} {script}", "one-ply"], 1, tested=False).results[0]
    lines = [json.loads(line) for line in heard.read_text().splitlines()]
    hello, game, *acts, over, bye = lines
    assert (hello["type"], hello["protocol"]) == ("hello", 1)
    assert hello["limits"] == {"move": None, "game": None}
    assert set(hello["game"]) == {
        "id", "options", "seats", "teams", "role", "max_steps", "observation", "action",
    }  # fmt: skip
    assert hello["game"]["action"] == {"kind": "discrete", "n": 9}
    assert hello["game"]["observation"]["shape"] == [18]
    assert set(game) == {"type", "game", "seed"} and 0 <= game["seed"] < 2**53
    assert [one["step"] for one in acts] == list(range(result.steps))  # it watches
    assert acts[0]["legal"] == list(range(9)) and len(acts[0]["obs"]) == 18
    assert over == {"type": "over", "game": 1, "score": result.score[0]}
    assert bye == {"type": "bye"}


def test_a_program_by_itself() -> None:
    """Lines go and come; what is late, or too long, or from nobody, is said."""
    echo = Program([sys.executable, "-u", "-c", "import sys\nfor line in sys.stdin: print(line, end='')"])
    echo.send(b"one\ntwo\n")
    assert (echo.line(20), echo.line(20)) == (b"one", b"two")
    assert echo.idle()
    big = b"x" * 900_000
    echo.send(big + b"\n")
    assert echo.line(20) == big
    with pytest.raises(Late, match="gave no answer within 50 ms"):
        echo.line(0.05)
    echo.send(big * 2 + b"\n")
    with pytest.raises(Fault, match="wrote a line of more than 1024 KiB"):
        echo.line(20)
    echo.close()
    echo.close()
    with pytest.raises(Fault, match="could not be started"):
        Program(["/nowhere/at/all"])


def test_a_new_warden_takes_over_from_a_killed_one() -> None:
    first = Program([sys.executable, "-c", "input()"])
    warden = program_module._WARDEN._process
    assert warden
    warden.kill()
    warden.wait()
    second = Program([sys.executable, "-c", "input()"])
    assert program_module._WARDEN._process is not warden
    first.close()
    second.close()


def test_a_program_may_have_any_place(tmp_path: Path) -> None:
    """Names say what somebody wrote, not the interpreter."""
    spec = build(BOARD, 1, {}).spec
    assert load_player(naughty("crash", 3), spec).name == "naughty-crash-3"
    assert load_player("cmd:cat", spec).name == "cat"
    assert load_player("cmd:cat --show-all", spec).name == "cat-show-all"
