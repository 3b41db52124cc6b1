import hashlib
import re
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bench.ntu_generate import sample_names
from skelnas.errors import InputError
from skelnas.images.splits import SPLITS, assign, check_coverage
from skelnas.skeletons.recording import Sample


def grid(subjects: int = 8, classes: int = 3) -> list[Sample]:
    return [Sample(f"a{c}_s{s}", c, s) for c in range(classes) for s in range(1, subjects + 1)]


def subjects_of(samples: list[Sample], splits: list[str], split: str) -> set[int]:
    return {sample.subject for sample, given_split in zip(samples, splits, strict=True) if given_split == split}


@pytest.fixture(scope="module")
def ntu_samples(oracle: Callable[[str], dict]) -> Callable[[int], list[Sample]]:
    """Every sample of NTU RGB+D 60 or 120 that has a skeleton, in the order of names."""
    original = oracle("ntu")
    lost = set(original["missing"])

    def samples(actions: int) -> list[Sample]:
        names = sample_names({int(setup): subjects for setup, subjects in original["subjects"].items()}, actions)
        numbers = {name: list(map(int, re.findall(r"\d+", name))) for name in names if name not in lost}
        return [
            Sample(name, action - 1, subject, camera, setup, trial)
            for name, (setup, camera, subject, trial, action) in numbers.items()
        ]

    return samples


def sha256_of_index(pool: list[str], split: str) -> str:
    return hashlib.sha256(",".join(str(i) for i, given in enumerate(pool) if given == split).encode()).hexdigest()


@pytest.mark.parametrize(
    ("rule", "actions"),
    [
        ("ntu60-cross-subject", 60),
        ("ntu60-cross-view", 60),
        ("ntu120-cross-subject", 120),
    ],
)
def test_ntu_splits_are_those_of_the_original_study(
    oracle: Callable[[str], dict], ntu_samples: Callable[[int], list[Sample]], rule: str, actions: int
) -> None:
    original = oracle("splits_oracle")[rule.replace("-", "_")]
    samples = ntu_samples(actions)
    splits = assign(samples, {"rule": rule})
    assert Counter(splits) == {split: original[split] for split in SPLITS}
    pool = [split for split in splits if split != "test"]
    assert sha256_of_index(pool, "train") == original["sha256_train"]
    assert sha256_of_index(pool, "valid") == original["sha256_valid"]
    for split in SPLITS:
        assert sorted(subjects_of(samples, splits, split)) == original[f"{split}_subjects"]


def test_ntu120_cross_setup_trains_on_even_setups(ntu_samples: Callable[[int], list[Sample]]) -> None:
    samples = ntu_samples(120)
    splits = assign(samples, {"rule": "ntu120-cross-setup"})
    counts = Counter(splits)
    assert (counts["train"] + counts["valid"], counts["test"]) == (54_468, 59_477)  # as published with CTR-GCN, PYSKL
    assert all((split == "test") == (sample.setup % 2 == 1) for sample, split in zip(samples, splits, strict=True))
    assert all(s % 3 == 0 for s in subjects_of(samples, splits, "valid"))


def test_ntu60_rules_refuse_recordings_of_ntu120() -> None:
    samples = [*grid(), Sample("S018C001P041R001A061", 60, 41, 1, 18)]
    with pytest.raises(InputError, match=r"S018C001P041R001A061 is of NTU RGB\+D 120"):
        assign(samples, {"rule": "ntu60-cross-subject"})


def test_subjects_name_the_pool_and_its_validation_part() -> None:
    samples = grid()
    splits = assign(samples, {"rule": "subjects", "train": [1, 3, 5, 7], "valid": [7]})
    assert [subjects_of(samples, splits, split) for split in SPLITS] == [{1, 3, 5}, {7}, {2, 4, 6, 8}]


def test_leave_subjects_out() -> None:
    samples = grid()
    splits = assign(samples, {"rule": "leave-subjects-out", "test": [2, 4], "valid": [1]})
    assert [subjects_of(samples, splits, split) for split in SPLITS] == [{3, 5, 6, 7, 8}, {1}, {2, 4}]
    splits = assign(samples, {"rule": "leave-one-subject-out", "subject": 8, "valid": [1]})
    assert [subjects_of(samples, splits, split) for split in SPLITS] == [{2, 3, 4, 5, 6, 7}, {1}, {8}]


@given(st.integers(3, 40), st.integers(0, 10**6), st.floats(0.01, 0.4), st.floats(0.01, 0.4))
def test_random_subjects_share_no_subject_and_depend_on_seed_only(
    subjects: int, seed: int, test: float, valid: float
) -> None:
    assume(max(1, round(test * subjects)) + max(1, round(valid * subjects)) < subjects)
    samples = grid(subjects)
    rule = {"rule": "random-subjects", "seed": seed, "test-share": test, "valid-share": valid}
    splits = assign(samples, rule)
    sets = {split: subjects_of(samples, splits, split) for split in SPLITS}
    assert sum(map(len, sets.values())) == subjects
    assert len(sets["test"]) == max(1, round(test * subjects))
    assert len(sets["valid"]) == max(1, round(valid * subjects))
    assert assign(samples[::-1], rule) == splits[::-1]


def test_random_subjects_of_two_seeds_differ_and_stay_what_they_were() -> None:
    samples = grid(20)
    drawn = [
        sorted(subjects_of(samples, assign(samples, rule), "test"))
        for rule in ({"rule": "random-subjects", "seed": s, "test-share": 0.25, "valid-share": 0.1} for s in (1, 2))
    ]
    assert drawn == [[6, 10, 12, 18, 20], [7, 8, 9, 18, 20]]


def test_table_takes_the_split_that_the_source_states() -> None:
    stated = ["train", "test", "valid"]
    samples = [Sample(f"r{i}", 0, 1, split=split) for i, split in enumerate(stated)]
    assert assign(samples, {"rule": "table"}) == stated
    with pytest.raises(InputError, match=r"r3: its split is ''"):
        assign([*samples, Sample("r3", 0, 1)], {"rule": "table"})


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"rule": "odd"}, "split rule 'odd' is not known; choose one of subjects,"),
        ({"rule": "subjects", "train": [1]}, "split rule subjects takes train, valid, but is given train"),
        ({"rule": "table", "seed": 1}, "split rule table takes nothing, but is given seed"),
        (
            {"rule": "subjects", "train": [1, 3, 9, 11], "valid": [3]},
            "names the subjects 9, 11; the source has only 1, 2",
        ),
        ({"rule": "subjects", "train": [1, 3], "valid": [5]}, "valid names 5, which train lacks"),
        ({"rule": "subjects", "train": [1, 3], "valid": []}, "no recording for valid"),
        ({"rule": "subjects", "train": [1, 3], "valid": [1, 3]}, "no recording for train"),
        ({"rule": "subjects", "train": [1, 2, 3, 4, 5, 6, 7, 8], "valid": [3]}, "no recording for test"),
        ({"rule": "leave-subjects-out", "test": [1, 2], "valid": [2]}, "subjects 2 are both in test and in valid"),
        (
            {"rule": "random-subjects", "seed": 1, "test-share": 0.5, "valid-share": 0.5},
            "4 \\+ 4 of 8 subjects for test and valid leave none for train",
        ),
    ],
)
def test_mistakes_are_explained(rule: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        assign(grid(), rule)


def test_a_class_that_is_not_trained_is_refused() -> None:
    samples = [*grid(), Sample("a3_s2", 3, 2)]
    rule = {"rule": "subjects", "train": [1, 3, 5, 7], "valid": [7]}
    with pytest.raises(InputError, match=r"1 of 4 classes have no recording in train \(class 4\)"):
        assign(samples, rule)
    with pytest.raises(InputError, match=r"1 of 4 classes have no recording in train \(class 4 \(wave\)\)"):
        check_coverage(grid(), assign(grid(), rule), ("a", "b", "c", "wave"))
