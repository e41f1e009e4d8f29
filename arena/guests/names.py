"""Names: how a guest is called on the command line.

cmd:./program args     a program that speaks the protocol of examples/subprocess_agent
FILE.py:attribute      a function of the observation (and the legal actions), a class of which each game has an object,
module:attribute       or a torch module; in a process of its own
FILE.pt, FILE.onnx     a TorchScript or ONNX network
FILE.zip               a policy of stable-baselines3, if it is trusted
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from arena.guests import protocol
from arena.guests.fault import Fault
from arena.guests.forms import FILES, HUMAN, PREFIX
from arena.guests.limits import START, Limits
from arena.guests.networks import network_player, read_onnx, read_torch
from arena.guests.program import Program
from arena.guests.programs import command_guest, host_service, python_guest
from envs.core import EnvSpec
from envs.errors import InputError
from envs.side import Side


def load_guest(text: str, spec: EnvSpec, greedy: bool = True, trust: bool = False, logs: Path | None = None) -> Side:
    """The guest that `text` names, for the game `spec`.

    Args:
        greedy: a network takes the action of the best score; False lets it draw.
        trust: read files that hold pickles.
        logs: folder for what programs write to standard error.

    Raises:
        InputError: nobody of that name, or one that cannot play this game.
    """
    if text == HUMAN:
        raise InputError("human takes a seat only in `arena play`, as in `arena play human baseline`.")
    if text.startswith(PREFIX):
        return command_guest(text, spec, logs)
    path = Path(text)
    if path.suffix == ".py":
        raise InputError(f"{text}: say who in it shall play, as in {text}:act or {text}:Agent.")
    if path.suffix in FILES:
        return _network(path, spec, greedy, trust)
    where, _, attribute = text.rpartition(":")
    if where.endswith(".py") and not Path(where).is_file():
        raise InputError(f"no file {where}.")
    name = f"{Path(where).stem if where.endswith('.py') else where}.{attribute}"
    return python_guest(name, [text], spec, _is_function(text, spec), logs)


def _network(path: Path, spec: EnvSpec, greedy: bool, trust: bool) -> Side:
    if not path.is_file():
        raise InputError(f"no file {path}.")
    if path.suffix == ".zip":
        from arena.guests.sb3 import sb3_player

        return sb3_player(path, path.stem, spec, greedy, trust)
    run = read_torch(path) if path.suffix == ".pt" else read_onnx(path)
    return network_player(path.stem, spec, run, greedy)


def _is_function(text: str, spec: EnvSpec) -> bool:
    """Whether a Python name is that of a function, which remembers nothing. It is loaded to find out, in a process."""
    path = Path(text.rpartition(":")[0])
    known = path.stat().st_mtime_ns if path.is_file() else 0
    return _kind(text, known, protocol.hello(spec, 0, Limits())) == "function"


@lru_cache(maxsize=256)
def _kind(text: str, changed: int, hello: bytes) -> str:
    """What the host says of `text`, "function" or "class"; its file was changed last at `changed`."""
    service = host_service([text], hello)
    try:
        program = Program(service.command, None, service.environment)
        try:
            program.send(hello)
            return str(protocol.read(program.line(START), ("kind",))["kind"])
        finally:
            program.close()
    except Fault as fault:
        said = str(fault).rstrip(".")
        raise InputError(f"{text}: {said}{'' if said.endswith('?') else '.'}") from None
