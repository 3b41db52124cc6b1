"""A user's own recordings, without code: one file of numbers per recording, and a table that says who did what.

In place of the table a `pattern` may say what the files' names mean (`listing`). One file may hold several recordings,
and columns before the coordinates (`segments`).
"""

import functools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from skelnas.errors import InputError
from skelnas.files import sha256_of_file
from skelnas.skeletons.archive_members import Members
from skelnas.skeletons.array_files import SUFFIXES, arrange, confidence, parse_axes, read_array
from skelnas.skeletons.confidence import told, without_unsure
from skelnas.skeletons.listing import Listing, listed_by_pattern, listed_in_table
from skelnas.skeletons.named import Skeleton, skeleton_of
from skelnas.skeletons.readers import TableOptions
from skelnas.skeletons.recording import BadRecording, Recording, Sample, Source, check_layout
from skelnas.skeletons.segments import LABELS, RECORDING, Segment, by_columns, by_labels, check_leading

ASKED = 25  # recordings that are asked for their number of joints


def open_source(files: list[Path], options: TableOptions) -> Source:
    """Open [folder or zip archive of recordings, table] as a `Source`; with a `pattern` there is no table.

    Nor is there one where a `leading` column tells recordings apart. A file of labels (.txt) may stand for the table.

    Without a joint tree all must have as many joints as most have. Recordings that the table does not list are
    excluded.

    Raises:
        InputError: other files than these, a mistake in an option or in the table, or a recording that is not there.
    """
    labelled = len(files) == 2 and Path(files[1]).suffix.lower() == LABELS
    if not labelled:
        check_files("table", files, options.pattern or (RECORDING if RECORDING in options.leading else ""))
    check_leading(options.leading, options.axes)
    if options.scale and (len(options.scale) != 3 or 0 in options.scale):
        raise InputError("scale: give three factors that are not 0, of x, y and z")
    members = Members(files[0], options.limits)
    axes, parents = parse_axes(options.axes), _joint_tree(options.joint_tree)
    recordings = [name for name in members.names if name.lower().endswith(SUFFIXES)]
    array_of = functools.partial(_array, members, options.key)
    segments: dict[str, Segment] = {}
    if RECORDING in options.leading:
        listing, segments = by_columns(recordings, array_of, options.leading, options.classes)
    elif labelled:
        asked = options.pattern, options.leading, options.classes, options.limits
        listing, segments = by_labels(Path(files[1]), recordings, *asked)
    else:
        listing = listed(files, recordings, options)
    read = functools.partial(_read, f"{members.path}", axes, array_of, segments, options)
    skeleton = skeleton_of(options.skeleton, 0) if options.skeleton else Skeleton(())
    joints = len(parents) or len(skeleton.joint_names) or _joints(functools.partial(read, 0), listing.samples)
    named = skeleton_of(options.skeleton, joints)
    return Source(
        class_names=listing.class_names,
        joint_names=named.joint_names,
        parents=parents or named.parents,
        samples=listing.samples,
        read=functools.partial(read, joints),
        excluded=listing.unlisted,
        bodies=max(1, parents.count(-1)) if joints % max(1, parents.count(-1)) == 0 else 1,
        subject_names=listing.subject_names,
        origin={
            "file": members.path.name,
            "bytes": members.size(),
            "content": members.check_content(options.content),
            **_labels_from(files, options),
            "recordings": len(listing.samples),
        },
    )


def check_files(reader: str, files: Sequence[Path], pattern: str) -> None:
    """Refuse other files than recordings and a .csv table, or with a pattern recordings alone.

    Raises:
        InputError: which are needed, and which there are.
    """
    given = ", ".join(str(file) for file in files) or "none"
    if pattern and len(files) != 1:
        raise InputError(f"the reader {reader} with a pattern needs one source, a folder or zip archive, not {given}")
    if not pattern and (len(files) != 2 or Path(files[1]).suffix.lower() != ".csv"):
        raise InputError(
            f"the reader {reader} needs two sources, a folder or zip archive and a .csv table, not {given}; or one, "
            "and a `pattern` that says what the names mean"
        )


def listed(files: Sequence[Path], names: Sequence[str], options: Any) -> Listing:
    """Who did what in the recordings `names`, by the pattern of the options or by the table.

    Raises:
        InputError: a mistake in one of them.
    """
    if options.pattern:
        return listed_by_pattern(options.pattern, names, options.classes, files[0])
    return listed_in_table(Path(files[1]), names, options.classes, options.limits, files[0])


def said_by(files: Sequence[Path], pattern: str) -> dict[str, object]:
    """What the manifest says of where labels come from."""
    if pattern:
        return {"pattern": pattern}
    return {"table": Path(files[1]).name, "table-sha256": sha256_of_file(files[1])}


def source_of(
    members: Members,
    listing: Listing,
    skeleton: Skeleton,
    read: Callable[[Sample], Recording],
    bodies: str,
    **said: Any,
) -> Source:
    """The source of the members that a listing knows; `said` goes into its origin."""
    count = 2 if bodies == "stacked" else 1
    stacked = skeleton.stacked(count)
    return Source(
        class_names=listing.class_names,
        joint_names=stacked.joint_names,
        parents=stacked.parents,
        samples=listing.samples,
        read=read,
        excluded=listing.unlisted,
        bodies=count,
        subject_names=listing.subject_names,
        origin={
            "file": members.path.name,
            "bytes": members.size(),
            "content": members.content_fingerprint(),
            **said,
            "recordings": len(listing.samples),
        },
    )


def _labels_from(files: Sequence[Path], options: TableOptions) -> dict[str, object]:
    """What the manifest says of where labels come from."""
    if RECORDING in options.leading:
        return {"leading": list(options.leading)}
    return said_by(files, "" if len(files) == 2 else options.pattern)


@functools.lru_cache(maxsize=1)
def _array(members: Members, key: str, member: str) -> np.ndarray:
    """The numbers of one file, which may hold several recordings, read one after the other; not to be changed."""
    try:
        content = members.read(member)
    except InputError as error:
        raise BadRecording(str(error)) from error
    return read_array(content, member, key, f"{members.path}: {member}", members.limits)


def _read(
    place: str,
    axes: tuple[str, ...],
    array_of: Callable[[str], np.ndarray],
    segments: Mapping[str, Segment],
    options: TableOptions,
    joints: int,
    sample: Sample,
) -> Recording:
    """One recording; `joints` 0 accepts any number of them. Joints below the least confidence are missing."""
    where, array = f"{place}: {sample.name}", array_of(sample.member)
    if sample.name in segments:
        array = segments[sample.name].lines(array, where)
    if options.leading and array.ndim == 2:
        array = array[:, len(options.leading) :]
    coordinates = arrange(array, axes, where, joints)
    if options.scale:
        coordinates = coordinates * np.array(options.scale)
    scores, least = confidence(array, axes, where, joints), options.min_confidence
    if scores is None:
        return Recording(sample, check_layout(coordinates, where, joints or None), where=where)
    sure = check_layout(without_unsure(coordinates, scores, least), where, joints or None)
    return Recording(sample, sure, where=where, **told(coordinates, scores, least))


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


def _joint_tree(parents: Sequence[int]) -> tuple[int, ...]:
    """The parents, if every joint is below a root; each body has one."""
    reached = {joint for joint, parent in enumerate(parents) if parent == -1}
    for _ in parents:
        reached |= {joint for joint, parent in enumerate(parents) if parent in reached}
    if lost := sorted(set(range(len(parents))) - reached):
        raise InputError(
            f"joint-tree: joint {lost[0]} is not below a root; give each joint's parent, counted from 0, and "
            "-1 for roots"
        )
    return tuple(parents)
