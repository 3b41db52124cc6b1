"""The configuration: files and single values, one over the other, checked against the schema, with human messages."""

import contextlib
import copy
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from skelnas.addresses import shown
from skelnas.errors import InputError, Misconfigured, harmless
from skelnas.study.datasets import check_keys
from skelnas.study.yaml_files import Place, Places, parse, read_yaml

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Written:
    """A checked configuration, and where each of its values was written."""

    values: dict[str, Any]
    places: Places

    def located(self, function: Callable[..., Answer], *arguments: Any) -> Answer:
        """Call a function of the configuration; a mistake in it is told with its file and line.

        Raises:
            InputError: what the function raises.
        """
        return _located(self.places, function, *arguments)


def read(files: Iterable[Path | str], schema: Path | str, single: Iterable[str] = ()) -> Written:
    """The configuration of some YAML files, and `single` values as `snakemake --config` takes them (`study=demo`).

    Blocks are merged, and what comes later counts. Values are read as YAML 1.2.

    Raises:
        InputError: a file is missing or no YAML; what `checked` refuses; with file, line and remedy.
    """
    import yaml  # comes with snakemake

    config: dict[str, Any] = {}
    places: Places = {}
    for file in files:
        values, known = read_yaml(_short(file))
        _update(config, places, values, known)
    for entry in single:
        key, _, text = entry.partition("=")
        value, known = parse(text, f"--config {key}", lines=False)
        under = {f"{key}{'.' if place and place[0] != '[' else ''}{place}": at for place, at in known.items()}
        under.setdefault(key, Place(f"--config {key}", 0))
        _update(config, places, {key: value}, under)
    return Written(checked(config, yaml.safe_load(Path(schema).read_text(encoding="utf-8")), places), places)


def checked(config: dict[str, Any], schema: dict[str, Any], places: Places | None = None) -> dict[str, Any]:
    """Return a copy of `config` with the defaults of the JSON `schema` filled in, but where it says `x-filled: false`.

    Whole floats become integers where the schema wants these, and scalars become texts again, as they were typed, where
    it wants a text.

    Raises:
        InputError: the first mistake by its place: an unknown key, a wrong type, a value out of range.
    """
    return _located(places or {}, _checked, config, schema, places or {})


def _checked(config: dict[str, Any], schema: dict[str, Any], places: Places) -> dict[str, Any]:
    import jsonschema  # comes with snakemake; the package itself does without

    filled = copy.deepcopy(config)
    _mean(filled, schema, schema, "", places)
    _check_texts(filled, "")
    if isinstance(filled.get("datasets"), dict):
        check_keys(filled["datasets"])
    errors = sorted(jsonschema.Draft202012Validator(schema).iter_errors(filled), key=lambda error: error.json_path)
    if errors:
        raise _mistake(min(errors, key=lambda error: len(error.absolute_path)))
    _fill(filled, schema, schema)
    return filled


FILES = "SKELNAS_CONFIGURATION"  # the environment variable by which a job knows the files, for `located_in_files`


def located_in_files(function: Callable[..., Answer], *arguments: Any) -> Answer:
    """Call a function in a job; a mistake in the configuration is told with its file and line, as `located` does.

    Raises:
        InputError: what the function raises.
    """
    config: dict[str, Any] = {}
    places: Places = {}
    for file in filter(None, os.environ.get(FILES, "").split(os.pathsep)):
        with contextlib.suppress(InputError):
            _update(config, places, *read_yaml(file))
    return _located(places, function, *arguments)


def _located(places: Places, function: Callable[..., Answer], *arguments: Any) -> Answer:
    try:
        return function(*arguments)
    except Misconfigured as error:
        place = error.at
        while place and place not in places and f"{place}:" not in places:
            place = re.sub(r"(\.[^.\[]*|\[\d+\]|^[^.\[]+)$", "", place)
        where = (places.get(f"{place}:") or places.get(place)) if place else None
        if where is None:
            raise
        raise Misconfigured(error.place, error.words, error.at, str(where)) from error.__cause__


def _short(file: Path | str) -> str:
    """A path as people write it: relative, where the file lies in this folder."""
    relative = os.path.relpath(file)
    return str(file) if relative.startswith("..") else relative


def _update(config: dict[str, Any], places: Places, other: dict[str, Any], known: Places, place: str = "") -> None:
    """Merge `other` into `config`, as snakemake does; a value that is replaced takes the places within it along."""
    for key, value in other.items():
        here = f"{place}.{key}".lstrip(".")
        if isinstance(value, dict) and isinstance(config.get(key), dict):
            _update(config[key], places, value, known, here)
            continue
        for old in [old for old in places if old == here or old.startswith((f"{here}.", f"{here}[", f"{here}:"))]:
            del places[old]
        new = [new for new in known if new == here or new.startswith((f"{here}.", f"{here}[", f"{here}:"))]
        places.update({one: known[one] for one in new})
        config[key] = value


def _mean(value: Any, schema: dict[str, Any], root: dict[str, Any], place: str, places: Places) -> Any:
    """The value as it is meant where the schema stands; blocks and lists are changed in place."""
    schema = _resolved(schema, root)
    if isinstance(value, dict):
        properties, others = schema.get("properties", {}), schema.get("additionalProperties")
        for key in value:
            part = properties.get(key, others if isinstance(others, dict) else {})
            value[key] = _mean(value[key], part, root, f"{place}.{key}".lstrip("."), places)
        return value
    if isinstance(value, list):
        for number, item in enumerate(value):
            value[number] = _mean(item, schema.get("items", {}), root, f"{place}[{number}]", places)
        return value
    kinds = _kinds(schema)
    if "string" in kinds and value is not None and not isinstance(value, str):
        return places[place].text if place in places else str(value)
    if isinstance(value, float) and value.is_integer() and "integer" in kinds and "number" not in kinds:
        return int(value)
    return value


def _kinds(schema: dict[str, Any]) -> set[str]:
    kind = schema.get("type", [])
    kinds = {kind} if isinstance(kind, str) else set(kind)
    return kinds.union(*(_kinds(part) for part in schema.get("oneOf", [])))


def _check_texts(value: Any, place: str) -> None:
    """Refuse line breaks and control characters in names and texts: patterns let a last line break pass."""
    if isinstance(value, dict):
        for key, part in value.items():
            if not str(key).isprintable():
                words = f" has the key {key!r}; use letters, digits and signs only"
                raise Misconfigured(place or "the top level", words, at=f"{place}.{key}".lstrip("."))
            _check_texts(part, f"{place}.{key}".lstrip("."))
    elif isinstance(value, list):
        for number, part in enumerate(value):
            _check_texts(part, f"{place}[{number}]")
    elif isinstance(value, str) and not value.isprintable():
        raise Misconfigured(place, f" is {_shown(value)}; write it without line breaks and control characters")


def _mistake(error: Any) -> Misconfigured:
    place = _place(error.absolute_path)
    named = place or "the top level"
    if "propertyNames" in error.absolute_schema_path:
        words = f" has the name {error.instance!r}; expected {error.schema.get('x-expected', 'another')}"
        return Misconfigured(named, words, at=f"{place}.{error.instance}".lstrip("."))
    match error.validator:
        case "additionalProperties":
            known = sorted(error.schema.get("properties", {}))
            unknown = sorted(str(key) for key in error.instance if key not in known)
            words = f" has an unknown key: {', '.join(map(harmless, unknown))}; known there are {', '.join(known)}"
            return Misconfigured(named, words, at=f"{place}.{unknown[0]}".lstrip("."))
        case "required":
            missing = ", ".join(key for key in error.validator_value if key not in error.instance)
            return Misconfigured(
                named, f" lacks {missing}; add it (workflow/schemas/config.schema.yaml explains each key)"
            )
        case "type":
            kinds = error.validator_value if isinstance(error.validator_value, list) else [error.validator_value]
            return Misconfigured(named, f" is {_shown(error.instance)}, expected {' or '.join(map(_article, kinds))}")
        case "enum":
            words = f" is {_shown(error.instance)}, expected one of {', '.join(map(str, error.validator_value))}"
            return Misconfigured(named, words)
    if expected := error.schema.get("x-expected"):
        return Misconfigured(named, f" is {_shown(error.instance)}, expected {expected}")
    return Misconfigured(named, f" is {_shown(error.instance)}; {error.schema.get('description', error.message)}")


def _shown(value: Any) -> str:
    """A value for a sentence: lists and blocks may be long, and addresses may hold secrets."""
    if isinstance(value, dict):
        return f"a block with {', '.join(harmless(str(key)) for key in value) or 'nothing'}"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return "empty" if value is None else repr(shown(value) if isinstance(value, str) else value)


def _place(keys: Any) -> str:
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys).lstrip(".")


def _article(kind: str) -> str:
    return {
        "integer": "a whole number",
        "object": "a block of keys",
        "array": "a list",
        "boolean": "true or false",
        "string": "a text",
    }.get(kind, f"a {kind}")


def _resolved(schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    """`$ref` may only point into `$defs`."""
    return root["$defs"][Path(schema["$ref"]).name] if "$ref" in schema else schema


def _fill(value: Any, schema: dict[str, Any], root: dict[str, Any]) -> None:
    """Fill in defaults, depth first."""
    schema = _resolved(schema, root)
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
