"""Strict, frozen settings: every option of the project is a field of a `Config`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from envs.errors import InputError, unknown


class Config(BaseModel):
    """Base of all settings: immutable, and an unknown key is an error, never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, validate_default=True)


ConfigT = TypeVar("ConfigT", bound=BaseModel)


def parse(model: type[ConfigT], data: Mapping[str, Any], where: str) -> ConfigT:
    """Read `data` into `model`; `where` names the source in the message.

    Raises:
        InputError: with the dotted path of the first fault and, for an unknown key, the nearest one.
    """
    try:
        return model.model_validate(dict(data))
    except ValidationError as fault:
        first = fault.errors()[0]
        path = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            wrong = unknown("key", path, _keys(model, first["loc"]))
            raise InputError(f"{where}: {wrong}") from None
        reason = str(first["ctx"]["error"]) if first["type"] == "value_error" else first["msg"]
        whole = isinstance(first["input"], dict | list | tuple)  # not what one wants to read in a sentence
        given = "" if whole or first["type"] == "missing" else f" = {first['input']!r}"
        raise InputError(f"{where}: {path}{given}: {reason.rstrip('.')}.") from None


def _keys(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """The dotted keys that are valid beside the one at `loc`."""
    owner: Any = model
    for part in loc[:-1]:
        if isinstance(part, str) and part in getattr(owner, "model_fields", {}):
            owner = _model_of(owner.model_fields[part].annotation)
    prefix = ".".join(str(part) for part in loc[:-1])
    return [f"{prefix}.{name}" if prefix else name for name in getattr(owner, "model_fields", {})]


def _model_of(annotation: Any) -> Any:
    """The first model class inside an annotation such as `tuple[Learner, ...]`, or the annotation."""
    for inner in getattr(annotation, "__args__", ()):
        if hasattr(inner, "model_fields"):
            return inner
    return annotation
