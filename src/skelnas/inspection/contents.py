"""What is in an opened source, in a few lines, and the split that fits it."""

from typing import Any

from skelnas.errors import InputError
from skelnas.images.splits import assign, by_number
from skelnas.skeletons.recording import BadRecording, Source

LOOKED_AT = 50  # recordings that are read
SHARE = 0.25


def found(source: Source) -> list[str]:
    """What is there, in a few lines; up to `LOOKED_AT` recordings are read.

    Raises:
        BadRecording: none of them can be read.
    """
    samples, read, bad = source.samples, [], []
    for sample in samples[:: -(-len(samples) // LOOKED_AT)]:
        try:
            read.append(source.read(sample))
        except BadRecording as error:
            bad.append(error)
    if not read:
        raise bad[0]
    lengths = [one.coordinates.shape[1] for one in read]
    planar = not any(one.coordinates[:, :, 2].any() for one in read)
    subjects = {sample.subject for sample in samples}
    gaps = (
        sum(one.frames_without_body for one in read),
        sum(one.padding for one in read),
        sum(one.missing_joints for one in read),
    )
    return [
        f"recordings: {len(samples)}" + (f", {len(source.excluded)} left out" if source.excluded else ""),
        f"labels: {len(source.class_names)} ({', '.join(source.class_names[:6])}"
        f"{', ...' if source.class_names[6:] else ''})",
        f"subjects: {'not stated' if subjects == {0} else len(subjects)}",
        f"joints: {len(source.joint_names)}{' in the plane' if planar else ''}, {source.joint_names[0]} first",
        f"frames: {min(lengths)} to {max(lengths)}, in the {len(read)} recordings looked at",
        f"gaps: {gaps[0]} empty frames ({gaps[1]} of them padding), {gaps[2]} missing joints"
        + (f"; {len(bad)} recordings cannot be used, the first: {bad[0]}" if bad else ""),
    ]


def split_for(source: Source) -> tuple[dict[str, Any], str]:
    """A split rule that gives each split recordings, and why this one."""
    subjects = sorted({sample.subject for sample in source.samples})
    names = [source.subject_names.get(subject, subject) for subject in subjects]
    stated = {sample.split for sample in source.samples}
    training = {sample.subject for sample in source.samples if sample.split == "train"}
    rules: list[tuple[dict[str, Any], str]] = []
    if stated == {"train", "valid", "test"}:
        rules.append(({"rule": "table"}, "the source states all three parts"))
    if stated == {"train", "test"}:
        by = "subject" if len(training) > 2 else "recording"
        drawn = {"rule": "table", "valid-share": SHARE, "seed": 1, "by": by}
        rules.append((drawn, f"the source states train and test; a quarter of train, by {by}, validates"))
    if len(subjects) > 2:
        rule: dict[str, Any] = {"rule": "leave-subjects-out", "valid": [names[-2]], "test": [names[-1]]}
        if len(subjects) > 7:
            rule = {"rule": "random-subjects", "seed": 1, "test-share": SHARE, "valid-share": SHARE}
        rules.append((rule, "nobody who is tested was trained on"))
    drawn = {"rule": "random-recordings", "seed": 1, "test-share": SHARE, "valid-share": SHARE}
    rules.append((drawn, "too few subjects are known to keep people apart, so recordings of each class are drawn"))
    reason = InputError("there are too few recordings to split")
    for rule, why in rules:
        try:
            assign(source.samples, by_number(rule, source.subject_names), source.class_names)
            return rule, why
        except InputError as error:
            reason = error
    raise reason
