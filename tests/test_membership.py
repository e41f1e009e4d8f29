"""Members that come and go: in a league that is stopped, and in one that runs."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agents.snapshot import load_snapshot, same_weights
from arena.league import League
from arena.league.membership import admit
from arena.store import RunFolder
from arena.store.verify import verify
from envs.errors import InputError
from tests.leagues import FULL, QUICK, after, full, kinds, outcome, run

CONFIG: dict[str, Any] = {
    "learners": FULL["learners"][:2],
    "matchmaking": {"mirror": 1.0, "uniform": 1.0},
    "promotion": {},
    "pbt": {},
    "budget": "512-steps",
}
"""Two mains, eight stretches, and nothing that happens by itself."""


@pytest.fixture
def league(tmp_path: Path) -> Iterator[League]:
    """One that has had two stretches."""
    with League.create(tmp_path / "run", full(**CONFIG)) as league:
        league.run(stop=after(2))
        yield league


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot of another league on the same game."""
    path = tmp_path_factory.mktemp("other") / "run"
    run(path, full(**{**CONFIG, "seed": 7, "budget": "128-steps"}))
    return path / "snapshots" / "ada-64.safetensors"


def met(league: League, learner: str) -> list[set[str]]:
    """Whom `learner` met in each of its stretches."""
    lines = (line for line in league.folder.metrics() if line["kind"] == "training" and line["member"] == learner)
    return [set(line["opponents"]) for line in lines]


def rated(league: League, name: str) -> set[str]:
    """With whom `name` had rated games."""
    return {other for result in league.folder.results() if name in result.players for other in result.players} - {name}


def turns(league: League) -> list[str]:
    """Who trained, in order."""
    return [line["member"] for line in league.folder.metrics() if line["kind"] == "training"]


def test_a_learner_comes(league: League) -> None:
    payload = {"name": "cy", "role": "league-exploiter", "learner": QUICK}
    assert admit(league.population, "add", payload) == "added cy (league-exploiter)"
    assert [learner.name for learner in league.learners] == ["ada", "bob", "cy"]
    config = league.population.configs["cy"]
    assert config.reset is not None and config.matchmaking is not None and config.matchmaking.hard == 1.0
    league.run()
    assert "cy:64" in met(league, "ada")[-1]
    assert rated(league, "cy:0") >= {"random", "ada:64"}
    assert ("added", "cy") in kinds(outcome(league.folder.path))


def test_who_comes_late_takes_turns_with_the_others(league: League) -> None:
    league.run(stop=after(4))
    admit(league.population, "add", {"name": "cy", "role": "main", "learner": QUICK})
    league.run("384-steps")
    assert turns(league)[6:] == ["ada", "bob", "cy"] * 2


def test_a_league_with_a_late_member_resumes_to_the_byte(tmp_path: Path) -> None:
    for name, stops in (("whole", [2]), ("run", [2, 1, 2, 1])):
        League.create(tmp_path / name, full(**CONFIG)).close()
        for number, stop in enumerate(stops):
            with League.open(tmp_path / name, write=True) as league:
                league.run(stop=after(stop))
                if number == 0:
                    admit(league.population, "add", {"name": "cy", "role": "main-exploiter", "learner": QUICK})
        with League.open(tmp_path / name, write=True) as league:
            league.run()
    assert outcome(tmp_path / "whole") == outcome(tmp_path / "run")


def test_a_snapshot_comes(league: League, file: Path) -> None:
    """As part of the history it is met in training; as an anchor everybody's games with it are rated, and no more."""
    for name, role in (("old", "historical"), ("rock", "anchor")):
        assert (
            admit(league.population, "add", {"name": name, "role": role, "player": str(file)})
            == f"added {name} ({role})"
        )
    own = league.folder.snapshot_path("old", 0)
    assert own.exists() and same_weights(load_snapshot(own).policy, load_snapshot(file).policy)
    assert league.population.anchors == ("random", "rock:0")
    league.run()
    assert all("old:0" in opponents and "rock:0" not in opponents for opponents in met(league, "ada")[1:])
    newest = [learner.latest for learner in league.learners]
    assert all("rock:0" in rated(league, name) for name in newest)
    roles = {standing.name: standing.role for standing in league.leaderboard()}
    assert (roles["old:0"], roles["rock:0"]) == ("historical", "anchor")
    assert verify(league.folder.path) == []


def test_a_bot_comes(tmp_path: Path) -> None:
    with League.create(tmp_path / "run", full(**CONFIG, anchors=[])) as league:
        league.run(stop=after(1))
        admit(league.population, "add", {"name": "random", "role": "anchor", "player": "random"})
        league.run(stop=after(2))
        assert rated(league, "random") == {"ada:64", "bob:0", "bob:64", "ada:128"}  # not with those of long ago


def test_who_is_retired_is_met_no_more(league: League) -> None:
    assert admit(league.population, "retire", {"name": "bob"}) == "retired bob"
    assert admit(league.population, "retire", {"name": "bob"}) == "bob was retired already"
    games = len(rated(league, "bob:64"))
    league.run()
    assert [learner.name for learner in league.learners] == ["ada"]
    assert all(not name.startswith("bob") for opponents in met(league, "ada")[1:] for name in opponents)
    assert len(rated(league, "bob:64")) == games  # not in the final games either
    assert {one.role for one in league.leaderboard() if one.name.startswith("bob")} == {"retired"}
    assert any(snapshot.member == "bob" for snapshot in league.folder.snapshots())
    admit(league.population, "retire", {"name": "random"})
    league.run("64-steps")
    assert "random" not in rated(league, league.learners[0].latest)


def test_steps_of_the_retired_count(league: League) -> None:
    """Or a budget of steps would grow with each of them."""
    admit(league.population, "retire", {"name": "bob"})
    assert league.steps == 128
    league.run()
    assert league.steps == 512
    path = league.folder.path
    league.close()
    with League.open(path) as again:
        assert again.steps == 512


def test_a_league_without_learners_says_so(league: League) -> None:
    for name in ("ada", "bob"):
        admit(league.population, "retire", {"name": name})
    with pytest.raises(InputError, match="has no learner left"):
        league.run()


def asking(path: Path, *requests: tuple[str, dict[str, Any]]) -> Callable[[Any], None]:
    """A report that asks for something at the first rollout, as another process would: without the lock."""
    waiting = list(requests)

    def report(progress: Any) -> None:
        while waiting and progress.phase.startswith("training"):
            with RunFolder.open(path) as folder:
                folder.request(*waiting.pop(0))

    return report


def test_requests_are_answered_between_stretches(tmp_path: Path, file: Path) -> None:
    path = tmp_path / "run"
    requests: list[tuple[str, dict[str, Any]]] = [
        ("add", {"name": "cy", "role": "main", "learner": QUICK}),
        ("retire", {"name": "bob"}),
        ("add", {"name": "old", "role": "historical", "player": str(file)}),
    ]
    with League.create(path, full(**CONFIG)) as league:
        league.run(report=asking(path, *requests))
        asked = league.folder.requests(with_done=True)
        assert [request.answer for request in asked] == ["added cy (main)", "retired bob", "added old (historical)"]
        assert turns(league)[:1] == ["ada"] and set(turns(league)[1:]) == {"ada", "cy"}
        assert "old:0" in met(league, "ada")[-1]
    assert verify(path) == []


BAD: list[tuple[str, dict[str, Any], str]] = [
    ("fire", {"name": "bob"}, "unknown request 'fire'"),
    ("retire", {"name": "bo"}, "did you mean 'bob'?"),
    ("retire", {}, "name: Field required"),
    ("add", {"name": "cy", "role": "main"}, "a learner or a player is needed"),
    ("add", {"name": "cy", "learner": QUICK}, "role: Field required"),
    ("add", {"name": "cy", "role": "main", "learner": QUICK, "loud": True}, "unknown key 'loud'"),
    ("add", {"name": "bob", "role": "main", "learner": QUICK}, "a member 'bob' already"),
    ("add", {"name": "champion", "role": "main", "learner": QUICK}, "nobody may be called champion"),
    ("add", {"name": "a/b", "role": "main", "learner": QUICK}, "name = 'a/b'"),
    ("add", {"name": "cy", "role": "mian", "learner": QUICK}, "did you mean 'main'?"),
    ("add", {"name": "cy", "role": "anchor", "learner": QUICK}, "unknown role 'anchor'"),
    ("add", {"name": "cy", "role": "main", "learner": {**QUICK, "algorithm": "pp0"}}, "did you mean 'ppo'"),
    ("add", {"name": "cy", "role": "main", "learner": {"algorithm": "td3"}}, "td3 does not admit actions"),
    ("add", {"name": "cy", "role": "main", "learner": {**QUICK, "policy": {"hold": 2}}}, "policy.hold = 2"),
    (
        "add",
        {"name": "cy", "role": "main", "learner": {**QUICK, "matchmaking": {"hard": 1, "against": ["bo"]}}},
        "did you mean 'bob'",
    ),
    ("add", {"name": "x", "role": "main", "player": "random"}, "unknown role 'main'"),
    ("add", {"name": "x", "role": "anchor", "player": "baseline"}, "called that"),
    ("add", {"name": "baseline", "role": "anchor", "player": "baseline"}, "player of RockPaperScissors-v0 'baseline'"),
    ("add", {"name": "x", "role": "anchor", "player": "none.safetensors"}, "no snapshot at none.safetensors"),
]


@pytest.mark.parametrize(("kind", "payload", "sentence"), BAD)
def test_what_cannot_be_done_changes_nothing(kind: str, payload: dict[str, Any], sentence: str, league: League) -> None:
    before = outcome(league.folder.path)
    with pytest.raises(InputError) as fault:
        admit(league.population, kind, payload)
    assert sentence in str(fault.value) and "\n" not in str(fault.value)
    assert outcome(league.folder.path) == before
    assert verify(league.folder.path) == []


def test_bad_requests_are_refused_and_the_league_goes_on(tmp_path: Path) -> None:
    """As if they had never been made."""
    path = tmp_path / "run"
    with League.create(path, full(**CONFIG)) as league:
        league.run(report=asking(path, *((kind, payload) for kind, payload, _ in BAD)))
        answers = [request.answer for request in league.folder.requests(with_done=True)]
    assert len(answers) == len(BAD)
    for answer, (*_, sentence) in zip(answers, BAD, strict=True):
        assert answer and answer.startswith("refused: ") and sentence in answer
    assert outcome(path) == run(tmp_path / "whole", full(**CONFIG))


class Killed(BaseException):
    """What ends a process in mid-work."""


@pytest.mark.parametrize("call", range(5))
def test_a_request_is_dealt_with_once(call: int, tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the process dies in it."""
    path, count = tmp_path / "run", itertools.count()

    def failing(function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*given: Any, **named: Any) -> Any:
            if next(count) == call:
                raise Killed
            return function(*given, **named)

        return wrapped

    League.create(path, full(**CONFIG)).close()
    with RunFolder.open(path) as folder:
        folder.request("add", {"name": "old", "role": "historical", "player": str(file)})
        folder.request("retire", {"name": "bob"})
    places = ["add_member", "add_snapshot", "done", "retire_member"]
    with monkeypatch.context() as patch:
        for place in places:
            patch.setattr(RunFolder, place, failing(getattr(RunFolder, place)))
        with League.open(path, write=True) as league, pytest.raises(Killed):
            league.run(stop=after(0))
    with League.open(path, write=True) as league:
        league.run(stop=after(0))
        answers = [request.answer for request in league.folder.requests(with_done=True)]
        assert answers == ["added old (historical)", "retired bob"]
        assert [name for name, member in league.population.members.items() if member.status == "retired"] == ["bob"]
        assert [snapshot.name for snapshot in league.folder.snapshots()][:1] == ["old:0"]
    assert verify(path) == []
