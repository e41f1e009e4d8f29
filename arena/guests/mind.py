"""Mind: a Python function, or a class with an object for each game, that is asked for actions."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from arena.guests.fault import Unfit


class Mind:
    """A function, or a class with an object for each game."""

    def __init__(self, target: Callable[..., Any], where: str) -> None:
        """`where` is what the target is called in an error.

        Raises:
            Unfit: it cannot be called with an observation, or with an observation and the legal actions.
        """
        self.remembers = isinstance(target, type)
        self._seeded = self.remembers and "seed" in _parameters(target, where)
        self._target = target
        asked = getattr(target, "act", None) or _call_of(target)
        if asked is None:
            raise Unfit(f"{where} has neither a method act nor __call__, so it cannot be asked for an action.")
        self._ask: Callable[..., Any] = asked
        wanted = len(_parameters(asked, where)) - self.remembers
        if wanted not in (1, 2):
            raise Unfit(
                f"{where} takes {wanted} arguments: an agent takes the observation, or the observation and the "
                "legal actions."
            )
        self._with_legal = wanted == 2
        self._objects: dict[int, Any] = {}

    def answer(self, game: int, seed: int, obs: NDArray[Any], legal: NDArray[Any]) -> Any:
        """The action in a game; whatever the target raises."""
        words = (obs, legal) if self._with_legal else (obs,)
        if not self.remembers:
            return self._ask(*words)
        if game not in self._objects:
            self._objects[game] = self._target(seed=seed) if self._seeded else self._target()
        return self._ask(self._objects[game], *words)

    def forget(self, game: int) -> None:
        """A game is over."""
        self._objects.pop(game, None)


def _call_of(target: Any) -> Callable[..., Any] | None:
    """What happens when `target`, or an object of it if it is a class, is called."""
    if not isinstance(target, type):
        return target if callable(target) else None
    return next((vars(one)["__call__"] for one in target.__mro__ if "__call__" in vars(one)), None)


def _parameters(function: Callable[..., Any], where: str) -> list[str]:
    """Names of the parameters that must or may be given by place, without those that have a default but "seed"."""
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        raise Unfit(f"{where} does not say what arguments it takes, so it cannot be asked for an action.") from None
    by_place = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [
        one.name
        for one in found
        if (one.kind in by_place and one.default is one.empty) or one.name in ("legal", "seed")
    ]
