"""Host: a Python file's function or class as a program that speaks the protocol. `python -m arena.guests.host`

What the agent prints goes to standard error, so it cannot disturb the protocol.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
from difflib import get_close_matches
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from arena.guests.fault import Unfit, clipped, told
from arena.guests.mind import Mind

VERSION = 1
"""Of the protocol, as in `arena.guests.protocol`, which is not imported: it and all of `envs` cost half a second."""


def main() -> None:
    """Serve the target that the command line names until the input ends."""
    spoken = os.fdopen(os.dup(1), "wb", buffering=0)
    lines = os.fdopen(os.dup(0), "rb")
    os.dup2(2, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    first = lines.readline()
    if not first:
        return
    game = json.loads(first)["game"]
    try:
        mind = Mind(wrapped(load(sys.argv[1]), game["action"]), sys.argv[1])
    except (Exception, SystemExit) as fault:
        _say(spoken, {"error": str(fault) if isinstance(fault, Unfit) else f"cannot be loaded: {told(fault)}"})
        return
    kind = "class" if mind.remembers else "function"
    _say(spoken, {"type": "hello", "protocol": VERSION, "kind": kind})
    _serve(mind, game, lines, spoken)


def _serve(mind: Mind, game: dict[str, Any], lines: BinaryIO, spoken: BinaryIO) -> None:
    dtype = np.dtype(game["observation"]["type"])
    choices = game["action"].get("n", 0) if game["action"]["kind"] == "discrete" else 0
    seeds: dict[int, int] = {}
    for text in lines:
        message = json.loads(text)
        kind, number = message["type"], message.get("game")
        if kind == "game":
            seeds[number] = message["seed"]
        elif kind == "over":
            mind.forget(number)
            seeds.pop(number, None)
        elif kind == "bye":
            return
        elif kind == "act":
            legal = np.zeros(choices, np.bool_)
            legal[message.get("legal", [])] = True
            try:
                action = plain(mind.answer(number, seeds.get(number, 0), np.array(message["obs"], dtype), legal))
                answer = json.dumps({"game": number, "action": action})
            except (Exception, SystemExit) as fault:
                answer = json.dumps({"game": number, "fault": f"raised {told(fault)}"})
            spoken.write(answer.encode() + b"\n")


def plain(action: Any) -> Any:
    """What an agent returns as JSON has it."""
    if isinstance(action, np.ndarray | np.generic) or hasattr(action, "tolist"):
        return action.tolist()
    if isinstance(action, list | tuple):
        return [plain(one) for one in action]
    if isinstance(action, bool | int | float | None):
        return action
    return clipped(repr(action), 60)


def wrapped(target: Any, action: dict[str, Any]) -> Any:
    """A torch module as a function; anything else as it is."""
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(target, torch.nn.Module):
        return target
    from arena.guests.networks import Network, from_module, space_of

    network = Network("", space_of(action), from_module(target))
    return lambda obs, legal: network.decide(obs[None], legal[None], None)[0]


def load(text: str) -> Any:
    """What "FILE.py:attribute" or "module:attribute" names.

    Raises:
        Unfit: no such module or attribute.
    """
    where, _, attribute = text.rpartition(":")
    if where.endswith(".py"):
        path = Path(where).resolve()
        sys.path.insert(0, str(path.parent))
        spec = importlib.util.spec_from_file_location(path.stem, path)
        if spec is None or spec.loader is None:
            raise Unfit(f"{where} cannot be loaded.")
        module = importlib.util.module_from_spec(spec)
        sys.modules[path.stem] = module
        spec.loader.exec_module(module)
    else:
        module = importlib.import_module(where)
    found: Any = module
    for part in attribute.split("."):
        names = [name for name in dir(found) if not name.startswith("_")]
        if not hasattr(found, part):
            close = get_close_matches(part, names, n=1)
            raise Unfit(f"{where} has no {part!r}{f': did you mean {close[0]!r}?' if close else ''}")
        found = getattr(found, part)
    return found


def _say(spoken: BinaryIO, message: dict[str, Any]) -> None:
    spoken.write(json.dumps(message).encode() + b"\n")


if __name__ == "__main__":
    main()
