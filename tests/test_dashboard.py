"""The dashboard: who may look, what is served, that it follows the run, and that it leaves no trace."""

from __future__ import annotations

import gzip
import hashlib
import shutil
import signal
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from arena.cli import main
from arena.dashboard import server as server_module
from arena.dashboard.access import Access, is_loopback
from arena.dashboard.pairing import pairing
from arena.dashboard.reading import read, stamp
from arena.league import League
from arena.store import RunFolder
from envs.errors import InputError
from tests.cli import arena, environment
from tests.dashboards import TOKEN, add_games, ask, served, wait_for
from tests.leagues import tiny
from tests.runs import ENV, Run

SAFE = {
    "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY",
    "Cache-Control": "no-store", "Cross-Origin-Resource-Policy": "same-origin",
}  # fmt: skip


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A league that has ended; nobody may change it."""
    path = tmp_path_factory.mktemp("home") / "league"
    with League.create(path, tiny(budget="300-steps")) as league:
        league.run()
    return path


@pytest.fixture
def league(finished: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    shutil.copytree(finished, tmp_path / "league")
    return tmp_path / "league"


@pytest.fixture
def young(tmp_path: Path) -> Path:
    """A league that has not done anything yet."""
    RunFolder.create(tmp_path / "young", Run(), seed=3).close()
    return tmp_path / "young"


def prints(path: Path) -> dict[str, str]:
    """A hash of every file below `path`, SQLite's own included, and when it was written."""
    return {
        str(file): f"{hashlib.sha256(file.read_bytes()).hexdigest()} {file.stat().st_mtime_ns}"
        for file in sorted(path.rglob("*"))
        if file.is_file()
    }


def test_a_league_is_shown_and_not_touched(league: Path) -> None:
    before = prints(league)
    with served(league) as dashboard:
        page, state, data = (ask(dashboard, path) for path in ("/", "/state", "/data"))
        ready = wait_for(dashboard, lambda state: state["game"] > 0)
        game = ask(dashboard, "/game")
    assert [answer.code for answer in (page, state, data, game)] == [200] * 4
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert b"ada:" in page.body and b"window.arena.number = 1;" in page.body
    assert (state.tree["state"], state.tree["said"], state.tree["data"]) == ("stopped", "The run has ended.", 1)
    assert "champion" in data.body.decode() and data.headers["X-Number"] == "1"
    assert ready["title"].startswith("The champion ")
    film = game.tree
    assert len(film["names"]) == 2 and film["steps"] > 0 and film["title"] == ready["title"]
    assert set(film["names"]) <= set(ready["title"].replace(",", "").split())
    assert prints(league) == before


def test_every_answer_is_safe(league: Path) -> None:
    with served(league) as dashboard:
        for path in ("/", "/state", "/data", "/none"):
            answer = ask(dashboard, path)
            assert SAFE.items() <= answer.headers.items()
            policy = answer.headers["Content-Security-Policy"]
            assert policy.startswith("default-src 'none'") and "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy and "http" not in policy
            assert "Python" not in answer.headers["Server"]
        assert "connect-src 'self'" in ask(dashboard, "/").headers["Content-Security-Policy"]
        zipped = ask(dashboard, "/data", headers={"Accept-Encoding": "gzip"})
        assert zipped.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(zipped.body) == ask(dashboard, "/data").body
        head = ask(dashboard, "/data", "HEAD")
        assert (head.code, head.body) == (200, b"") and int(head.headers["Content-Length"]) > 0


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_only_looking_is_admitted(young: Path, method: str) -> None:
    with served(young) as dashboard:
        answer = ask(dashboard, "/", method)
    assert (answer.code, answer.headers["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    "path",
    [
        "/league.sqlite",
        "/../run.json",
        "/%2e%2e/run.json",
        "//etc/passwd",
        "/data/../../run.json",
        "/state/",
        "/\\run.json",
    ],
)
def test_no_file_can_be_asked_for(young: Path, path: str) -> None:
    with served(young) as dashboard:
        answer = ask(dashboard, path)
    assert (answer.code, answer.body) == (404, b"arena: there is nothing here.\n")


def test_other_names_are_not_answered(young: Path) -> None:
    """As after DNS rebinding."""
    with served(young) as dashboard:
        port = dashboard.server.port
        others = ("evil.example", "127.0.0.1", f"evil.example:{port}", f"127.0.0.1:{port + 1}", f"x@127.0.0.1:{port}")
        for host in (*others, f"10.0.0.1:{port}", "", f"127.0.0.1:{port}/x", "[", f"127.0.0.1.:{port}"):
            assert ask(dashboard, "/state", host=host).code == 421, host
        for host in (f"localhost:{port}", f"LOCALHOST:{port}", f"[::1]:{port}"):
            assert ask(dashboard, "/state", host=host).code == 200, host


def test_a_token_is_asked_for_and_kept_in_a_cookie(young: Path) -> None:
    with served(young, Access("127.0.0.1", TOKEN)) as dashboard:
        assert dashboard.url.endswith(f"/?token={TOKEN}")
        for path in ("/", "/state", "/data", "/?token=", "/?token=wrong", f"/?token={TOKEN}x", f"/?Token={TOKEN}"):
            assert ask(dashboard, path).code == 403, path
        welcome = ask(dashboard, f"/?token={TOKEN}")
        assert (welcome.code, welcome.headers["Location"]) == (303, "/")
        cookie = welcome.headers["Set-Cookie"]
        assert "HttpOnly" in cookie and "SameSite=Strict" in cookie
        kept = cookie.partition(";")[0]
        assert ask(dashboard, "/state", headers={"Cookie": kept}).code == 200
        assert ask(dashboard, "/state", headers={"Cookie": f"{kept}x"}).code == 403
        assert ask(dashboard, "/state", headers={"Cookie": "a=\x01; ;;"}).code == 403
        assert ask(dashboard, f"/state?token={TOKEN}").code == 200
        assert ask(dashboard, "/state", headers={"Cookie": kept}, host="evil.example").code == 421


def test_beyond_loopback_there_is_always_a_token() -> None:
    assert all(map(is_loopback, ("localhost", "127.0.0.1", "127.8.0.1", "::1")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "10.0.0.1", "example.org")))
    assert Access("127.0.0.1", None).token is None
    made = {Access("0.0.0.0", None).token for _ in range(5)}
    assert len(made) == 5 and all(token and len(token) >= 30 for token in made)
    everywhere = Access("0.0.0.0", None)
    assert everywhere.host_fits("10.1.2.3:80", 80) and everywhere.host_fits(f"{socket.gethostname()}:80", 80)
    assert not everywhere.host_fits("evil.example:80", 80)
    assert not everywhere.admits("", None, 80)
    for token in ("", "short", "with spaces and more", "ä" * 20, "a" * 201):
        with pytest.raises(InputError, match="--token must have 16 to 200"):
            Access("0.0.0.0", token)


def test_it_follows_the_log(league: Path) -> None:
    with served(league) as dashboard:
        before = ask(dashboard, "/data").body.decode()
        with RunFolder.open(league, write=True) as run:
            assert wait_for(dashboard, lambda state: state["state"] == "running")["said"].startswith("Running: ")
            add_games(run, "more", "<script>alert(1)</script>", "ada:0", ENV)
            wait_for(dashboard, lambda state: "alert(1)" in ask(dashboard, "/data").body.decode())
        assert "alert(1)" not in before
        assert not any("<script" in html for html in ask(dashboard, "/data").tree["sections"].values())
        assert "<script>alert" not in ask(dashboard, "/").body.decode()
        assert wait_for(dashboard, lambda state: state["state"] == "stopped")["said"] == "The run has ended."


def test_many_viewers_cost_one_reader(league: Path) -> None:
    with served(league) as dashboard, ThreadPoolExecutor(16) as pool:
        wait_for(dashboard, lambda state: state["game"] > 0)
        bodies = list(pool.map(lambda _: ask(dashboard, "/data").body, range(100)))
        pages = list(pool.map(lambda _: ask(dashboard, "/").body, range(20)))
        assert len(set(bodies)) == len(set(pages)) == 1
        assert dashboard.keeper.looks == 1


def test_requests_are_bounded_and_do_not_last(young: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "REQUESTS", 2)
    with served(young) as dashboard, ExitStack() as stack:
        idle = [stack.enter_context(socket.create_connection(("127.0.0.1", dashboard.server.port))) for _ in range(2)]
        extra = stack.enter_context(socket.create_connection(("127.0.0.1", dashboard.server.port)))
        assert extra.recv(100).startswith(b"HTTP/1.0 503 ")
        monkeypatch.setattr(server_module, "LONGEST", 0.0)  # as if they had been there for long
        for connection in idle:
            connection.settimeout(30)
            assert connection.recv(100) == b""
        monkeypatch.undo()
        while ask(dashboard, "/state").code == 503:  # their places are given back a moment later
            time.sleep(0.01)
        assert ask(dashboard, "/state").code == 200


def test_a_league_without_games(young: Path) -> None:
    with served(young) as dashboard:
        page = ask(dashboard, "/")
        assert page.code == 200 and b"young" in page.body
        state = wait_for(dashboard, lambda state: bool(state["title"]))
        assert (state["game"], state["title"]) == (0, "No game yet: nobody has been rated.")
        assert ask(dashboard, "/game").code == 404
        with RunFolder.open(young, write=True) as run:
            add_games(run, "first", "ada:1", "baseline", ENV)
        wait_for(dashboard, lambda state: state["data"] == 2)


def test_a_folder_that_vanishes_is_one_sentence(young: Path) -> None:
    with served(young) as dashboard:
        shutil.rmtree(young)
        state = wait_for(dashboard, lambda state: state["state"] == "gone")
        assert state["said"].startswith(f"there is no run folder {young}")
        assert ask(dashboard, "/data").code == 200


def champion_of(path: Path, matches: list[tuple[str, str]]) -> list[str]:
    """Who plays, after matches between winners and losers."""
    with RunFolder.create(path, Run(anchors=("baseline",)), seed=3) as run:
        run.add_member("baseline", "anchor", {"bot": "baseline"})
        run.add_member("ada", "main", {"learner": {}})
        for step in (1, 2, 3):
            run.snapshot_path("ada", step).write_bytes(b"weights")
            run.add_snapshot("ada", step)
        for number, (winner, loser) in enumerate(matches):
            add_games(run, f"b{number}", winner, loser, ENV)
    found = read(path, pairing)
    return [seat.name for seat in found.seats] if found else []


def test_the_champion_meets_the_one_before_it(tmp_path: Path) -> None:
    assert champion_of(tmp_path / "a", []) == []
    assert champion_of(tmp_path / "b", [("ada:1", "baseline")]) == ["ada:1", "baseline"]
    first, second = ("ada:1", "baseline"), ("baseline", "ada:2")
    assert champion_of(tmp_path / "c", [first, second, ("ada:1", "ada:2")]) == ["ada:1", "baseline"]
    third = [("ada:3", "baseline"), ("ada:3", "ada:1"), ("ada:3", "ada:2")]
    assert champion_of(tmp_path / "d", [first, second, *third]) == ["ada:3", "ada:1"]


def test_reading_sees_what_is_written_meanwhile(young: Path) -> None:
    """Nothing of it is taken for the whole."""
    looked: list[int] = []

    def look(run: RunFolder) -> int:
        looked.append(run.games())
        if len(looked) == 1:
            with RunFolder.open(young, write=True) as other:
                add_games(other, "meanwhile", "ada:1", "baseline", ENV)
        return run.games()

    before = stamp(young)
    assert read(young, look) == 8
    assert looked == [0, 8]
    assert stamp(young) != before


def test_bad_input_is_one_sentence(
    tmp_path: Path, young: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    RunFolder.create("trained", Run(), seed=3, kind="training").close()
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        for line, sentence in {
            "none": "there is no run folder none",
            "trained": "trained is a training run",
            f"young --port {taken}": f"port {taken} of 127.0.0.1 is in use",
            "young --port 70000": "--port must be from 0 to 65535, not 70000.",
            "young --host no.such.host.invalid": "it is no address of this machine",
            "young --token short": "--token must have 16 to 200",
        }.items():
            assert main(["dashboard", *line.split()]) == 2
            said = capsys.readouterr()
            assert sentence in said.err and said.err.count("\n") == 1 and not said.out


def test_ctrl_c_ends_it_and_leaves_nothing(league: Path) -> None:
    before = prints(league)
    with subprocess.Popen(
        arena("dashboard", league), env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            assert " at http://127.0.0.1:" in process.stdout.readline()
            assert process.stdout.readline() == "Ctrl-C ends it.\n"
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, out, err) == (0, "\n", "")
    assert prints(league) == before
