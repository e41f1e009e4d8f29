"""Strict, frozen settings: every option of the project is a field of a `Config`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from envs.errors import InputError, unknown


class Config(BaseModel):
    """Base of all settings: immutable, and an unknown key is an error, never ignored."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        validate_default=True,
        ser_json_inf_nan="constants",  # no limit stays no limit, also in a field of any type
    )


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
            siblings = first.get("ctx", {}).get("siblings") or _siblings(model, first["loc"])
            prefix = path.removesuffix(str(first["loc"][-1]))
            wrong = unknown("key", path, [prefix + name for name in siblings])
            raise InputError(f"{where}: {wrong}") from None
        reason = str(first["ctx"]["error"]) if first["type"] == "value_error" else first["msg"]
        whole = isinstance(first["input"], dict | list | tuple)  # not what one wants to read in a sentence
        given = "" if whole or first["type"] == "missing" else f" = {first['input']!r}"
        stop = "" if reason.endswith("?") else "."
        raise InputError(f"{where}: {path}{given}: {reason.rstrip('.')}{stop}") from None


def nested(model: type[ConfigT], data: Mapping[str, Any]) -> ConfigT:
    """Read `data` into `model`; for a validator of another `Config`, one of whose fields is of a model that the other
    fields decide. In what `parse` then says of a fault, the path goes through both."""
    try:
        return model.model_validate(dict(data))
    except ValidationError as fault:
        raise ValidationError.from_exception_data(
            model.__name__, [_again(model, error) for error in fault.errors()]
        ) from None


def _again(model: type[BaseModel], error: ErrorDetails) -> InitErrorDetails:
    """`error` to be raised once more, with the names that an unknown key could have been."""
    kind: Any = error["type"]
    context = error.get("ctx", {})
    if kind == "extra_forbidden":
        kind = PydanticCustomError(kind, "unknown key", {"siblings": _siblings(model, error["loc"])})
    return InitErrorDetails(type=kind, loc=error["loc"], input=error["input"], ctx=context)


def _siblings(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """The keys that are valid beside the one at `loc`."""
    owner: Any = model
    for part in loc[:-1]:
        if isinstance(part, str) and part in getattr(owner, "model_fields", {}):
            owner = _model_of(owner.model_fields[part].annotation)
    return list(getattr(owner, "model_fields", {}))


def _model_of(annotation: Any) -> Any:
    """The first model class inside an annotation such as `tuple[Learner, ...]`, or the annotation."""
    for inner in getattr(annotation, "__args__", ()):
        if hasattr(inner, "model_fields"):
            return inner
    return annotation
