"""People in a league: members that are rated, whose games are in the log, and whom nothing else in it minds."""

from __future__ import annotations

import json
from pathlib import Path
from shutil import copytree

import pytest

from arena.cli import main
from arena.cli.play import Targets
from arena.league import League, human
from arena.league.difficulty import nearest, ratings
from arena.league.overview import leaderboard, roles
from arena.players import champion
from arena.result import Result
from arena.store import RunFolder
from arena.store.verify import verify
from envs.errors import InputError
from tests.cli import check_refused
from tests.leagues import after, tiny
from tests.people import Sitting


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A league that has ended."""
    path = tmp_path_factory.mktemp("league") / "run"
    with League.create(path, tiny(budget="600-steps")) as league:
        league.run()
    return path


@pytest.fixture
def run(done: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(copytree(done, tmp_path / "run"))


def played(run: Path, name: str = "mia", best_of: int = 2) -> Sitting:
    """A match of a person who does nothing against the champion, to its end."""
    sitting = Sitting(str(run), join=name, best_of=best_of)
    sitting.to("over")
    return sitting


def game(run: Path, name: str = "mia", **change: object) -> Result:
    """One that might have been played there."""
    with RunFolder.open(run) as folder:
        other = folder.snapshots()[0].name
    said = {"players": (name, other), "score": (1.0, -1.0), "steps": 60, "seed": 5, "ended": "limit", **change}
    return Result(env="SlimeVolley-v0", **said)  # type: ignore[arg-type]


def test_games_go_into_the_log_and_the_person_is_rated(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with RunFolder.open(run) as folder:
        before, best = folder.games(), champion(folder).name
    sitting = played(run)
    assert sitting.ready.waiting == []
    with RunFolder.open(run) as folder:
        assert folder.games() == before + 2
        assert [one.players for one in folder.results()][-2:] == [("mia", best), (best, "mia")]
        assert roles(folder)["mia"] == "human"
        (mine,) = (one for one in leaderboard(folder) if one.name == "mia")
        assert mine.role == "human"
        assert mine.summary.games == 2
        assert mine.rating.stderr > 1
        assert champion(folder).name != "mia"
    assert verify(run) == []
    for words in (["leaderboard"], ["verify"], ["status"], ["leaderboard", "--rating", "nash"]):
        assert main(["league", words[0], str(run), *words[1:]]) == 0
    assert "mia" in capsys.readouterr().out
    assert main(["league", "leaderboard", str(run), "--json"]) == 0
    (row,) = (row for row in json.loads(capsys.readouterr().out)["players"] if row["name"] == "mia")
    assert (row["role"], row["games"]) == ("human", 2)
    assert main(["league", "export", str(run), "--csv", str(run.parent / "games.csv")]) == 0
    assert "mia" in (run.parent / "games.csv").read_text()


def test_another_session_goes_on_as_the_same_member(run: Path) -> None:
    played(run)
    played(run, best_of=1)
    with RunFolder.open(run) as folder:
        assert [one.name for one in folder.members()].count("mia") == 1
        (mine,) = (one for one in leaderboard(folder) if one.name == "mia")
    assert mine.summary.games == 3


def test_a_league_with_a_person_goes_on_without_them(run: Path) -> None:
    played(run)
    with League.open(run, write=True) as league:
        league.run("600-steps")
        met = {name for pair in league.folder.results() for name in pair.players if "mia" in pair.players}
        assert met == {"mia", champion_before(league)}
        assert "mia" not in league.rated.active
        assert "mia" not in league.rated.best(10)
        assert all(one.name != "mia" for one in league.population.past())
    assert verify(run) == []


def champion_before(league: League) -> str:
    """Whom mia met."""
    return next(
        name for one in league.folder.results() if "mia" in one.players for name in one.players if name != "mia"
    )


def test_while_a_league_runs_games_wait_in_its_inbox_and_it_takes_them(run: Path) -> None:
    with League.open(run, write=True) as league:
        before = league.folder.games()
        assert human.record(run, "mia", game(run))  # by whoever has the lock
        assert league.folder.games() == before
        league.run("300-steps", stop=after(1))
        assert "mia" in {name for one in league.folder.results() for name in one.players}
        assert [request.answer for request in league.folder.requests(with_done=True)] == ["logged a game of mia"]
        assert "mia" in {one.name for one in league.leaderboard()}
    assert verify(run) == []


def test_what_a_league_left_in_its_inbox_is_logged_with_the_next_game(run: Path) -> None:
    with RunFolder.open(run, write=True) as folder:
        before = folder.games()
        assert human.record(run, "mia", game(run, seed=6))
    assert human.record(run, "mia", game(run, seed=7)) is None
    with RunFolder.open(run) as folder:
        assert folder.games() == before + 2
        assert folder.requests() == []


def test_a_game_counts_once(run: Path) -> None:
    human.record(run, "mia", game(run))
    with RunFolder.open(run, write=True) as folder:
        (request,) = folder.requests(with_done=True)
        assert human.take_in(folder, request.payload) == "that game of mia was logged already"


def test_games_that_were_not_finished_are_not_logged(run: Path) -> None:
    sitting = Sitting(str(run), join="mia")
    sitting.to("play")
    sitting.wait(0.5)
    sitting.press("q")
    with RunFolder.open(run) as folder:
        assert "mia" not in {member.name for member in folder.members()}
        assert folder.requests(with_done=True) == []


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("ada", "'ada' is taken .main of"),
        ("baseline", "'baseline' is taken .anchor of"),
        ("champion", "nobody may be called champion"),
        ("a b", "may only have letters"),
    ],
)
def test_names_that_nobody_can_join_under(run: Path, name: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        Sitting(str(run), join=name)


def test_games_that_do_not_belong_into_the_league_are_refused(run: Path) -> None:
    with pytest.raises(InputError, match="refused: unknown player"):
        human.record(run, "mia", game(run, players=("mia", "stranger")))
    with pytest.raises(InputError, match="has 1 players"):
        human.record(run, "mia", game(run, score=(1.0,), players=("mia",)))
    with RunFolder.open(run) as folder:
        answers = [str(request.answer) for request in folder.requests(with_done=True)]
        assert all(answer.startswith("refused: ") for answer in answers)
        assert len(answers) == 2
        assert "mia" not in roles(folder)


def test_an_opponent_by_rating(run: Path) -> None:
    with RunFolder.open(run) as folder:
        known = ratings(folder)
        weakest = min(known, key=lambda name: known[name].mean)
        assert nearest(folder, -1e9) == weakest
        assert nearest(folder, known[weakest].mean + 1e-6) == weakest
    sitting = Sitting(str(run), rating=-1000.0)
    assert [entrant.name for entrant in sitting.match.entrants] == ["human", weakest]
    assert sitting.match.entrants[1].rating == pytest.approx(known[weakest].mean)
    sitting.wait(0.1)
    assert f"{weakest} ({known[weakest].mean:.1f})" in sitting.glass.words


def test_bots_of_the_league_can_be_met(run: Path) -> None:
    sitting = Sitting(f"{run}@baseline", join="mia", best_of=1)
    sitting.to("over")
    with RunFolder.open(run) as folder:
        assert list(folder.results())[-1].players == ("mia", "baseline")


def test_replays_of_another_session_are_not_replaced(tmp_path: Path) -> None:
    targets = Targets(tmp_path)
    assert targets.file(1) == tmp_path / "game-1.replay"
    (tmp_path / "game-1.replay").touch()
    (tmp_path / "game-7.replay").touch()
    assert Targets(tmp_path).file(1) == tmp_path / "game-8.replay"
    assert Targets(tmp_path / "one.replay").file(2) == tmp_path / "one-2.replay"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("play --join mia", "--join needs a player of a league"),
        ("play run --join mia --speed 0.5", "leave out --speed"),
        ("play run --join mia --sample", "leave out --sample"),
        ("play run baseline --join mia", "played by 2"),
        ("play baseline --rating 20", "baseline is named already"),
        ("play run --join mia --env TicTacToe-v0", "leave out --env"),
        ("play human human --side left", "--side is for one person"),
        ("play baseline --name baseline", "two players are called 'baseline'"),
        ("play basline", "did you mean 'baseline'"),
        ("play tracker --env CartPole-v1", "played alone"),
        ("play human human human", "played by 2"),
        ("play --best-of 0", "--best-of must be"),
        ("play --speed 9", "--speed must be"),
        ("play --rating 20 --env TicTacToe-v0", "--rating picks among the players of a run"),
        ("play --save nowhere/x.replay", "there is no folder"),
        ("play --env TicTacTo-v0", "did you mean 'TicTacToe-v0'"),
    ],
)
def test_wishes_that_cannot_be_had(
    line: str, sentence: str, run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(run.parent)
    check_refused(line, sentence, run.parent, capsys)
