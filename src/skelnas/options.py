"""Options: a block of config.yaml as a dataclass, which alone knows their names, types and defaults."""

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar

T = TypeVar("T")


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
