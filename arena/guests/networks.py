"""Networks: a torch module, a TorchScript file or an ONNX file as a player, which remembers nothing.

It gets observations [n, *obs_shape] float32 of n games and, if it takes a second input, the legal actions [n, A] as 0
and 1. Its first output is read by the game's actions:

    Discrete(A)        [n, A] a score for each action, or [n] whole numbers, the actions themselves
    MultiBinary(K)     [n, K] a score for each button, pressed above 0, or whole numbers 0 and 1
    MultiDiscrete      [n, sum of choices] scores, choice after choice, or [n, K] whole numbers
    Box                [n, *shape] the action
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium import spaces
from numpy.random import Generator

from arena.guests.fault import Fault, clipped, told
from arena.guests.moves import Space
from envs.core import Array, Bools, EnvSpec, Floats
from envs.errors import InputError
from envs.player import Decision
from envs.side import Side, Squad, posts

if TYPE_CHECKING:
    import torch

Run = Callable[[Array, Floats], Array]
"""From observations [n, *obs_shape] and legal actions [n, A] float32 to the first output."""
INSTALL_ONNX = 'pip install "selfplay-arena[onnx]"'


class Network:
    """A player that asks a network."""

    memory_size = 0
    keep_memory = False

    def __init__(self, name: str, space: Space, run: Run, greedy: bool = True) -> None:
        """`space` is that of its actions; `greedy` takes the best score, else scores are log-odds to draw by."""
        self.name = name
        self._space, self._run, self._greedy = space, run, greedy

    def act(self, obs: Array, legal: Bools, memory: Floats, rng: Generator) -> Decision:
        """See `Player.act`.

        Raises:
            Fault: an output that cannot be read as actions.
        """
        return Decision(self.decide(obs, legal, None if self._greedy else rng), memory, {})

    def decide(self, obs: Array, legal: Bools, rng: Generator | None) -> Array:
        """Actions [n, *action_shape]; drawn by `rng`, if there is one."""
        try:
            output = np.asarray(self._run(obs.astype(np.float32), legal.astype(np.float32)))
        except Exception as fault:
            raise Fault(f"failed: {told(fault)}") from None
        if not output.ndim or len(output) != len(obs):
            raise Fault(f"gave an output of shape {output.shape} for {len(obs)} games")
        chosen = _chosen(self._space, output, legal, rng)
        if chosen is None:
            raise Fault(f"gave an output of shape {output.shape[1:]}, which is no action of {self._space}")
        return chosen


def _chosen(space: Space, output: Array, legal: Bools, rng: Generator | None) -> Array | None:
    """The actions that `output` [n, ...] means; None if it is of no shape that is known."""
    count, flat = len(output), output.reshape(len(output), -1)
    scores = output.dtype.kind == "f"
    if scores and not np.isfinite(output).all():
        return output if output.shape[1:] == (space.shape or ()) else np.full((count, *(space.shape or ())), np.nan)
    if isinstance(space, spaces.Box):
        return output if output.shape[1:] == space.shape else None
    if not scores:
        fits = flat.shape[1] == max(1, int(np.prod(space.shape or ())))
        return output.reshape(count, *(space.shape or ())) if fits else None
    if isinstance(space, spaces.Discrete):
        return _drawn(flat, legal, rng) if flat.shape[1] == space.n else None
    if isinstance(space, spaces.MultiBinary):
        if flat.shape[1] != int(np.prod(space.shape)):
            return None
        line = 0.0 if rng is None else _logit(rng.random(flat.shape))
        return (flat > line).reshape(count, *space.shape).astype(space.dtype)
    if isinstance(space, spaces.MultiDiscrete) and space.nvec.ndim == 1 and flat.shape[1] == space.nvec.sum():
        edges = np.cumsum(space.nvec)[:-1]
        every = [_drawn(part, np.ones(part.shape, np.bool_), rng) for part in np.split(flat, edges, axis=1)]
        return np.stack(every, axis=1)
    return None


def _drawn(scores: Floats, legal: Bools, rng: Generator | None) -> Array:
    """[n] the legal choice of the highest score, or one drawn by the softmax of the scores [n, A]."""
    masked = np.where(legal, scores.astype(np.float64), -np.inf)
    if rng is not None:  # the Gumbel-max trick
        masked = masked + rng.gumbel(size=masked.shape)
    return np.asarray(masked.argmax(axis=1))


def _logit(chance: Floats) -> Floats:
    """Log-odds of `chance`."""
    return np.asarray(np.log(chance) - np.log1p(-chance))


def from_module(module: torch.nn.Module) -> Run:
    """A torch module as it is; what it learns, it plays."""
    import torch

    return partial(_run_torch, torch, module, _inputs(module))


def _run_torch(torch: Any, module: Any, inputs: int, obs: Array, legal: Floats) -> Array:
    with torch.inference_mode():
        given = [torch.from_numpy(np.ascontiguousarray(one)) for one in (obs, legal)[:inputs]]
        output = module(*given)
    first = output[0] if isinstance(output, tuple | list) else output
    return np.asarray(first.cpu().numpy())


def _inputs(module: Any) -> int:
    """How many inputs a module takes, 1 or 2."""
    schema = getattr(getattr(module, "forward", None), "schema", None)
    if schema is not None:
        return min(2, len(schema.arguments) - 1)
    found = inspect.signature(module.forward).parameters.values()
    return min(
        2,
        sum(one.default is one.empty and one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD) for one in found),
    )


def read_torch(path: Path) -> Run:
    """A TorchScript file, as `torch.jit.save` writes it.

    Raises:
        InputError: it is none.
    """
    import warnings

    import torch

    torch.set_num_threads(1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            module = torch.jit.load(str(path), map_location="cpu")
    except (RuntimeError, ValueError, OSError) as fault:
        reason = told(fault).partition(": ")[2][:120]
        raise InputError(f"{path} is no TorchScript file, as torch.jit.save writes it: {reason}.") from None
    return from_module(module.eval())


def read_onnx(path: Path) -> Run:
    """An ONNX file.

    Raises:
        InputError: onnxruntime is not installed, or it cannot read the file.
    """
    try:
        import onnxruntime
    except ImportError:
        raise InputError(f"{path} needs onnxruntime: {INSTALL_ONNX}.") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as fault:  # its own exceptions share no class
        reason = clipped(" ".join(str(fault).rpartition("failed:")[2].split()).rstrip("."))
        raise InputError(f"{path} is no ONNX file that onnxruntime reads: {reason}.") from None
    names = [one.name for one in session.get_inputs()]
    if len(names) > 2:
        raise InputError(
            f"{path} has {len(names)} inputs: an agent has the observations, or these and the legal actions."
        )

    def run(obs: Array, legal: Floats) -> Array:
        return np.asarray(session.run(None, dict(zip(names, (obs, legal), strict=False)))[0])

    return run


def network_player(name: str, spec: EnvSpec, run: Run, greedy: bool = True) -> Side:
    """A network as a player of the game `spec`, in whatever seats it is put."""
    if len(set(map(str, spec.action_spaces))) == 1:
        return Network(name, spec.action_spaces[0], run, greedy)
    crew = {
        own: Network(name, space, run, greedy) for (_, own), space in zip(posts(spec), spec.action_spaces, strict=True)
    }
    return Squad(name, crew)


def space_of(told_space: dict[str, Any]) -> Space:
    """The space of actions that a program is told of (`arena.guests.protocol.space_told`)."""
    kind = told_space["kind"]
    if kind == "discrete":
        return spaces.Discrete(told_space["n"])
    if kind == "multibinary":
        return spaces.MultiBinary(told_space["shape"] if len(told_space["shape"]) > 1 else told_space["shape"][0])
    if kind == "multidiscrete":
        return spaces.MultiDiscrete(told_space["n"])
    if kind == "box":
        return spaces.Box(-np.inf, np.inf, told_space["shape"], np.dtype(told_space["type"]).type)
    raise InputError("a torch module cannot play a game whose actions have parts of different kinds.")
