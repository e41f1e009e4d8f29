"""`arena.tournament`: players of the program beside named ones, any number of workers, and what it says."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import arena
from arena.stats.units import points
from arena.store.verify import verify
from arena.tournaments.config import GameConfig, TournamentConfig
from arena.tournaments.entrants import candidates
from arena.tournaments.tournament import Tournament
from envs.core import Array
from envs.errors import InputError
from tests.test_tournament import play as played

ENV = "SlimeVolley-v0"
SHORT: dict[str, Any] = {"lives": 1, "max_steps": 60}


class Swinger:
    """Goes to and fro; where it begins is drawn."""

    def __init__(self, seed: int) -> None:
        self.steps = seed % 40

    def act(self, obs: Array) -> int:
        self.steps += 1
        return 1 if self.steps % 40 < 20 else 5


def stands(obs: Array) -> int:
    return 0


OWN = ["tracker", Swinger, stands, arena.Mixture({"baseline": 1, "random": 1}, "mixed")]


def hold(players: Any = OWN, format: str = "round-robin", **more: Any) -> arena.TournamentOutcome:
    return arena.tournament(format, players, **{"games": 4, "seed": 5, "options": SHORT, **more})


@pytest.fixture(scope="module")
def outcome() -> arena.TournamentOutcome:
    return hold()


def test_it_is_the_tournament_of_the_command_line(tmp_path: Path) -> None:
    names = ("tracker", "noop", "baseline")
    spec = arena.make_env(ENV, **SHORT).spec
    entrants = tuple(one.entrant() for one in candidates(names, ENV, SHORT, spec))
    game = GameConfig(id=ENV, options=SHORT)
    config = TournamentConfig(format="swiss", game=game, entrants=entrants, games=4, seed=5)
    found = hold(names, "swiss")
    assert (found.fingerprint, found.path) == (played(tmp_path / "run", config), None)
    with Tournament.open(tmp_path / "run") as run:
        assert list(found.results) == run.ordered()


def test_any_number_of_workers_gives_the_same(outcome: arena.TournamentOutcome, tmp_path: Path) -> None:
    """And so does the folder, from which it is read when it is asked for once more."""
    told: list[int] = []
    other = hold(workers=2, out=tmp_path / "run", on_game=lambda game, result: told.append(game))
    assert other.fingerprint == outcome.fingerprint
    assert (other.results, other.standings, other.path) == (outcome.results, outcome.standings, tmp_path / "run")
    assert told == list(range(len(outcome.results)))
    again = hold(out=tmp_path / "run", on_game=lambda game, result: pytest.fail("all has been played"))
    assert again.results == outcome.results
    assert hold(seed=6).fingerprint != outcome.fingerprint
    assert verify(tmp_path / "run") == []
    with pytest.raises(InputError, match="run holds another tournament: give another folder, or the settings"):
        hold(seed=6, out=tmp_path / "run")
    with Tournament.open(tmp_path / "run") as run:
        assert run.player("tracker").name == "tracker"
        with pytest.raises(InputError, match=r"^Swinger was a player of a Python program, which alone can let it play"):
            run.player("Swinger")


def test_a_tournament_that_was_killed_goes_on(outcome: arena.TournamentOutcome, tmp_path: Path) -> None:
    def stop(game: int, result: arena.Result) -> None:
        if game == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        hold(out=tmp_path / "run", on_game=stop)
    with Tournament.open(tmp_path / "run") as run:
        assert 0 < run.games < len(outcome.results)
    rest: list[int] = []
    whole = hold(out=tmp_path / "run", on_game=lambda game, result: rest.append(game))
    assert (whole.fingerprint, 0 < len(rest) < len(whole.results)) == (outcome.fingerprint, True)


def test_what_it_says(outcome: arena.TournamentOutcome, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody by the names that were given, counted from the games by hand."""
    names = [line.name for line in outcome.standings]
    assert sorted(names) == sorted(["tracker", "Swinger", "stands", "mixed"])
    assert outcome.cross_table.names == tuple(names)
    assert {name for one in outcome.results for name in one.players} == set(names)
    for row, name in enumerate(names):
        own = [one for one in outcome.results if name in one.players]
        assert len(own) == outcome.cross_table.games[row].sum() == 12
        assert outcome.standings[row].score.points == sum(points(one, name) for one in own)
        for column, other in enumerate(names):
            met = [points(one, name) for one in own if other in one.players]
            if other != name:
                assert outcome.cross_table.win_share[row, column] == pytest.approx(np.mean(met))
    first = outcome.standings[0]
    assert outcome.winner == (first.name if outcome.standings[1].place == 2 else None)
    assert str(outcome).splitlines()[0] == "round-robin, SlimeVolley-v0, seed 5, 24 games"
    assert f"  1 {first.name}" in str(outcome).splitlines()[1]
    assert ElementTree.fromstring(outcome.picture).tag.endswith("svg")
    assert [row["name"] for row in outcome.records()] == names
    monkeypatch.setitem(sys.modules, "pandas", SimpleNamespace(DataFrame=lambda records: records))
    assert outcome.frame() == outcome.records()


def test_names_of_ones_own() -> None:
    found = hold({"ann": "tracker", "ben": stands, "tracker": arena.Mixture({"noop": 1})}, "gauntlet")
    assert found.standings[0].name == "ann"
    assert {line.name for line in found.standings} == {"ann", "ben", "tracker"}
    assert found.winner is None  # the challenger comes first, whatever it did


def test_a_player_that_breaks_down_loses_its_games() -> None:
    def breaks(obs: Array) -> int:
        raise RuntimeError("no more")

    with pytest.raises(InputError, match="breaks is refused after a self-test in SlimeVolley-v0: breaks raised"):
        hold([breaks, "noop"])
    found = hold([breaks, "noop"], tested=False)
    assert {one.reason for one in found.results} == {"breaks raised RuntimeError: no more"}
    assert found.winner == "noop"


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: hold(format="swis"), "unknown format 'swis': did you mean 'swiss'?"),
        (lambda: hold("noop"), "players are a list, such as ['noop', 'baseline'], not one name."),
        (lambda: hold(["noop"]), "a tournament needs two players or more."),
        (lambda: hold(["noop", 3]), "3 is no player: give a name, a player, a function of an observation, or a class "
         "with a method act."),
        (lambda: hold({"a|b": "noop", "c": "noop"}), "a player cannot be called 'a|b': a name has a letter, and no |."),
        (lambda: hold(workers=0), "a tournament needs 1 worker or more, not 0."),
        (lambda: hold(seeding="ratng"), "unknown seeding 'ratng': did you mean 'rating'?"),
        (lambda: hold(["random", "random"], env="CartPole-v1", options={}),
         "a tournament is for games in which sides meet: CartPole-v1 is played by one."),
    ],
)  # fmt: skip
def test_what_is_refused(call: Callable[[], object], words: str) -> None:
    with pytest.raises(InputError) as fault:
        call()
    assert str(fault.value) == words


def test_what_cannot_be_sent_to_a_worker() -> None:
    with pytest.raises(InputError, match="cannot be sent to a worker process, because it is no data and no function"):
        hold(["noop", lambda obs: 0], workers=2)
