"""Archives of trainings so small that they take moments, trained again."""

import dataclasses
import json
import zipfile
from argparse import Namespace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from skelnas import hdf5
from skelnas.archive import TRAINED_ON, write_archive
from skelnas.commands import main
from skelnas.commands.reproduce import _images
from skelnas.crate import Metadata
from skelnas.errors import InputError
from skelnas.images.folds import FoldOptions, fold_manifest
from skelnas.images.image_set import sealed, write_image_set
from skelnas.images.manifest import described, write_manifest
from skelnas.recipe import Recipe
from skelnas.results.benchmark import Expected, aggregate
from skelnas.results.timing import merge_timings
from skelnas.results.trained_on import trained_on
from skelnas.training.settings import Settings
from skelnas.training.shard import train_shard
from tests.training.conftest import tiny_image_set

CELLS, SEEDS = [0, 9, 123], (777, 888)
METADATA = Metadata("A study", "Three cells.", "2026-11-22", "https://spdx.org/licenses/CC-BY-4.0", ("Ada",))
BENCHMARK, IMAGES = "results/benchmark/one/tiny/short.h5", "results/images/tiny.h5"


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> dict[str, Path]:
    """The members of an archive of three cells with two seeds, trained by the plain engine."""
    folder = tmp_path_factory.mktemp("trained")
    images, recipe = tiny_image_set(), Recipe(epochs=1, batch_size=8)
    shards = {seed: [folder / f"{seed}.h5"] for seed in SEEDS}
    settings = Settings(engine="plain", device="cpu")
    for seed, (shard,) in shards.items():
        train_shard(images, recipe, CELLS, seed, shard, settings, "tiny", "short")
    files = {name: folder / Path(name).name for name in (BENCHMARK, IMAGES, TRAINED_ON, "Snakefile")}
    files["results/images/tiny.json"] = folder / "tiny.json"
    expected = Expected("tiny", images.fingerprint, "short", recipe, images.classes, images.height, images.width)
    aggregate(shards, CELLS, expected, files[BENCHMARK])
    write_image_set(files[IMAGES], images)
    write_manifest(files["results/images/tiny.json"], described(images))
    timing = merge_timings([shard for (shard,) in shards.values()])
    files[TRAINED_ON].write_text(json.dumps({"tiny/short": trained_on(timing)}))
    files["Snakefile"].write_text("rule all:\n")
    return files


@pytest.fixture
def pack(trained, tmp_path):
    """Packs these members, less `without`, with the trainings' origins changed by `origin`."""

    def packed(*without: str, **origin: str) -> str:
        groups = json.loads(trained[TRAINED_ON].read_text())
        groups["tiny/short"] = [group | origin for group in groups["tiny/short"]]
        (tmp_path / TRAINED_ON).write_text(json.dumps(groups))
        files = {**trained, TRAINED_ON: tmp_path / TRAINED_ON}
        write_archive("one", {k: v for k, v in files.items() if k not in without}, METADATA, tmp_path / "one.zip")
        return str(tmp_path / "one.zip")

    return packed


def reproduced(capsys, *arguments: str) -> tuple[int, dict]:
    status = main(["reproduce", *arguments, "--processes", "1", "--json"])
    return status, json.loads(capsys.readouterr().out)["tiny/short"]


def test_on_the_same_processor_every_count_is_equal(pack, capsys):
    status, told = reproduced(capsys, pack(), "--cells", "2")
    assert (status, told["agrees"], told["same processor, engine and torch"]) == (0, True, True)
    assert [(split["equal"], split["counts"], split["largest"]) for split in told["splits"]] == [(4, 4, 0)] * 3
    assert [one["seed"] for one in told["trainings"]] == [777, 888]
    assert {one["engine"] for one in told["trainings"]} == {told["here"]["engine"]} == {"plain"}
    assert told["verdict"] == "agrees: all 12 counts are equal"


def test_it_prints_what_was_compared_and_with_what(pack, capsys):
    assert main(["reproduce", pack(), "--cells", "9,", "--processes", "1"]) == 0
    out, progress = capsys.readouterr()
    assert out.startswith("tiny/short: 2 trainings of 1 of 3 cells\n  in the archive: ")
    assert f"engine plain, torch {torch.__version__}" in out
    assert out.endswith("tiny/short agrees: all 12 counts are equal\n")
    assert progress.startswith("2 trainings of 1 epoch on ")
    assert "tiny short: 2/2 trainings (100%)" in progress


@pytest.fixture
def other_counts(trained, tmp_path, monkeypatch):
    """As if another machine had trained: what is trained here gets as many samples more as is given."""
    from skelnas import reproduction
    from skelnas.training.engines import train_jobs

    def by(more: int) -> None:
        def changed(request, record):
            def other(cell, seed, curves, seconds):
                curves.top1[:] = (curves.top1 + more).clip(0, 6)
                record(cell, seed, curves, seconds)

            return train_jobs(request, other)

        monkeypatch.setattr(reproduction, "train_jobs", changed)

    return by


def test_other_counts_of_the_same_processor_are_no_agreement(pack, capsys, other_counts):
    other_counts(1)
    status, told = reproduced(capsys, pack(), "--cells", "9,")
    assert status == 1
    assert "the same processor, engine and torch must give all of them" in told["verdict"]


def test_another_processor_may_differ_within_noise(pack, capsys, other_counts):
    other_counts(1)
    status, told = reproduced(capsys, pack(device="Another processor"), "--cells", "9,")
    assert (status, told["same processor, engine and torch"]) == (0, False)
    assert told["verdict"].startswith("agrees within noise: ")
    assert {one["device"] for one in told["trainings"]} == {"Another processor"}


def test_a_precision_that_is_not_here_is_replaced(trained, tmp_path, pack, capsys):
    from skelnas.reproduction import _recipe

    recipe, instead = _recipe(Recipe(epochs=1, batch_size=8, precision="tf32", exact_epochs=1), torch.device("cpu"))
    assert (recipe.precision, recipe.exact_epochs) == ("fp32", 0)
    assert instead.endswith(" has no tf32: fp32 is used instead")


def test_images_may_be_given(pack, trained, tmp_path, capsys):
    archive = pack(IMAGES)
    assert main(["reproduce", archive]) == 1
    fingerprint = tiny_image_set().fingerprint
    assert f"does not hold the images of tiny: give by --images the image set with the fingerprint {fingerprint};" in (
        capsys.readouterr().err
    )
    write_image_set(tmp_path / "others.h5", tiny_image_set(test=9))
    assert main(["reproduce", archive, "--images", str(tmp_path / "others.h5")]) == 1
    assert "others.h5: other fingerprints" in capsys.readouterr().err
    given = ("--images", str(tmp_path / "others.h5"), str(trained[IMAGES]))
    assert reproduced(capsys, archive, *given, "--cells", "1")[0] == 0


def test_the_images_of_a_fold_come_out_of_those_of_all(tmp_path):
    counted = {name: np.ones(40, dtype=np.int64) for name in ("pool_lengths", "pool_frames_without_body")}
    everyone = sealed(dataclasses.replace(tiny_image_set(train=30, valid=10, test=0), **counted))
    values = fold_manifest(everyone, FoldOptions(count=2, by="recording"), 1)
    images = tmp_path / "results/images"
    write_manifest(images / "tiny-fold1.json", values)
    write_image_set(images / "tiny.h5", everyone)
    wanted = SimpleNamespace(dataset="tiny-fold1", fingerprint=values["fingerprint"])
    found = _images(Namespace(archive="one.zip", images=[]), tmp_path, wanted)
    assert (found.fingerprint, found.counts["test"]) == (values["fingerprint"], 20)
    (images / "tiny.h5").unlink()
    with pytest.raises(InputError, match=f"images of tiny: give by --images .* {everyone.fingerprint};"):
        _images(Namespace(archive="one.zip", images=[]), tmp_path, wanted)


def one_bit(members):
    content = bytearray(members[BENCHMARK])
    content[len(content) // 2] ^= 1
    members[BENCHMARK] = bytes(content)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (one_bit, f"{BENCHMARK} is damaged: its SHA-256 is "),
        (lambda members: members.pop(IMAGES), f"{IMAGES} is in manifest-sha256.txt but not in the archive"),
        (lambda members: members.update(more=b"1"), "more is in the archive but not in manifest-sha256.txt"),
    ],
)
def test_nothing_is_trained_of_an_archive_that_is_not_whole(pack, change, told, capsys):
    archive = Path(pack())
    with zipfile.ZipFile(archive) as packed:
        members = {name: packed.read(name) for name in packed.namelist()}
    change(members)
    with zipfile.ZipFile(archive, "w") as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    assert main(["reproduce", str(archive)]) == 1
    (sentence,) = capsys.readouterr().err.splitlines()
    assert told in sentence
    assert sentence.endswith("nothing was trained, get the archive again")


@pytest.mark.parametrize(
    ("attribute", "value", "told"),
    [
        ("format", "skelnas benchmark 9", "benchmark"),
        ("network_version", 99, "was trained with version 99 of the network, this skelnas has 1"),
    ],
)
def test_another_version_is_told(pack, trained, tmp_path, monkeypatch, capsys, attribute, value, told):
    with hdf5.opened(trained[BENCHMARK]) as (file, attributes):
        arrays = {name: hdf5.Stored(file[name][()]) for name in file}
        kept = {name: attributes[name] for name in attributes if name not in (hdf5.ARRAYS, "identity")}
    other = tmp_path / "other.h5"
    hdf5.write(other, arrays, kept | {attribute: value}, seal="identity")
    monkeypatch.setattr("skelnas.archive._looked_into", lambda files: [])  # which refuses to pack another format
    monkeypatch.setitem(trained, BENCHMARK, other)
    assert main(["reproduce", pack(), "--cells", "1"]) == 1
    (sentence,) = capsys.readouterr().err.splitlines()
    assert told in sentence


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--cells", "0"], "--cells 0 trains nothing"),
        (["--cells", "11,"], "has no cell 11"),
        (["--run", "tiny/long"], "has no run tiny/long; it has tiny/short"),
        (["--processes", "0"], "--processes 0: give 1 or more"),
    ],
)
def test_wrong_arguments_are_told(pack, capsys, arguments, told):
    assert main(["reproduce", pack(), *arguments]) == 1
    (sentence,) = capsys.readouterr().err.splitlines()
    assert told in sentence
