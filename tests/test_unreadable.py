"""A file that may not be read is never called damaged, and nobody is told to delete it, whoever reads it."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from skelnas.errors import InputError
from skelnas.images.image_set import read_image_set
from skelnas.images.manifest import read_manifest
from skelnas.results.query import Benchmark
from skelnas.results.shard import read_shard
from skelnas.skeletons.archive_members import Members
from skelnas.skeletons.ntu.reader import missing_samples
from skelnas.study.configuration import read

READERS: dict[str, Callable[[Path], object]] = {
    "image set": read_image_set,
    "manifest": read_manifest,
    "shard": read_shard,
    "benchmark": lambda path: Benchmark(path).values("test"),
    "archive of recordings": Members,
    "missing samples": missing_samples,
    "configuration": lambda path: read([path], "workflow/schemas/config.schema.yaml"),
}


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO])
@pytest.mark.parametrize("kind", READERS)
def test_refused_by_the_operating_system(
    kind: str, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(b"some bytes")
    real = open

    def refuse(name, *arguments, **options):  # for the administrator too, to whom permissions mean nothing
        if str(name) == str(path):
            raise OSError(number, os.strerror(number), str(path))
        return real(name, *arguments, **options)

    monkeypatch.setattr("builtins.open", refuse)
    monkeypatch.setattr("io.open", refuse)
    with pytest.raises(InputError) as caught:
        READERS[kind](path)
    assert os.strerror(number) in str(caught.value)
    for word in ("delete", "truncated", "make room", "download"):
        assert word not in str(caught.value)
    assert path.exists()
