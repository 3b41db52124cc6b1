"""Split rules: which recordings train, validate and test.

The training pool is train + valid. A rule looks at what is known of a recording (subject, camera, setup, the split its
source states), never at its position in a list, so a missing file moves nobody else.
"""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from skelnas.errors import InputError
from skelnas.recipe import SPLITS
from skelnas.skeletons.recording import Sample

# Shahroudy et al. 2016 (NTU RGB+D) and Liu et al. 2019 (NTU RGB+D 120): the subjects of the official training sets.
NTU60_SUBJECTS = frozenset((1, 2, 4, 5, 8, 9, *range(13, 20), 25, 27, 28, 31, 34, 35, 38))
NTU120_SUBJECTS = NTU60_SUBJECTS | frozenset(
    (45, 46, 47, 49, 50, *range(52, 60), 70, 74, 78, *range(80, 87), 89, *range(91, 96), 97, 98, 100, 103)
)
NTU60_LAST_SETUP = 17


def assign(samples: Sequence[Sample], rule: Mapping[str, Any], class_names: Sequence[str] = ()) -> list[str]:
    """Say for each sample whether it is "train", "valid" or "test" by the rule named in `rule["rule"]`.

    With `class_names`, each of these classes must be trained, not only those of the samples.

    subjects                the subjects in `train` (the pool) without those in `valid` train; all others test
    leave-subjects-out      `test` and `valid` name subjects; all others train
    leave-one-subject-out   the same with one test `subject`
    random-subjects         `test-share` and `valid-share` of all subjects, drawn with `seed`; at least one each
    table                   each sample's own split, as its source states it; with `valid-share`, where it states no
                            valid, this share of train is drawn with `seed`, `by` subject or recording of each class
    cameras                 `test` names cameras, `valid` as well, or `valid-share` as for table; all others train
    random-recordings       `test-share` and `valid-share` of each class's recordings, drawn with `seed`
    ntu60-cross-subject     official 20 training subjects; of these, numbers with remainder 2 by 3 validate
    ntu60-cross-view        cameras 2 and 3; of these, subject numbers divisible by 3 validate
    ntu120-cross-subject    official 53 training subjects; of these, numbers with remainder 2 by 3 validate
    ntu120-cross-setup      even setups; of these, subject numbers divisible by 3 validate

    The NTU protocols have no official validation set; the first three above are those of the original study. Its
    cross-setup rule trained on the odd setups, the reverse of the protocol; here the even ones train, and validation
    follows cross-view, as both split by something else than the subject.

    Raises:
        InputError: unknown rule or key, a subject that does not occur, a split without samples, an untrained class.
    """
    name = rule.get("rule")
    if name not in RULES:
        raise InputError(f"split rule {name!r} is not known; choose one of {', '.join(RULES)}")
    split_of, keys = RULES[name]
    given = set(rule) - {"rule"}
    if given not in ({*keys}, *({*keys, *more} for more in MORE.get(name, ()))):
        raise InputError(f"split rule {name} takes {_listed(keys)}, but is given {_listed(set(rule) - {'rule'})}")
    splits = split_of(samples, rule)
    check_coverage(samples, splits, class_names)
    return splits


def check_coverage(
    samples: Sequence[Sample],
    splits: Sequence[str],
    class_names: Sequence[str] = (),
    needed: Sequence[str] = SPLITS,
) -> None:
    """Raise `InputError` where a split of `needed` has no sample, or train lacks a class (of the samples, or of
    `class_names`)."""
    for split in needed:
        if split not in splits:
            raise InputError(f"the split rule leaves no recording for {split}; change the rule or add recordings")
    trained = {sample.label for sample, split in zip(samples, splits, strict=True) if split == "train"}
    classes = set(range(len(class_names))) or {sample.label for sample in samples}
    if untrained := sorted(classes - trained):
        shown = [f"{label + 1} ({class_names[label]})" if class_names else str(label + 1) for label in untrained[:5]]
        listed = ", ".join(shown) + (", ..." if untrained[5:] else "")
        raise InputError(
            f"{len(untrained)} of {len(classes)} classes have no recording in train (class {listed});"
            " change the split rule or add recordings"
        )


def _subjects(samples: Sequence[Sample], rule: Mapping[str, Any]) -> list[str]:
    pool, valid = set(rule["train"]), set(rule["valid"])
    _check_subjects(samples, pool | valid)
    if outside := valid - pool:
        raise InputError(
            f"split rule subjects: valid names {_listed(outside)}, which train lacks;"
            " train is the whole pool and valid a part of it"
        )
    return _by_subject(samples, valid, {sample.subject for sample in samples} - pool)


def _leave_subjects_out(samples: Sequence[Sample], rule: Mapping[str, Any]) -> list[str]:
    test, valid = set(rule["test"]), set(rule["valid"])
    _check_subjects(samples, test | valid)
    if both := test & valid:
        raise InputError(f"split rule {rule['rule']}: subjects {_listed(both)} are both in test and in valid; keep one")
    return _by_subject(samples, valid, test)


def _leave_one_subject_out(samples: Sequence[Sample], rule: Mapping[str, Any]) -> list[str]:
    return _leave_subjects_out(samples, {**rule, "test": [rule["subject"]]})


def _random_subjects(samples: Sequence[Sample], rule: Mapping[str, Any]) -> list[str]:
    subjects = sorted({sample.subject for sample in samples})
    test, valid = (max(1, round(rule[key] * len(subjects))) for key in ("test-share", "valid-share"))
    if test + valid >= len(subjects):
        raise InputError(
            f"split rule random-subjects: {test} + {valid} of {len(subjects)} subjects for test and valid leave none"
            " for train; lower the shares"
        )
    random.Random(rule["seed"]).shuffle(subjects)
    return _by_subject(samples, set(subjects[test : test + valid]), set(subjects[:test]))


def _table(samples: Sequence[Sample], rule: Mapping[str, Any]) -> list[str]:
    for sample in samples:
        if sample.split not in SPLITS:
            raise InputError(
                f"{sample.name}: its split is {sample.split!r}; the rule table needs train, valid or test for each"
            )
    return [sample.split for sample in samples]


def _stated(samples: Sequence[Sample], rule: Mapping[str, Any]) -> list[str]:
    if "valid-share" not in rule:
        return _table(samples, rule)
    if any(sample.split == "valid" for sample in samples):
        raise InputError("split rule table: the source has a part valid; leave valid-share, seed and by out")
    splits = [sample.split for sample in samples]
    unknown = [sample for sample in samples if sample.split not in SPLITS]
    return _table(unknown, rule) if unknown else with_valid(samples, splits, rule)


def _cameras(samples: Sequence[Sample], rule: Mapping[str, Any]) -> list[str]:
    known = {sample.camera for sample in samples}
    if unknown := {*rule["test"], *rule.get("valid", ())} - known:
        raise InputError(f"the split rule names the cameras {_listed(unknown)}; the source has only {_listed(known)}")
    splits = [
        "test" if sample.camera in rule["test"] else "valid" if sample.camera in rule.get("valid", ()) else "train"
        for sample in samples
    ]
    return splits if "valid" in rule else with_valid(samples, splits, rule)


def _random_recordings(samples: Sequence[Sample], rule: Mapping[str, Any]) -> list[str]:
    splits = ["train"] * len(samples)
    _draw(samples, splits, "test", rule["test-share"], rule["seed"])
    _draw(samples, splits, "valid", rule["valid-share"] / (1 - rule["test-share"]), rule["seed"])
    return splits


def with_valid(samples: Sequence[Sample], splits: list[str], rule: Mapping[str, Any]) -> list[str]:
    """The splits with a share of train moved to valid: whole subjects, or recordings of each class.

    `rule` has `valid-share`, `seed` and `by` ("subject" or "recording").

    Raises:
        InputError: by subject, with a single one in train.
    """
    if rule["by"] == "recording":
        _draw(samples, splits, "valid", rule["valid-share"], rule["seed"])
        return splits
    subjects = sorted({one.subject for one, split in zip(samples, splits, strict=True) if split == "train"})
    number = max(1, round(rule["valid-share"] * len(subjects)))
    if number >= len(subjects):
        raise InputError(f"train has {len(subjects)} subjects, too few for some to validate; take `by: recording`")
    chosen = set(random.Random(rule["seed"]).sample(subjects, number))
    return [
        "valid" if split == "train" and one.subject in chosen else split
        for one, split in zip(samples, splits, strict=True)
    ]


def _draw(samples: Sequence[Sample], splits: list[str], split: str, share: float, seed: int) -> None:
    """Move a share of each class's recordings from train to `split`, at least one where there are several."""
    draw = random.Random(f"{seed} {split}")
    for label in sorted({sample.label for sample in samples}):
        of_class = [place for place, one in enumerate(samples) if one.label == label and splits[place] == "train"]
        number = min(max(1, round(share * len(of_class))), len(of_class) - 1)
        for place in draw.sample(of_class, max(number, 0)):
            splits[place] = split


def _ntu(in_pool: Callable[[Sample], bool], valid_remainder: int, last_setup: int | None = None) -> Callable:
    def split_of(samples: Sequence[Sample], rule: Mapping[str, Any]) -> list[str]:
        for sample in samples:
            if last_setup and sample.setup > last_setup:
                raise InputError(
                    f"{sample.name} is of NTU RGB+D 120, but the rule {rule['rule']} of NTU RGB+D 60;"
                    " take a rule whose name begins with ntu120, or only the archive of setups 1 to 17"
                )
        return [
            "test" if not in_pool(sample) else "valid" if sample.subject % 3 == valid_remainder else "train"
            for sample in samples
        ]

    return split_of


RULES: dict[str, tuple[Callable[[Sequence[Sample], Mapping[str, Any]], list[str]], tuple[str, ...]]] = {
    "subjects": (_subjects, ("train", "valid")),
    "leave-subjects-out": (_leave_subjects_out, ("test", "valid")),
    "leave-one-subject-out": (_leave_one_subject_out, ("subject", "valid")),
    "random-subjects": (_random_subjects, ("seed", "test-share", "valid-share")),
    "table": (_stated, ()),
    "cameras": (_cameras, ("test",)),
    "random-recordings": (_random_recordings, ("seed", "test-share", "valid-share")),
    "ntu60-cross-subject": (_ntu(lambda sample: sample.subject in NTU60_SUBJECTS, 2, NTU60_LAST_SETUP), ()),
    "ntu60-cross-view": (_ntu(lambda sample: sample.camera in (2, 3), 0, NTU60_LAST_SETUP), ()),
    "ntu120-cross-subject": (_ntu(lambda sample: sample.subject in NTU120_SUBJECTS, 2), ()),
    "ntu120-cross-setup": (_ntu(lambda sample: sample.setup % 2 == 0, 0), ()),
}


DRAWN = ("valid-share", "seed", "by")
MORE: dict[str, list[tuple[str, ...]]] = {
    "table": [DRAWN],
    "cameras": [DRAWN, ("valid",)],
}  # keys that a rule takes besides, all or none


def by_number(rule: Mapping[str, Any], subject_names: Mapping[int, str]) -> dict[str, Any]:
    """The rule with numbers in place of the subjects' names.

    Raises:
        InputError: a name that no subject has.
    """
    numbers = {name: number for number, name in subject_names.items()}

    def number(subject: Any) -> int:
        if isinstance(subject, int) and not numbers:
            return subject
        if str(subject) not in numbers:
            there = ", ".join(numbers) or "numbers only"
            raise InputError(f"the split rule names the subject {subject!r}; the source has {there}")
        return numbers[str(subject)]

    if rule.get("rule") not in ("subjects", "leave-subjects-out", "leave-one-subject-out"):
        return dict(rule)
    return {
        key: [number(one) for one in value] if isinstance(value, list) else number(value) if key == "subject" else value
        for key, value in rule.items()
    }


def _by_subject(samples: Sequence[Sample], valid: set[int], test: set[int]) -> list[str]:
    return ["test" if s.subject in test else "valid" if s.subject in valid else "train" for s in samples]


def _check_subjects(samples: Sequence[Sample], named: set[int]) -> None:
    known = {sample.subject for sample in samples}
    if unknown := named - known:
        raise InputError(f"the split rule names the subjects {_listed(unknown)}; the source has only {_listed(known)}")


def _listed(values: Iterable) -> str:
    return ", ".join(map(str, sorted(values))) or "nothing"
