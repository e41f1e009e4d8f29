"""What every command has in common: help, faults in one sentence, exit codes."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from importlib import import_module
from typing import Annotated, Literal, get_type_hints

import pytest
import tyro
from tyro.conf import Positional

import arena
from arena import cli
from arena.cli.arguments import bind
from envs.errors import InputError
from tests.sources import ROOT


def sample(
    a: Positional[str],
    b: Positional[str],
    games: int = 3,
    rate: float = 1.0,
    mode: Literal["fast", "exact"] = "fast",
    json: bool = False,
    set: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = (),
) -> int:
    """Play games.

    Args:
        a: first player.
        b: second player.
        games: how many.
        rate: how fast.
        mode: how.
        json: print an object.
        set: change a key.
    """
    return hash((a, b, games, rate, mode, json, set))


def arguments(line: str) -> int:
    return bind(sample, line.split(), "arena sample")()


def fault(line: str) -> str:
    with pytest.raises(InputError) as caught:
        arguments(line)
    return str(caught.value)


def test_words_become_arguments() -> None:
    expected = sample("x", "y", games=5, json=True, set=("a.b=c", "d=1"))
    assert arguments("x y --games 5 --json --set a.b=c --set d=1") == expected


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("", "missing A and B; see `arena sample --help`."),
        ("x", "missing B; see `arena sample --help`."),
        ("x y z", "unexpected argument 'z'; see `arena sample --help`."),
        ("x y --gmaes 3", "unknown option '--gmaes', did you mean '--games'?"),
        ("x y --qqqqq", "unknown option '--qqqqq'; see `arena sample --help`."),
        ("x y --games", "--games needs a value; see `arena sample --help`."),
        ("x y --games q", "--games needs a whole number, not 'q'; see `arena sample --help`."),
        ("x y --rate q", "--rate needs a number, not 'q'; see `arena sample --help`."),
        ("x y --mode q", "--mode is one of 'fast', 'exact', not 'q'; see `arena sample --help`."),
    ],
)
def test_faults_are_one_sentence(line: str, sentence: str) -> None:
    assert fault(line) == sentence


def test_help_of_a_command(capfd: pytest.CaptureFixture[str]) -> None:
    assert arguments("--help") == 0
    shown = capfd.readouterr().out
    assert "usage: arena sample" in shown
    assert "first player" in shown
    assert " A " in shown


@pytest.mark.parametrize("args", [[], ["--help"], ["-h"]])
def test_help_lists_every_command(args: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(args) == 0
    shown = capsys.readouterr().out
    assert [name for name in cli.COMMANDS if f"  {name} " not in shown] == []
    assert shown.count("\n  arena ") >= 3, "examples"


def test_help_of_a_group(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["league"]) == 0
    shown = capsys.readouterr().out
    assert "league run" in shown
    assert "bench" not in shown


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"selfplay-arena {arena.__version__}\n"


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["mach", "a", "b"], "arena: unknown command 'mach': did you mean 'match'?"),
        (["league", "rnu"], "arena: unknown command 'league rnu': did you mean 'league run'?"),
        (["leage", "run"], "arena: unknown command 'leage': did you mean 'league'?"),
        (["--json"], "arena: unknown option '--json': options follow a command, see `arena --help`."),
        (["doctor", "--jsno"], "arena: unknown option '--jsno', did you mean '--json'?"),
    ],
)
def test_bad_lines_exit_with_2(args: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(args) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == sentence + "\n"


def add_failing_command(fault: BaseException, patch: pytest.MonkeyPatch) -> None:
    """`arena fail` raises `fault`."""

    def fail() -> int:
        raise fault

    patch.setitem(cli.COMMANDS, "fail", cli.Command("nowhere:fail", "Fails."))
    patch.setattr(cli, "_load", lambda target: fail)


@pytest.mark.parametrize(
    ("cause", "code", "said"),
    [
        (InputError("there is no player 'x'."), 2, "arena: there is no player 'x'.\n"),
        (KeyboardInterrupt(), 130, "arena: interrupted.\n"),
    ],
)
def test_exit_codes(
    cause: BaseException,
    code: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    add_failing_command(cause, monkeypatch)
    assert cli.main(["fail"]) == code
    assert capsys.readouterr() == ("", said)


def test_bugs_keep_their_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    add_failing_command(ValueError("a bug"), monkeypatch)
    with pytest.raises(ValueError, match="a bug"):
        cli.main(["fail"])


def test_help_imports_nothing_heavy() -> None:
    """What keeps `arena --help` under half a second."""
    code = "import sys; from arena.cli import main; main(['--help']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "arena.cli" in loaded
    assert loaded & {"torch", "numba", "gymnasium", "numpy", "pydantic", "tyro", "envs", "agents"} == set()


def test_a_reader_that_goes_away() -> None:
    """`arena ... | head` ends quietly."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "arena", "--help"], cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, text=True
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_is_typed_and_documented(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    module, function = cli.COMMANDS[name].target.split(":")
    command = getattr(import_module(module), function)
    parameters = inspect.signature(command).parameters
    assert inspect.signature(command).return_annotation in (int, "int")
    documentation = inspect.getdoc(command) or ""
    hints = get_type_hints(command, include_extras=True).items()
    shared = {word for word, hint in hints for one in getattr(hint, "__metadata__", ()) if getattr(one, "help", None)}
    assert [word for word in parameters if f"{word}:" not in documentation and word not in shared] == []
    assert cli.main([*name.split(), "--help"]) == 0
    assert f"usage: arena {name}" in capfd.readouterr().out


def test_envs_lists_the_registry(capsys: pytest.CaptureFixture[str]) -> None:
    from envs.registry import ids

    assert cli.main(["envs", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert sorted(found) == ids()
    assert found["SlimeVolley-v0"]["seats"] == 2
    assert found["SlimeVolley-v0"]["max_steps"] == 3000
    assert cli.main(["envs"]) == 0
    *lines, empty, forms = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ids()
    assert empty == ""
    assert "gym:" in forms
    assert "Incomplete:" in forms
