"""`arena.play` with callbacks, mixtures and seatings, `arena.Match` step by step, and results as tables."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

import arena
from agents.player import Holding
from arena.execution import make_executor
from arena.execution.serial import SerialExecutor
from arena.game_step import GameStep
from arena.guests.guest import Forfeit
from arena.replay.record import record
from arena.replay.replay import read_replay
from arena.replay.simulate import verify
from arena.thought import memory_of
from arena.viewer.sources import stored_game
from envs.core import Array
from envs.errors import InputError
from tests.minds import GRU, new_player

SHORT = {"lives": 2, "max_steps": 150, "serve_delay": 0}
SLIME, DOUBLES = "SlimeVolley-v0", "SlimeVolleyDoubles-v0"


class Tired:
    """Plays for a while, then it breaks down."""

    def __init__(self) -> None:
        self.left = 20

    def act(self, obs: Array) -> int:
        self.left -= 1
        if self.left < 0:
            raise RuntimeError("no more")
        return 2


def first_legal(obs: Array, legal: Array) -> int:
    return int(np.flatnonzero(legal)[0])


@pytest.mark.parametrize(
    ("env", "players", "options"),
    [
        (SLIME, ["master", "tracker"], SHORT),
        (DOUBLES, ["baseline", "tracker"], SHORT),
        ("ConnectFour-v0", ["one-ply", "random"], {}),
        ("KuhnPoker-v0", ["random", "random"], {}),
        ("Tag-v0", ["random", "random"], {}),
        ("CartPole-v1", ["random"], {}),
        (SLIME, [Tired, "tracker"], SHORT),
        (SLIME, [arena.Mixture({"noop": 1, "tracker": 1, "random": 1}), "random"], SHORT),
    ],
)
@pytest.mark.parametrize("seed", [0, 5])
def test_a_match_is_the_game_that_play_plays(env: str, players: list[Any], options: dict[str, Any], seed: int) -> None:
    outcome = arena.play(env, players, games=1, seed=seed, options=options, greedy=False, tested=False)
    match = arena.Match(env, players, seed, options=options, greedy=False)
    steps = [seen.step for seen in match]
    assert match.result == outcome.results[0]
    assert steps == list(range(1, outcome.results[0].steps + 1)) and match.over
    with pytest.raises(InputError, match="the game is over after"):
        match.step()


def test_a_game_of_a_longer_match_by_its_seed() -> None:
    game = arena.play(SLIME, ["baseline", "tracker"], games=6, options=SHORT).results[3]
    match = arena.Match(SLIME, game.players, seed=99, game_seed=game.seed, options=SHORT)
    assert match.play() == game


def test_every_seat_of_every_step() -> None:
    """What one step leads to is what the next one begins with, and thoughts are those of the network itself."""
    spec = arena.make_env(SLIME).spec
    player = new_player(spec, sharpness=4.0)
    match = arena.Match(SLIME, {"mind": player, "bot": "tracker"}, options=SHORT)
    start, before, total = match.now, None, np.zeros(2)
    for seen in match:
        mind, bot = seen.seats
        assert (mind.player, bot.player, mind.name, bot.seat) == ("mind", "bot", "seat_0", 1)
        expected = start.obs if before is None else [seat.next_obs for seat in before]
        np.testing.assert_array_equal([mind.obs, bot.obs], expected)
        output = player.policy(torch.from_numpy(mind.obs[None]), None, torch.zeros(1, 0))
        assert mind.probabilities is not None
        np.testing.assert_allclose(mind.probabilities, output.dist.log_probs.exp()[:, 0].detach(), rtol=1e-5)
        assert mind.value == pytest.approx(float(output.extras["value"][0].detach()), abs=1e-5)
        assert mind.probability == mind.probabilities[mind.action]
        assert (bot.probabilities, bot.probability, bot.value) == (None, None, None)
        total += [mind.reward, bot.reward]
        assert (mind.total, bot.total) == tuple(total)
        assert seen["bot"] is bot and seen["seat_0"] is mind and seen[1] is bot
        before = seen
    assert before is not None and match.result is not None
    assert before.score == match.result.score == tuple(total)
    np.testing.assert_array_equal(match.now.obs, [seat.next_obs for seat in before])
    with pytest.raises(InputError, match="unknown player or seat 'bott': did you mean 'bot'"):
        before["bott"]


@pytest.mark.parametrize("env", [SLIME, "ConnectFour-v0"])
def test_probabilities_are_those_that_were_drawn_from(env: str) -> None:
    """Also those of a network that remembers, in a match of many games at once."""
    spec = arena.make_env(env).spec
    player, seen = new_player(spec, **GRU), list[GameStep]()
    arena.play(env, [player, "random"], games=4, options={"max_steps": 20} if env == SLIME else {}, on_step=seen.append)
    assert len({one.game for one in seen}) == 4
    for one in seen:
        seat = one["policy 0"]
        index, row = seat._place
        said = float(np.exp(one._batch.extras[index]["logprob"][row]))
        assert seat.probability == pytest.approx(said, rel=1e-4)
        if seat.acts and env != SLIME:
            assert seat.probabilities is not None and not seat.probabilities[~seat.legal].any()


def test_what_a_network_remembers_that_holds_its_actions() -> None:
    spec = arena.make_env(SLIME).spec
    held = Holding(new_player(spec, **GRU), 3, spec.action_spaces[0])
    memory = np.arange(2 * held.memory_size, dtype=np.float32).reshape(2, -1)
    np.testing.assert_array_equal(memory_of(held, memory), memory[:, -GRU["core_width"] :])
    assert arena.Match(SLIME, [held, "noop"], options=SHORT).step().seats[0].value is not None


def test_buttons_have_probabilities() -> None:
    options: dict[str, Any] = {**SHORT, "actions": "multibinary"}
    player = new_player(arena.make_env(SLIME, **options).spec)
    seat = arena.Match(SLIME, [player, player], options=options).step().seats[0]
    assert seat.probabilities is not None and seat.probabilities.shape == (3,)
    by_hand = np.prod([p if pressed else 1 - p for p, pressed in zip(seat.probabilities, seat.action, strict=True)])
    assert seat.probability == pytest.approx(float(by_hand))


def test_steering_a_seat(tmp_path: Path) -> None:
    """It does what it is told, and the replay holds what was done."""
    match = arena.Match(DOUBLES, {"a": "noop", "b": "noop"}, options=SHORT)
    seen = match.step({"b": 2, 0: 5})
    assert [int(seat.action) for seat in seen] == [5, 0, 2, 2]
    assert [int(seat.action) for seat in match.step()] == [0] * 4
    match.play()
    match.save(tmp_path / "game.replay", "steered")
    replay = read_replay(tmp_path / "game.replay")
    verify(replay)
    assert (replay.title, replay.players, replay.actions[0].tolist()) == ("steered", ("a", "a", "b", "b"), [5, 0, 2, 2])


def test_a_position_that_was_played_by_hand() -> None:
    """One wins at tic-tac-toe by the first row, and no field is taken twice."""
    match = arena.Match("TicTacToe-v0", ["random", "random"])
    for field in (0, 3, 1, 4):
        seat = int(match.now.acts.argmax())
        match.step({seat: field})
    with pytest.raises(InputError, match=r"player_1 cannot do the action 4, which is not legal there\."):
        match.step({0: 4})
    assert match.steps == 4
    assert match.step({0: 2}).score == (1.0, -1.0)


@pytest.mark.parametrize(
    ("actions", "words"),
    [
        ({0: 9}, "seat_0 cannot do 9, which is not one of the actions 0 to 5."),
        ({2: 0}, "SlimeVolley-v0 has the seats 0 to 1, not 2."),
        ({"trackr": 0}, "unknown player or seat 'trackr': did you mean 'tracker'?"),
    ],
)
def test_steering_that_cannot_be(actions: dict[int | str, Any], words: str) -> None:
    match = arena.Match(SLIME, ["tracker", "noop"])
    with pytest.raises(InputError) as fault:
        match.step(actions)
    assert (str(fault.value), match.steps) == (words, 0)


def test_a_game_can_be_looked_at_again() -> None:
    match = arena.Match(SLIME, ["tracker", "baseline"], options=SHORT)
    seen = [match.step() for _ in range(5)]
    assert match.at(2).action is not None
    np.testing.assert_array_equal(match.at(2).obs[0], seen[1].seats[0].next_obs)
    early, late = match.picture(0, width=200), match.picture(width=200)
    assert early.shape == late.shape == (83, 200, 3)
    assert (early != late).any()
    with pytest.raises(InputError, match=r"a replay is of a whole game, and this one has gone on for 5 steps"):
        match.replay()


def test_a_forfeit_ends_a_match() -> None:
    match = arena.Match(SLIME, [Tired, "tracker"], options={"max_steps": 60})
    for _ in range(20):
        match.step()
    with pytest.raises(Forfeit, match=r"^Tired raised RuntimeError: no more\.$"):
        match.step()
    assert match.result is not None
    assert (match.result.ended, match.result.score, match.result.steps) == ("forfeit", (-5.0, 5.0), 20)
    with pytest.raises(InputError, match="forfeited"):
        match.replay()


def test_callbacks_tell_all_and_change_nothing() -> None:
    players: list[arena.Anybody] = ["baseline", arena.Mixture({"tracker": 2, "random": 1})]
    plain, kept = record(SLIME, players, games=12, options=SHORT)
    steps, points, games = list[GameStep](), list[GameStep](), dict[int, arena.Result]()
    outcome = arena.play(
        SLIME, players, games=12, options=SHORT,
        on_step=steps.append, on_point=points.append, on_game=games.__setitem__,
    )  # fmt: skip
    assert outcome == plain
    assert games == dict(enumerate(plain.results))
    for game, (result, replay) in enumerate(zip(plain.results, kept, strict=True)):
        own = [seen for seen in steps if seen.game == game]
        assert [seen.step for seen in own] == list(range(1, result.steps + 1))
        assert [seen.score for seen in own] == [None] * (result.steps - 1) + [result.score]
        assert own[0].players == result.players
        np.testing.assert_array_equal([[seat.action for seat in seen] for seen in own], replay.actions)
        shown = stored_game(replay, {})
        shown.open()
        shown.explore(result.steps)
        won = [seen for seen in points if seen.game == game]
        assert [(seen.step, seen.point) for seen in won] == shown.points
        assert not won or won[-1].points == shown.won(result.steps)
    assert sum(seen.point is not None for seen in steps) == len(points) > 0


def test_callbacks_of_a_forfeited_game() -> None:
    """The step with which it was forfeited is no step of it; waves of games count on."""
    steps, games = list[int](), list[int]()
    outcome = arena.play(
        SLIME, [Tired, "noop"], games=2, options={"max_steps": 60}, tested=False,
        on_step=lambda seen: steps.append(seen.game), on_game=lambda game, result: games.append(game),
    )  # fmt: skip
    assert [one.steps for one in outcome.results] == [steps.count(0), steps.count(1)] == [20, 20]
    assert games == [0, 1]


def test_games_on_workers_are_the_same() -> None:
    """They are told of in order, a block after the other."""
    seen: list[tuple[int, arena.Result]] = []
    ended: list[int] = []
    mixture = arena.Mixture({"one-ply": 1, "random": 1})
    outcome = arena.play(
        "TicTacToe-v0", [mixture, "random"], games=600, workers=3, progress=ended.append,
        on_game=lambda game, result: seen.append((game, result)),
    )  # fmt: skip
    assert seen == list(enumerate(outcome.results)) and sum(ended) == 600 and len(ended) == 3
    assert arena.play("TicTacToe-v0", [mixture, "random"], games=600).results == outcome.results
    named: dict[str, arena.Anybody] = {"mine": first_legal, "other": "random"}
    one = arena.play("TicTacToe-v0", named, games=300)
    with make_executor("serial") as executor:
        assert arena.play("TicTacToe-v0", named, games=300, executor=executor) == one
        assert executor.room == 1
    assert arena.play("TicTacToe-v0", named, games=300, executor="process", workers=2) == one


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"workers": 2, "on_step": print}, "on_step and on_point see games that are played in this process"),
        ({"workers": 0}, "an executor needs 1 worker or more, not 0"),
        ({"executor": "proces"}, "unknown executor 'proces': did you mean 'process'"),
        ({"executor": "serial", "workers": 2}, "the executor serial has one worker"),
        ({"executor": SerialExecutor(), "workers": 2}, "workers = 2: the executor that is given has its own"),
        ({"workers": 2, "players": ["random", lambda obs: 0]}, "cannot be sent to a worker process"),
    ],
)
def test_workers_that_cannot_be(how: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        arena.play("TicTacToe-v0", **{"players": ["random", "random"], "games": 4, "tested": False, **how})


def test_a_callback_that_fails_ends_the_match() -> None:
    def fail(seen: GameStep) -> None:
        raise KeyError(seen.step)

    with pytest.raises(KeyError, match="1"):
        arena.play("TicTacToe-v0", ["random", "random"], games=4, on_step=fail)


def test_a_mixture_is_one_player_in_each_game() -> None:
    shares = {"tracker": 6.0, "noop": 2.0, "random": 0.0}
    players: dict[str, arena.Anybody] = {"mixed": arena.Mixture(shares, "mixed"), "friend": "random", "rival": "random"}
    seats = [["mixed", "mixed", "rival", "rival"], ["friend", "rival", "mixed", "mixed"]]
    outcome = arena.play(DOUBLES, players, games=80, options={"max_steps": 2}, lineup=seats)
    drawn = []
    for game, result in enumerate(outcome.results):
        own = result.players[2 * (game % 2) :][:2]
        assert len(set(own)) == 1
        drawn.append(own[0])
    assert set(drawn) == {"tracker", "noop"}
    assert 48 <= drawn.count("tracker") <= 72  # 60 are expected, give or take 3 standard deviations
    assert outcome.summary.player == "mixed" and outcome.summary.games == 80
    fewer = arena.play(DOUBLES, players, games=30, options={"max_steps": 2}, lineup=seats)
    assert [one.players for one in fewer.results] == [one.players for one in outcome.results[:30]]
    other = arena.play(DOUBLES, players, games=80, seed=1, options={"max_steps": 2}, lineup=seats)
    assert [one.players for one in other.results] != [one.players for one in outcome.results]


def test_a_mixture_against_one_of_its_own() -> None:
    """They are told apart in the results, and the summary is the mixture's."""
    outcome = arena.play("TicTacToe-v0", [arena.Mixture({"one-ply": 1, "random": 1}), "random"], games=20)
    assert {name for one in outcome.results for name in one.players} == {"one-ply", "random", "random#2"}
    assert outcome.players == ("mixture", "random")
    wins = sum(one.score[one.players.index("random#2")] < 0 for one in outcome.results)
    assert outcome.summary.wins == wins > 0


def test_names_and_seats_of_ones_own() -> None:
    """A lineup by names is that by numbers."""
    rows = [["ada", "bob", "bob", "ada"], ["bob", "ada", "ada", "bob"]]
    named = arena.play(DOUBLES, {"ada": "tracker", "bob": "tracker"}, games=4, options=SHORT, lineup=rows)
    numbered = arena.play(DOUBLES, ["tracker", "tracker"], games=4, options=SHORT, lineup=[[0, 1, 1, 0], [1, 0, 0, 1]])
    assert [one.players for one in named.results[:2]] == [tuple(row) for row in rows]
    assert [one.score for one in named.results] == [one.score for one in numbered.results]
    match = arena.Match(DOUBLES, {"ada": "tracker", "bob": "tracker"}, seats=rows[0], options=SHORT)
    assert match.players == tuple(rows[0])


REFUSED: list[tuple[Callable[[], object], str]] = [
    (lambda: arena.play(SLIME, "master"), "players are a list, such as ['master', 'baseline'], not one name."),
    (lambda: arena.play(SLIME, []), "nobody plays: give a player for each team."),
    (lambda: arena.play(SLIME, ["noop"]), "SlimeVolley-v0 is played by 2, not by 1."),
    (
        lambda: arena.play(SLIME, ["noop", "noop"], lineup=[["noop", "nop"]]),
        "unknown player 'nop': did you mean 'noop'?",
    ),
    (
        lambda: arena.play(SLIME, ["noop", "noop"], lineup=[[0, 2]]),
        "a lineup counts the 2 players from 0: there is no 2.",
    ),
    (
        lambda: arena.play(SLIME, ["noop", "noop"], lineup=["noop", "noop"]),
        "SlimeVolley-v0: a lineup is a list of games, each naming who sits in its seats seat_0, seat_1.",
    ),
    (lambda: arena.Match(SLIME, ["noop", "noop"], -1), "the seeds of a match are 0 or more."),
    (lambda: arena.Mixture({}), "mixture: a mixture needs somebody with a weight above 0."),
    (lambda: arena.Mixture({"a": 0.0}), "mixture: a mixture needs somebody with a weight above 0."),
    (lambda: arena.Mixture({"a": -1.0}, "mix"), "mix: the weights of a mixture are numbers from 0, not -1.0."),
    (lambda: arena.Mixture({"a": float("nan")}), "mixture: the weights of a mixture are numbers from 0, not nan."),
    (
        lambda: arena.Mixture(["a", "b"]),  # type: ignore[arg-type]
        'mixture: a mixture is weights by player, such as {"master": 3, "tracker": 1}.',
    ),
    (
        lambda: arena.Mixture({arena.Mixture({"a": 1}): 1}),
        "mixture: a mixture is of players, not of mixtures: multiply the weights out.",
    ),
]


@pytest.mark.parametrize(("call", "words"), REFUSED)
def test_what_is_refused(call: Callable[[], object], words: str) -> None:
    with pytest.raises(InputError) as fault:
        call()
    assert str(fault.value) == words


def test_results_as_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    results = arena.play("TicTacToe-v0", ["random", "random"], games=6).results
    rows, arrays = results.records(), results.arrays()
    assert len(rows) == 12
    assert rows[3] == {
        "game": 1, "env": "TicTacToe-v0", "seat": 1, "player": "random", "score": results[1].score[1],
        "steps": results[1].steps, "seed": results[0].seed, "ended": "rules", "reason": "",
    }  # fmt: skip
    assert arrays["score"].tolist() == [list(one.score) for one in results]
    assert arrays["players"][1].tolist() == ["random#2", "random"]
    assert {name: array.shape for name, array in arrays.items()} == {
        "players": (6, 2), "score": (6, 2), "steps": (6,), "seed": (6,), "ended": (6,),
    }  # fmt: skip
    mixed = arena.Results([*results, arena.play("CartPole-v1", ["random"], games=1).results[0]])
    assert len(mixed.records()) == 13
    with pytest.raises(InputError, match=r"games of 1 and 2 seats do not fit into one array\."):
        mixed.arrays()
    monkeypatch.setitem(sys.modules, "pandas", SimpleNamespace(DataFrame=lambda records: ("frame", records)))
    assert results.frame() == ("frame", rows)
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(InputError, match=r"^a frame needs pandas, which is not installed \(`pip install pandas`\): "):
        results.frame()


def test_a_player_by_name_for_a_game_by_id() -> None:
    assert arena.load_player("master").name == "master"
    assert arena.load_player("one-ply", "ConnectFour-v0").name == "one-ply"
    with pytest.raises(InputError, match="unknown player of ConnectFour-v0 'tracker'"):
        arena.load_player("tracker", "ConnectFour-v0")
