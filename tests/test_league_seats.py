"""Leagues of games of many seats: two sides that are not alike, one team, free-for-all, and teams of several posts."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

import arena.league.plan as plan_module
from agents.snapshot import load_snapshot
from arena.cli import main
from arena.league import League, LeagueConfig
from arena.league.exploit import exploit
from arena.league.plan import plan
from arena.league.standings import champion
from arena.players import find_snapshot, load_player
from arena.ratings import raters
from arena.result import Result, summarise
from arena.store import RunFolder
from arena.store.verify import verify
from envs.errors import InputError
from envs.registry import build
from envs.side import Squad
from tests.cli import object_of
from tests.leagues import after, outcome, run
from tests.parlours import open_house
from tests.test_league_resume import WRITES, Killed, die_at

PPO: dict[str, Any] = {
    "policy": {"hidden": [12]},
    "settings": {"minibatch_rows": 256, "learning_rate": 1e-2, "final_learning_rate": 1e-2},
}
MIXED: dict[str, Any] = {"matchmaking": {"mirror": 0.4, "latest": 0.3, "uniform": 0.3}}
BASE: dict[str, Any] = {
    "budget": "768-steps",
    "device": "cpu",
    "threads": 1,
    "anchors": ["random"],
    "training": {"games": 16, "steps": 3, "snapshot_steps": 96, "streams": 2},
    "evaluation": {"games": 12, "rivals": 2, "final_games": 6, "greedy": False},
}
LEAGUES: dict[str, dict[str, Any]] = {
    "two sides": {
        "game": {"id": "Hunt-v0"},
        "learners": [{"name": "orion", "plays": "hunter", **PPO}, {"name": "bambi", "plays": "deer", **PPO}],
        "matchmaking": {"latest": 0.5, "uniform": 0.5},
    },
    "crowded sides": {
        "game": {"id": "Hunt-v0"},
        "learners": [
            {"name": "orion", "plays": "hunter", "parameters": "own", **PPO},
            {"name": "diana", "plays": "hunter", **PPO},
            {"name": "bambi", "plays": "deer", **PPO},
        ],
        "matchmaking": {"latest": 0.5, "early": 0.5},
    },
    "one team": {
        "game": {"id": "Meet-v0"},
        "learners": [{"name": "ada", **PPO}, {"name": "bob", "parameters": "own", **PPO}],
    },
    "free for all": {
        "game": {"id": "Lonely-v0"},
        "learners": [{"name": "ada", **PPO}, {"name": "bob", **PPO}],
        **MIXED,
    },
    "pairs": {
        "game": {"id": "Pairs-v0"},
        "learners": [{"name": "ada", **PPO}, {"name": "bob", "parameters": "own", **PPO}],
        "promotion": {"rule": "win_share", "games": 8, "win_share": 0.3},
        **MIXED,
    },
}
every_league = pytest.mark.parametrize("kind", LEAGUES)


@pytest.fixture(autouse=True, scope="module")
def games() -> Iterator[None]:
    with open_house():
        yield


def config_of(kind: str, **change: Any) -> LeagueConfig:
    return LeagueConfig.model_validate({**BASE, **LEAGUES[kind], **change})


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("leagues")


@pytest.fixture(scope="module")
def wholes(folders: Path) -> dict[str, dict[str, Any]]:
    """What came out of each league, run from start to end."""
    return {kind: run(folders / kind, config_of(kind)) for kind in LEAGUES}


def rated(whole: dict[str, Any]) -> list[Result]:
    results: list[Result] = whole["results"]
    return results


# They finish, and it does not matter how.


@every_league
def test_it_finishes(kind: str, wholes: dict[str, dict[str, Any]], folders: Path) -> None:
    whole, learners = wholes[kind], [learner["name"] for learner in LEAGUES[kind]["learners"]]
    training = [line for line in whole["metrics"] if line["kind"] == "training"]
    assert [line["member"] for line in training] == [learners[turn % len(learners)] for turn in range(8)]
    assert [line["kind"] for line in whole["metrics"]][-1] == "final"
    assert {name.partition(":")[0] for name, *_ in whole["snapshots"]} == set(learners)
    assert verify(folders / kind) == []


@every_league
def test_equal_seeds_give_equal_runs_on_any_number_of_threads(
    kind: str, wholes: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    assert run(tmp_path / "two", config_of(kind, threads=2)) == wholes[kind]
    assert run(tmp_path / "other", config_of(kind, seed=1))["results"] != wholes[kind]["results"]


@every_league
@pytest.mark.parametrize("stretches", [1, 4, 7])
def test_resuming_is_never_having_stopped(
    kind: str, stretches: int, wholes: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    with League.create(tmp_path / "run", config_of(kind)) as league:
        league.run(stop=after(stretches))
    with League.open(tmp_path / "run", write=True) as league:
        league.run()
    assert outcome(tmp_path / "run") == wholes[kind]


@pytest.mark.parametrize("kind", ["two sides", "one team", "free for all"])
@pytest.mark.parametrize("call", [9, 23, 37])
def test_dying_at_a_write_loses_nothing(
    kind: str, call: int, wholes: dict[str, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        die_at(call, WRITES, patch)
        with pytest.raises(Killed), League.create(tmp_path / "run", config_of(kind)) as league:
            league.run()
    with League.open(tmp_path / "run", write=True) as league:
        league.run()
    assert {**outcome(tmp_path / "run"), "metrics": None} == {**wholes[kind], "metrics": None}


# Who meets whom.


def test_sides_that_are_not_alike_meet_each_other_alone(wholes: dict[str, dict[str, Any]]) -> None:
    hunters, deer = {"orion", "diana", "random"}, {"bambi", "random"}
    for kind in ("two sides", "crowded sides"):
        for result in rated(wholes[kind]):
            one, other, prey = (name.partition(":")[0] for name in result.players)
            assert one == other and one in hunters and prey in deer and one != prey
        for line in (line for line in wholes[kind]["metrics"] if line["kind"] == "training"):
            sides = {opponent.partition(":")[0] for opponent in line["opponents"]}
            assert sides <= ({"bambi"} if line["member"] != "bambi" else {"orion", "diana"})
            assert line["mirror"] == 0 and sum(line["opponents"].values()) == pytest.approx(1)


def test_games_of_one_kind_have_the_same_seeds_where_nobody_changes_sides(wholes: dict[str, dict[str, Any]]) -> None:
    """So that everybody has the same tasks."""
    for kind in ("two sides", "one team"):
        with_random: dict[tuple[int, ...], list[tuple[str, ...]]] = {}
        for players, some in groupby(rated(wholes[kind]), key=lambda result: result.players):
            with_random.setdefault(tuple(result.seed for result in some), []).append(players)
        sizes = {len(seeds) for seeds in with_random}
        assert sizes <= {12, 6, 18} and len(with_random) <= 3  # rating games, final games, or both in a row
        assert len(next(iter(with_random.values()))) > 3


def test_a_team_plays_alone(wholes: dict[str, dict[str, Any]]) -> None:
    whole = wholes["one team"]
    assert all(len(set(result.players)) == 1 for result in rated(whole))
    names = {result.players[0] for result in rated(whole)}
    assert names == {"random", *(name for name, *_ in whole["snapshots"])}
    counts = {name: sum(result.players[0] == name for result in rated(whole)) for name in names}
    assert set(counts.values()) == {12, 18}  # nobody plays the same games twice
    assert all(line["opponents"] == {} for line in whole["metrics"] if line["kind"] == "training")


def test_a_free_for_all_is_played_at_tables(wholes: dict[str, dict[str, Any]]) -> None:
    """Each of two alone in each seat, the other in all others, on equal seeds."""
    for (players, _), some in groupby(rated(wholes["free for all"]), key=lambda r: (frozenset(r.players), r.seed)):
        block = list(some)
        assert len(block) in (6, 12) and len(players) == 2
        alone = [next(name for name in one.players if one.players.count(name) == 1) for one in block]
        seats = [one.players.index(name) for one, name in zip(block, alone, strict=True)]
        assert {(name, seat) for name, seat in zip(alone, seats, strict=True)} == {
            (name, seat) for name in players for seat in range(3)
        }


def test_snapshots_hold_a_policy_for_each_post(wholes: dict[str, dict[str, Any]], folders: Path) -> None:
    posts = {
        kind: {
            name: sorted(load_snapshot(folders / kind / file).policies)
            for name, _, step, file, *_ in wholes[kind]["snapshots"]
            if step == 0
        }
        for kind in LEAGUES
    }
    assert posts["two sides"] == {"orion:0": ["hunter"], "bambi:0": ["deer"]}
    assert posts["crowded sides"]["orion:0"] == ["hunter.0", "hunter.1"]
    assert posts["one team"] == {"ada:0": ["guest", "guide"], "bob:0": ["guest.0", "guide.0"]}
    assert posts["free for all"]["ada:0"] == ["player"]
    assert posts["pairs"] == {"ada:0": ["player"], "bob:0": ["player.0", "player.1"]}


# What is said of them.


@every_league
def test_everybody_is_rated(kind: str, wholes: dict[str, dict[str, Any]]) -> None:
    table = wholes[kind]["leaderboard"]
    names = [standing.name for standing in table]
    anchors = ["random@deer", "random@hunter"] if "sides" in kind else ["random"]
    assert sorted(names) == sorted([*anchors, *(name for name, *_ in wholes[kind]["snapshots"])])
    assert all(standing.summary.games > 0 and standing.rating.stderr < 8 for standing in table)
    assert {standing.role for standing in table if standing.name in anchors} == {"anchor"}
    parts = [standing.part for standing in table]
    assert parts == sorted(parts)
    for part in set(parts):
        own = [standing.rating.exposed for standing in table if standing.part == part]
        assert own == sorted(own, reverse=True)


@pytest.mark.parametrize("kind", ["two sides", "crowded sides"])
def test_players_are_compared_within_their_side(kind: str, wholes: dict[str, dict[str, Any]], folders: Path) -> None:
    part = {one.name: one.part for one in wholes[kind]["leaderboard"]}
    assert part == {name: "deer" if "bambi" in name or "deer" in name else "hunter" for name in part}
    with League.open(folders / kind) as league:
        payoff = league.rated.payoff
        for one, row in zip(payoff.names, payoff.games, strict=True):
            for other, games in zip(payoff.names, row, strict=True):
                assert not games or part[one] == part[other]
        best = league.rated.best(2)
    assert {name.partition(":")[0] == "bambi" for name in best} == {True, False}  # both sides play the final games


@pytest.mark.parametrize("kind", ["two sides", "crowded sides"])
def test_each_side_has_its_champion(kind: str, wholes: dict[str, dict[str, Any]], folders: Path) -> None:
    with RunFolder.open(folders / kind) as folder:
        champions = {part: find_snapshot(folder, f"champion:{part}").name for part in ("hunter", "deer")}
        for said in ("champion", "champion:dear"):
            with pytest.raises(InputError, match=r"DIR@champion:hunter or DIR@champion:deer"):
                find_snapshot(folder, said)
    for part, name in champions.items():
        best = champion([one for one in wholes[kind]["leaderboard"] if one.part == part])
        assert best is not None and name == best.name
    side = load_player(f"{folders / kind}@champion:deer", build("Hunt-v0", 1, {}).spec)
    assert isinstance(side, Squad) and side.name == champions["deer"] and list(side.players) == ["deer"]


@every_league
@pytest.mark.parametrize("rating", [*raters.RATERS, "payoff", "nash", "alpha-rank", "superiority", "cycles"])
def test_every_view_has_an_answer(
    kind: str, rating: str, wholes: dict[str, dict[str, Any]], folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("league", "leaderboard", folders / kind, "--rating", rating)
    try:
        told = object_of(*words, capsys=capsys)
    except AssertionError:
        assert "is not installed" in capsys.readouterr().err
        return
    assert told["rating"] == rating
    if rating != "cycles":
        assert len(told["players"]) == len(wholes[kind]["leaderboard"])
    assert main([*map(str, words)]) == 0
    assert "random" in capsys.readouterr().out or rating == "cycles"


@pytest.mark.parametrize("kind", ["one team", "two sides"])
def test_who_has_learnt_does_better(kind: str, tmp_path: Path) -> None:
    """With the bot, or alone, in games of the same seeds; a team that learns alone leads the table."""
    training = {**BASE["training"], "games": 64, "snapshot_steps": 3000}
    evaluation = {**BASE["evaluation"], "games": 90}
    found = run(tmp_path / "run", config_of(kind, training=training, evaluation=evaluation, budget="18k-steps"))
    scores: dict[str, list[float]] = {}
    for result in rated(found):
        for name in set(result.players) - {"random"}:
            if set(result.players) <= {name, "random"}:
                scores.setdefault(name, []).append(summarise([result], name).score_mean)
    mean = {name: fmean(some) for name, some in scores.items()}
    steps = {name: int(name.partition(":")[2]) for name in mean}
    for learner in (one["name"] for one in LEAGUES[kind]["learners"]):
        newest = max((name for name in mean if name.startswith(f"{learner}:")), key=lambda name: steps[name])
        assert steps[newest] > 5000 and mean[newest] > mean[f"{learner}:0"] + 0.2
    if kind == "one team":
        table = [one.name for one in found["leaderboard"]]
        assert max(map(table.index, (name for name in mean if steps[name] > 5000))) < min(
            map(table.index, ("ada:0", "bob:0", "random"))
        )


# What else a league can do.


@pytest.fixture
def league(kind: str, wholes: dict[str, dict[str, Any]], folders: Path, tmp_path: Path) -> Path:
    """A copy of a finished one."""
    assert kind in wholes
    shutil.copytree(folders / kind, tmp_path / "league")
    return tmp_path / "league"


@every_league
def test_rate_plays_what_says_most(kind: str, league: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Also where two of one side can only be compared by games of both with a third."""
    with League.open(league) as whole:
        before = {name: rating.stderr for name, rating in whole.rated.ratings.items()}
    words = ("league", "rate", league, "--until-sigma", "0.3", "--games", "240", "--block", "6")
    told = object_of(*words, capsys=capsys)
    assert 0 < told["games"] <= 240 and verify(league) == []
    with League.open(league) as whole:
        after = {name: rating.stderr for name, rating in whole.rated.ratings.items()}
    learners = [name for name in before if ":" in name]
    assert told["sigma"] == pytest.approx(max(after[name] for name in learners))
    worst = sorted(learners, key=lambda name: -before[name])[:2]
    assert all(after[name] < before[name] - 0.01 for name in worst)
    with RunFolder.open(league) as folder:
        assert all(len(set(result.players)) == (1 if kind == "one team" else 2) for result in folder.results())


@every_league
def test_plan_foretells_the_run(kind: str, wholes: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_module, "TRIAL", 0.05)
    found = plan(config_of(kind, promotion={}))
    assert found.seconds > 0 and found.speed > 0
    if kind != "pairs":  # which turns candidates down
        assert found.snapshots == len(wholes[kind]["snapshots"])
        assert found.games == len(wholes[kind]["results"])


@pytest.mark.parametrize("kind", ["two sides", "crowded sides"])
@pytest.mark.parametrize("target", ["bambi", "orion", "random"])
def test_an_adversary_takes_the_side_that_its_target_leaves(kind: str, target: str, league: Path) -> None:
    with League.open(league, write=True) as whole:
        name = target if target == "random" else find_snapshot(whole.folder, target).name
        found = exploit(whole, name, "200-steps", games=10)
        posts = set(load_snapshot(whole.folder.snapshot_path(*_parts(found.adversary))).policies)
        assert found.summary.games == 10 and found.steps >= 200
        assert posts <= {"deer"} if target == "orion" else all(post.startswith("hunter") for post in posts)
        games = [result for result in whole.folder.results() if found.adversary in result.players]
        assert {name for result in games for name in result.players} == {name, found.adversary}
        if target != "random":
            like = "bambi" if target == "bambi" else "orion"
            with pytest.raises(
                InputError, match=f"no learner {like} to make an adversary of {name} like: say"
            ) as fault:
                exploit(whole, name, "200-steps", games=10, like=like)
            assert "\n" not in str(fault.value)
        whole.run("200-steps")  # it is an anchor now
    assert verify(league) == []


def _parts(name: str) -> tuple[str, int]:
    member, _, step = name.partition(":")
    return member, int(step)


@pytest.mark.parametrize("kind", ["free for all", "pairs"])
def test_exploit_with_many_seats(kind: str, league: Path) -> None:
    """In a free-for-all it sits alone by turns, and its target in all other seats."""
    with League.open(league, write=True) as whole:
        name = find_snapshot(whole.folder, "champion").name
        found = exploit(whole, name, "200-steps", games=12)
        games = [result.players for result in whole.folder.results() if found.adversary in result.players]
    seats = [players.index(found.adversary) for players in games if players.count(found.adversary) == 1]
    assert len(games) == 12
    if kind == "free for all":
        assert sorted(seats) == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize("kind", ["one team"])
def test_nobody_exploits_a_team_that_plays_alone(kind: str, league: Path) -> None:
    with (
        League.open(league, write=True) as whole,
        pytest.raises(InputError, match="Meet-v0 is played by one team alone"),
    ):
        exploit(whole, find_snapshot(whole.folder, "champion").name, "200-steps")


@pytest.mark.parametrize("kind", ["two sides"])
def test_members_come_and_go(kind: str, league: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["league", "add", str(league), "faline", "--like", "bambi"]) == 0
    assert main(["league", "add", str(league), "old", "--player", f"{league}@orion:0", "--role", "historical"]) == 0
    assert main(["league", "retire", str(league), "bambi"]) == 0
    with League.open(league, write=True) as whole:
        whole.run("400-steps")
        assert [learner.name for learner in whole.learners] == ["orion", "faline"]
        assert {result.players[0] for result in whole.folder.results()} >= {"old:0"}
        lines = [line for line in whole.folder.metrics() if line["kind"] == "training"][8:]
        assert {line["member"] for line in lines} == {"orion", "faline"}
        met = {name for line in lines if line["member"] == "orion" for name in line["opponents"]}
        assert met and all(name.startswith("faline") for name in met)
    capsys.readouterr()
    assert main(["league", "add", str(league), "x", "--like", "bambi", "--set", "plays=buck"]) == 2
    assert "unknown role of Hunt-v0 'buck'" in capsys.readouterr().err
    assert main(["league", "add", str(league), "x", "--like", "bambi", "--set", "plays="]) == 2
    assert "`plays` must say which" in capsys.readouterr().err
    assert main(["league", "retire", str(league), "faline"]) == 0
    capsys.readouterr()
    with League.open(league, write=True) as whole, pytest.raises(InputError, match="nobody is left"):
        whole.run("200-steps")
    assert verify(league) == []


# What is refused.


WRONG: list[tuple[str, dict[str, Any], str]] = [
    (
        "two sides",
        {"learners.0.plays": ""},
        "so each learner's `plays` must say which, 'hunter' or 'deer': learner orion does not say",
    ),
    ("two sides", {"learners.1.plays": "hunter"}, "each side needs a learner: nobody plays 'deer'"),
    ("two sides", {"learners.0.plays": "huntr"}, "unknown role of Hunt-v0 'huntr': did you mean 'hunter'?"),
    ("two sides", {"learners.0.parameters": "mine"}, "learners.0.parameters"),
    ("two sides", {"promotion.rule": "sprt"}, 'use "schedule"'),
    ("one team", {"promotion.rule": "win_share"}, 'use "schedule"'),
    ("two sides", {"anchors": ["baseline"]}, "unknown player of Hunt-v0 'baseline'"),
    (
        "two sides",
        {"learners.0": {"name": "orion", "plays": "hunter", "algorithm": "td3"}},
        "td3 does not admit actions in Discrete(3)",
    ),
    ("two sides", {"pbt.every": 1}, "pbt.every"),
    ("two sides", {"matchmaking.hard": 0.5}, 'matchmaking by "hard" compares a player with those whom it meets'),
    ("two sides", {"learners.0.reset": {"win_share": 0.7}}, "learner orion: reset by share of wins"),
    ("pairs", {"learners.0.plays": "middle"}, "unknown role of Pairs-v0 'middle'"),
    ("free for all", {"training.games": 2}, "training.games"),
]


@pytest.mark.parametrize(("kind", "change", "sentence"), WRONG)
@pytest.mark.parametrize("command", ["run", "plan"])
def test_refused_in_one_sentence(
    kind: str, change: dict[str, Any], sentence: str, command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "league.toml"
    source.write_text(_toml({**BASE, **LEAGUES[kind]}), encoding="utf-8")
    changes = [word for key, value in change.items() for word in ("--set", f"{key}={_value(value)}")]
    words = ["league", command, str(source), *changes]
    assert main([*words, "--out", str(tmp_path / "out")] if command == "run" else words) == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1
    assert sentence in said.err
    assert list(tmp_path.iterdir()) == [source]


def _toml(config: dict[str, Any]) -> str:
    """A run file: tables as one line each."""
    return "".join(f"{key} = {_value(value)}\n" for key, value in config.items())


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_value(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value)
