"""Options: a block of config.yaml as a dataclass, which alone knows their names, types and defaults."""

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar

T = TypeVar("T")


def keys(options: type) -> list[str]:
    """The keys of config.yaml that a dataclass stands for: its fields, with hyphens."""
    return [field.name.replace("_", "-") for field in dataclasses.fields(options)]


def stated(options: type[T], block: Mapping[str, Any]) -> T:
    """The options that a block states, defaults for the others; lists become tuples, keys of others are left alone."""
    values = {key.replace("-", "_"): block[key] for key in keys(options) if key in block}
    return options(**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})
