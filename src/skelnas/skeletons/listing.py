"""Who did what: a table with one line per recording, or a pattern that the recordings' names follow.

The table is a CSV file with the columns `file` and `label`, and `subject` or `split` or both; `camera`, `setup` and
`trial` may be there too, other columns are not read. A label is a name, a number counts as the name it is written as.
A subject is a whole number or a name.
"""

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from skelnas.errors import InputError
from skelnas.files import check_readable
from skelnas.recipe import SPLITS
from skelnas.skeletons.archive_members import base_name, one_form
from skelnas.skeletons.array_files import DELIMITERS
from skelnas.skeletons.recording import Sample, natural_key
from skelnas.untrusted import LimitError, Limits, read_file

NUMBERS = ("camera", "setup", "trial")
FIELDS = ("label", "subject", "split", *NUMBERS)
MOST_DIGITS = 18  # fits into 64 bits
LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True)
class Listing:
    """What is known of the recordings of a source.

    subject_names gives names to the subjects' numbers, where subjects have names; unlisted are recordings that nothing
    is known of, each with why.
    """

    class_names: tuple[str, ...]
    samples: tuple[Sample, ...]
    subject_names: dict[int, str]
    unlisted: dict[str, str]


def listed_in_table(
    table: Path, names: Sequence[str], classes: Sequence[str], limits: Limits, where: str | Path
) -> Listing:
    """What a table says of the recordings `names`; `where` is the folder or archive that they lie in.

    Raises:
        InputError: a mistake in the table, or a recording that is not there.
    """
    places: dict[str, list[str]] = {}
    for name in names:
        places.setdefault(base_name(name), []).append(name)
    lines: dict[str, int] = {}
    facts: dict[str, tuple[str, Mapping[str, str]]] = {}
    for line, row in _rows(table, limits).items():
        at = f"{table} line {line}"
        name = _named(row["file"], places, where, at)
        if name in lines:
            raise InputError(f"{at} names {row['file']} like line {lines[name]} does; keep one of the two lines")
        lines[name] = line
        facts[name] = at, row
    return listing_of(facts, names, classes, f"not listed in {table.name}")


def listed_by_pattern(pattern: str, names: Sequence[str], classes: Sequence[str], where: str | Path) -> Listing:
    """What the names of the recordings say.

    A pattern such as `a{label}_s{subject}_e{trial}` stands for the end of a name, with or without its suffix; where it
    has a `/`, folders count. `{label}`, `{subject}`, `{split}`, `{camera}`, `{setup}` and `{trial}` are what is read,
    `*` is anything.

    Raises:
        InputError: the pattern has no label or an unknown field, or no name follows it.
    """
    expression = compiled(pattern)
    facts: dict[str, tuple[str, Mapping[str, str]]] = {}
    for name in names:
        if found := expression.search(name):
            facts[name] = f"{where}: {name}", found.groupdict()
    if not facts:
        example = f"; the first is {names[0]}" if names else ""
        raise InputError(f"pattern: no recording in {where} is called {pattern!r}{example}; correct `pattern`")
    return listing_of(facts, names, classes, f"not called {pattern}")


def compiled(pattern: str, labelled: bool = True) -> re.Pattern[str]:
    """A pattern as a regular expression; `labelled`: it must say what the label is.

    Raises:
        InputError: no label, an unknown field, or a field twice.
    """
    parts = re.split(r"(\{\w*\}|\*)", pattern)
    fields = [part[1:-1] for part in parts if part.startswith("{")]
    if unknown := [field for field in fields if field not in FIELDS]:
        raise InputError(f"pattern: {{{unknown[0]}}} is not known; there are {', '.join(FIELDS)}")
    if (labelled and "label" not in fields) or len(set(fields)) < len(fields):
        raise InputError(f"pattern: {pattern!r} must have {{label}} once, and no field twice")
    text = "".join(_expression(part, parts[place + 1 :]) for place, part in enumerate(parts))
    return re.compile(rf"(?:^|/){text}(?:\.\w+)?$")


def _expression(part: str, following: Sequence[str]) -> str:
    if part == "*":
        return "[^/]*"
    if not part.startswith("{"):
        return re.escape(part)
    kind = {"label": "[^/]+?", "subject": r"[^\W_]+?", "split": r"\w+?"}.get(part[1:-1], r"\d+")
    before_digits = following[:1] == [""] and len(following) > 1  # a field follows at once: letters, then digits
    return f"(?P<{part[1:-1]}>{'[^/0-9]+' if before_digits and part == '{label}' else kind})"


def listing_of(
    facts: Mapping[str, tuple[str, Mapping[str, str]]], names: Sequence[str], classes: Sequence[str], why: str
) -> Listing:
    """What `facts` say: for each recording where it is said, and the fields (`FIELDS`).

    `why`: the reason for which the names without facts are left out.

    Raises:
        InputError: a label outside `classes`, a wrong split, a camera, setup or trial that is no whole number.
    """
    labels = sorted({row["label"] for _, row in facts.values()}, key=natural_key)
    class_names = tuple(one_form(str(name)) for name in classes) or tuple(labels)
    subjects = {row["subject"] for _, row in facts.values() if row.get("subject")}
    numbers: dict[str, int] = {}
    if any(not _is_number(subject) for subject in subjects):
        numbers = {subject: place for place, subject in enumerate(sorted(subjects, key=natural_key), start=1)}
    samples = []
    for name, (at, row) in facts.items():
        if row["label"] not in class_names:
            raise InputError(f"{at}: label {row['label']!r} is not in `classes`; correct it or add it there")
        split = row.get("split") or ""
        if "split" in row and split not in SPLITS:
            raise InputError(f"{at}: split is {split!r}; write train, valid or test")
        values = {key: _whole_number(row[key], key, at) for key in NUMBERS if row.get(key) is not None}
        if row.get("subject") is not None:
            values["subject"] = _subject(row["subject"], numbers, at)
        label = class_names.index(row["label"])
        samples.append(Sample(name=name, label=label, split=split, member=name, **{"subject": 0, **values}))
    return Listing(
        class_names,
        tuple(sorted(samples, key=lambda sample: natural_key(sample.name))),
        {number: name for name, number in numbers.items()},
        dict.fromkeys((name for name in names if name not in facts), why),
    )


def _rows(table: Path, limits: Limits) -> dict[int, dict[str, str]]:
    """The table's rows by line number, with column names in lower case.

    Raises:
        InputError: no such file, no CSV text, a missing column, a row of another length, no rows.
    """
    try:
        with table.open("rb") as stream:
            text = one_form(read_file(stream, limits).decode("utf-8-sig"))
        limits.check_lines(text)
    except LimitError as error:
        raise InputError(f"{table} cannot be read: {error}") from error
    except (OSError, UnicodeDecodeError) as error:
        check_readable(table)
        raise InputError(f"{table} cannot be read ({error}); it must be a CSV table in UTF-8") from error
    heading = text.partition("\n")[0]
    reader = csv.reader(text.splitlines(), delimiter=max(DELIMITERS, key=heading.count))
    try:
        first, *lines = [
            (reader.line_num, [one_form(cell.strip()) for cell in cells]) for cells in reader if cells
        ] or [(1, [])]
    except csv.Error as error:
        raise InputError(f"{table} line {reader.line_num} cannot be read ({error}); it must be a CSV table") from error
    columns = [column.lower() for column in first[1]]
    missing = [column for column in ("file", "label") if column not in columns]
    if not {"subject", "split"} & set(columns):
        missing.append("subject (or split)")
    if missing or len(set(columns)) < len(columns):
        fault = f"lacks the column {missing[0]}" if missing else "has a column twice"
        raise InputError(f"{table} {fault}; its first line names {', '.join(columns) or 'no columns'}")
    rows = {}
    for line, cells in lines:
        if len(cells) != len(columns):
            raise InputError(
                f"{table} line {line} has {len(cells)} cells, the first line {len(columns)}; make them agree"
            )
        rows[line] = dict(zip(columns, cells, strict=True))
        if not rows[line]["label"]:
            raise InputError(f"{table} line {line}: the label is empty; write the name of the class")
    if not rows:
        raise InputError(f"{table} lists no recordings; write one line for each")
    return rows


def _named(file: str, places: Mapping[str, Iterable[str]], where: str | Path, at: str) -> str:
    """The recording that the table means: its full name, or the end of it where only one name ends so."""
    wanted = file.replace("\\", "/").removeprefix("./")
    found = [name for name in places.get(base_name(wanted), []) if f"/{name}".endswith(f"/{wanted}")]
    exact = [name for name in found if name == wanted]
    if len(exact or found) != 1:
        fault = "is not in" if not found else f"is the end of {len(found)} names in"
        raise InputError(f"{at}: {file or 'an empty name'} {fault} {where}; correct the column file")
    return (exact or found)[0]


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _subject(text: str, numbers: Mapping[str, int], at: str) -> int:
    if text in numbers and (_is_number(text) or LETTER.search(text)):
        return numbers[text]
    return _whole_number(text, "subject", at)


def _whole_number(text: str, column: str, at: str) -> int:
    if not _is_number(text) or len(text) > MOST_DIGITS:
        raise InputError(f"{at}: {column} is {text[:40]!r}; write a whole number of at most {MOST_DIGITS} digits")
    return int(text)
