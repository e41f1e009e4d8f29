"""The league: what a run writes, and that it is the same however it was interrupted, and on however many threads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

import arena.execution.job as job_module
import arena.league.league as league_module
import arena.league.stretch as stretch_module
from agents.snapshot import load_snapshot, same_weights
from arena.config import Budget, load
from arena.league import League, LeagueConfig, Progress
from arena.league.standings import champion, standings
from arena.match import run_block
from arena.ratings import bradley_terry
from arena.self_play import self_play
from arena.store import RunFolder
from arena.store.verify import verify
from envs.errors import InputError
from tests.leagues import LEARNER, LIMIT, SHORT, TINY, after, kinds, outcome, run, tiny
from tests.minds import GRU

UNTRAINED = ["ada:0", "bob:0"]
NAMES = [*UNTRAINED, "ada:256", "bob:256", "ada:512", "bob:512", "ada:768"]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the run lies that the others are compared with."""
    return tmp_path_factory.mktemp("runs") / "whole"


@pytest.fixture(scope="module")
def whole(path: Path) -> dict[str, Any]:
    return run(path, tiny())


def test_what_a_run_writes(whole: dict[str, Any], path: Path) -> None:
    assert [name for name, *_ in whole["snapshots"]] == NAMES
    parents = [None, None, "ada:0", "bob:0", "ada:256", "bob:256", "ada:512"]
    assert [parent for *_, parent, _ in whole["snapshots"]] == parents
    assert sorted(whole["files"]) == sorted(f"{name.replace(':', '-')}.safetensors" for name in NAMES)
    assert sorted(whole["resume"]) == ["ada.pt", "bob.pt"]
    assert json.loads((path / "run.json").read_text())["seed"] == 0
    assert load(LeagueConfig, path / "config.yaml") == tiny()
    lines = [record["kind"] for record in whole["metrics"]]
    assert lines == ["rating"] * 2 + ["training", "rating"] * 5 + ["final"]
    assert kinds(whole)[:4] == [("added", name) for name in ("baseline", "random", "ada", "bob")]
    assert {kind for kind, _ in kinds(whole)} <= {
        "added",
        "cycle",
        "finals",
    }  # nothing else happens unless it is asked for
    assert not list(path.glob("**/.*"))


def test_snapshots_are_what_the_learners_were(whole: dict[str, Any], path: Path) -> None:
    snapshots = [load_snapshot(path / "snapshots" / f"ada-{step}.safetensors") for step in (256, 512, 768)]
    assert snapshots[1].meta == {"env": "SlimeVolley-v0", "member": "ada", "step": 512, "parent": "ada:256"}
    assert not same_weights(snapshots[0].policy, snapshots[1].policy)
    state = torch.load(path / "resume" / "ada.pt", weights_only=True)
    assert (state["stretches"], state["steps"]) == (3, 768)
    for name, weights in snapshots[2].policy.state_dict().items():
        assert torch.equal(weights, state["crew"]["player"]["policy"][name])


def test_who_meets_whom(whole: dict[str, Any]) -> None:
    """Each new snapshot meets the anchors and two older ones, if there are two; at the end, the best meet."""
    met: dict[str, set[str]] = {}
    for block in whole["blocks"]:
        kind, one, other, games = block.split("|")
        assert games == ("4" if kind == "rating" else "2")
        if kind == "rating":
            met.setdefault(one, set()).add(other)
    for place, name in enumerate(NAMES):
        rivals = met[name] - {"baseline", "random"}
        assert met[name] >= {"baseline", "random"}
        assert rivals <= set(NAMES[:place])
        assert len(rivals) == min(place, 2)
    finals = [block.split("|")[1:3] for block in whole["blocks"] if block.startswith("final")]
    assert len(finals) == 6 + 4 * 2  # four snapshots among themselves and against two anchors
    assert len(whole["results"]) == (2 * 7 + 0 + 1 + 2 * 5) * 4 + 14 * 2
    for result in whole["results"]:
        assert result.env == "SlimeVolley-v0"
        assert result.steps <= LIMIT


def test_rated_games_are_the_whole_game(whole: dict[str, Any]) -> None:
    """Training ends games at a point, rated games do not: here some run to the limit with a score."""
    assert any(result.ended == "limit" and any(result.score) for result in whole["results"])
    assert all(
        record["game_steps"] is None or record["game_steps"] < LIMIT
        for record in whole["metrics"]
        if record["kind"] == "training"
    )


def test_anchors_are_never_met_in_training(whole: dict[str, Any], monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    """Only snapshots that were there already, and no scripted player, train a learner; a beginner meets itself."""
    training = [record for record in whole["metrics"] if record["kind"] == "training"]
    for place, record in enumerate(training):
        assert set(record["opponents"]) == (set(NAMES[: place + 2]) if place > 1 else set())
    with League.create(path.parent / "watched", tiny()) as league:
        seen: list[list[Any]] = []

        def spy(*given: Any) -> Any:
            seen.append(given[3])
            return self_play(*given)

        monkeypatch.setattr(stretch_module, "self_play", spy)
        league.run()
    assert [len(opponents) for opponents in seen] == [0, 0, 4, 5, 6]
    assert all(set(crew) == {"player"} for opponents in seen for crew, _ in opponents)


def test_opponents_are_drawn_from_the_past_and_bounded(tmp_path: Path) -> None:
    training = {**TINY["training"], "opponents": 1}
    found = run(tmp_path / "run", tiny(training=training, matchmaking={"mirror": 1, "uniform": 3}))
    met = [(record["mirror"], record["opponents"]) for record in found["metrics"] if record["kind"] == "training"]
    assert met[:2] == [(1.0, {})] * 2  # beginners play themselves
    assert [(mirror, list(opponents.values())) for mirror, opponents in met[2:]] == [(0.25, [0.75])] * 3


def test_equal_seeds_give_equal_runs(whole: dict[str, Any], tmp_path: Path) -> None:
    assert run(tmp_path / "again", tiny()) == whole
    other = run(tmp_path / "other", tiny(seed=1))
    assert other["files"].keys() == whole["files"].keys()
    assert all(other["files"][name] != data for name, data in whole["files"].items())
    assert other["results"] != whole["results"]


def test_threads_change_nothing(whole: dict[str, Any], tmp_path: Path) -> None:
    assert run(tmp_path / "two", tiny(threads=2)) == whole


def test_more_budget_goes_on(whole: dict[str, Any], tmp_path: Path) -> None:
    run(tmp_path / "run", tiny())
    with League.open(tmp_path / "run", write=True) as league:
        league.run()
        assert league.steps == 1280  # nothing was left
        league.run("300-steps")
        assert league.steps == 1280 + 256 + 128  # the last stretch ends with the budget
        league.run(Budget(steps=1))
        assert league.steps == 1280 + 256 + 128 + 128
    found = outcome(tmp_path / "run")
    assert [name for name, *_ in found["snapshots"]] == [*NAMES, "bob:768", "ada:896", "bob:896"]
    assert found["results"][: len(whole["results"])] == whole["results"]


class Clock:
    """Time that passes by a second whenever somebody looks."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        self.now += 1.0
        return self.now


def test_a_budget_of_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(league_module, "time", clock)
    monkeypatch.setattr(stretch_module, "time", clock)
    seen: list[Progress] = []
    with League.create(tmp_path / "run", tiny(budget="60s")) as league:
        league.run(report=seen.append)
        spent = league.seconds
        assert 60 <= spent < 150
        clock.now += 1000  # time that passes while nothing runs is not counted
        assert league.seconds == spent
        steps = league.steps
        league.run()
        assert league.steps == steps
        league.run("30s")
        assert league.steps > steps
        assert spent + 30 <= league.seconds < spent + 150
    trained = [progress.steps for progress in seen if progress.phase.startswith("training")]
    assert trained == sorted(trained) and len(trained) > 3
    with League.open(tmp_path / "run", write=True) as league:
        assert spent + 30 <= league.seconds < spent + 150
        steps = league.steps
        league.run("30s")
        assert league.steps > steps


def test_a_run_whose_time_is_spent_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where rating took the last of it, after the learners were saved."""
    clock = Clock()
    monkeypatch.setattr(league_module, "time", clock)
    monkeypatch.setattr(stretch_module, "time", clock)
    with League.create(tmp_path / "run", tiny(budget="60s")) as league:

        def slow(*given: Any, **named: Any) -> Any:
            clock.now += 50
            return run_block(*given, **named)

        monkeypatch.setattr(job_module, "run_block", slow)
        league.run()
        steps = league.steps
    before = outcome(tmp_path / "run")
    with League.open(tmp_path / "run", write=True) as league:
        assert league.seconds >= 60
        league.run()
        assert league.steps == steps
    assert outcome(tmp_path / "run") == before


def test_progress(tmp_path: Path) -> None:
    seen: list[Progress] = []
    with League.create(tmp_path / "run", tiny()) as league:
        league.run(report=seen.append)
        assert seen[-1].standings == league.leaderboard()
    shares = [progress.share for progress in seen]
    assert shares == sorted(shares) and shares[0] == 0 and shares[-1] == 1
    assert {progress.phase for progress in seen} >= {"training ada", "training bob", "rating games of ada:256"}
    assert seen[-1].steps == 1280
    assert all(progress.speed > 0 for progress in seen if progress.steps)
    tables = list({id(progress.standings): progress.standings for progress in seen}.values())
    assert len(tables) == 9  # none at first, seven snapshots rated, and the finals


def test_the_leaderboard(whole: dict[str, Any]) -> None:
    table = whole["leaderboard"]
    assert {standing.name for standing in table} == {*NAMES, "baseline", "random"}
    assert {standing.name for standing in table if standing.anchor} == {"baseline", "random"}
    exposed = [standing.rating.exposed for standing in table]
    assert exposed == sorted(exposed, reverse=True)
    results = whole["results"]
    for standing in table:
        assert standing.summary.games == sum(standing.name in result.players for result in results)
        assert standing.rating.games == standing.summary.games
        assert set(standing.against) == (set() if standing.anchor else {"baseline", "random"})
    best = champion(table)
    fitted = {name: one.exposed for name, one in bradley_terry.rate(results).items()}
    leaders = [standing.name for standing in table if not standing.anchor]
    assert best is not None and best.name == max(leaders, key=fitted.__getitem__)
    assert {standing.name: standing.fit.exposed for standing in table} == fitted
    against = best.against["baseline"]
    assert against.games == sum({best.name, "baseline"} == set(result.players) for result in results)


def test_standings_are_a_function_of_the_log(whole: dict[str, Any]) -> None:
    results, roles = whole["results"], {name: role for name, role, *_ in whole["members"]}
    assert standings(results, roles) == standings(list(results), roles) == whole["leaderboard"]
    assert standings([], roles) == []
    assert champion([]) is None
    assert champion([s for s in whole["leaderboard"] if s.anchor]) is None
    assert standings(results[:40], roles) != whole["leaderboard"]


def test_what_is_known_while_it_runs_is_what_the_log_says(tmp_path: Path) -> None:
    """New games are added to those that were read, which is the same as to read them all again."""
    with League.create(tmp_path / "run", tiny()) as league:
        league.run()
        board, payoff, scores = league.leaderboard(), league.rated.payoff, league.rated.scores
        league.rated.read()
        assert league.leaderboard() == board
        for before, after_reading in ((payoff, league.rated.payoff), (scores, league.rated.scores)):
            assert before.names == after_reading.names
            assert (before.games == after_reading.games).all() and (before.total == after_reading.total).all()


def test_learners_of_any_kind_meet(tmp_path: Path) -> None:
    """Feed-forward and recurrent, with statistics, held actions, buttons, double precision: one league."""
    learners = [
        {"name": "plain", **LEARNER},
        {"name": "gru", **LEARNER, "policy": {"hidden": [6], **GRU, "normalise_obs": True, "normalise_value": True}},
    ]
    for learner in learners:
        learner["policy"] = {**learner["policy"], "hold": 3}
    for options in ({"actions": "multibinary"}, {"actions": "box", "dtype": "float64"}):
        config = tiny(learners=learners, game={"options": {**SHORT, **options, "lives": 1}})
        found = run(tmp_path / options["actions"], config)
        assert len(found["snapshots"]) == 7
        assert {result.players[0].partition(":")[0] for result in found["results"]} >= {"plain", "gru"}


def test_learners_by_any_algorithm_meet(tmp_path: Path) -> None:
    """On-policy and off-policy ones, with memory and without: one league, that resumes to the byte."""
    small = {"policy": {"hidden": [6]}}
    learners = [
        {"name": "ada", **LEARNER},
        {"name": "quick", "algorithm": "dqn", **small, "settings": {"start": 100, "updates_per_step": 0.01}},
        {"name": "mem", "algorithm": "drqn", "policy": {"hidden": [6], "core": "gru", "core_width": 4},
         "settings": {"start": 100, "updates_per_step": 0.01, "batch_size": 4}},
    ]  # fmt: skip
    config = tiny(learners=learners, budget="1500-steps", matchmaking={"mirror": 0.5, "uniform": 0.5})
    whole = run(tmp_path / "whole", config)
    assert {result.players[0].partition(":")[0] for result in whole["results"]} >= {"ada", "quick", "mem"}
    known = [record for record in whole["metrics"] if record["kind"] == "training" and record["member"] == "quick"]
    assert all(record["loss"] is not None and record["gradient_steps"] > 0 for record in known)
    for learner in ("quick", "mem"):
        weights = [data for name, data in whole["files"].items() if name.startswith(learner)]
        assert len(set(weights)) == len(weights) == 3
    with League.create(tmp_path / "run", config) as league:
        league.run(stop=after(4))
    with League.open(tmp_path / "run", write=True) as league:
        league.run()
    found = outcome(tmp_path / "run")
    for either in (found, whole):
        del either["resume"]  # at which place a replay keeps a view is its own affair
    assert found == whole


def test_a_league_of_one_that_only_plays_itself(tmp_path: Path) -> None:
    learners = [{"name": "ada", **LEARNER}]
    mirror, evaluation = {"mirror": 1.0}, {"games": 2, "rivals": 0, "final_games": 0}
    found = run(tmp_path / "run", tiny(learners=learners, matchmaking=mirror, evaluation=evaluation, anchors=["noop"]))
    assert len(found["results"]) == 6 * 2
    assert all(record["past_score"] is None for record in found["metrics"] if record["kind"] == "training")


def test_a_budget_smaller_than_a_rollout(tmp_path: Path) -> None:
    found = run(tmp_path / "run", tiny(budget="1-steps"))
    assert [name for name, *_ in found["snapshots"]] == [*UNTRAINED, "ada:128"]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """Where a league must not appear."""
    yield tmp_path / "no" / "run"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"game": {"id": "SlimeVolly-v0"}}, "did you mean 'SlimeVolley-v0'"),
        ({"game": {"options": {"live": 1}}}, "did you mean 'lives'"),
        ({"training": {"options": {"live": 1}}}, "did you mean 'lives'"),
        ({"training": {"options": {"actions": "box"}}}, "leave observations and actions"),
        ({"training": {"games": 8, "streams": 5}}, "each needs at least 2 games"),
        (
            {"learners": [{"name": "ada", "algorithm": "td3"}]},
            "td3 does not admit actions in Discrete",
        ),
        ({"anchors": ["basline"]}, "did you mean 'baseline'"),
        ({"pbt": {"every": 1, "settings": ["entropi"]}}, "unknown setting in pbt.settings 'entropi': did you mean"),
        ({"pbt": {"every": 1}, "learners": TINY["learners"][:1]}, "two learners must have the same role"),
        pytest.param(
            {"device": "cuda"}, "torch sees no GPU", marks=pytest.mark.skipif(torch.cuda.is_available(), reason="GPU")
        ),
    ],
)
def test_a_league_that_cannot_be_played(change: dict[str, Any], message: str, place: Path) -> None:
    with pytest.raises(InputError, match=message):
        League.create(place, tiny(**change))


def test_a_learner_that_diverges_is_named(tmp_path: Path) -> None:
    """And what the others learnt is kept."""
    place = tmp_path / "run"
    wild = {**LEARNER["settings"], "learning_rate": 1e30}
    learners = [{"name": "ada", **LEARNER}, {"name": "bob", **LEARNER, "settings": wild}]
    with (
        League.create(place, tiny(learners=learners)) as league,
        pytest.raises(InputError, match=r"^bob: learning has diverged: after \d+ env steps .* lower learning_rate"),
    ):
        league.run()
    assert verify(place) == []
    with RunFolder.open(place) as run:
        assert {snapshot.member for snapshot in run.snapshots() if snapshot.step} == {"ada"}


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("budget=0s", "above 0"),
        ("budget=soon", "not understood"),
        ("learners.0.name=bob", "same name"),
        ("learners.0.name=champion", "champion"),
        ("learners.0.name=a/b", "name"),
        ("learners.0.policy.hold=2", "same policy.hold"),
        ("learners.0.policy.hidden=[0]", "hidden"),
        ("learners.0.policy.core=lstn", "core"),
        ("learners.0.algorithm=td3", "learners.0.settings"),
        ("learners.0.algorithm=pp0", "unknown algorithm 'pp0': did you mean 'ppo'\\?$"),
        ("learners.0.settings.gama=1", "did you mean 'learners.0.settings.gamma'"),
        ("learners=[]", "learners"),
        ("evaluation.games=1", "games"),
        ("matchmaking=random", "matchmaking"),
        ("matchmaking.nahs=1", "did you mean 'matchmaking.nash'"),
        ("matchmaking={hard = 0}", "all shares are 0: give one of mirror, latest"),
        ("matchmaking.against=['mian']", "unknown member or role 'mian': did you mean 'main'"),
        ("learners.0.matchmaking={hard = 1.0, against = ['anchor']}", "unknown member or role 'anchor'"),
        ("learners.0.role=mian", "learners.0.role"),
        ("anchors=['random', 'random']", "have the same name"),
        ("learners.0.name=random", "have the same name"),
        ("promotion.elo1=-1", "elo0 = 0.0 must be below elo1 = -1.0"),
    ],
)
def test_settings_that_make_no_sense(override: str, message: str, place: Path) -> None:
    with pytest.raises(InputError, match=message) as fault:
        League.create(place, "slime-laptop", [override])
    assert "\n" not in str(fault.value)


def test_a_damaged_resume_file(tmp_path: Path) -> None:
    with League.create(tmp_path / "run", tiny()) as league:
        league.run(stop=after(1))
    file = tmp_path / "run" / "resume" / "ada.pt"
    for data in (file.read_bytes()[:-500], b"", b"nothing of ours"):
        file.write_bytes(data)
        with pytest.raises(InputError, match=r"ada\.pt cannot be resumed from") as fault:
            League.open(tmp_path / "run", write=True)
        assert "\n" not in str(fault.value)
    file.unlink()  # and the folder was not left locked
    League.open(tmp_path / "run", write=True).close()
