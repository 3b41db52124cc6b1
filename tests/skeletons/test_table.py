import json
import pickle
import unicodedata
import zipfile

import numpy as np
import pytest

from skelnas.errors import InputError
from skelnas.files import write_json
from skelnas.skeletons.readers import READERS
from skelnas.skeletons.recording import BadRecording

ROWS = [
    ("clip10.npy", "wave", 2),
    ("clip2.npy", "bow", 1),
    ("more/clip1.npy", "wave", 1),
]


def motion(seed=0, joints=6, frames=9):
    return np.random.default_rng(seed).normal(size=(joints, frames, 3))


@pytest.fixture
def folder(tmp_path):
    for seed, (file, _, _) in enumerate(ROWS):
        path = tmp_path / "recordings" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, motion(seed))
    return tmp_path / "recordings"


def write_table(folder, lines, name="table.csv"):
    path = folder.parent / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def lines(heading="file,label,subject", rows=ROWS):
    return [heading, *(",".join(map(str, row)) for row in rows)]


def open_table(folder, rows, **options):
    return READERS["table"].open([folder, write_table(folder, rows)], options)


def refused(folder, rows, words, **options):
    with pytest.raises(InputError, match=words) as refusal:
        open_table(folder, rows, **options)
    assert "\n" not in str(refusal.value)


def test_a_folder_and_a_table(folder):
    source = open_table(folder, lines())
    assert source.class_names == ("bow", "wave")
    assert [(s.name, s.label, s.subject, s.split) for s in source.samples] == [
        ("clip2.npy", 0, 1, ""),
        ("clip10.npy", 1, 2, ""),
        ("more/clip1.npy", 1, 1, ""),
    ]
    assert np.array_equal(source.read(source.samples[1]).coordinates, motion(0))
    assert np.array_equal(pickle.loads(pickle.dumps(source)).read(source.samples[2]).coordinates, motion(2))
    assert len(source.joint_names) == 6
    assert source.parents == ()
    assert source.excluded == {}
    assert source.origin["file"] == "recordings"
    assert source.origin["table"] == "table.csv"
    assert source.origin["recordings"] == 3


def test_an_archive_with_a_folder_around_it(folder, tmp_path):
    path = tmp_path / "mine.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file, _, _ in ROWS:
            archive.write(folder / file, f"mine/{file}")
    zipped, plain = open_table(path, lines()), open_table(folder, lines())
    assert [sample.member for sample in zipped.samples] == ["mine/clip2.npy", "mine/clip10.npy", "mine/more/clip1.npy"]
    assert zipped.origin["content"] == plain.origin["content"]
    for first, second in zip(zipped.samples, plain.samples, strict=True):
        assert np.array_equal(zipped.read(first).coordinates, plain.read(second).coordinates)


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_tables_of_spreadsheet_programs(folder, mark):
    content = "\ufeff" + "\r\n".join(lines("File, Label ,Subject")) + "\r\n"
    table = folder.parent / "table.csv"
    table.write_bytes(content.replace(",", mark).encode())
    assert [sample.subject for sample in READERS["table"].open([folder, table], {}).samples] == [1, 2, 1]


def test_quoted_labels_and_all_columns(folder):
    rows = [
        ("clip2.npy", '"bow, deep"', 1, "train", 3, 4, 5, "sunny"),
        ("clip10.npy", '"say ""hi"""', 2, "test", 1, 2, 3, ""),
    ]
    source = open_table(folder, lines("file,label,subject,split,camera,setup,trial,weather", rows))
    assert source.class_names == ("bow, deep", 'say "hi"')
    first = source.samples[0]
    assert (first.subject, first.split, first.camera, first.setup, first.trial) == (1, "train", 3, 4, 5)
    assert source.excluded == {"more/clip1.npy": "not listed in table.csv"}


def test_splits_without_subjects(folder):
    rows = [(file, label, split) for (file, label, _), split in zip(ROWS, ("train", "valid", "test"), strict=True)]
    source = open_table(folder, lines("file,label,split", rows))
    assert [(sample.split, sample.subject) for sample in source.samples] == [("valid", 0), ("train", 0), ("test", 0)]


def test_labels_that_are_numbers_come_in_their_order(folder):
    rows = [(file, label, 1) for (file, _, _), label in zip(ROWS, (10, 9, 2), strict=True)]
    source = open_table(folder, lines(rows=rows))
    assert source.class_names == ("2", "9", "10")
    assert [sample.label for sample in source.samples] == [1, 2, 0]


def test_listed_classes_keep_their_order(folder):
    source = open_table(folder, lines(), classes=["wave", "jump", "bow"])
    assert source.class_names == ("wave", "jump", "bow")
    assert [sample.label for sample in source.samples] == [2, 0, 0]
    refused(folder, lines(), r"table\.csv line 3: label 'bow' is not in `classes`", classes=["wave", "jump"])


def test_options_of_the_arrays(folder):
    (folder / "clip.json").write_text(json.dumps({"pose": motion(7)[:, :, :2].transpose(1, 0, 2).tolist(), "fps": 30}))
    rows = [("clip.json", "wave", 1)]
    options = {"axes": "frames joints xy", "key": "pose", "joint-tree": [-1, 0, 1, 1, 0, 4]}
    source = open_table(folder, lines(rows=rows), **options)
    coordinates = source.read(source.samples[0]).coordinates
    assert np.array_equal(coordinates[:, :, :2], motion(7)[:, :, :2])
    assert not coordinates[:, :, 2].any()
    assert source.parents == (-1, 0, 1, 1, 0, 4)


def test_content_is_checked(folder):
    content = open_table(folder, lines()).origin["content"]
    assert len(open_table(folder, lines(), content=content).samples) == 3
    refused(folder, lines(), "content fingerprint", content="0" * 64)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (["file,subject", "clip2.npy,1"], "lacks the column label; its first line names file, subject"),
        (["file,label", "clip2.npy,1"], r"lacks the column subject \(or split\)"),
        (["clip2.npy,wave,1"], "lacks the column file"),
        (["file,label,subject,Label", "clip2.npy,a,1,b"], "has a column twice"),
        ([""], "lacks the column file; its first line names no columns"),
        (["file,label,subject", "x" * 200_000], "line 2 cannot be read"),
        (["file,label,subject"], "lists no recordings"),
        (["file,label,subject", "clip2.npy,wave"], "line 2 has 2 cells, the first line 3"),
        (
            ["file,label,subject", "clip3.npy,wave,1"],
            r"line 2: clip3\.npy is not in .*recordings; correct the column file",
        ),
        (["file,label,subject", ",wave,1"], "line 2: an empty name is not in"),
        (["file,label,subject", "../table.csv,wave,1"], r"line 2: \.\./table\.csv is not in"),
        (["file,label,subject", "clip2.npy,a,1", "", "./clip2.npy,a,1"], "line 4 names ./clip2.npy like line 2 does"),
        (["file,label,subject", "clip2.npy,wave,-"], "line 2: subject is '-'; write a whole number"),
        (["file,label,subject,camera", "clip2.npy,wave,1,-1"], "line 2: camera is '-1'"),
        (["file,label,split", "clip2.npy,wave,training"], "line 2: split is 'training'; write train, valid or test"),
        (["file,label,split", "clip2.npy,wave,"], "line 2: split is ''"),
    ],
)
def test_mistakes_in_the_table(folder, content, words):
    refused(folder, content, rf"table\.csv.*{words}")


def test_a_name_that_two_members_end_in(folder):
    (folder / "other").mkdir()
    np.save(folder / "other/clip1.npy", motion(9))
    refused(folder, lines(rows=[("clip1.npy", "wave", 1)]), r"clip1\.npy is the end of 2 names in")


def test_mistakes_in_the_sources(folder, tmp_path):
    table = write_table(folder, lines())
    for files in ([], [folder], [table, folder], [folder, table, table]):
        with pytest.raises(InputError, match="needs two sources"):
            READERS["table"].open(files, {})
    with pytest.raises(InputError, match=r"missing\.csv cannot be read"):
        READERS["table"].open([folder, tmp_path / "missing.csv"], {})
    (tmp_path / "excel.csv").write_bytes(b"PK\x03\x04\xff\xfe")
    with pytest.raises(InputError, match=r"excel\.csv cannot be read .*UTF-8"):
        READERS["table"].open([folder, tmp_path / "excel.csv"], {})


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        ([-1, 0, 1, 5, 3, 4], "joint 3 is not below a root"),
        ([0, 0, 1, 1, 1, 1], "joint 0 is not below a root"),
        ([-1, 0, 1, 6, 0, 0], "joint 3 is not below a root"),
    ],
)
def test_mistakes_in_the_joint_tree(folder, tree, words):
    refused(folder, lines(), f"joint-tree: {words}", **{"joint-tree": tree})


def test_joint_counts_must_agree(folder):
    np.save(folder / "clip10.npy", motion(joints=7))
    source = open_table(folder, lines())
    with pytest.raises(BadRecording, match=r"clip10\.npy: 7 joints, expected 6"):
        source.read(source.samples[1])
    np.save(folder / "clip10.npy", motion(joints=6))
    np.save(folder / "clip2.npy", motion(joints=7))  # the first one: the others are more
    source = open_table(folder, lines())
    assert len(source.joint_names) == 6
    np.save(folder / "clip10.npy", motion(joints=7))
    np.save(folder / "clip2.npy", motion(joints=6))
    source = open_table(folder, lines(), **{"joint-tree": [-1, 0, 1, 2, 3, 4, 5]})
    with pytest.raises(BadRecording, match=r"clip2\.npy: 6 joints, expected 7"):
        source.read(source.samples[0])


def test_bad_recordings_spoil_the_others_only_when_all_are_bad(folder):
    np.save(folder / "clip2.npy", np.full((6, 9, 3), np.nan))
    source = open_table(folder, lines())
    with pytest.raises(BadRecording, match=r"clip2\.npy: joint 1 of frame 1 has no finite x"):
        source.read(source.samples[0])
    assert source.read(source.samples[1]).coordinates.shape == (6, 9, 3)
    for file, _, _ in ROWS:
        (folder / file).write_bytes(b"damaged")
    refused(folder, lines(), r"clip1\.npy cannot be read")


def test_a_recording_that_vanished_is_a_bad_one(folder):
    source = open_table(folder, lines())
    (folder / "clip10.npy").unlink()
    with pytest.raises(BadRecording, match=r"clip10\.npy cannot be read"):
        source.read(source.samples[1])


@pytest.mark.parametrize("forms", [("NFC", "NFD"), ("NFD", "NFC"), ("NFD", "NFD")])
def test_names_and_labels_are_compared_in_one_form_of_unicode(folder, forms):
    name, label = "\u00fcbung.npy", "gr\u00fc\u00dfen"
    np.save(folder / unicodedata.normalize(forms[0], name), motion(5))
    np.save(folder / "other.npy", motion(6))
    rows = [(unicodedata.normalize(forms[1], name), label, 1), ("other.npy", unicodedata.normalize("NFD", label), 2)]
    source = open_table(folder, lines(rows=rows))
    assert source.class_names == (label,)
    assert [sample.name for sample in source.samples] == ["other.npy", name]
    assert np.array_equal(source.read(source.samples[1]).coordinates, motion(5))
    listed = open_table(folder, lines(rows=rows), classes=[unicodedata.normalize(forms[0], label)])
    assert [sample.label for sample in listed.samples] == [0, 0]


@pytest.mark.parametrize("label", ["", "  ", '""'])
def test_an_empty_label_is_refused(folder, label):
    refused(folder, lines(rows=[*ROWS[:2], (ROWS[2][0], label, 1)]), r"line 4: the label is empty")


@pytest.mark.parametrize("stray", ["9" * 200 + ".npy", "stray\udcff.npy", "\x1b[31m\n.npy", "a$b\u202e.npy"])
def test_a_stray_file_with_an_odd_name_is_only_listed(folder, tmp_path, stray):
    np.save(folder / stray, motion())
    source = open_table(folder, lines())
    assert list(source.excluded.values()) == ["not listed in table.csv"]
    write_json(tmp_path / "manifest.json", source.excluded)  # as the manifest of an image set does
    assert json.loads((tmp_path / "manifest.json").read_text()) == source.excluded


@pytest.mark.parametrize("subject", ["9" * 19, "9" * 5000, "\u0661", "-1"])
def test_odd_numbers_are_refused(folder, subject):
    refused(
        folder, lines(rows=[*ROWS[:2], (ROWS[2][0], "wave", subject)]), "line 4: subject is .*; write a whole number"
    )


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.full((6, 9, 3), 1.7e308) * np.array([1, -1, 1]), "joint 1 of frame 1 has x = 1.7e[+]308, and no body is"),
        (np.full((6, 9, 3), np.float32(3e38)) * [1, 0, 1], "joint 1 of frame 1 has x = 3e[+]38"),
        (np.zeros((0, 9, 3)), "the recording has no joints"),
        (np.zeros((6, 0, 3)), "the recording has no frames"),
    ],
)
def test_odd_arrays_are_bad_recordings(folder, array, words):
    np.save(folder / "clip2.npy", array)
    source = open_table(folder, lines())
    with pytest.raises(BadRecording, match=words):
        source.read(source.samples[0])


def test_limits_come_from_the_configuration(folder):
    with pytest.raises(BadRecording, match=r"clip1.npy: it is larger .*`limits: member-bytes` allows"):
        open_table(folder, lines(), limits={"member-bytes": 100})
    refused(
        folder, lines(), r"table.csv cannot be read: line 1 has 18 .*`limits: line-bytes`", limits={"line-bytes": 15}
    )
