"""YAML 1.2 as people mean it: numbers and keys as they are typed, each value with its file and line.

In YAML 1.1 `010` is 8, `1:30` is 90 and `no` is false; in YAML 1.2 (https://yaml.org/spec/1.2.2/, core schema) they are
10, a text and a text. Keys are the text that stands there, dates are texts, and a key may stand only once.
"""

import io
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skelnas.errors import InputError

MOST_VALUES = 100_000  # anchors that multiply each other would fill the memory
TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True)
class Place:
    """Where a value stands, and the text that stands there (empty for lists and blocks)."""

    file: str
    line: int
    text: str = ""

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}" if self.line else self.file


Places = dict[str, Place]


def read_yaml(file: Path | str) -> tuple[dict[str, Any], Places]:
    """The keys and values of a file, and the place of each by its dotted name (`studies.demo.runs[0].cells`).

    Raises:
        InputError: the file is missing, cannot be read, is no UTF-8, no YAML or holds no keys; a key stands twice; a
            number is infinite or none; with file, line and remedy.
    """
    name = str(file)
    try:
        content = Path(file).read_bytes()
    except FileNotFoundError as error:
        raise InputError(f"{name} is missing; correct its name, or run in the folder that has it") from error
    except OSError as error:
        raise InputError(f"{name} cannot be read ({error.strerror or error}); correct its permissions") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(f"{name}, line {line}: this is no UTF-8; save the file with the encoding UTF-8") from error
    values, places = parse(text, name)
    if not isinstance(values, dict):
        raise InputError(f"{name} holds no configuration; it must be keys with values")
    return values, places


def parse(text: str, name: str, lines: bool = True) -> tuple[Any, Places]:
    """The value of a YAML text that is called `name`, and the places in it; without line numbers if `lines` is false.

    Raises:
        InputError: as `read_yaml`.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    yaml = YAML(typ="safe", pure=True)
    try:
        node = yaml.compose(io.StringIO(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = Place(name, mark.line + 1 if lines and mark else 0)
        said = " ".join(filter(None, (error.context, error.problem)))
        raise InputError(f"{where}: this is no YAML ({' '.join(said.split())}); correct it") from error
    except RecursionError as error:
        raise InputError(
            f"{name} is no YAML that can be read (lists within lists within lists); write it out"
        ) from error
    except (YAMLError, ValueError) as error:
        said = " ".join(str(error).split())
        raise InputError(f"{name} is no YAML ({ascii(said)[1:-1][:200]}); correct it") from error
    reader = _Reader(name, lines)
    return (None if node is None else reader.value(node, "")), reader.places


class _Reader:
    """Turns the nodes of one text into values."""

    def __init__(self, name: str, lines: bool) -> None:
        self.places: Places = {}
        self._name, self._lines, self._open, self._number = name, lines, set[int](), 0

    def value(self, node: Any, place: str) -> Any:
        """The value of a node that stands at `place`."""
        self._number += 1
        if id(node) in self._open:
            raise self._error(node, f"{place} holds itself; write it out")
        if self._number > MOST_VALUES:
            raise self._error(node, f"there are more than {MOST_VALUES:,} values; write fewer anchors")
        if node.id == "scalar":
            self.places[place] = self._place(node, node.value)
            return self._scalar(node, place)
        self.places[place] = self._place(node)
        self._open.add(id(node))
        try:
            if node.id == "sequence":
                return [self.value(one, f"{place}[{number}]") for number, one in enumerate(node.value)]
            return self._mapping(node, place)
        finally:
            self._open.discard(id(node))

    def _mapping(self, node: Any, place: str) -> dict[str, Any]:
        values: dict[str, Any] = {}
        own: dict[str, Any] = {}
        for key, content in node.value:
            if key.id == "scalar" and key.tag == f"{TAG}merge":
                continue
            if key.id != "scalar" or not key.value:
                raise self._error(key, f"{place or 'the top level'} has a key that is no name; write a word")
            if key.value in own:
                first, second = self._place(own[key.value]), self._place(key)
                lines = f" in the lines {first.line} and {second.line}" if second.line else ""
                named = f"{place}.{key.value}".lstrip(".")
                raise InputError(f"{self._name}: {named} stands twice,{lines}; delete one or join them")
            own[key.value] = key
            values[key.value] = self.value(content, f"{place}.{key.value}".lstrip("."))
            self.places[f"{place}.{key.value}".lstrip(".") + ":"] = self._place(key)
        for key, content in node.value:
            if key.id == "scalar" and key.tag == f"{TAG}merge":
                for one in content.value if content.id == "sequence" else [content]:
                    if one.id != "mapping":
                        raise self._error(key, f"{place}.<< merges what is no block; write a block's alias")
                    known = dict(self.places)
                    values = {**self.value(one, place), **values}
                    self.places.update(known)
        return values

    def _scalar(self, node: Any, place: str) -> Any:
        kind, text = str(node.tag).removeprefix(TAG), node.value
        try:
            match kind:
                case "null":
                    return None
                case "bool":
                    return text.lower() == "true"
                case "int":
                    return _whole(text)
                case "float":
                    number = float(text.replace("_", "").lower().replace(".inf", "inf").replace(".nan", "nan"))
                    if math.isfinite(number):
                        return number
                    raise self._error(node, f"{place} is {text}; write a finite number")
                case "str" | "timestamp":
                    return text
        except ValueError as error:
            raise self._error(node, f"{place} is {text[:40]!r}, which is no number; correct it") from error
        raise self._error(node, f"{place} has the tag {ascii(str(node.tag))[1:-1]}; leave it out")

    def _place(self, node: Any, text: str = "") -> Place:
        return Place(self._name, node.start_mark.line + 1 if self._lines else 0, text)

    def _error(self, node: Any, words: str) -> InputError:
        return InputError(f"{self._place(node)}: {words}")


def _whole(text: str) -> int:
    sign, digits = (-1 if text.startswith("-") else 1), text.lstrip("+-").replace("_", "")
    for prefix, base in (("0x", 16), ("0o", 8), ("0b", 2)):
        if digits.lower().startswith(prefix):
            return sign * int(digits[2:], base)
    if not re.fullmatch(r"[0-9]+", digits):
        raise ValueError(text)
    return sign * int(digits)
