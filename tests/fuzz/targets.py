"""Every format that is read: how a small file of it is made, and how the product reads it."""

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.io

from bench.ntu_generate import write_archive as write_ntu
from skelnas.archive import verify_archive, write_archive
from skelnas.crate import Metadata
from skelnas.files import read_record, sha256_of_file, write_json, write_record
from skelnas.images.build import build_image_set, manifest
from skelnas.images.image_set import read_image_set, write_image_set
from skelnas.images.manifest import read_manifest, write_manifest
from skelnas.receipts import held_against_receipt
from skelnas.recipe import Recipe
from skelnas.results.benchmark import Expected, aggregate
from skelnas.results.query import Benchmark
from skelnas.results.shard import Shard, identity, read_shard, write_shard
from skelnas.results.summary import read_table, summarise, write_table
from skelnas.skeletons.array_files import read_array
from skelnas.skeletons.readers import READERS
from skelnas.skeletons.recording import Source
from skelnas.study.configuration import read
from skelnas.training.journal import Entry, Journal
from skelnas.training.journal_file import journal_files
from skelnas.training.metrics import Curves

from ..images.small import RULE, small_source
from ..skeletons import formats

SCHEMA = Path(__file__).resolve().parents[2] / "workflow/schemas/config.schema.yaml"
POSES = np.random.default_rng(1).normal(size=(20, 3, 6))
CELLS, SEEDS, SAMPLES = [0, 7, 11], (777, 888), np.array([24, 8, 16])
RECIPE = Recipe(epochs=3, batch_size=4)


@dataclass(frozen=True)
class Target:
    """A format: `make` writes files into a folder and returns the one that is damaged; `read` gives what it says.

    `checked`: the format carries checksums, so that damage which is not noticed must not change what it says. Of the
    others every number that a damaged file still holds is as good as any other.
    """

    name: str
    make: Callable[[Path], Path]
    read: Callable[[Path], object]
    checked: bool = True


def _of_source(source: Source) -> object:
    """Everything that a source says."""
    recordings = [(sample, source.read(sample)) for sample in source.samples]
    return source.class_names, [(sample, found.coordinates.tobytes()) for sample, found in recordings], source.excluded


def utd_mhad_archive(folder: Path) -> Path:
    """Three recordings in UTD-MHAD's form."""
    with zipfile.ZipFile(folder / "Skeleton.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for subject in range(1, 4):
            archive.writestr(f"a1_s{subject}_t1_skeleton.mat", _mat(d_skel=POSES * subject))
    return folder / "Skeleton.zip"


def _read_utd_mhad(content: str) -> Callable[[Path], object]:
    return lambda path: _of_source(READERS["utd_mhad"].open([path], {"content": content}))


def _ntu(folder: Path) -> Path:
    write_ntu(folder / "ntu.zip", ["S001C001P001R001A001", "S001C001P002R001A002"], ())
    return folder / "ntu.zip"


def _ntu_text(folder: Path) -> Path:
    with zipfile.ZipFile(_ntu(folder)) as archive:
        text = archive.read(archive.namelist()[0])
    (folder / "text").mkdir()
    path = folder / "text/S001C001P001R001A001.skeleton"
    path.write_bytes(text)
    return path


def _mat(packed: bool = False, **variables: object) -> bytes:
    stream = io.BytesIO()
    scipy.io.savemat(stream, variables, do_compression=packed)
    return stream.getvalue()


def _array(name: str, content: Callable[[], bytes]) -> Target:
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(content())
        return folder / name

    def read_it(path: Path) -> object:
        array = read_array(path.read_bytes(), path.name, "", path.name)
        return array.shape, array.tobytes()

    return Target(f"array {name}", make, read_it, checked=False)


def _npz() -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, poses=POSES)
    return stream.getvalue()


def _npy() -> bytes:
    stream = io.BytesIO()
    np.save(stream, POSES)
    return stream.getvalue()


def _csv() -> bytes:
    return pd.DataFrame(POSES.reshape(-1, 6)).to_csv(index=False).encode()


def _table(folder: Path) -> Path:
    (folder / "recordings").mkdir()
    for name in ("a.npy", "b.npy"):
        np.save(folder / "recordings" / name, POSES)
    path = folder / "table.csv"
    path.write_text("file,label,subject\na.npy,wave,1\nb.npy,bow,2\n")
    return path


def _read_table(path: Path) -> object:
    options = {"axes": "joints xyz frames"}
    return _of_source(READERS["table"].open([path.parent / "recordings", path], options))


def _image_set(folder: Path) -> Path:
    image_set, _ = build_image_set("tiny", small_source(), {"split": RULE})
    write_image_set(folder / "tiny.h5", image_set)
    return folder / "tiny.h5"


def _manifest(folder: Path) -> Path:
    source = small_source()
    image_set, report = build_image_set("tiny", source, {"split": RULE})
    write_manifest(folder / "tiny.json", manifest(image_set, source, report))
    return folder / "tiny.json"


def _shard(path: Path, seed: int) -> Path:
    shape = (len(CELLS), 3, RECIPE.epochs)
    random = np.random.default_rng(seed)
    counts = {name: random.integers(0, 8, size=shape, dtype=np.int32) for name in ("top1", "top5")}
    shard = Shard(
        cells=np.array(CELLS, dtype=np.int32),
        loss=random.random(shape, dtype=np.float32),
        learning_rate=np.array([RECIPE.rate(epoch) for epoch in range(RECIPE.epochs)]),
        samples=SAMPLES,
        dataset="tiny",
        fingerprint="ab" * 32,
        recipe=RECIPE.as_dict(),
        seed=seed,
        identity=identity("ab" * 32, RECIPE, CELLS, seed),
        **counts,
    )
    write_shard(path, shard)
    return path


def _read_shard(path: Path) -> object:
    shard = read_shard(path)
    return {name: array.tobytes() for name, array in shard.arrays().items()}, shard.attributes()


def _benchmark(folder: Path) -> Path:
    expected = Expected("tiny", "ab" * 32, "short", RECIPE, classes=5, height=8, width=12)
    shards = {seed: [_shard(folder / f"{seed}.h5", seed)] for seed in SEEDS}
    aggregate(shards, CELLS, expected, folder / "short.h5")
    return folder / "short.h5"


def _losses(folder: Path) -> Path:
    return _benchmark(folder).with_suffix(".loss.h5")


def _read_benchmark(path: Path) -> object:
    with Benchmark(path.with_name("short.h5")) as benchmark:
        metrics = [
            benchmark.curves(split, metric).tobytes() for split in ("train", "test") for metric in ("top1", "loss")
        ]
        return metrics, benchmark.identity, benchmark.recipe, benchmark.samples, benchmark.macs.tobytes()


def _summary(folder: Path) -> Path:
    with Benchmark(_benchmark(folder)) as benchmark:
        write_table(folder / "short.parquet", summarise(benchmark))
    return folder / "short.parquet"


def _read_summary(path: Path) -> object:
    table = read_table(path)
    return table.to_json(double_precision=15), table.attrs


def _receipt(folder: Path) -> Path:
    source = folder / "source.zip"
    source.write_bytes(b"recordings")
    receipt = {"file": str(source), "size": 10, "sha256": sha256_of_file(source), "whence": "was there"}
    write_json(folder / "source.json", receipt)
    return folder / "source.json"


def _read_receipt(path: Path) -> object:
    return held_against_receipt({"file": "source.zip"}, path.with_name("source.zip"), path)["sha256"]


def _configuration(folder: Path) -> Path:
    path = folder / "config.yaml"
    path.write_text(
        "study: mine\n"
        "datasets:\n  ours:\n    reader: utd_mhad\n    sources: [{file: a.zip, url: 'https://host.org/a.zip'}]\n"
        "    split: {rule: subjects, train: [1, 2], valid: [2]}\n"
        "recipes:\n  short: {epochs: 3, batch-size: 4, learning-rate: 0.1}\n"
        "studies:\n  mine:\n    runs: [{dataset: ours, recipe: short, seeds: [777], cells: 0-124}]\n"
    )
    return path


def _archive(folder: Path) -> Path:
    files = {"tiny.json": _manifest(folder), "numbers.csv": folder / "numbers.csv", "Snakefile": folder / "Snakefile"}
    files["numbers.csv"].write_text("a,b\n1,2\n")
    files["Snakefile"].write_text("rule all:\n")
    metadata = Metadata("A study", "Cells.", "2026-11-22", "https://spdx.org/licenses/CC-BY-4.0", ("Ada Lovelace",))
    write_archive("tiny", files, metadata, folder / "tiny.zip")
    return folder / "tiny.zip"


class Noticed(Exception):
    """The product said in its own way that the file is damaged."""


def _read_archive(path: Path) -> object:
    if verify_archive(path):
        raise Noticed
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _record(folder: Path) -> Path:
    write_record(folder / "cell", {"loss": np.arange(9.0), "description": np.array(json.dumps({"cell": 3}))})
    return folder / "cell"


def _read_record(path: Path) -> object:
    if (found := read_record(path)) is None:
        raise Noticed
    return {name: array.tobytes() for name, array in found.items()}


def _journal_of(folder: Path) -> Journal:
    return Journal(folder / "00000-00124.h5", "0123456789abcdef" * 4, "plain", "cpu")


def _curves(cell: int) -> Curves:
    counts = np.full((3, 4), cell, dtype=np.int32)
    return Curves(counts.astype(np.float32), counts, counts + 1)


def _bytes_of(curves: Curves) -> list[bytes]:
    return [part.tobytes() for part in (curves.loss, curves.top1, curves.top5)]


def _journal(folder: Path) -> Path:
    journal = _journal_of(folder)
    for cell in CELLS:
        journal.add(cell, Entry(_curves(cell), {"seconds": 1.5}))
    (path,) = journal_files(journal.folder)
    return path


def _read_journal(path: Path) -> object:
    """A damaged record counts as absent; what is there must be right."""
    folder = path.parents[2]
    found = _journal_of(folder).read(CELLS, 4)
    said = {cell: _bytes_of(entry.curves) for cell, entry in found.items()}
    if len(said) < len(CELLS) and all(said[cell] == _bytes_of(_curves(cell)) for cell in said):
        raise Noticed
    return said, [entry.timing for entry in found.values()]


def _read_image_set(path: Path) -> object:
    return read_image_set(path).fingerprint


def _formats() -> list[Target]:
    """What people have from other programs; damage is done to the file, or to the first of a folder."""

    def target(reader: str, make: Callable[[Path], Path], **options: object) -> Target:
        def read_it(path: Path) -> object:
            return _of_source(READERS[reader].open([path if path.parent.name != "clips" else path.parent], options))

        return Target(reader, make, read_it, checked=False)

    def first(write: Callable[[Path], Path]) -> Callable[[Path], Path]:
        return lambda folder: min(write(folder / "clips").iterdir())

    def frame(folder: Path) -> Path:
        first, second, *_ = sorted((formats.write_openpose(folder / "all") / "wave_P1").iterdir())
        (folder / "clips").mkdir()
        second.rename(folder / f"clips/wave_P1_{second.name}")
        return first.rename(folder / f"clips/wave_P1_{first.name}")

    names = {"pattern": "{label}_{subject}"}
    return [
        target("pyskl", lambda folder: formats.write_pyskl(folder / "a.pkl", formats.pyskl_annotations()[:2])),
        target("ctrgcn", lambda folder: formats.write_ctrgcn(folder / "a.npz")),
        target("openpose", frame, **names),
        target("csv", first(formats.write_mediapipe), preset="mediapipe", **names),
    ]


def targets(content: str) -> list[Target]:
    """All formats; `content` is the fingerprint of the archive in UTD-MHAD's form."""
    return [
        Target("UTD-MHAD zip", utd_mhad_archive, _read_utd_mhad(content)),
        Target("NTU zip", _ntu, lambda path: _of_source(READERS["ntu"].open([path], {}))),
        Target("NTU text", _ntu_text, lambda path: _of_source(READERS["ntu"].open([path.parent], {})), checked=False),
        _array("poses.mat", lambda: _mat(poses=POSES)),
        _array("packed.mat", lambda: _mat(True, poses=POSES)),
        _array("poses.npz", _npz),
        _array("poses.npy", _npy),
        _array("poses.json", lambda: json.dumps(POSES.tolist()).encode()),
        _array("poses.csv", _csv),
        Target("table", _table, _read_table, checked=False),
        *_formats(),
        Target("image set", _image_set, _read_image_set),
        Target("manifest", _manifest, lambda path: read_manifest(path)),
        Target("shard", lambda folder: _shard(folder / "shard.h5", 777), _read_shard),
        Target("benchmark", _benchmark, _read_benchmark),
        Target("losses", _losses, _read_benchmark),
        Target("summary", _summary, _read_summary),
        Target("receipt", _receipt, _read_receipt),
        Target("configuration", _configuration, lambda path: read([path], SCHEMA), checked=False),
        Target("archive", _archive, _read_archive),
        Target("journal", _journal, _read_journal),
        Target("record", _record, _read_record),
    ]
