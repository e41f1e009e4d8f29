"""`arena league plan|rate|exploit|add|retire`: members come and go, and what is asked of them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from arena.cli import main
from arena.league import League
from arena.league.exploit import exploit, wilson
from arena.self_play import self_play
from arena.store import RunFolder
from arena.store.verify import verify
from envs.errors import InputError
from tests.cli import object_of
from tests.leagues import run, tiny

RUN_FILE = """
budget = "600-steps"
device = "cpu"
threads = 1
anchors = ["baseline", "random"]
game = { options = { max_steps = 90 } }
training = { games = 8, steps = 16, snapshot_steps = 200, options = { lives = 1 } }
evaluation = { games = 4, rivals = 2, final_games = 2 }
learners = [{ name = "ada", policy = { hidden = [8] }, settings = { minibatch_rows = 128 } }]
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished league of ada and bob."""
    path = tmp_path_factory.mktemp("manage") / "league"
    run(path, tiny(budget="600-steps"))
    return path


@pytest.fixture
def league(made: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    shutil.copytree(made, tmp_path / "league")
    return tmp_path / "league"


def refused(capsys: pytest.CaptureFixture[str], *words: str | Path) -> str:
    """The sentence with which a command is refused."""
    assert main(list(map(str, words))) == 2
    printed = capsys.readouterr()
    assert not printed.out and printed.err.count("\n") == 1
    return printed.err


def members(path: Path) -> dict[str, tuple[str, str]]:
    """Role and status by name."""
    with RunFolder.open(path) as folder:
        return {one.name: (one.role, one.status) for one in folder.members()}


def test_plan_foretells_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps, snapshots and games of a budget in steps are known beforehand; nothing is left on disk."""
    monkeypatch.setattr("arena.league.plan.TRIAL", 0.05)
    source = tmp_path / "one.toml"
    source.write_text(RUN_FILE, encoding="utf-8")
    told = object_of("league", "plan", source, capsys=capsys)
    assert list(tmp_path.iterdir()) == [source]
    assert told["seconds"] > 0 and told["speed"] > 0 and 0 < told["rating"] < 1
    out = tmp_path / "run"
    done = object_of("league", "run", source, "--out", out, capsys=capsys)
    assert told["games"] == done["games"]
    with RunFolder.open(out) as folder:
        assert told["snapshots"] == len(folder.snapshots())
        size = sum(file.stat().st_size for file in out.rglob("*") if file.is_file())
        assert 0.2 < told["disk"] / size < 5


def test_plan_refuses_what_run_refuses(capsys: pytest.CaptureFixture[str]) -> None:
    assert "did you mean 'slime-laptop'?" in refused(capsys, "league", "plan", "slime-labtop")
    assert "training.games" in refused(capsys, "league", "plan", "slime-laptop", "--set", "training.games=2")


def test_rate_goes_on_until_everybody_is_sure(league: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with RunFolder.open(league) as folder:
        before = folder.games()
    told = object_of("league", "rate", league, "--until-sigma", "2.5", "--block", "8", capsys=capsys)
    assert told["reached"] and told["sigma"] <= 2.5
    with RunFolder.open(league) as folder:
        assert folder.games() == before + told["games"]
    assert verify(league) == []
    again = object_of("league", "rate", league, "--until-sigma", "2.5", capsys=capsys)
    assert again["games"] == 0  # it is so already


def test_rate_keeps_to_its_number_of_games(league: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = object_of("league", "rate", league, "--until-sigma", "0.01", "--games", "20", "--block", "8", capsys=capsys)
    assert told["games"] == 16 and not told["reached"]
    assert "--until-sigma" in refused(capsys, "league", "rate", league, "--until-sigma", "0")


def test_exploit_keeps_its_adversary(league: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with RunFolder.open(league) as folder:
        target = folder.snapshots()[-1].name
    words = ("league", "exploit", f"{league}@{target}", "--budget", "300-steps", "--games", "6")
    told = object_of(*words, capsys=capsys)
    assert told["target"] == target and told["games"] == 6 and told["steps"] >= 300
    low, high = told["win_share_ci95"]
    assert 0 <= low <= told["win_share"] <= high <= 1 and told["exploitability"] is None
    name = told["adversary"].partition(":")[0]
    assert members(league)[name] == ("anchor", "active")
    assert object_of(*words, capsys=capsys)["adversary"].partition(":")[0] != name  # a second one has a name of its own
    assert verify(league) == []
    with League.open(league, write=True) as run:  # it is rated like any anchor, and met in training by nobody
        assert told["adversary"] in run.population.anchors
        run.run("400-steps")
        newest = run.folder.snapshots()[-1].name
        assert run.rated.payoff.among([newest, told["adversary"]]).games[0, 1] > 0
        lines = [line for line in run.folder.metrics() if line["kind"] == "training"]
        assert not any(told["adversary"] in line["opponents"] for line in lines)


def test_exploit_is_trained_against_its_target_alone(league: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    met = []

    def spy(crew: Any, env: str, options: Any, opponents: Any, *rest: Any) -> Any:
        met.append(opponents)
        return self_play(crew, env, options, opponents, *rest)

    monkeypatch.setattr("arena.league.exploit.self_play", spy)
    with League.open(league, write=True) as run:
        exploit(run, "baseline", "200-steps", games=2)
        with pytest.raises(InputError, match="no learner"):
            exploit(run, "baseline", "200-steps", games=2, like="nobody")
    [[(player, share)]] = met
    assert player.name == "baseline" and share == 1.0


@pytest.mark.parametrize(
    ("target", "sentence"),
    [("{}@ad", "did you mean"), ("{}", "DIR@champion"), ("nowhere@champion", "no run folder")],
)
def test_exploit_refuses(target: str, sentence: str, league: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sentence in refused(capsys, "league", "exploit", target.format(league))


def test_wilson() -> None:
    """Wilson (1927); the values for 8 of 10 are those that textbooks give."""
    assert wilson(8, 10) == pytest.approx((0.4901, 0.9433), abs=1e-3)
    assert wilson(0, 0) == (0.0, 1.0)
    low, high = wilson(0, 20)
    assert low == pytest.approx(0, abs=1e-12) and high == pytest.approx(0.161, abs=1e-3)


def test_add_a_bot_and_a_snapshot(league: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["league", "add", str(league), "tracker", "--player", "tracker"]) == 0
    assert main(["league", "add", str(league), "old", "--player", f"{league}@ada", "--role", "historical"]) == 0
    capsys.readouterr()
    assert members(league)["tracker"] == ("anchor", "active") and members(league)["old"] == ("historical", "active")
    assert verify(league) == []
    with League.open(league, write=True) as run:
        run.run("600-steps")
        names = {name for result in run.folder.results() for name in result.players}
        assert {"tracker", "old:0"} <= names
        met = [line["opponents"] for line in run.folder.metrics() if line["kind"] == "training"]
        assert any("old:0" in opponents for opponents in met)
        assert not any("tracker" in opponents for opponents in met)


def test_add_a_learner(league: Path) -> None:
    words = ["league", "add", str(league), "cy", "--like", "ada", "--role", "league-exploiter"]
    assert main([*words, "--set", "settings.entropy=0.02"]) == 0
    with League.open(league, write=True) as run:
        config = run.population.configs["cy"]
        assert config.settings["entropy"] == 0.02 and config.role == "league-exploiter"
        assert config.matchmaking is not None and config.matchmaking.hard == 1.0 and config.reset is not None
        run.run("600-steps")
        assert any(snapshot.member == "cy" and snapshot.step for snapshot in run.folder.snapshots())


def test_retire(league: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["league", "retire", str(league), "bob"]) == 0
    assert "retired bob" in capsys.readouterr().out
    assert members(league)["bob"] == ("main", "retired")
    with League.open(league, write=True) as run:
        count = sum(snapshot.member == "bob" for snapshot in run.folder.snapshots())
        assert [learner.name for learner in run.learners] == ["ada"]
        run.run("600-steps")
        assert sum(snapshot.member == "bob" for snapshot in run.folder.snapshots()) == count


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("add", "{}", "x"), "--player"),
        (("add", "{}", "x", "--player", "tracker", "--like", "ada"), "one of them"),
        (("add", "{}", "x", "--player", "tracker"), "is called that, not 'x'"),
        (("add", "{}", "ada", "--like", "bob"), "already"),
        (("add", "{}", "x", "--player", "trucker"), "did you mean 'tracker'?"),
        (("add", "{}", "x", "--like", "adda"), "did you mean 'ada'?"),
        (("add", "{}", "x", "--like", "ada", "--set", "settings.entropi=1"), "settings.entropy"),
        (("add", "{}", "x", "--like", "ada", "--role", "anchor"), "--player"),
        (("retire", "{}", "boob"), "did you mean 'bob'?"),
    ],
)
def test_refused_and_nothing_changed(
    words: tuple[str, ...], sentence: str, league: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = members(league)
    assert sentence in refused(capsys, "league", *[word.format(league) for word in words])
    assert members(league) == before and verify(league) == []
