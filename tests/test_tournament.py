"""Tournaments that are played: any number of workers, kills and resumes, tables, pictures, and what is refused."""

from __future__ import annotations

import csv
import json
import random
import re
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from arena.cli import main
from arena.execution import Executor, make_executor
from arena.execution.serial import SerialExecutor
from arena.league.overview import leaderboard, outline
from arena.replay.sources import picked
from arena.store import RunFolder
from arena.store.verify import verify
from arena.tournaments.blocks import Block, blocks_of, parse_key
from arena.tournaments.config import FORMATS, Entrant, GameConfig, TournamentConfig
from arena.tournaments.entrants import by_rating, candidates, expand
from arena.tournaments.pairing import Pairing
from arena.tournaments.picture import picture
from arena.tournaments.table import table
from arena.tournaments.tournament import Tournament
from envs.errors import InputError
from envs.registry import build
from tests import leagues
from tests.cli import check_refused, object_of
from tests.parlours import open_house

GAME = GameConfig(id="SlimeVolley-v0", options={"lives": 1, "max_steps": 60})
BOTS = ("baseline", "tracker", "noop", "random")


def config(format: str, players: tuple[str, ...] = BOTS, **more: Any) -> TournamentConfig:
    entrants = candidates(players, GAME.id, GAME.options, build(GAME.id, 1, GAME.options).spec)
    told = {"games": 4, "seed": 5, **more}
    return TournamentConfig(format=format, game=GAME, entrants=tuple(one.entrant() for one in entrants), **told)


def play(path: Path, setting: TournamentConfig, executor: Executor | None = None) -> str:
    """The fingerprint of a tournament that is played to its end."""
    with Tournament.create(path, setting) as found, executor or SerialExecutor() as here:
        assert found.run(here)
        return found.fingerprint()


class Shuffled(SerialExecutor):
    """Takes many jobs, and finishes them in any order."""

    workers = 5

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._rng = random.Random(seed)
        self._jobs: dict[Any, Any] = {}

    @property
    def room(self) -> int:
        return 5 - len(self._jobs)

    @property
    def unfinished(self) -> int:
        return len(self._jobs)

    def submit(self, job: Any) -> Any:
        ticket: Any = (self._rng.random(), len(self._jobs))
        self._jobs[ticket] = job
        return ticket

    def done(self, timeout: float | None = None) -> Any:
        from arena.execution.serial import run

        ticket = min(self._jobs)
        return [run(ticket, self._jobs.pop(ticket))]

    def cancel(self, ticket: Any) -> bool:
        return self._jobs.pop(ticket, None) is not None


@pytest.mark.parametrize("format", FORMATS)
def test_any_order_of_arrival_gives_the_same(format: str, tmp_path: Path) -> None:
    setting = config(format, (*BOTS, "random", "noop"))
    first = play(tmp_path / "serial", setting)
    assert play(tmp_path / "shuffled", setting, Shuffled(1)) == first
    assert play(tmp_path / "other", setting.model_copy(update={"seed": 6})) != first
    with Tournament.open(tmp_path / "serial") as one, Tournament.open(tmp_path / "shuffled") as other:
        assert (one.over, one.ordered(), table(one)) == (True, other.ordered(), table(other))
        with RunFolder.open(tmp_path / "shuffled") as run:
            assert leaderboard(run) == leaderboard(one.folder)  # although the log has another order
            assert {standing.role for standing in leaderboard(run)} == {"entrant"}


def test_any_number_of_workers_gives_the_same(tmp_path: Path) -> None:
    setting = config("swiss")
    first = play(tmp_path / "serial", setting)
    assert play(tmp_path / "two", setting, make_executor("process", 2)) == first


def test_without_ray_it_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.chdir(tmp_path)
    for command in ("tournament swiss", "match"):
        check_refused(f"{command} random noop --executor ray", "pip install 'selfplay-arena[ray]'", tmp_path, capsys)


def test_a_failure_leaves_nothing_in_the_executor(tmp_path: Path) -> None:
    """Which may be somebody else's, who goes on with it."""
    with Tournament.create(tmp_path / "run", config("round-robin")) as found, Shuffled(2) as executor:
        with pytest.raises(Killed):
            found.run(executor, show=lambda tournament: fail(tournament.running))
        assert executor.unfinished == 0
        assert found.run(executor)


def fail(running: list[Block]) -> None:
    if len(running) > 2:
        raise Killed


class Killed(Exception):
    """Stands for the end of the process."""


def test_twenty_kills_change_nothing(tmp_path: Path) -> None:
    """Each after some blocks, before or after the last of them was logged; nothing is closed in order."""
    setting = config("double-elimination", (*BOTS, "random", "noop"), best_of=3)
    whole = play(tmp_path / "whole", setting)
    rng, kills = random.Random(0), 0
    Tournament.create(tmp_path / "killed", setting).close()
    over = False
    while not over:
        left = rng.randint(0, 1) if kills < 20 else 10**6

        def show(tournament: Tournament) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise Killed

        with Tournament.open(tmp_path / "killed", write=True) as found, SerialExecutor() as executor:
            try:
                over = found.run(executor, show=show)
            except Killed:
                kills += 1
    assert kills == 20
    with Tournament.open(tmp_path / "killed") as found:
        assert found.fingerprint() == whole
    assert verify(tmp_path / "killed") == []


def test_a_stop_finishes_what_is_being_played(tmp_path: Path) -> None:
    setting = config("round-robin")
    whole = play(tmp_path / "whole", setting)
    with Tournament.create(tmp_path / "stopped", setting) as found:
        with Shuffled(3) as executor:
            assert not found.run(executor, stop=lambda: found.games > 0)
        assert 0 < found.games < found.most and not found.over
        assert not found.running
    with Tournament.open(tmp_path / "stopped", write=True) as found:
        before = found.games
        with SerialExecutor() as executor:
            assert found.run(executor) and found.games > before
        assert found.fingerprint() == whole


def test_seats_are_shared_and_serves_equal(tmp_path: Path) -> None:
    play(tmp_path / "run", config("round-robin", games=6))
    with Tournament.open(tmp_path / "run") as found:
        games = found.ordered()
        assert len(games) == found.games == found.most == 36
        for block, results in found.results.items():
            assert [one.players for one in results] == [block.players, block.players[::-1]] * 3
            assert [results[at].seed == results[at + 1].seed for at in range(0, 6, 2)] == [True] * 3
        assert len({one.seed for one in games}) == 18


def test_a_seed_follows_from_what_it_should() -> None:
    block = Block(Pairing(2, "a", "b", 1), 0, 64)
    assert block.key == "round2.1.0|a|b|64" and parse_key(block.key) == block
    assert parse_key("rating|a|b|64") is None
    assert block._replace(games=2).seed(0) == block.seed(0)  # the number of games does not matter
    others = [
        block.seed(1),
        block._replace(part=1).seed(0),
        *(
            Block(pairing, 0, 64).seed(0)
            for pairing in (
                Pairing(1, "a", "b", 1),
                Pairing(2, "a", "b", 0),
                Pairing(2, "b", "a", 1),
                Pairing(2, "a", "bc", 1),
                Pairing(2, "ab", "c", 1),
            )
        ),
    ]
    assert len({block.seed(0), *others}) == len(others) + 1
    assert all(0 <= seed < 2**53 for seed in others)
    parts = blocks_of(Pairing(1, "a", "b"), 600, 6)
    assert [part.games for part in parts] == [252, 252, 96] and len({part.seed(0) for part in parts}) == 3


def test_more_than_two_sides_meet_at_tables(tmp_path: Path) -> None:
    """Each of two alone against a table of the other, in every seat; two teams of two meet as two do."""
    with open_house():
        for id, cycle, pattern in (("Lonely-v0", 6, {1, 2}), ("Pairs-v0", 2, {2})):
            entrants = (Entrant(name="a", player="random"), Entrant(name="b", player="random"))
            setting = TournamentConfig(format="swiss", game=GameConfig(id=id), entrants=entrants, games=2 * cycle)
            play(tmp_path / id, setting)
            with Tournament.open(tmp_path / id) as found:
                (results,) = found.results.values()
                assert len(results) == 2 * cycle and len({one.players for one in results}) == cycle
                assert {one.players.count("a") for one in results} == pattern
                seats = [sum(one.players[seat] == "a" for one in results) for seat in range(len(results[0].players))]
                assert set(seats) == {cycle}  # as often as b, in every seat
                assert [line.score.games.games for line in table(found)] == [2 * cycle] * 2
        with pytest.raises(InputError, match="multiple of it, such as 6"):
            Tournament.create(
                tmp_path / "odd", setting.model_copy(update={"game": GameConfig(id="Lonely-v0"), "games": 4})
            )
        assert not (tmp_path / "odd").exists()
        with pytest.raises(InputError, match="is played by one"):
            candidates(["random", "random"], "Meet-v0", {}, build("Meet-v0", 1, {}).spec)


def test_snapshots_are_copied(tmp_path: Path) -> None:
    """So that the tournament can be seen and gone on with when their files are gone."""
    from arena.ladder import rung_file

    for name in ("beginner", "novice"):
        (tmp_path / f"mine-{name}.safetensors").write_bytes(rung_file(name).read_bytes())
    players = tuple(str(tmp_path / f"mine-{name}.safetensors") for name in ("beginner", "novice"))
    setting = config("round-robin", (*players, players[0], "random"), games=2)
    assert setting.names == ("mine-beginner", "mine-novice", "mine-beginner#2", "random")
    assert setting.entrants[3] == Entrant(name="random", player="random")
    found = Tournament.create(tmp_path / "run", setting)
    found.close()
    for player in players:
        Path(player).unlink()
    with Tournament.open(tmp_path / "run", write=True) as found, SerialExecutor() as executor:
        assert found.run(executor)
        assert {name for one in found.ordered() for name in one.players} == set(setting.names)
    assert verify(tmp_path / "run") == []
    with RunFolder.open(tmp_path / "run") as run:
        replays = picked(run)
        assert replays and {name for one in replays for name in one.players} <= set(setting.names)
        (last,) = picked(run, "mine-beginner-vs-random")
        assert set(last.players) == {"mine-beginner", "random"}


def test_a_league_takes_part(tmp_path: Path) -> None:
    """DIR@all are its snapshots, DIR@top2 the best of them; seeds follow their ratings."""
    path = tmp_path / "league"
    leagues.run(path, leagues.tiny())
    everybody = expand([f"{path}@all", "random"])
    with RunFolder.open(path) as run:
        names = [snapshot.name for snapshot in run.snapshots()]
        rated = [one for one in leaderboard(run) if one.name in names]
        game = outline(run).game
    assert everybody == [*(f"{path}@{name}" for name in names), "random"] and len(names) > 1
    assert expand([f"{path}@top2"]) == [f"{path}@{one.name}" for one in rated[:2]]
    with pytest.raises(InputError, match="there is no run folder"):
        expand(["nowhere@all"])
    chosen = candidates([*everybody, f"{path}@champion"], game.id, game.options, build(game.id, 1, game.options).spec)
    assert [one.name for one in chosen][: len(names)] == names
    assert chosen[-1].name.split("#")[0] in names
    order = [one.name for one in by_rating(chosen[: len(names) + 1])]
    best = sorted(rated, key=lambda one: -one.rating.mean)
    assert order[: len(best)] == [one.name for one in best] and order[-1] == "random"


def test_pictures(tmp_path: Path) -> None:
    evil = Entrant(name="<b>&evil", player="random")
    for format in ("swiss", "single-elimination", "double-elimination"):
        setting = config(format, (*BOTS, "random"))
        setting = setting.model_copy(update={"entrants": (*setting.entrants, evil)})
        play(tmp_path / format, setting)
        with RunFolder.open(tmp_path / format) as run:
            drawn = picture(run)
        tree = ElementTree.fromstring(drawn)
        words = [text for element in tree.iter() for text in [element.text or ""]]
        assert all(any(name in word for word in words) for name in setting.names)
        assert "<b>" not in drawn and float(tree.attrib["width"]) > 100


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    game = ("--set", "lives=1", "--set", "max_steps=60", "--games", "4")
    out, file = tmp_path / "run", tmp_path / "table.csv"
    said = object_of("tournament", "swiss", *BOTS, *game, "--out", out, "--csv", file, capsys=capsys)
    assert (said["ended"], said["format"], said["rounds"], said["games"]) == ("over", "swiss", 2, 16)
    for number, how in enumerate(["--workers 2", "--executor process --workers 1", "--executor serial"]):
        two = ("--out", str(tmp_path / f"again{number}"), *how.split())
        again = object_of("tournament", "swiss", *BOTS, *game, *two, capsys=capsys)
        assert again["fingerprint"] == said["fingerprint"] and again["table"] == said["table"]
    resumed = object_of("tournament", "resume", out, capsys=capsys)
    shown = object_of("tournament", "show", out, "--picture", tmp_path / "x.svg", capsys=capsys)
    assert resumed["table"] == shown["table"] == said["table"]
    assert (tmp_path / "x.svg").read_text().startswith("<svg")
    rows = list(csv.DictReader(file.open()))
    assert [row["name"] for row in rows] == [row["name"] for row in said["table"]]
    assert sum(float(row["points"]) for row in rows) == 16
    json.dumps(said, allow_nan=False)
    assert main(["tournament", "show", str(out)]) == 0
    text = capsys.readouterr().out
    assert "Buchholz" in text and f"fingerprint: {said['fingerprint']}" in text
    assert main(["league", "leaderboard", str(out)]) == 0
    assert "entrant" in capsys.readouterr().out
    other = ("double-elimination", "--best-of", "3", "--out", str(tmp_path / "de"))
    assert main(["tournament", *other[:1], *BOTS, *game, *other[1:]]) == 0
    text = capsys.readouterr().out
    assert re.search(r"baseline \d [<>] \d", text) and "round 4" in text


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("swis random noop", "unknown format 'swis': did you mean 'swiss'?"),
        ("swiss random", "needs two players or more"),
        ("swiss random nobody", "unknown player 'nobody'"),
        ("swiss random noop --games 3", "give a multiple of it, such as 4"),
        ("swiss random noop --games 0", "games"),
        ("swiss random noop tracker baseline --rounds 3", "a Swiss of 4 has at most 2"),
        ("round-robin random noop --best-of 3", "best_of is for eliminations"),
        ("single-elimination random noop --best-of 2", "must be odd, such as 3"),
        ("single-elimination random noop --rounds 2", "has as many as it needs"),
        ("swiss random noop --challengers 2", "challengers are for a gauntlet"),
        ("gauntlet random noop --challengers 2", "leaves nobody to meet"),
        ("swiss random random --env CartPole-v1", "is played by one"),
        ("swiss random noop --workers 0", "--workers must be 1 or more"),
        ("swiss random noop --executor proces", "unknown executor 'proces': did you mean 'process'?"),
        ("swiss random noop --executor serial --workers 2", "--executor serial has one worker, not 2"),
        ("swiss random noop --ray-address auto", "--ray-address auto is for --executor ray"),
        ("swiss random noop --executor process --ray-address auto", "--ray-address auto is for --executor ray"),
        ("swiss random noop --csv nowhere/x.csv", "no such folder"),
        ("swiss random noop --move-time soon", "no time above 0"),
        ("baseline random noop", "unknown format 'baseline'"),
        ("resume nowhere", "there is no run folder nowhere"),
        ("show nowhere", "there is no run folder nowhere"),
    ],
)
def test_what_is_refused(
    words: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    check_refused(f"tournament {words}", sentence, tmp_path, capsys)


def test_other_runs_are_told_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    play(tmp_path / "run", config("gauntlet"))
    for line in (f"league resume {tmp_path}/run", f"league status {tmp_path}/run"):
        check_refused(line, f"`arena tournament resume {tmp_path}/run` goes on", tmp_path, capsys)
