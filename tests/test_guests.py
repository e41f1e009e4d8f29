"""Other people's agents in Python: functions, classes, networks, and how they are named."""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces

import arena
from arena.cli import main
from arena.guests.admission import admit
from arena.guests.fault import Fault
from arena.guests.guest import Guest
from arena.guests.limits import Limits, parse_limits, plain
from arena.guests.moves import default_action, taken
from arena.guests.names import load_guest
from arena.guests.networks import Network
from arena.players import load_player, player_of
from envs.errors import InputError
from envs.registry import build
from envs.slime_volley.bots import bot
from tests.sources import ROOT

FELLOWS = ROOT / "tests" / "agents" / "fellows.py"
BOARD = "TicTacToe-v0"
SPEC = build(BOARD, 1, {}).spec
SLIME = build("SlimeVolley-v0", 1, {}).spec
SHORT = {"lives": 1, "max_steps": 60}


def fellow(name: str) -> str:
    return f"{FELLOWS}:{name}"


def first(obs: Any, legal: Any) -> Any:
    return legal.argmax()


def test_a_function_is_a_player() -> None:
    """It does what a player would that does the same."""
    outcome = arena.play("SlimeVolley-v0", [lambda obs: 0, "tracker"], 6, options=SHORT)
    known = arena.play("SlimeVolley-v0", ["noop", "tracker"], 6, options=SHORT)
    assert outcome.players == ("function", "tracker")
    assert [(one.score, one.steps, one.seed) for one in outcome.results] == [
        (one.score, one.steps, one.seed) for one in known.results
    ]


def test_a_function_in_a_process_plays_as_one_in_this() -> None:
    here = arena.play(BOARD, [first, "random"], 10).results
    there = arena.play(BOARD, [fellow("first"), "random"], 10).results
    assert [one.score for one in here] == [one.score for one in there]
    assert there[0].players == ("fellows.first", "random")


def test_who_has_no_choice_is_not_asked() -> None:
    """A function that knows nothing of turns is asked on its own."""

    def only_mine(obs: Any, legal: Any) -> int:
        assert legal.sum() > 1
        return int(legal.argmax())

    outcome = arena.play(BOARD, [only_mine, "random"], 4)
    assert {one.ended for one in outcome.results} == {"rules"}


def test_a_class_has_an_object_for_each_game() -> None:
    made: list[Any] = []

    class Agent:
        def __init__(self, seed: int) -> None:
            self.seed, self.games, self.seen = seed, len(made), 0
            made.append(self)

        def act(self, obs: Any, legal: Any) -> Any:
            self.seen += 1
            return legal.argmax()

    outcome = arena.play(BOARD, [Agent, "random"], 8, tested=False)
    moves = [(one.steps + (one.players[0] == "Agent")) // 2 for one in outcome.results]
    assert sorted(one.seen for one in made) == sorted(moves)
    assert len({one.seed for one in made}) == len(made) == 8
    again = arena.play(BOARD, [Agent, "random"], 8, tested=False)
    assert again.results == outcome.results
    assert [one.seed for one in made[:8]] == [one.seed for one in made[8:]]


def test_a_class_in_a_file_draws_by_its_seed() -> None:
    one, two, other = (
        arena.play(BOARD, [fellow("Drawer"), "random"], 2, seed, tested=False).results for seed in (4, 4, 5)
    )
    assert one == two != other


def test_what_it_prints_disturbs_nobody(tmp_path: Path) -> None:
    outcome = arena.play(BOARD, [fellow("talks"), "random"], 2, logs=tmp_path)
    assert {one.ended for one in outcome.results} == {"rules"}
    assert (tmp_path / "fellows.talks.log").read_text().startswith("thinking about")


def test_an_exception_costs_that_game_alone() -> None:
    """Each object counts its own moves, so only games that are long enough are lost by it."""
    outcome = arena.play(BOARD, [fellow("Counting"), "random"], 12, tested=False)
    lost = [one for one in outcome.results if one.ended == "forfeit"]
    rest = [one for one in outcome.results if one.ended != "forfeit"]
    assert {one.reason for one in lost} == {"fellows.Counting raised ValueError: more than three"}
    assert lost and rest
    assert all(one.score[one.players.index("fellows.Counting")] == -1 for one in lost)
    assert all(one.reason == "" for one in rest)


def test_a_function_that_takes_its_process_along_costs_that_game_alone() -> None:
    """All games are in one process; the others go on in another one. Who begins has the first cell, the other never."""
    outcome = arena.play(BOARD, [fellow("dies"), fellow("first")], 6, tested=False)
    for result in outcome.results:
        lost = result.players[0] == "fellows.dies"
        assert result.ended == ("forfeit" if lost else "rules")
        assert not lost or (result.score, result.reason) == ((-1, 1), "fellows.dies ended with exit code 9")


@pytest.mark.parametrize("limits", [Limits(), Limits(move=1.0), Limits(game=5.0)])
def test_limits_that_nobody_exceeds_change_nothing(limits: Limits) -> None:
    outcome = arena.play(BOARD, [first, "random"], 6, limits=limits)
    assert outcome.results == arena.play(BOARD, [first, "random"], 6).results


def test_a_function_here_that_does_not_return_is_left_behind() -> None:
    from threading import Event

    never = Event()
    outcome = arena.play(BOARD, [lambda obs: never.wait(), "random"], 3, limits=Limits(move=0.05), tested=False)
    never.set()
    assert {one.reason for one in outcome.results} == {"function gave no answer within 50 ms"}


def test_time_of_a_game_adds_up() -> None:
    from time import sleep

    def slow(obs: Any, legal: Any) -> Any:
        sleep(0.02)
        return legal.argmax()

    outcome = arena.play(BOARD, [slow, "one-ply"], 2, limits=Limits(move=5.0, game=0.03), tested=False)
    assert {one.reason for one in outcome.results} == {"slow used up its 30 ms for a game"}


def test_abort() -> None:
    def wrong(obs: Any) -> int:
        return 99

    with pytest.raises(InputError, match=r"^wrong answered with 99, which is not one of the actions 0 to 8\.$"):
        arena.play(BOARD, [wrong, "random"], 2, limits=Limits(forfeits="abort"), tested=False)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nobody", "has no 'nobody'"),
        ("Draver", "did you mean 'Drawer'"),
        ("three", "takes 3 arguments"),
        ("Mute", "neither a method act"),
        ("NUMBER", "neither a method act"),
    ],
)
def test_what_is_no_agent(name: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        load_player(fellow(name), SPEC)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cmd:", "is followed by a program"),
        ("cmd:./not-there --fast", "./not-there is not there"),
        (f"cmd:{ROOT}/README.md", "no program that can be run"),
        ("cmd:'open", "is not a command"),
        ("no_such_module:act", "No module named 'no_such_module'"),
        ("missing.py:act", "no file missing.py"),
        ("missing.py", "say who in it shall play"),
        ("missing.onnx", "no file missing.onnx"),
        ("human", "only in `arena play`"),
    ],
)
def test_bad_names(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        load_player(text, SPEC)


def test_a_file_that_cannot_be_loaded(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("import nothing_of_that_name\n")
    with pytest.raises(
        InputError, match="cannot be loaded: ModuleNotFoundError: No module named 'nothing_of_that_name'"
    ):
        load_player(f"{tmp_path}/broken.py:act", SPEC)


def test_nobody_at_all() -> None:
    with pytest.raises(InputError, match="is no player"):
        player_of(3, SPEC)


@pytest.mark.parametrize(
    ("who", "said"),
    [
        (lambda obs: 77, "which is not one of the actions 0 to 8"),
        (lambda obs: None, "answered with None, which is not the number of an action"),
        (lambda obs: float("nan"), "not a finite number"),
        (lambda obs: 1 / 0, "raised ZeroDivisionError: division by zero"),
        (fellow("leaves"), "raised SystemExit: goodbye"),
    ],
)
def test_the_self_test_refuses(who: Any, said: str) -> None:
    with pytest.raises(InputError, match=f"is refused after a self-test in TicTacToe-v0: .* {said}"):
        arena.play(BOARD, [who, "random"], 2)


def test_the_self_test_says_whether_it_is_repeatable() -> None:
    assert admit(player_of(first, SPEC), BOARD, {}, twice=True).repeatable is True
    rng = np.random.default_rng()
    wild = player_of(lambda obs, legal: rng.choice(np.flatnonzero(legal)), SPEC)
    found = admit(wild, BOARD, {}, twice=True)
    assert found.repeatable is False
    assert 0 < found.median <= found.longest and found.moves > 10


def test_check_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["players", "check", fellow("first"), "--env", BOARD, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["player"], said["env"], said["repeatable"], said["error"]) == ("fellows.first", BOARD, True, None)
    assert main(["players", "check", fellow("leaves"), "--env", BOARD]) == 1
    assert "raised SystemExit: goodbye" in capsys.readouterr().err
    assert main(["players", "check", "tracker"]) == 0
    assert "tracker plays SlimeVolley-v0: 32 moves" in capsys.readouterr().out


def test_match_command(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["match", fellow("Counting"), "random", "--env", BOARD, "--games", "8", "--untested"]
    assert main([*words, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert list(said["forfeits"]) == ["fellows.Counting raised ValueError: more than three"]
    assert main(words) == 0
    assert "games: fellows.Counting raised ValueError" in capsys.readouterr().out
    assert main([*words, "--forfeits", "abort"]) == 2
    assert "fellows.Counting raised ValueError: more than three." in capsys.readouterr().err
    assert main([*words, "--move-time", "fast"]) == 2
    assert "--move-time 'fast' is no time above 0: give for example 20ms" in capsys.readouterr().err


@pytest.mark.parametrize(("text", "seconds"), [("20ms", 0.02), ("1.5s", 1.5), ("2m", 120.0), ("300us", 3e-4)])
def test_times(text: str, seconds: float) -> None:
    limits = parse_limits(text, text, "abort")
    assert limits.move == limits.game == pytest.approx(seconds)
    assert limits.forfeits == "abort"
    assert parse_limits() == Limits()
    assert plain(seconds).replace(" ", "") == {"2m": "120s"}.get(text, text)


@pytest.mark.parametrize("text", ["0ms", "-1s", "20", "1h", "ms"])
def test_no_times(text: str) -> None:
    with pytest.raises(InputError, match="is no time above 0"):
        parse_limits(text)


NUMBERS = spaces.Box(-1, 1, (2,), np.float32)
LEGAL = np.array([True, False, True])


@pytest.mark.parametrize(
    ("space", "given", "expected"),
    [
        (spaces.Discrete(3), 2, 2),
        (spaces.Discrete(3), 2.0, 2),
        (spaces.Discrete(3), np.array([2]), 2),
        (spaces.MultiBinary(3), [1, 0, 1], [1, 0, 1]),
        (spaces.MultiBinary(2), [True, False], [1, 0]),
        (spaces.MultiDiscrete([3, 2]), [2, 1.0], [2, 1]),
        (NUMBERS, [0.5, -3], [0.5, -3]),
        (spaces.Tuple([spaces.Discrete(2), NUMBERS]), [1, 0.25, 0], [1, 0.25, 0]),
    ],
)
def test_moves(space: Any, given: Any, expected: Any) -> None:
    action = taken(space, given, LEGAL)
    assert action.tolist() == expected
    assert action.dtype == default_action(space, LEGAL[None]).dtype


@pytest.mark.parametrize(
    ("space", "given", "said"),
    [
        (spaces.Discrete(3), 1, "the action 1, which is not legal there"),
        (spaces.Discrete(3), 3, "not one of the actions 0 to 2"),
        (spaces.Discrete(3), 0.5, "not one of the actions"),
        (spaces.Discrete(3), True, "not the number of an action"),
        (spaces.Discrete(3), "2", "not the number of an action"),
        (spaces.Discrete(3), float("inf"), "not a finite number"),
        (spaces.Discrete(3), 10**4000, "a huge number"),
        (spaces.MultiBinary(3), [1, 0], r"of shape \(2,\), not \(3,\)"),
        (spaces.MultiBinary(3), [2, 0, 0], "not an action of"),
        (spaces.MultiBinary(3), [[1], [0, 2], 0], "no array of numbers"),
        (spaces.MultiDiscrete([3, 2]), [0.5, 1], "not an action of"),
        (NUMBERS, [float("nan"), 0], "not a finite number"),
        (NUMBERS, {"a": 1}, "no array of numbers"),
        (NUMBERS, [10**400, 0], "no array of numbers"),
    ],
)
def test_what_is_no_move(space: Any, given: Any, said: str) -> None:
    with pytest.raises(Fault, match=said):
        taken(space, given, LEGAL)


class Net(torch.nn.Module):
    """Prefers the second action."""

    def __init__(self, actions: int) -> None:
        super().__init__()
        self.actions = actions

    def forward(self, obs: torch.Tensor) -> torch.Tensor:
        scores = torch.zeros(obs.shape[0], self.actions)
        scores[:, 1] = 1.0
        return scores


def test_a_torch_module_is_a_player(tmp_path: Path) -> None:
    """As it is, and as a TorchScript file."""
    known = arena.play("SlimeVolley-v0", [lambda obs: 1, "tracker"], 4, options=SHORT).results
    here = arena.play("SlimeVolley-v0", [Net(6), "tracker"], 4, options=SHORT)
    torch.jit.script(Net(6)).save(str(tmp_path / "net.pt"))
    there = arena.play("SlimeVolley-v0", [str(tmp_path / "net.pt"), "tracker"], 4, options=SHORT)
    assert [one.score for one in here.results] == [one.score for one in there.results] == [one.score for one in known]
    assert (here.players[0], there.players[0]) == ("Net", "net")


def test_a_module_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "nets.py").write_text(
        "import torch\nnet = torch.nn.Linear(18, 9)\ntorch.nn.init.zeros_(net.weight)\ntorch.nn.init.zeros_(net.bias)\n"
    )
    theirs = arena.play(BOARD, [f"{tmp_path}/nets.py:net", "random"], 4)
    assert [one.score for one in theirs.results] == [
        one.score for one in arena.play(BOARD, [first, "random"], 4).results
    ]


def test_illegal_actions_are_not_taken_from_a_network() -> None:
    network = Network("net", spaces.Discrete(3), lambda obs, legal: np.array([[0.0, 9.0, 1.0]]))
    assert network.decide(np.zeros((1, 2)), np.array([[True, False, True]]), None).tolist() == [2]


@pytest.mark.parametrize(
    ("space", "output", "expected"),
    [
        (spaces.Discrete(3), np.array([2]), [2]),
        (spaces.MultiBinary(3), np.array([[0.1, -0.1, 3.0]]), [[1, 0, 1]]),
        (spaces.MultiBinary(3), np.array([[0, 1, 0]]), [[0, 1, 0]]),
        (spaces.MultiDiscrete([2, 3]), np.array([[0.0, 1.0, 5.0, 0.0, 0.0]]), [[1, 0]]),
        (NUMBERS, np.array([[0.5, 0.25]]), [[0.5, 0.25]]),
    ],
)
def test_how_outputs_are_read(space: Any, output: Any, expected: Any) -> None:
    network = Network("net", space, lambda obs, legal: output)
    assert network.decide(np.zeros((1, 2)), np.ones((1, 3), np.bool_), None).tolist() == expected


def test_drawing_follows_the_scores() -> None:
    """Log-odds: choice 1 has three times the chance of choice 0, button 0 three of four."""
    rows, rng = 40_000, np.random.default_rng(0)
    legal = np.ones((rows, 2), np.bool_)
    output = np.tile([0.0, np.log(3)], (rows, 1))
    discrete = Network("net", spaces.Discrete(2), lambda obs, legal: output)
    assert discrete.decide(np.zeros((rows, 1)), legal, rng).mean() == pytest.approx(0.75, abs=0.01)
    buttons = Network("net", spaces.MultiBinary(2), lambda obs, legal: output)
    pressed = buttons.decide(np.zeros((rows, 1)), legal, rng).mean(axis=0)
    assert pressed == pytest.approx([0.5, 0.75], abs=0.01)


def test_an_output_of_the_wrong_size_is_refused() -> None:
    with pytest.raises(InputError, match=r"gave an output of shape \(4,\), which is no action of Discrete\(9\)"):
        arena.play(BOARD, [Net(4), "random"], 2)


def test_nan_from_a_network_is_a_forfeit_of_those_rows() -> None:
    class Broken(Net):
        def forward(self, obs: torch.Tensor) -> torch.Tensor:
            return torch.log(-1 - obs[:, :9] ** 2)

    outcome = arena.play(BOARD, [Broken(9), "random"], 4, tested=False)
    assert {one.reason for one in outcome.results} == {"Broken answered with an action that is not a finite number"}


def test_a_file_that_is_no_network(tmp_path: Path) -> None:
    (tmp_path / "bad.pt").write_bytes(b"nothing of that kind")
    with pytest.raises(InputError, match="is no TorchScript file"):
        load_player(str(tmp_path / "bad.pt"), SPEC)


def test_onnx_is_an_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "net.onnx").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(InputError, match=r'needs onnxruntime: pip install "selfplay-arena\[onnx\]"'):
        load_player(str(tmp_path / "net.onnx"), SPEC)


def test_onnx(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
    onnx = pytest.importorskip("onnx", reason="needed to write a file, not to read it")
    weights = onnx.helper.make_tensor("w", onnx.TensorProto.FLOAT, [18, 9], [0.0] * 162)
    older = {"ir_version": 9, "opset_imports": [onnx.helper.make_opsetid("", 17)]}
    node = onnx.helper.make_node("MatMul", ["obs", "w"], ["scores"])
    sizes = [("obs", ["n", 18]), ("scores", ["n", 9])]
    seen, scores = (onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, size) for name, size in sizes)
    model = onnx.helper.make_model(onnx.helper.make_graph([node], "net", [seen], [scores], [weights]), **older)
    onnx.save(model, str(tmp_path / "net.onnx"))
    theirs = arena.play(BOARD, [str(tmp_path / "net.onnx"), "random"], 4)
    assert [one.score for one in theirs.results] == [
        one.score for one in arena.play(BOARD, [first, "random"], 4).results
    ]
    (tmp_path / "bad.onnx").write_bytes(b"nothing")
    with pytest.raises(InputError, match="is no ONNX file that onnxruntime reads"):
        load_player(str(tmp_path / "bad.onnx"), SPEC)


def test_pickles_are_refused_without_trust(tmp_path: Path) -> None:
    path = tmp_path / "ppo.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data", "{}")
    with pytest.raises(InputError, match=r"holds pickles, which can run any code .* give --trust"):
        load_player(str(path), SPEC)
    path.write_bytes(b"PK nothing")
    with pytest.raises(InputError, match="is no file of stable-baselines3"):
        load_player(str(path), SPEC, trust=True)


@pytest.mark.parametrize("kind", ["PPO", "A2C", "DQN"])
def test_stable_baselines3(kind: str, tmp_path: Path) -> None:
    sb3 = pytest.importorskip("stable_baselines3", reason="stable-baselines3 is not installed")
    settings = {"learning_starts": 1, "buffer_size": 10} if kind == "DQN" else {"n_steps": 8}
    model = getattr(sb3, kind)("MlpPolicy", "CartPole-v1", device="cpu", **settings)
    model.save(tmp_path / "model.zip")
    outcome = arena.play("CartPole-v1", [str(tmp_path / "model.zip")], 3, trust=True)
    assert {one.ended for one in outcome.results} <= {"rules", "limit"}
    with pytest.raises(InputError, match="was made for another game"):
        load_player(str(tmp_path / "model.zip"), SPEC, trust=True)


def test_watching_works_too() -> None:
    """A guest as a plain player, whom nobody looks after: its games are told apart by its memory."""
    guest = load_guest(fellow("Drawer"), SPEC)
    assert isinstance(guest, Guest)
    rng, memory = np.random.default_rng(0), np.zeros((2, 1))
    obs, legal = np.zeros((2, 18), np.float32), np.ones((2, 9), np.bool_)
    decision = guest.act(obs, legal, memory, rng)
    assert sorted(decision.memory[:, 0]) == [1, 2]
    again = guest.act(obs, legal, decision.memory * [[1], [0]], rng)
    assert again.memory[:, 0].tolist() == [1, 3]
    guest.close()
    with pytest.raises(InputError, match=r"^fellows.leaves raised SystemExit: goodbye\.$"):
        load_guest(fellow("leaves"), SPEC).act(obs, legal, memory, rng)  # type: ignore[union-attr]


def test_bots_are_not_looked_after() -> None:
    from arena.guests.referee import stranger

    assert not stranger(bot("baseline", SLIME))
    assert stranger(player_of(Net(6), SLIME))  # type: ignore[arg-type]
