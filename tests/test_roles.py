"""Roles: exploiters that start again, mains that copy each other, who is turned down, and who is champion."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agents.snapshot import same_weights
from arena.league import League, LeagueConfig
from arena.league.roles import MATCHMAKING
from arena.league.standings import champion
from arena.players import find_snapshot
from tests.leagues import FULL, QUICK, SLOW, after, full, run

EVE = {"name": "eve", "role": "main-exploiter", **QUICK}
PLAIN: dict[str, Any] = {"promotion": {}, "pbt": {}, "matchmaking": {"mirror": 1.0}}


def events(league: League, kind: str) -> list[dict[str, Any]]:
    return [{"member": event.member, **event.detail} for event in league.folder.events() if event.kind == kind]


def test_what_a_role_decides() -> None:
    config = full(learners=[{"name": "ada", **QUICK}, EVE, {"name": "lea", "role": "league-exploiter", **QUICK}])
    ada, eve, lea = config.learners
    assert config.matchmaking_of(ada) == config.matchmaking and ada.reset is None
    assert config.matchmaking_of(eve) == MATCHMAKING["main-exploiter"] and config.matchmaking_of(eve).against == (
        "main",
    )
    assert config.matchmaking_of(lea) == MATCHMAKING["league-exploiter"]
    for learner in (eve, lea):
        assert learner.reset is not None and (learner.reset.win_share, learner.reset.steps) == (0.7, 0)
    said = full(learners=[{**EVE, "matchmaking": {"uniform": 1.0}, "reset": {"steps": 5}}]).learners[0]
    assert said.matchmaking is not None and said.matchmaking.uniform == 1 and said.reset is not None
    assert LeagueConfig.model_validate(config.model_dump(mode="json")) == config  # as a run's file has it


def test_an_exploiter_that_has_had_its_time_starts_again(tmp_path: Path) -> None:
    """What it was stays in the league; what it becomes descends from nobody."""
    learners = [{"name": "ada", **QUICK}, {**EVE, "reset": {"win_share": 1.0, "steps": 100}}]
    with League.create(tmp_path / "run", full(**PLAIN, learners=learners, budget="768-steps")) as league:
        ada, eve = league.learners
        league.run()
        told = events(league, "reset")
        assert [(one["member"], one["reason"]) for one in told] == [("eve", "128 env steps have passed")] * 2
        assert [one["generation"] for one in told] == [1, 2]
        assert (eve.generation, eve.born, eve.steps) == (2, 256, 384)
        kept = {snapshot.name: snapshot.parent for snapshot in league.folder.snapshots() if snapshot.member == "eve"}
        assert kept == {
            "eve:0": None, "eve:64": "eve:0", "eve:128": "eve:64",
            "eve:192": None, "eve:256": "eve:192", "eve:320": None, "eve:384": "eve:320",
        }  # fmt: skip
        assert ada.generation == 0


def test_weights_after_a_reset_are_new(tmp_path: Path) -> None:
    config = full(**PLAIN, learners=[{**EVE, "policy": {"hidden": [4]}}])
    with League.create(tmp_path / "run", config) as league:
        eve = league.learners[0]
        seen = [eve.crew.policies["player"]]
        for _ in range(2):
            eve.start_again()
            seen.append(eve.crew.policies["player"])
        assert not any(same_weights(a, b) for place, a in enumerate(seen) for b in seen[:place])
        path = tmp_path / "eve.pt"
        path.write_bytes(eve.state(0.0))
        league.population.reload()
        again = league.learners[0]
        assert again is not eve
        again.restore(path)
        assert again.generation == 2 and same_weights(again.crew.policies["player"], eve.crew.policies["player"])


def test_nothing_is_known_of_one_that_has_started_again(tmp_path: Path) -> None:
    with League.create(tmp_path / "run", full(**PLAIN, learners=[{"name": "ada", **QUICK}, EVE])) as league:
        league.run(stop=after(4))
        _, eve = league.learners
        assert league.changes.view(eve).newest == eve.latest == "eve:128"
        eve.start_again()
        view = league.changes.view(eve)
        assert view.newest == "eve" and view.wins.tolist() == [0.5] * len(view.past)
        assert list(view.own) == ["eve:0", "eve:64", "eve:128"]


def test_an_exploiter_that_has_succeeded_starts_again(tmp_path: Path) -> None:
    """It has beaten the newest main, whom it always meets in rated games; that it loses to anchors is no matter."""
    rigid = {"name": "ada", **SLOW, "matchmaking": {"mirror": 1.0}}
    config = full(**PLAIN, learners=[rigid, EVE], seed=1, evaluation={"games": 32, "rivals": 0, "final_games": 0})
    with League.create(tmp_path / "run", config) as league:
        league.run()
        told = events(league, "reset")
        assert told and all("against everybody it looks for" in one["reason"] for one in told)
        games = league.rated.payoff.among(["eve:64", "ada:64"]).games[0, 1]
        assert games == 32  # although there are no rivals but those that are needed


def test_a_reset_may_be_left_to_chance(tmp_path: Path) -> None:
    resets = {}
    for chance in (1e-9, 0.5, 1.0):
        learners = [{**EVE, "reset": {"steps": 1, "chance": chance}}]
        with League.create(tmp_path / str(chance), full(**PLAIN, learners=learners)) as league:
            league.run()
            resets[chance] = len(events(league, "reset"))
    assert resets[1e-9] == 0 < resets[0.5] < resets[1.0] == 15


def test_a_main_never_starts_again(tmp_path: Path) -> None:
    with League.create(tmp_path / "run", full(**PLAIN, learners=[{"name": "ada", **QUICK}])) as league:
        league.run()
        assert league.learners[0].generation == 0 and events(league, "reset") == []


def test_who_lags_behind_copies_and_keeps_the_lineage(tmp_path: Path) -> None:
    """ "bob" hardly learns, so it takes over what "ada" is, and tries other settings from there."""
    learners = [{"name": "ada", **QUICK}, {"name": "bob", **SLOW}]
    learners[1]["settings"] = {**learners[1]["settings"], "entropy": 0.0}
    pbt = {"every": 1, "settings": ["learning_rate"], "factor": 2.0}
    mirror = {"mirror": 1.0}
    with League.create(tmp_path / "run", full(learners=learners, pbt=pbt, promotion={}, matchmaking=mirror)) as league:
        told: list[dict[str, Any]] = []
        while not told:
            ada, bob = league.learners
            state = ada.crew.policies["player"]
            league.run("64-steps")
            told = events(league, "copied")
            assert league.steps < 2000
        (one,) = told
        assert one["member"] == "bob" and one["donor"].startswith("ada:")
        assert bob.settings["learning_rate"] in (1.0, 0.25) and bob.settings["entropy"] == 0.1
        assert one["settings"]["learning_rate"] == bob.settings["learning_rate"]
        newest = league.folder.snapshots()[-1]
        assert (newest.member, newest.parent) == ("bob", one["donor"])
        lines = [line for line in league.folder.metrics() if line["kind"] == "training" and line["member"] == "bob"]
        assert lines[-1]["learning_rate"] != pytest.approx(lines[-2]["learning_rate"])  # they are used
        assert ada.crew.policies["player"] is state


def test_a_copy_is_apart_from_its_donor(tmp_path: Path) -> None:
    with League.create(tmp_path / "run", full(learners=FULL["learners"][:2])) as league:
        league.run(stop=after(2))
        ada, bob = league.learners
        assert not same_weights(ada.crew.policies["player"], bob.crew.policies["player"])
        bob.become(ada, {**ada.settings, "learning_rate": 0.1}, "ada:64")
        assert same_weights(ada.crew.policies["player"], bob.crew.policies["player"])
        league.run(stop=after(1))
        assert not same_weights(ada.crew.policies["player"], bob.crew.policies["player"])


def test_nobody_copies_unless_it_is_asked_for(tmp_path: Path) -> None:
    learners = [{"name": "ada", **QUICK}, {"name": "bob", **SLOW}]
    with League.create(tmp_path / "run", full(**PLAIN, learners=learners)) as league:
        league.run()
        assert events(league, "copied") == []
        assert league.learners[0].settings == league.config.learners[0].settings


def test_who_is_turned_down_is_not_in_the_pool(tmp_path: Path) -> None:
    """It goes on training, and its next attempt is measured by the last snapshot that was let in."""
    impossible = {"rule": "win_share", "games": 4, "win_share": 1.0}
    learners = [{"name": "ada", **SLOW}]
    with League.create(tmp_path / "run", full(**{**PLAIN, "promotion": impossible}, learners=learners)) as league:
        league.run(stop=after(3))
        assert [snapshot.name for snapshot in league.folder.snapshots()] == ["ada:0"]
        told = events(league, "not promoted")
        assert [(one["candidate"], one["against"]) for one in told] == [(f"ada:{n}", "ada:0") for n in (64, 128, 192)]
        assert all("turned down after 4 games" in one["evidence"] for one in told)
        assert league.learners[0].steps == 192
    with League.create(tmp_path / "easy", full(**{**PLAIN, "promotion": {**impossible, "win_share": 1e-9}})) as league:
        league.run(stop=after(2))
        assert {one["member"] for one in events(league, "promoted")} == {"ada", "bob"}


def test_games_for_promotion_are_not_rated(tmp_path: Path) -> None:
    """A candidate that was turned down is nobody."""
    found = run(tmp_path / "run", full())
    names = {name for name, *_ in found["snapshots"]} | {"random"}
    assert {name for result in found["results"] for name in result.players} == names


def test_champions_are_mains(tmp_path: Path) -> None:
    """Even where an exploiter, or one that was retired, or an anchor that was trained, has the highest rating."""
    path = tmp_path / "run"
    run(path, full())
    with League.open(path, write=True) as league:
        table = league.leaderboard()
        best = champion(table)
        assert best is not None and best.role == "main"
        assert table[0].role == "league-exploiter"  # so there was something to choose
        mains = sorted((one for one in table if one.role == "main"), key=lambda one: -one.fit.exposed)
        assert league.rated.best(4) == [one.name for one in mains][:4]
        assert find_snapshot(league.folder, "champion").name == best.name
        league.folder.retire_member(table[0].name.partition(":")[0])
        league.population.refresh()
        league.rated.read()
        again = champion(league.leaderboard())
        assert again is not None and again.name == best.name == find_snapshot(league.folder, "champion").name
