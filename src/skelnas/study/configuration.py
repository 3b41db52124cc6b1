"""Checking config.yaml against its schema, with messages for people."""

import copy
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from skelnas.errors import InputError
from skelnas.study.datasets import check_keys


def checked(config: dict[str, Any], schema: dict[str, Any], where: str = "config.yaml") -> dict[str, Any]:
    """Return a copy of `config` with the defaults of the JSON `schema` filled in, but where it says `x-filled: false`.

    Raises:
        InputError: the first mistake by its place: an unknown key, a wrong type, a value out of range.
    """
    import jsonschema  # comes with snakemake; the package itself does without

    if isinstance(config.get("datasets"), dict):
        check_keys(config["datasets"], where)
    errors = sorted(jsonschema.Draft202012Validator(schema).iter_errors(config), key=lambda error: error.json_path)
    if errors:
        raise InputError(_sentence(min(errors, key=lambda error: len(error.absolute_path)), where))
    filled = copy.deepcopy(config)
    _fill(filled, schema, schema)
    return filled


def read(files: Iterable[Path | str], schema: Path | str) -> dict[str, Any]:
    """The checked configuration of some YAML files; as in `snakemake --configfile`, what a later one says counts.

    Raises:
        InputError: a file is missing or no YAML; what `checked` refuses.
    """
    import yaml  # comes with snakemake, too

    config: dict[str, Any] = {}
    for file in files:
        try:
            content = yaml.safe_load(Path(file).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise InputError(f"{file} cannot be read as YAML ({' '.join(str(error).split())}); correct it") from error
        if not isinstance(content, dict):
            raise InputError(f"{file} holds no configuration; it must be keys with values")
        _update(config, content)
    return checked(config, yaml.safe_load(Path(schema).read_text(encoding="utf-8")))


def _update(config: dict[str, Any], other: dict[str, Any]) -> None:
    for key, value in other.items():
        if isinstance(value, dict) and isinstance(config.get(key), dict):
            _update(config[key], value)
        else:
            config[key] = value


def _sentence(error: Any, where: str) -> str:
    place = _place(error.absolute_path) or "the top level"
    match error.validator:
        case "additionalProperties":
            known = sorted(error.schema.get("properties", {}))
            unknown = ", ".join(sorted(str(key) for key in error.instance if key not in known))
            return f"{where}: {place} has an unknown key: {unknown}; known there are {', '.join(known)}"
        case "required":
            missing = ", ".join(key for key in error.validator_value if key not in error.instance)
            return f"{where}: {place} lacks {missing}; add it (workflow/schemas/config.schema.yaml explains each key)"
        case "type":
            expected = (
                error.validator_value if isinstance(error.validator_value, str) else " or ".join(error.validator_value)
            )
            return f"{where}: {place} is {error.instance!r}, expected {_article(expected)}"
        case "enum":
            return (
                f"{where}: {place} is {error.instance!r}, expected one of {', '.join(map(str, error.validator_value))}"
            )
    return f"{where}: {place} is {error.instance!r}; {error.schema.get('description', error.message)}"


def _place(keys: Any) -> str:
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys).lstrip(".")


def _article(kind: str) -> str:
    return {
        "integer": "a whole number",
        "object": "a block of keys",
        "array": "a list",
        "boolean": "true or false",
    }.get(kind, f"a {kind}")


def _fill(value: Any, schema: dict[str, Any], root: dict[str, Any]) -> None:
    """Fill in defaults, depth first; `$ref` may only point into `$defs`."""
    if "$ref" in schema:
        schema = root["$defs"][Path(schema["$ref"]).name]
    if isinstance(value, dict):
        for key, part in schema.get("properties", {}).items():
            if "default" in part and schema.get("x-filled", True):
                value.setdefault(key, copy.deepcopy(part["default"]))
            if key in value:
                _fill(value[key], part, root)
        others = schema.get("additionalProperties")
        if isinstance(others, dict):
            for key in value.keys() - schema.get("properties", {}).keys():
                _fill(value[key], others, root)
    elif isinstance(value, list) and "items" in schema:
        for item in value:
            _fill(item, schema["items"], root)
