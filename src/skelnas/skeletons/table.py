"""A user's own recordings, without code: one file of numbers per recording, and a table that says who did what.

The table is a CSV file with the columns `file` and `label`, and `subject` or `split` or both; `camera`, `setup` and
`trial` may be there too, other columns are not read. A label is a name, a number counts as the name it is written as.
"""

import csv
import functools
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from skelnas.errors import InputError
from skelnas.files import check_readable, sha256_of_file
from skelnas.recipe import SPLITS
from skelnas.skeletons.archive_members import Members, base_name, one_form
from skelnas.skeletons.array_files import DELIMITERS, SUFFIXES, arrange, parse_axes, read_array
from skelnas.skeletons.readers import TableOptions
from skelnas.skeletons.recording import BadRecording, Recording, Sample, Source, check_layout, natural_key
from skelnas.untrusted import LimitError, Limits, read_file

NUMBERS = ("subject", "camera", "setup", "trial")
MOST_DIGITS = 18  # fits into 64 bits
ASKED = 25  # recordings that are asked for their number of joints


def open_source(files: list[Path], options: TableOptions) -> Source:
    """Open [folder or zip archive of recordings, table] as a `Source`.

    Without a joint tree all must have as many joints as most have. Recordings that the
    table does not list are excluded.

    Raises:
        InputError: not two files, a mistake in an option or in the table, or a recording that is not there.
    """
    if len(files) != 2 or Path(files[1]).suffix.lower() != ".csv":
        given = ", ".join(str(file) for file in files) or "none"
        raise InputError(f"the reader table needs two sources, a folder or zip archive and a .csv table, not {given}")
    members, table = Members(files[0], options.limits), Path(files[1])
    axes, parents = parse_axes(options.axes), _joint_tree(options.joint_tree)
    rows = _rows(table, members.limits)
    labels = sorted({row["label"] for row in rows.values()}, key=natural_key)
    class_names = tuple(one_form(str(name)) for name in options.classes) or tuple(labels)
    samples = _samples(rows, table, members, class_names)
    read = functools.partial(_read, members, axes, options.key)
    joints = len(parents) or _joints(functools.partial(read, 0), samples)
    listed = {sample.member for sample in samples}
    unlisted = [name for name in members.names if name not in listed and name.lower().endswith(SUFFIXES)]
    return Source(
        class_names=class_names,
        joint_names=tuple(f"joint {number}" for number in range(1, joints + 1)),
        parents=parents,
        samples=samples,
        read=functools.partial(read, joints),
        excluded=dict.fromkeys(unlisted, f"not listed in {table.name}"),
        origin={
            "file": members.path.name,
            "bytes": members.size(),
            "content": members.check_content(options.content),
            "table": table.name,
            "table-sha256": sha256_of_file(table),
            "recordings": len(samples),
        },
    )


def _read(members: Members, axes: tuple[str, ...], key: str, joints: int, sample: Sample) -> Recording:
    """One recording; `joints` 0 accepts any number of them."""
    where = f"{members.path}: {sample.member}"
    try:
        content = members.read(sample.member)
    except InputError as error:
        raise BadRecording(str(error)) from error
    coordinates = arrange(read_array(content, sample.member, key, where, members.limits), axes, where)
    return Recording(sample, check_layout(coordinates, where, joints or None), where=where)


def _joints(read: Callable[[Sample], Recording], samples: Sequence[Sample]) -> int:
    """Joints of most of the recordings, as `ASKED` of them, evenly spread, have it; of several, those of the first.

    Raises:
        BadRecording: none of them can be read; what is wrong with the last one.
    """
    counts: Counter[int] = Counter()
    for sample in samples[:: -(-len(samples) // ASKED)]:
        try:
            counts[len(read(sample).coordinates)] += 1
        except BadRecording as error:
            reason = error
    if not counts:
        raise reason
    return counts.most_common(1)[0][0]


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


def _samples(
    rows: dict[int, dict[str, str]], table: Path, members: Members, class_names: tuple[str, ...]
) -> tuple[Sample, ...]:
    places: dict[str, list[str]] = {}
    for name in members.names:
        places.setdefault(base_name(name), []).append(name)
    lines: dict[str, int] = {}
    samples = []
    for line, row in rows.items():
        where = f"{table} line {line}"
        member = _member(row["file"], places, members, where)
        if member in lines:
            raise InputError(f"{where} names {row['file']} like line {lines[member]} does; keep one of the two lines")
        lines[member] = line
        if row["label"] not in class_names:
            raise InputError(f"{where}: label {row['label']!r} is not in `classes`; correct it or add it there")
        if "split" in row and row["split"] not in SPLITS:
            raise InputError(f"{where}: split is {row['split']!r}; write train, valid or test")
        numbers = {column: _whole_number(row[column], column, where) for column in NUMBERS if column in row}
        samples.append(
            Sample(
                name=member,
                label=class_names.index(row["label"]),
                split=row.get("split", ""),
                member=member,
                **{"subject": 0, **numbers},
            )
        )
    return tuple(sorted(samples, key=lambda sample: natural_key(sample.name)))


def _member(file: str, places: dict[str, list[str]], members: Members, where: str) -> str:
    """The member that the table means: its full name, or the end of it where only one member ends so."""
    wanted = file.replace("\\", "/").removeprefix("./")
    found = [name for name in places.get(base_name(wanted), []) if f"/{name}".endswith(f"/{wanted}")]
    exact = [name for name in found if name == wanted]
    if len(exact or found) != 1:
        fault = "is not in" if not found else f"is the end of {len(found)} names in"
        raise InputError(f"{where}: {file or 'an empty name'} {fault} {members.path}; correct the column file")
    return (exact or found)[0]


def _whole_number(text: str, column: str, where: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > MOST_DIGITS:
        raise InputError(f"{where}: {column} is {text[:40]!r}; write a whole number of at most {MOST_DIGITS} digits")
    return int(text)


def _joint_tree(parents: Sequence[int]) -> tuple[int, ...]:
    """The parents, if every joint is below the one root."""
    reached = {joint for joint, parent in enumerate(parents) if parent == -1}
    for _ in parents:
        reached |= {joint for joint, parent in enumerate(parents) if parent in reached}
    lost = sorted(set(range(len(parents))) - reached)
    if lost or list(parents).count(-1) > 1:
        fault = f"joint {lost[0]} is not below the root" if lost else "there are several roots"
        raise InputError(f"joint-tree: {fault}; give each joint's parent, counted from 0, and -1 for one of them")
    return tuple(parents)
