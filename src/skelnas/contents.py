"""What an archive holds is opened, and held against what else it holds: before it is packed, and when it is verified.

A file is known by its place (`study.paths`): image sets and their manifests, benchmarks and their summaries. Of figures
and tables it is checked that they open; every file must hold something.
"""

import csv
import json
import struct
import xml.etree.ElementTree as ET
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd

from skelnas import hdf5
from skelnas.errors import InputError
from skelnas.images.folds import fold_of
from skelnas.images.image_set import ImageSet, read_image_set
from skelnas.images.manifest import described, read_manifest
from skelnas.pages.seal import is_whole
from skelnas.results.networks import read_networks
from skelnas.results.query import Benchmark
from skelnas.results.summary import read_table, summarise
from skelnas.results.weights import read_weights
from skelnas.untrusted import parse_json

PNG = b"\x89PNG\r\n\x1a\n"
IMAGES, BENCHMARKS, NETWORKS = "results/images/", "results/benchmark/", "results/networks/"
DIGITS = {"rtol": 1e-7, "atol": 1e-6}  # a summary may come from another processor than the one that checks it
Files = Mapping[str, Path]  # name in the archive -> file


def problems(files: Files) -> Iterator[str]:
    """One sentence per file that does not open or contradicts another one; none if all is well."""
    for name in sorted(files, key=lambda name: (not name.startswith(IMAGES), name)):  # the others refer to images
        try:
            _check(name, files)
        except InputError as error:
            told = str(error)
            yield told if name in told or str(files[name]) in told else f"{name}: {told}"
        except PermissionError:
            yield f"{name} cannot be read (Permission denied); correct its permissions"
        except (*hdf5.READ_ERRORS, ET.ParseError, csv.Error) as error:
            yield f"{name} cannot be opened ({type(error).__name__}: {error}); make it again, or get the archive again"


def _check(name: str, files: Files) -> None:
    with files[name].open("rb") as stream:
        if not stream.read(1):
            raise InputError(f"{name} is empty; make it again, or get the archive again")
    path = PurePosixPath(name)
    if name.startswith(IMAGES) and path.suffix == ".h5":
        read_image_set(files[name])
    elif name.startswith(IMAGES) and path.suffix == ".json":
        _check_manifest(name, files)
    elif name.startswith(BENCHMARKS) and path.suffix == ".parquet":
        _check_summary(name, files)
    elif name.startswith(BENCHMARKS) and path.suffix == ".h5":
        if ".loss" not in path.suffixes:
            _check_benchmark(name, files)
        _check_arrays(name, files[name])
    elif name.startswith(NETWORKS):
        read_networks(files[name])
    elif path.suffix in OPENED:
        OPENED[path.suffix](files[name])


def _check_manifest(name: str, files: Files) -> None:
    manifest = read_manifest(files[name])
    fold = manifest.get("fold")
    image_set = files.get(f"{IMAGES}{fold['images']}" if fold else str(PurePosixPath(name).with_suffix(".h5")))
    if image_set is not None:
        images = read_image_set(image_set)
        check_manifest(manifest, fold_of(images, fold) if fold else images, name)


def check_manifest(manifest: dict[str, Any], image_set: ImageSet, where: str) -> None:
    """Refuse a manifest that says something else than its image set.

    Raises:
        InputError: the first key that differs.
    """
    for key, value in described(image_set).items():
        if manifest.get(key) != value:
            raise InputError(
                f"{where}: {key} is {json.dumps(manifest.get(key))[:60]}, the image set has {json.dumps(value)[:60]}; "
                "both come from one conversion, make them again"
            )


def _check_arrays(name: str, path: Path) -> None:
    """Refuse a file with an array that is not what was written; files of format 1 do not say what was."""
    with hdf5.opened(path) as (_, attributes):
        told = hdf5.ARRAYS in attributes
    if told and (damaged := hdf5.damaged_arrays(path)):
        raise InputError(f"{name} is damaged in {', '.join(damaged)}; make it again, or get the archive again")


def _check_benchmark(name: str, files: Files) -> None:
    with Benchmark(files[name]) as benchmark:
        manifest_name = f"{IMAGES}{benchmark.dataset}.json"
        if manifest_name not in files:
            return
        manifest = read_manifest(files[manifest_name])
        told = {
            "fingerprint": benchmark.fingerprint,
            "height": benchmark.height,
            "width": benchmark.width,
        }
        for key, value in told.items():
            if manifest.get(key) != value:
                raise InputError(
                    f"{name}: {key} is {value}, {manifest_name} has {manifest.get(key)}; it was trained on other images"
                )
        if len(manifest["classes"]) != benchmark.classes:
            raise InputError(f"{name}: it has {benchmark.classes} classes, {manifest_name} has others")


def _check_summary(name: str, files: Files) -> None:
    table, benchmark_name = read_table(files[name]), str(PurePosixPath(name).with_suffix(".h5"))
    if benchmark_name not in files:
        return
    with Benchmark(files[benchmark_name]) as benchmark:
        expected = summarise(benchmark)
    if list(table.columns) != list(expected.columns) or len(table) != len(expected):
        raise InputError(f"{name} has other rows or columns than {benchmark_name} gives; make it again")
    for column in expected:
        if not _same(table[column], expected[column]):
            raise InputError(f"{name}: the column {column} is not what {benchmark_name} gives; make it again")
    if table.attrs != expected.attrs:
        raise InputError(f"{name} names another data set, recipe or identity than {benchmark_name}; make it again")


def _same(found: pd.Series, expected: pd.Series) -> bool:
    if pd.api.types.is_float_dtype(expected):
        return pd.api.types.is_float_dtype(found) and bool(np.allclose(found, expected, equal_nan=True, **DIGITS))
    return found.tolist() == expected.tolist()


def _open_png(path: Path) -> None:
    """Refuse a file whose chunks are not whole, by their checksums."""
    content = path.read_bytes()
    if content[:8] != PNG:
        raise ValueError("it does not begin like a png")
    at, kind = 8, b""
    while kind != b"IEND":
        if at + 12 > len(content):
            raise ValueError("the png is cut off")
        length, kind = struct.unpack_from(">I4s", content, at)
        chunk = content[at + 4 : at + 8 + length]
        checksum = content[at + 8 + length : at + 12 + length]
        if zlib.crc32(chunk).to_bytes(4, "big") != checksum:
            raise ValueError(f"the png is damaged at byte {at}")
        at += 12 + length


def _open_svg(path: Path) -> None:
    if not ET.parse(path).getroot().tag.endswith("svg"):
        raise ValueError("it is no svg")


def _open_table(path: Path) -> None:
    with path.open(encoding="utf-8", newline="") as stream:
        lengths = {len(row) for row in csv.reader(stream)}
    if len(lengths) != 1:
        raise ValueError("its lines have different numbers of cells")


def _open_json(path: Path) -> None:
    parse_json(path.read_bytes())


def _open_page(path: Path) -> None:
    if not is_whole(path.read_bytes()):
        raise ValueError("the page is not what was written")


OPENED: dict[str, Callable[[Path], object]] = {
    ".png": _open_png,
    ".svg": _open_svg,
    ".csv": _open_table,
    ".json": _open_json,
    ".html": _open_page,
    ".safetensors": read_weights,
}
