"""`arena league leaderboard --rating ...` on made-up logs whose truth is known; and standings, which it is made of."""

from __future__ import annotations

import io
import json
import random
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from arena.cli.arguments import bind
from arena.cli.leaderboard import CAPTION
from arena.cli.leaderboard_views import VIEWS
from arena.cli.league_leaderboard import leaderboard
from arena.league.standings import standings
from arena.league.summaries import Summaries
from arena.ratings.bradley_terry import fit_history
from arena.ratings.disagreement import disagreements
from arena.ratings.games import games_of
from arena.ratings.raters import RATERS
from arena.ratings.seats import by_seat
from arena.ratings.superiority import superiority
from arena.ratings.trueskill import rate
from arena.result import MatchSummary, Result, summarise
from arena.store import RunFolder
from envs.errors import InputError
from tests.histories import duels, game, history
from tests.leagues import tiny
from tests.sources import ROOT
from tests.test_raters import MISSING

SKILL = (-250.0, -120.0, -40.0, 0.0, 60.0, 150.0, 200.0)
NAMES = {
    "p0": "random",
    "p1": "baseline",
    "p2": "ada:100",
    "p3": "ada:200",
    "p4": "bob:100",
    "p5": "eve",
    "p6": "ada:3",
}
ROLES = {"random": "anchor", "baseline": "anchor", "ada": "main", "bob": "main-exploiter", "gone": "main"}
RATED = [pytest.param(name, marks=MISSING if name == "openskill" else ()) for name in RATERS if name != "trueskill"]
CIRCLE = [*duels("rock", "scissors", 30, 0, 10), *duels("scissors", "paper", 36, 0, 4), *duels("paper", "rock", 40)]
"""Margins 0.5, 0.8, 1."""
FOOL = [game for name in ("rock", "scissors", "paper") for game in duels(name, "fool", 20)]


def run(path: Path, results: Iterable[Result], roles: dict[str, str] = ROLES) -> Path:
    """A league with this log and these members; "gone" is retired."""
    with RunFolder.create(path, tiny(), seed=0) as folder:
        for name, role in roles.items():
            folder.add_member(name, role, {})
        if "gone" in roles:
            folder.retire_member("gone")
        folder.append_block("all", results)
    return path


def called(results: Iterable[Result], names: dict[str, str]) -> list[Result]:
    return [game([names[name] for name in r.players], r.score, r.seed) for r in results]


def ask(*words: str | Path) -> int:
    return bind(leaderboard, list(map(str, words)), "arena league leaderboard")()


def object_of(capsys: pytest.CaptureFixture[str], *words: str | Path) -> dict[str, Any]:
    assert ask(*words, "--json") == 0
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    return said


def text_of(capsys: pytest.CaptureFixture[str], *words: str | Path) -> list[str]:
    assert ask(*words) == 0
    return capsys.readouterr().out.splitlines()


RESULTS = called(history(seed=0, games=900, skill=SKILL, seat=80), NAMES)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A league in which everybody met everybody."""
    return run(tmp_path_factory.mktemp("leagues") / "home", RESULTS)


@pytest.fixture(scope="module")
def circle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rock, paper, scissors, and a fool that loses to all of them."""
    return run(tmp_path_factory.mktemp("leagues") / "circle", [*CIRCLE, *FOOL])


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, and one that only met the fool."""
    return run(tmp_path_factory.mktemp("leagues") / "ring", [*CIRCLE, *FOOL, *duels("fool", "stranger", 0, 0, 4)])


def mixed(seed: int, games: int) -> list[Result]:
    """Duels, teams and free-for-alls with ties, odd scores and few seeds."""
    rng = random.Random(seed)
    results = []
    for _ in range(games):
        seats = rng.choice(["ab", "ba", "ca", "dcb", "abcd", "aabb", "abab", "b", "da"])
        held = {name: rng.choice([-1.5, 0.1, 0.1, 1 / 3, 2.0]) for name in seats}
        results.append(
            Result(
                "Test-v0", tuple(seats), tuple(held[s] for s in seats), rng.randrange(99), rng.randrange(40), "rules"
            )
        )
    return results


def same(ours: MatchSummary, theirs: MatchSummary) -> None:
    for field in ("player", "games", "wins", "draws", "losses"):
        assert getattr(ours, field) == getattr(theirs, field), field
        assert type(getattr(ours, field)) is type(getattr(theirs, field))
    assert ours.score_mean == pytest.approx(theirs.score_mean, abs=1e-12)
    assert ours.steps_mean == pytest.approx(theirs.steps_mean, abs=1e-9)
    assert (ours.score_ci95 is None) == (theirs.score_ci95 is None)
    if ours.score_ci95 and theirs.score_ci95:
        assert ours.score_ci95 == pytest.approx(theirs.score_ci95, abs=1e-12)


@pytest.mark.parametrize(("seed", "games"), [(0, 1), (1, 2), (2, 9), (3, 60), (4, 400)])
def test_summaries_of_everybody_are_those_of_each(seed: int, games: int) -> None:
    results = mixed(seed, games)
    found = Summaries(games_of(results))
    names = sorted({name for result in results for name in result.players})
    everybody = found.all()
    assert sorted(everybody) == names
    for name in names:
        same(everybody[name], summarise(results, name))
        met = found.against(name)
        assert name not in met
        for other in set(names) - {name}:
            both = [result for result in results if {name, other} <= set(result.players)]
            assert (other in met) == bool(both)
            if both:
                same(met[other], summarise(both, other))


def test_standings_say_what_the_log_does() -> None:
    table = standings(RESULTS, ROLES)
    ratings = rate(RESULTS)
    assert [one.name for one in table] == sorted(ratings, key=lambda name: -ratings[name].exposed)
    for one in table:
        assert one.rating == ratings[one.name]
        same(one.summary, summarise(RESULTS, one.name))
        assert list(one.against) == [a for a in ("random", "baseline") if a != one.name] or one.against.keys() == {
            "random", "baseline"
        } - {one.name}  # fmt: skip
        for anchor, met in one.against.items():
            same(met, summarise([r for r in RESULTS if {anchor, one.name} == set(r.players)], one.name))
    assert {one.name: one.role for one in table} == {
        "random": "anchor", "baseline": "anchor", "ada:100": "main", "ada:200": "main", "ada:3": "main",
        "bob:100": "main-exploiter", "eve": "guest",
    }  # fmt: skip
    assert standings(iter(RESULTS), ROLES) == standings(games_of(RESULTS), ROLES) == table
    assert standings([], ROLES) == []


def test_standings_by_another_rater() -> None:
    table = standings(RESULTS, ROLES, RATERS["elo"].rate)
    assert {one.name: one.rating for one in table} == RATERS["elo"].rate(RESULTS)
    exposed = [one.rating.exposed for one in table]
    assert exposed == sorted(exposed, reverse=True)


def test_games_against_oneself_count_for_nobody() -> None:
    odd = [game("aa", [1, -1]), game("zzz", [1, 1, 0]), game("zz", [1, 1])]
    assert standings([*duels("a", "b", 3), *odd], {}) == standings(duels("a", "b", 3), {})
    assert standings(odd, {}) == []


def test_who_has_several_seats_has_their_mean() -> None:
    """Two seats of one game count once."""
    log = [game("aba", [3, 1, -2]), game("bba", [0, -4, 2])]
    (a, b) = standings(log, {})
    assert [one.name for one in (a, b)] == ["a", "b"]
    assert (a.summary.wins, a.summary.losses, a.summary.score_mean) == (1, 1, 1.25)
    assert (b.summary.wins, b.summary.losses, b.summary.score_mean) == (1, 1, -0.5)
    assert standings([*log, game("aba", [1, 0.5, 0])], {})[0].summary.draws == 1


def test_the_default_is_the_leaderboard_with_roles(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = text_of(capsys, home)
    assert lines == text_of(capsys, home, "--rating", "trueskill")
    assert lines[0] == f"{home}: 900 rated games of SlimeVolley-v0"
    assert lines[1].split()[-2:] == ["baseline", "random"]
    assert lines[2].split()[:2] == ["1", "ada:3"]
    assert len(lines) == 2 + 7 + 1
    said = object_of(capsys, home)
    table = standings(RESULTS, ROLES)
    assert [(p["rank"], p["name"], p["role"], p["anchor"]) for p in said["players"]] == [
        (rank, one.name, one.role, one.anchor) for rank, one in enumerate(table, start=1)
    ]
    assert [(p["mean"], p["sigma"]) for p in said["players"]] == [(o.rating.mean, o.rating.stderr) for o in table]
    assert said["champion"] == "ada:3"
    assert (said["games"], said["rating"], said["seats"], said["unit"]) == (900, "trueskill", False, "skill points")
    assert said["disagreements"] == []


def misleading(spread: float, draw: float) -> list[Result]:
    """Whoever is better wins early and loses late, so that TrueSkill, which follows the order, ends upside down."""

    def better_won(result: Result) -> bool:
        return (result.players[0] > result.players[1]) == (result.score[0] > result.score[1])

    skill = np.linspace(-spread, spread, 7).tolist()
    return sorted(history(seed=1, games=3000, skill=skill, draw=draw), key=better_won, reverse=True)


def test_where_trueskill_and_the_fit_disagree_it_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = misleading(spread=40, draw=0.1)
    found = disagreements(rate(results), fit_history(results))
    assert len(found) > 5
    lines = text_of(capsys, run(tmp_path / "run", results))
    assert lines[-6:] == [*map(str, found[:5]), f"and {len(found) - 5} more such pairs"]
    said = object_of(capsys, tmp_path / "run")["disagreements"]
    assert [(each["better"], each["worse"]) for each in said] == [(each.better, each.worse) for each in found]
    for rating in ("bradley-terry", "elo"):
        assert "more such pairs" not in text_of(capsys, tmp_path / "run", "--rating", rating)[-1]


def test_a_single_disagreement_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = misleading(spread=60, draw=0.2)
    (only,) = disagreements(rate(results), fit_history(results))
    assert text_of(capsys, run(tmp_path / "run", results))[-2:] == [CAPTION, str(only)]


@pytest.mark.parametrize("name", RATED)
def test_ratings_with_their_intervals(home: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    ratings = RATERS[name].rate(RESULTS)
    order = sorted(ratings, key=lambda player: -ratings[player].exposed)
    lines = text_of(capsys, home, "--rating", name)
    assert re.split(r"  +", lines[1].strip()) == [
        "#", "player", "role", "mean", "95 % interval", "games", "won/drawn/lost"
    ]  # fmt: skip
    for rank, (line, player) in enumerate(zip(lines[2:9], order, strict=True), start=1):
        rating, own = ratings[player], summarise(RESULTS, player)
        low, high = rating.mean - 1.959964 * rating.stderr, rating.mean + 1.959964 * rating.stderr
        assert re.split(r"  +", line.strip()) == [
            str(rank), player, {"eve": "guest", "bob:100": "main-exploiter"}.get(player, ROLES.get(player, "main")),
            f"{rating.mean:.1f}", f"{low:.1f} to {high:.1f}", str(own.games), f"{own.wins}/{own.draws}/{own.losses}",
        ]  # fmt: skip
    assert RATERS[name].unit in lines[9] and "95 % interval" in lines[9] and "1.96" in lines[9]
    said = object_of(capsys, home, "--rating", name)
    assert [(p["name"], p["mean"], p["sigma"]) for p in said["players"]] == [
        (player, ratings[player].mean, ratings[player].stderr) for player in order
    ]
    assert said["unit"] == RATERS[name].unit
    assert not {"champion", "disagreements"} & set(said)


@pytest.mark.parametrize("name", ["trueskill", "bradley-terry"])
def test_ratings_by_seat(home: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    ratings = RATERS[name].rate(by_seat(RESULTS))
    said = object_of(capsys, home, "--rating", name, "--seats")
    assert said["seats"] is True
    assert {p["name"]: (p["mean"], p["sigma"], p["games"]) for p in said["players"]} == {
        player: (rating.mean, rating.stderr, rating.games) for player, rating in ratings.items()
    }
    assert len(said["players"]) == 14
    roles = {p["name"]: p["role"] for p in said["players"]}
    assert (roles["baseline@seat1"], roles["ada:200@seat0"], roles["eve@seat0"]) == ("anchor", "main", "guest")
    lines = text_of(capsys, home, "--rating", name, "--seats")
    assert len(lines) >= 2 + 14 + 1
    assert {line.split()[1] for line in lines[2:16]} == set(ratings)


def test_the_equilibrium_of_a_circle(circle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    players = object_of(capsys, circle, "--rating", "nash")["players"]
    shares = {p["name"]: p["share"] for p in players}  # each has the margin between the two others, as a share
    assert shares == pytest.approx({"rock": 0.8 / 2.3, "scissors": 1 / 2.3, "paper": 0.5 / 2.3, "fool": 0}, abs=1e-6)
    payoffs = {p["name"]: p["payoff"] for p in players}
    assert payoffs == pytest.approx({"rock": 0, "scissors": 0, "paper": 0, "fool": -1}, abs=1e-6)
    assert [(p["rank"], p["name"]) for p in players] == [(1, "scissors"), (2, "rock"), (3, "paper"), (4, "fool")]
    lines = text_of(capsys, circle, "--rating", "nash")
    assert lines[2].split() == ["1", "scissors", "guest", "0.435", "+0.000", "100"]
    assert lines[5].split() == ["4", "fool", "guest", "0.000", "-1.000", "60"]


def test_alpha_rank_of_a_circle(circle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    players = object_of(capsys, circle, "--rating", "alpha-rank")["players"]
    shares = {p["name"]: p["share"] for p in players}
    assert shares == pytest.approx({"rock": 1 / 3, "scissors": 1 / 3, "paper": 1 / 3, "fool": 0})
    assert (players[-1]["name"], players[-1]["payoff"]) == ("fool", pytest.approx(-1))
    assert [p["name"] for p in players[:3]] == ["scissors", "paper", "rock"], "of equal shares, by payoff"
    assert text_of(capsys, circle, "--rating", "alpha-rank")[5].split()[3:] == ["0.000", "-1.000", "60"]


def test_the_payoff(ring: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = object_of(capsys, ring, "--rating", "payoff")
    at = {p["name"]: place for place, p in enumerate(said["players"])}
    assert [p["rank"] for p in said["players"]] == [1, 2, 3, 4, 5]

    def cell(key: str, a: str, b: str) -> Any:
        return said[key][at[a]][at[b]]

    assert cell("win_share", "rock", "scissors") == 0.75
    assert cell("win_share", "scissors", "rock") == 0.25
    assert cell("win_share", "fool", "paper") == 0
    assert cell("win_share", "rock", "stranger") is None
    assert (cell("met", "rock", "scissors"), cell("met", "rock", "stranger")) == (40, 0)
    lines = text_of(capsys, ring, "--rating", "payoff")
    assert lines[1].split() == ["#", "player", "1", "2", "3", "4", "5"]
    rows = {line.split()[1]: re.findall(r"\d\.\d\d|-", line) for line in lines[2:7]}
    assert sorted(rows["stranger"]) == ["-", "-", "-", "1.00"]
    assert sorted(rows["rock"]) == ["-", "0.00", "0.75", "1.00"]


def test_the_likelihood_of_superiority(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = object_of(capsys, home, "--rating", "superiority")
    fit = fit_history(RESULTS)
    order = [fit.names.index(p["name"]) for p in said["players"]]
    exposed = [fit.ratings()[fit.names[at]].exposed for at in order]
    assert exposed == sorted(exposed, reverse=True)
    np.testing.assert_allclose(said["superiority"], superiority(fit.mean, fit.covariance)[np.ix_(order, order)])
    lines = text_of(capsys, home, "--rating", "superiority", "--most", "3")
    assert lines[2].split()[2:] == [f"{said['superiority'][0][j]:.2f}" for j in (1, 2)]
    assert lines[5] == "and 4 more"


def test_cycles_are_named_with_their_strength(ring: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (found,) = object_of(capsys, ring, "--rating", "cycles")["cycles"]
    assert found == {
        "players": ["paper", "rock", "scissors"], "margins": [1.0, 0.5, 0.8], "games": [40, 40, 40], "strength": 0.5
    }  # fmt: skip
    assert text_of(capsys, ring, "--rating", "cycles")[1:] == [
        "paper beats rock (+1.00), rock beats scissors (+0.50), scissors beats paper (+0.80): strength 0.50, "
        "40 games or more for each margin"
    ]
    assert object_of(capsys, home, "--rating", "cycles")["cycles"] == []
    assert "cannot be luck" in text_of(capsys, home, "--rating", "cycles")[1]


def circles(count: int) -> list[Result]:
    """As many rings of three who met nobody else."""
    return [
        won
        for number in range(count)
        for a, b in (("r", "s"), ("s", "p"), ("p", "r"))
        for won in duels(f"{a}{number}", f"{b}{number}", 12)
    ]


def test_most(tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for rating in ("trueskill", "elo"):
        table = [one for one in standings(RESULTS, ROLES, RATERS[rating].rate) if not one.anchor]
        best = {table[0].name, table[1].name, "random", "baseline"}
        said = object_of(capsys, home, "--most", "2", "--rating", rating)["players"]
        assert {p["name"] for p in said} == best
        assert [p["rank"] for p in said] == sorted(p["rank"] for p in said)
        assert said[-1]["rank"] == 7
        assert "and 3 more" in text_of(capsys, home, "--most", "2", "--rating", rating)
    for rating in ("nash", "alpha-rank", "payoff", "superiority"):
        assert len(object_of(capsys, home, "--most", "2", "--rating", rating)["players"]) == 2
        assert len(object_of(capsys, home, "--rating", rating)["players"]) == 7
        assert "and 5 more" in text_of(capsys, home, "--most", "2", "--rating", rating)
    many = run(tmp_path / "many", circles(12))
    assert len(text_of(capsys, many, "--rating", "cycles")) == 1 + 10
    assert len(text_of(capsys, many, "--rating", "cycles", "--most", "12")) == 1 + 12
    assert text_of(capsys, many, "--rating", "payoff")[1].split()[-1] == "10"
    assert "and 26 more" in text_of(capsys, many, "--rating", "payoff")
    assert len(object_of(capsys, many, "--rating", "payoff")["players"]) == 36


@pytest.mark.parametrize("seats", [(), ("--seats",)])
@pytest.mark.parametrize("rating", [name for name in VIEWS if name != "openskill"])
def test_an_empty_log(tmp_path: Path, rating: str, seats: Sequence[str], capsys: pytest.CaptureFixture[str]) -> None:
    path = run(tmp_path / "run", [])
    assert text_of(capsys, path, "--rating", rating, *seats) == [f"{path}: no rated games yet"]
    said = object_of(capsys, path, "--rating", rating, *seats)
    assert said["games"] == 0
    assert said["cycles" if rating == "cycles" else "players"] == []


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--rating", "glicko"], "unknown rating 'glicko': did you mean 'glicko2'?"),
        (["--rating", "alpharank"], "unknown rating 'alpharank': did you mean 'alpha-rank'?"),
        (["--rating", "xyz"], "choose one of alpha-rank, bradley-terry, cycles, "),
        (["--most", "0"], "--most must be 1 or more, not 0"),
        (["--ratings", "elo"], "did you mean '--rating'?"),
    ],
)
def test_bad_input(home: Path, words: Sequence[str], sentence: str) -> None:
    with pytest.raises(InputError, match=re.escape(sentence)):
        ask(home, *words)


def test_the_help_names_every_rating(capsys: pytest.CaptureFixture[str]) -> None:
    assert ask("--help") == 0
    said = capsys.readouterr().out
    assert [name for name in VIEWS if name not in said] == []


def test_while_it_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The folder is locked by its writer, which is amid a transaction."""
    path = run(tmp_path / "run", RESULTS)
    with RunFolder.open(path, write=True) as folder, folder.transaction():
        folder.append_block("more", duels("a", "b", 3))
        for rating in ("trueskill", "nash", "cycles"):
            assert object_of(capsys, path, "--rating", rating)["games"] == 900
    assert object_of(capsys, path)["games"] == 903


def test_torch_is_not_needed(home: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from arena.cli.league_leaderboard import leaderboard\n"
        f"for name in {[name for name in VIEWS if name != 'openskill']}: leaderboard(Path({str(home)!r}), name)\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"


def test_a_title_that_is_wider_than_its_table_stays_one_line(ring: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for rating in VIEWS.keys() - {"openskill"}:
        assert text_of(capsys, ring, "--rating", rating)[0] == f"{ring}: 184 rated games of SlimeVolley-v0"


def test_a_matrix_has_as_many_columns_as_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = run(tmp_path / "run", circles(20))
    assert text_of(capsys, path, "--rating", "payoff", "--most", "50")[1].split()[-1] == "50", "all, in a file"
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stdout", shown := Terminal())
    assert ask(path, "--rating", "payoff", "--most", "50") == 0
    lines = re.sub(r"\x1b\[[0-9;]*m", "", shown.getvalue()).splitlines()[1:]
    fitting = int(lines[0].split()[-1])
    assert len(lines[0]) <= 60 < len(lines[0]) + 2 + len("1.00")
    assert lines[0].split() == ["#", "player", *map(str, range(1, fitting + 1))]
    assert [line.split()[0] for line in lines[1:51]] == list(map(str, range(1, 51)))
    assert "…" not in shown.getvalue()


class Terminal(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True
