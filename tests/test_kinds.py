"""A whole file of another kind is said to be what it is; nobody is told to delete anything."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import pytest

from skelnas import hdf5, kinds
from skelnas.errors import InputError
from skelnas.images.image_set import read_image_set, write_image_set
from skelnas.images.manifest import read_manifest
from skelnas.results.networks import read_networks
from skelnas.results.query import Benchmark
from skelnas.results.shard import read_shard
from skelnas.results.summary import read_table

from .images.test_image_set import small

READERS: dict[str, Callable] = {
    "a benchmark": Benchmark,
    "a shard of trainings": read_shard,
    "an image set": read_image_set,
    "networks of a study": read_networks,
}


@pytest.fixture
def files(make_benchmark, write_shard, tmp_path: Path) -> dict[str, Path]:
    """A whole file of each kind, by what it is called."""
    made = make_benchmark([3, 7], [777])
    image_set = tmp_path / "images.h5"
    write_image_set(image_set, small())
    with h5py.File(tmp_path / "foreign.h5", "w") as file:
        file["x"] = [1, 2, 3]
    return {
        "a benchmark": made,
        "the losses of a benchmark": made.with_name(f"{made.stem}.loss.h5"),
        "a shard of trainings": write_shard(tmp_path / "shard.h5", [3], 777),
        "an image set": image_set,
        "a file of another program": tmp_path / "foreign.h5",
    }


@pytest.mark.parametrize("wanted", READERS)
def test_whole_files_of_other_kinds(files, wanted, tmp_path):
    for kind, path in files.items():
        if kind == wanted:
            continue
        with pytest.raises(
            InputError, match=rf"^{re.escape(str(path))} is {kind} and not {wanted}; give another file$"
        ):
            READERS[wanted](path)
        there = tmp_path / "results/some/file.h5"
        there.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, there)
        aside = "move it away and run `snakemake --cores all results/some/file.h5`"
        with pytest.raises(InputError, match=rf"is {kind} and not {wanted}; {aside}$"):
            READERS[wanted](there)


@pytest.mark.parametrize(
    ("wanted", "newer"), [("a benchmark", "skelnas benchmark 3"), ("a shard of trainings", "skelnas shard 12")]
)
def test_of_a_newer_version(wanted, newer, tmp_path):
    hdf5.write(tmp_path / "new.h5", {}, {"format": newer})
    with pytest.raises(InputError, match=rf"was written by a newer skelnas \({newer}, this one reads up to"):
        READERS[wanted](tmp_path / "new.h5")


@pytest.mark.parametrize("reader", [*READERS.values(), read_manifest, read_table])
def test_damaged_and_missing_files(reader, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    inside, outside = Path("results/some/file"), Path("file")
    inside.parent.mkdir(parents=True)
    if reader is not read_networks:
        with pytest.raises(InputError, match=r"^file: there is no such .*; look for its name$"):
            reader(outside)
        with pytest.raises(InputError, match=r"; `snakemake --cores all results/some/file` makes it$"):
            reader(inside)
        with pytest.raises(InputError, match=r"^results/some is a folder, and no .*; give a file$"):
            reader(inside.parent)
    for path in (inside, outside):
        path.write_bytes(b"damaged")
    with pytest.raises(InputError, match=r"; get it again from where it came from$"):
        reader(outside)
    with pytest.raises(InputError, match=r"; `snakemake --cores all --force results/some/file` makes it again$"):
        reader(inside)


def test_targets_are_those_of_the_checkout():
    assert kinds.again("/a/results/b/results/train/x.h5").startswith(
        "`snakemake --cores all --force results/train/x.h5`"
    )
    assert kinds.aside("other/x.h5") == "give another file"
