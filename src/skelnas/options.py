"""Options: a block of config.yaml as a dataclass, which alone knows their names, types and defaults."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal, TypeVar, get_args, get_origin

from skelnas.errors import InputError

T = TypeVar("T")
KINDS: dict[Any, Any] = {str: str, int: int, float: (int, float), tuple: (list, tuple)}


def keys(options: type) -> list[str]:
    """The keys of config.yaml that a dataclass stands for: its fields, with hyphens."""
    return [field.name.replace("_", "-") for field in dataclasses.fields(options)]


def stated(options: type[T], block: Mapping[str, Any], otherwise: T | None = None) -> T:
    """The options that a block states, those of `otherwise` or defaults for the others; keys of others are left alone.

    Lists become tuples, and a block within the block the dataclass of that field's default.
    """
    kind: type = options
    values: dict[str, Any] = {}
    if otherwise is not None:
        values = {field.name: getattr(otherwise, field.name) for field in dataclasses.fields(kind)}
    for field, key in zip(dataclasses.fields(kind), keys(kind), strict=True):
        if key in block:
            value = block[key]
            if dataclasses.is_dataclass(field.default):
                value = stated(type(field.default), value)
            values[field.name] = tuple(value) if isinstance(value, list) else value
    return options(**values)


def check_values(options: type, block: Mapping[str, Any]) -> None:
    """Refuse values of another type than the options have; for blocks that no schema has seen. Keys of others are left.

    Raises:
        InputError: the first such key, and what it may be.
    """
    for field, key in zip(dataclasses.fields(options), keys(options), strict=True):
        if key not in block:
            continue
        value, kind = block[key], get_origin(field.type) or field.type
        if kind is Literal:
            if value not in get_args(field.type):
                raise InputError(f"{key} is {value!r}, expected one of {', '.join(get_args(field.type))}")
        elif dataclasses.is_dataclass(kind) and isinstance(value, Mapping):
            check_values(kind if isinstance(kind, type) else type(kind), value)
        elif not isinstance(value, KINDS.get(kind, ())) or isinstance(value, bool):
            named = {"tuple": "a list", "str": "a text"}.get(getattr(kind, "__name__", ""), "a number")
            raise InputError(f"{key} is {value!r}, expected {'a block' if dataclasses.is_dataclass(kind) else named}")
