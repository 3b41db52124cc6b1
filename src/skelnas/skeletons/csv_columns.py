"""CSV files with named columns, one file for each recording, as many programs write them.

No format of this kind is published, so `columns` says which column holds what, or a preset does. Lines are frames with
columns for each joint (`x: "{joint}_x"`), or joints with a column for the frame and one for the joint.

`mediapipe`: the 33 landmarks, a line for each, in the columns frame, landmark (number or name), x, y, z, visibility
(the program's own field names; Bazarevsky et al. 2020, arXiv 2006.10204): x and y as shares of the picture, z as x is.
`kinect-v2`: a line for each frame, of a time stamp or other columns and then 75 of x, y, z (metres) of Microsoft's
joints.
"""

import csv
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from skelnas.errors import InputError
from skelnas.skeletons.archive_members import Members, one_form
from skelnas.skeletons.array_files import DELIMITERS, is_number
from skelnas.skeletons.confidence import Told, told, without_unsure
from skelnas.skeletons.named import Skeleton, skeleton_of
from skelnas.skeletons.people import chosen, tracks_by_number
from skelnas.skeletons.readers import Columns, CsvOptions
from skelnas.skeletons.recording import BadRecording, Recording, Sample, Source, check_layout
from skelnas.skeletons.table import ASKED, check_files, listed, said_by, source_of
from skelnas.untrusted import LimitError

SUFFIXES = (".csv", ".txt", ".tsv")
NUMBER = "{joint}"
PRESETS = {
    "mediapipe": (Columns("x", "y", "z", "visibility", "landmark", "frame", "person"), "mediapipe-33"),
    "kinect-v2": (Columns(), "kinect-v2"),
}


def open_source(files: list[Path], options: CsvOptions) -> Source:
    """Open [folder or zip archive of CSV files, table] as a `Source`; with a `pattern` there is no table.

    Raises:
        InputError: other files, a mistake in the table, the pattern or the columns, or no recording that can be read.
    """
    check_files("csv", files, options.pattern)
    columns, name = PRESETS[options.preset] if options.preset else (options.columns, "")
    if not options.preset and not (columns.x and columns.y):
        raise InputError('the reader csv needs `columns` with x and y, such as x: "{joint}_x", or a `preset`')
    if not options.preset and NUMBER not in columns.x and not (columns.joint and columns.frame):
        raise InputError('columns: with x without {joint} say which columns are `joint` and `frame`; or x: "{joint}_x"')
    members = Members(files[0], options.limits)
    recordings = [member for member in members.names if member.lower().endswith(SUFFIXES)]
    listing = listed(files, recordings, options)
    skeleton = _skeleton(members, listing.samples, columns, options.skeleton or name)
    read = functools.partial(_read, members, columns, skeleton.joint_names, options)
    return source_of(members, listing, skeleton, read, options.bodies, **said_by(files, options.pattern))


def _skeleton(members: Members, samples: Sequence[Sample], columns: Columns, name: str) -> Skeleton:
    """The skeleton of that name; else the joints in the order of the first recording that can be read."""
    if name:
        return skeleton_of(name, 0)
    reasons: list[InputError] = []
    for sample in samples[:ASKED]:
        try:
            heading, rows = _table(members, sample)
            joints = _joints_of(heading, rows, columns, f"{members.path}: {sample.member}")
            return Skeleton(tuple(joints))
        except BadRecording as error:
            reasons.append(error)
    raise reasons[0]


def _joints_of(heading: list[str], rows: list[list[str]], columns: Columns, where: str) -> list[str]:
    if NUMBER not in columns.x:
        place = _place(heading, columns.joint, where)
        return list(dict.fromkeys(row[place] for row in rows))
    before, after = columns.x.split(NUMBER, 1)
    names = [
        column[len(before) : len(column) - len(after)]
        for column in heading
        if column.startswith(before) and column.endswith(after) and len(column) > len(before + after)
    ]
    if not names:
        raise BadRecording(f"{where} has no column {columns.x}; its columns are {', '.join(heading)[:200]}")
    return names


def _read(
    members: Members, columns: Columns, joint_names: Sequence[str], options: CsvOptions, sample: Sample
) -> Recording:
    where = f"{members.path}: {sample.member}"
    heading, rows = _table(members, sample)
    if options.preset == "kinect-v2":
        people, frames, values = _last_columns(rows, 3 * len(joint_names), where)
    elif NUMBER in columns.x:
        people, frames, values = _wide(heading, rows, columns, joint_names, bool(options.preset), where)
    else:
        people, frames, values = _long(heading, rows, columns, joint_names, bool(options.preset), where)
    scored = NUMBER in columns.confidence or columns.confidence in heading
    scores, least = values[..., 3], options.min_confidence
    said: Told | dict[str, Any] = told(values[..., :3], scores, least) if scored else {}
    values = without_unsure(values[..., :3], scores, least)
    number = {frame: place for place, frame in enumerate(dict.fromkeys(frames))}
    bodies: list[list[np.ndarray]] = [[] for _ in number]
    who: list[list[int]] = [[] for _ in number]
    numbers = {person: place for place, person in enumerate(dict.fromkeys(people))}
    for person, frame, body in zip(people, frames, values, strict=True):
        if numbers[person] in who[number[frame]]:
            raise BadRecording(f"{where}: frame {frame} is there twice; say which column is `person`, or mend the file")
        bodies[number[frame]].append(body)
        who[number[frame]].append(numbers[person])
    tracks = tracks_by_number([np.array(frame) for frame in bodies], who)
    return Recording(sample, check_layout(chosen(tracks, options.bodies), where), where=where, **said)


def _table(members: Members, sample: Sample) -> tuple[list[str], list[list[str]]]:
    """The heading (empty where the first line is numbers) and the lines of a file, all of one length."""
    where = f"{members.path}: {sample.member}"
    try:
        text = one_form(members.read(sample.member).decode("utf-8-sig"))
        members.limits.check_lines(text)
        first = text.partition("\n")[0]
        lines = csv.reader(text.splitlines(), delimiter=max(DELIMITERS, key=first.count))
        rows = [[cell.strip() for cell in row] for row in lines if row]
    except LimitError as error:
        raise BadRecording(f"{where} cannot be read: {error}") from error
    except (InputError, UnicodeDecodeError, csv.Error) as error:
        raise BadRecording(f"{where} cannot be read ({error}); it must be a CSV file in UTF-8") from error
    if not rows:
        raise BadRecording(f"{where} is empty; leave it out")
    if wrong := [place for place, row in enumerate(rows, start=1) if len(row) != len(rows[0])]:
        raise BadRecording(
            f"{where}: line {wrong[0]} has {len(rows[wrong[0] - 1])} cells, the first {len(rows[0])}; it was cut off"
        )
    named = not any(is_number(cell) for cell in rows[0])
    return (rows[0], rows[1:]) if named else ([], rows)


def _last_columns(rows: list[list[str]], count: int, where: str) -> tuple[list[str], list[str], np.ndarray]:
    if not rows or len(rows[0]) < count:
        raise BadRecording(f"{where} has {len(rows[0]) if rows else 0} columns, and {count} are needed for the joints")
    values = _numbers([row[-count:] for row in rows], where).reshape(len(rows), -1, 3)
    sure = np.ones((*values.shape[:2], 1))
    return [""] * len(rows), [str(frame) for frame in range(len(rows))], np.concatenate([values, sure], axis=2)


def _wide(
    heading: list[str], rows: list[list[str]], columns: Columns, names: Sequence[str], optional: bool, where: str
) -> tuple[list[str], list[str], np.ndarray]:
    values = np.ones((len(rows), len(names), 4))
    for axis, column in enumerate((columns.x, columns.y, columns.z, columns.confidence)):
        if not column:
            values[:, :, axis] = axis == 3
            continue
        places = [_place(heading, column.replace(NUMBER, name), where) for name in names]
        values[:, :, axis] = _numbers([[row[place] for place in places] for row in rows], where)
    people = _column(heading, rows, columns.person, where, optional) or [""] * len(rows)
    frames = _column(heading, rows, columns.frame, where, optional) or [str(frame) for frame in range(len(rows))]
    return people, frames, values


def _long(
    heading: list[str], rows: list[list[str]], columns: Columns, names: Sequence[str], optional: bool, where: str
) -> tuple[list[str], list[str], np.ndarray]:
    joint_of = {name: place for place, name in enumerate(names)} | {str(place): place for place in range(len(names))}
    joints = _column(heading, rows, columns.joint, where, False)
    frames = _column(heading, rows, columns.frame, where, False)
    people = _column(heading, rows, columns.person, where, optional) or [""] * len(rows)
    if unknown := [joint for joint in joints if joint not in joint_of and joint.lower() not in joint_of]:
        raise BadRecording(f"{where}: joint {unknown[0]!r} is not one of {', '.join(names)[:200]}")
    found = np.zeros((len(rows), 4))
    for axis, column in enumerate((columns.x, columns.y, columns.z, columns.confidence)):
        cells = _column(heading, rows, column, where, optional and axis > 1)
        found[:, axis] = _numbers([[cell] for cell in cells], where)[:, 0] if cells else float(axis == 3)
    keys = list(dict.fromkeys(zip(people, frames, strict=True)))
    place = {key: number for number, key in enumerate(keys)}
    values = np.full((len(keys), len(names), 4), np.nan)
    seen: set[tuple[int, int]] = set()
    for row, (person, frame, joint) in enumerate(zip(people, frames, joints, strict=True)):
        at = place[person, frame], joint_of.get(joint, joint_of.get(joint.lower(), 0))
        if at in seen:
            raise BadRecording(f"{where}: joint {joint} of frame {frame} is there twice; say which column is `person`")
        seen.add(at)
        values[at] = found[row]
    return [person for person, _ in keys], [frame for _, frame in keys], values


def _column(heading: list[str], rows: list[list[str]], name: str, where: str, optional: bool) -> list[str]:
    """The cells of a column; none where it has no name, or is not there and `optional`."""
    if not name or (optional and name not in heading):
        return []
    place = _place(heading, name, where)
    return [row[place] for row in rows]


def _place(heading: list[str], column: str, where: str) -> int:
    if column not in heading:
        there = ", ".join(heading)[:200] or "numbers, for the first line names none"
        raise BadRecording(f"{where} has no column {column}; its columns are {there}")
    return heading.index(column)


def _numbers(cells: list[list[str]], where: str) -> np.ndarray:
    """Cells as numbers, an empty one as not a number."""
    try:
        return np.array([[float(cell) if cell else np.nan for cell in row] for row in cells]).reshape(len(cells), -1)
    except ValueError as error:
        raise BadRecording(f"{where}: {str(error)[:80]}; write numbers, or leave the cell empty") from error
