"""Several recordings in one file of numbers: told apart by columns before the coordinates, or by a file of labels.

`leading` names the columns before the coordinates, in their order. `frame` counts frames; `recording` has the same
number in every line of a recording, whose `label`, `subject`, `camera`, `setup` and `trial` then are columns too, as in
Florence3D (Seidenari et al., CVPRW 2013); `*` is left out.

A file of labels (.txt) is one as UTKinect-Action3D has it (Xia et al., CVPRW 2012): a line with the name of a take,
with which the name of its file ends, and below it a line `action: first last` for each recording in it. First and last
are numbers of the column `frame`, or where there is none lines of the file, counted from 1; both are part of it.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from skelnas.errors import InputError
from skelnas.skeletons.array_files import parse_axes
from skelnas.skeletons.listing import NUMBERS, Listing, compiled, listing_of
from skelnas.skeletons.recording import BadRecording
from skelnas.untrusted import LimitError, Limits, read_file

FRAME, RECORDING, NOTHING = "frame", "recording", "*"
FIELDS = ("label", "subject", *NUMBERS)  # what else a leading column may hold
LABELS = ".txt"
Facts = dict[str, tuple[str, Mapping[str, str]]]


@dataclass(frozen=True)
class Segment:
    """Where a recording lies: a member, and the lines with `first` to `last` in a leading column (-1: their number)."""

    member: str
    column: int
    first: float
    last: float

    def lines(self, array: np.ndarray, where: str) -> np.ndarray:
        """The lines (lines x columns) of the recording.

        Raises:
            BadRecording: there are none.
        """
        numbers = np.arange(1, len(array) + 1) if self.column < 0 else array[:, self.column]
        found = array[(numbers >= self.first) & (numbers <= self.last)]
        if not len(found):
            raise BadRecording(
                f"{where}: the file has no frames from {self.first:g} to {self.last:g}; correct the labels"
            )
        return found


def check_leading(leading: Sequence[str], axes: str) -> None:
    """Refuse leading columns that are not known, twice there, or before something else than lines of frames.

    Raises:
        InputError: what is wrong with the option.
    """
    known = (FRAME, RECORDING, *FIELDS, NOTHING)
    if unknown := [name for name in leading if name not in known]:
        raise InputError(f"leading: {unknown[0]!r} is not known; there are {', '.join(known)}")
    named = [name for name in leading if name != NOTHING]
    if len(set(named)) < len(named):
        raise InputError("leading: a column is named twice; name each once, and write * for what is left out")
    words = parse_axes(axes)
    if leading and (len(words) != 2 or words[0] not in ("frames", "frames*joints")):
        raise InputError(
            f'leading: columns stand before lines of frames, but axes is "{axes}"; say "frames joints*xyz"'
        )
    if RECORDING in leading and (words[0] != "frames" or "label" not in leading):
        raise InputError("leading: where a column tells recordings apart, one has the `label`, and a line is a frame")


def by_columns(
    names: Sequence[str], array_of: Callable[[str], np.ndarray], leading: Sequence[str], classes: Sequence[str]
) -> tuple[Listing, dict[str, Segment]]:
    """The recordings in the files `names`, told apart by the column `recording`; each called `file:number`.

    Raises:
        InputError: a file that cannot be read, or a recording with two labels or subjects.
    """
    facts: Facts = {}
    segments = {}
    column = list(leading).index(RECORDING)
    for member in names:
        array = array_of(member)
        if array.ndim != 2 or array.shape[1] <= len(leading):
            raise InputError(f"{member} has shape {array.shape}, too few columns for those that `leading` names")
        for number in dict.fromkeys(array[:, column].tolist()):
            lines = array[array[:, column] == number]
            name = f"{member}:{number:g}"
            row = {}
            for place, field in enumerate(leading):
                if field in FIELDS:
                    values = list(dict.fromkeys(lines[:, place].tolist()))
                    if len(values) > 1:
                        said = ", ".join(f"{value:g}" for value in values[:5])
                        raise InputError(f"{name} has the {field}s {said}; a recording has one, correct `leading`")
                    row[field] = f"{values[0]:g}"
            facts[name], segments[name] = (name, row), Segment(member, column, number, number)
    return _of_segments(facts, segments, classes, {}), segments


def by_labels(
    labels: Path,
    names: Sequence[str],
    pattern: str,
    leading: Sequence[str],
    classes: Sequence[str],
    limits: Limits,
) -> tuple[Listing, dict[str, Segment]]:
    """The recordings that a file of labels finds in the files `names`; `pattern` says what the names of takes mean.

    A recording is called `file:action first-last`. One whose first or last frame is no number is left out.

    Raises:
        InputError: the file cannot be read, a line is neither, or a take has no file, or several.
    """
    facts: Facts = {}
    segments, left_out = {}, {}
    expression = compiled(pattern, labelled=False) if pattern else None
    column = list(leading).index(FRAME) if FRAME in leading else -1
    member, said = "", {}
    for number, line in enumerate(_text(labels, limits).splitlines(), start=1):
        at, (action, colon, frames) = f"{labels} line {number}", line.strip().rpartition(":")
        if not line.strip():
            continue
        if not colon:
            member = _file_of(frames, names, at)
            found = expression.search(frames) if expression else None
            if expression and not found:
                raise InputError(f"{at}: {frames} is not called {pattern!r}; correct `pattern`")
            said = found.groupdict() if found else {}
            continue
        if not member or len(frames.split()) != 2:
            raise InputError(
                f"{at}: {line.strip()!r} is neither the name of a take nor `action: first last`; correct it"
            )
        name = f"{member}:{action.strip()} {'-'.join(frames.split())}"
        try:
            first, last = map(int, frames.split())
        except ValueError:
            left_out[name] = f"{labels.name} line {number} has no frames: {frames.strip()}"
            continue
        if name in facts:
            raise InputError(f"{at}: {name} is there twice; keep one of the two lines")
        facts[name] = at, {**said, "label": action.strip()}
        segments[name] = Segment(member, column, first, last)
    used = {segment.member for segment in segments.values()}
    left_out |= dict.fromkeys((name for name in names if name not in used), f"not named in {labels.name}")
    return _of_segments(facts, segments, classes, left_out), segments


def _of_segments(
    facts: Facts, segments: Mapping[str, Segment], classes: Sequence[str], left_out: dict[str, str]
) -> Listing:
    found = listing_of(facts, (), classes, "")
    samples = tuple(dataclasses.replace(one, member=segments[one.name].member) for one in found.samples)
    return dataclasses.replace(found, samples=samples, unlisted=left_out)


def _file_of(take: str, names: Sequence[str], at: str) -> str:
    stems = {name: PurePosixPath(name).stem for name in names}
    found = [name for name, stem in stems.items() if stem == take or stem.endswith(f"_{take}")]
    if len(found) != 1:
        many = f"{len(found)} files are" if found else "no file is"
        raise InputError(f"{at}: {many} called {take}; correct the line")
    return found[0]


def _text(labels: Path, limits: Limits) -> str:
    try:
        with labels.open("rb") as stream:
            text = read_file(stream, limits).decode("utf-8-sig")
        limits.check_lines(text)
    except (OSError, UnicodeDecodeError, LimitError) as error:
        raise InputError(f"{labels} cannot be read ({error}); it must be a text in UTF-8") from error
    return text
