"""Train a sample of an archive's cells again, from the archive alone, and say how far their counts agree.

skelnas reproduce results/archive/demo.zip --cells 10

On the kind of processor that the archive names, with the same engine and PyTorch, all counts must be equal; elsewhere
the differences after the last epoch must not exceed noise. The sample is evenly spaced by test accuracy, one seed of
each cell in turn, and always the same. The exit status is 0 if everything agrees as it should, else 1.
"""

import argparse
import json
import os
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path, PurePosixPath
from typing import Any

from skelnas import archive, contents, reproduction
from skelnas.commands import reading
from skelnas.errors import InputError
from skelnas.images.folds import fold_of
from skelnas.images.image_set import ImageSet, read_image_set
from skelnas.images.manifest import read_manifest
from skelnas.results.query import Benchmark
from skelnas.results.shard import TRAINED
from skelnas.results.trained_on import Origin, origins
from skelnas.text import counted


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("archive", metavar="ARCHIVE", help="such as results/archive/demo.zip")
    parser.add_argument(
        "--cells",
        default="10",
        metavar="N",
        help="how many cells of each run (10), or cells with a comma behind each, all seeds: 1459,313124,",
    )
    parser.add_argument("--run", metavar="DATASET/RECIPE", help="this run alone; else all that were trained")
    parser.add_argument(
        "--images", nargs="+", default=[], metavar="FILE", help="image sets, where the archive does not hold them"
    )
    parser.add_argument("--processes", type=int, default=_processors(), metavar="N", help="worker processes (all)")
    reading.add_json(parser)


def run(given: argparse.Namespace) -> int:
    if problems := archive.verify_archive(given.archive):
        more = f" (and {len(problems) - 1} more, see skelnas verify)" if problems[1:] else ""
        raise InputError(f"{given.archive}: {problems[0]}{more}; nothing was trained, get the archive again")
    if given.processes < 1:
        raise InputError(f"--processes {given.processes}: give 1 or more")
    done: dict[str, reproduction.Reproduction] = {}
    with tempfile.TemporaryDirectory() as folder:
        unpacked = _unpack(Path(given.archive), Path(folder))
        made = _origins(Path(folder, archive.TRAINED_ON))
        for name in _chosen(unpacked, given):
            with Benchmark(unpacked[name]) as benchmark:
                images = _images(given, Path(folder), benchmark)
                done[name] = reproduction.reproduce(
                    benchmark, images, _jobs(benchmark, given.cells), made.get(name, {}), given.processes
                )
                if not given.json:
                    _print(name, done[name], len(benchmark))
    if given.json:
        reading.print_json({name: _as_json(one) for name, one in done.items()})
    return int(not all(one.agrees for one in done.values()))


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _unpack(path: Path, folder: Path) -> dict[str, Path]:
    """What is needed of a whole archive, in `folder`; its benchmarks by {dataset}/{recipe}."""
    found = {}
    with zipfile.ZipFile(path) as packed:
        for name in packed.namelist():
            counts = name.startswith(contents.BENCHMARKS) and name.endswith(".h5") and not name.endswith(".loss.h5")
            images = name.startswith(contents.IMAGES) and name.endswith((".h5", ".json"))
            if counts or images or name == archive.TRAINED_ON:
                packed.extract(name, folder)
            if counts:
                found["/".join(PurePosixPath(name).with_suffix("").parts[-2:])] = folder / name
    return found


def _origins(path: Path) -> dict[str, dict[tuple[int, int], Origin]]:
    """Of each run what its trainings were made with; archives of before do not say."""
    if not path.is_file():
        return {}
    try:
        return {name: origins(groups) for name, groups in json.loads(path.read_text(encoding="utf-8")).items()}
    except (InputError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path.name} of the archive is of another format ({error}); use the skelnas that "
            "its environment.json names"
        ) from error


def _chosen(found: dict[str, Path], given: argparse.Namespace) -> Iterator[str]:
    """The runs to train again; what was imported from elsewhere is named and left out."""
    if given.run and given.run not in found:
        raise InputError(f"{given.archive} has no run {given.run}; it has {', '.join(found) or 'none'}")
    trained = 0
    for name in [given.run] if given.run else found:
        with Benchmark(found[name]) as benchmark:
            source = benchmark.source
        if source == TRAINED:
            trained += 1
            yield name
        else:
            print(f"{name}: left out, it was imported ({source})", file=sys.stderr)
    if not trained:
        raise InputError(f"{given.archive} has nothing that skelnas trained, so there is nothing to train again")


def _images(given: argparse.Namespace, folder: Path, benchmark: Benchmark) -> ImageSet:
    manifest = folder / f"{contents.IMAGES}{benchmark.dataset}.json"
    fold = read_manifest(manifest).get("fold") if manifest.is_file() else None
    whole = PurePosixPath(fold["images"]).stem if fold else benchmark.dataset
    wanted = fold["fingerprint"] if fold else benchmark.fingerprint
    inside = folder / f"{contents.IMAGES}{whole}.h5"
    for path in [inside] * inside.is_file() + list(map(Path, given.images)):
        images = read_image_set(path)
        if images.fingerprint == wanted:
            return fold_of(images, fold) if fold else images
    others = f" ({', '.join(given.images)}: other fingerprints)" if given.images else ""
    raise InputError(
        f"{given.archive} does not hold the images of {whole}{others}: give by --images the image set with "
        f"the fingerprint {wanted}; with the block {whole} of the archive's "
        f"configuration.json in config.yaml, `snakemake --cores all results/images/{whole}.h5` makes it"
    )


def _jobs(benchmark: Benchmark, cells: str) -> list[tuple[int, int]]:
    if cells.isdecimal() and len(cells) < 6:
        if int(cells) == 0:
            raise InputError("--cells 0 trains nothing; give 1 or more")
        return reproduction.sample(benchmark, int(cells))
    return reproduction.trainings_of(
        benchmark, [reading.cell_of(one.strip()) for one in cells.split(",") if one.strip()]
    )


def _print(name: str, done: reproduction.Reproduction, cells: int) -> None:
    several = len({cell for cell, _ in done.jobs})
    print(f"{name}: {counted(len(done.jobs), 'training')} of {several} of {cells:,} cells")
    for made in sorted(set(done.made), key=str):
        print(f"  in the archive: {made}")
    print(f"  here:           {done.here}{'; ' + done.instead if done.instead else ''}")
    rows = [
        [
            one.split,
            f"{one.equal:,} of {one.counts:,}",
            f"{one.largest} of {one.samples:,}",
            reading.number(one.rms),
            reading.number(one.noise),
        ]
        for one in done.splits
    ]
    header = ["split", "equal counts", "largest difference", "difference (rms)", "noise (rms)"]
    reading.print_rows(header, rows)
    print("Differences in samples after the last epoch; noise as two seeds or binomial counts would differ.")
    print(f"{name} {reproduction.verdict(done)}")


def _as_json(done: reproduction.Reproduction) -> dict[str, Any]:
    return {
        "agrees": done.agrees,
        "verdict": reproduction.verdict(done),
        "same processor, engine and torch": done.same,
        "trainings": [
            {"cell": cell, "seed": seed, **asdict(made)}
            for (cell, seed), made in zip(done.jobs, done.made, strict=True)
        ],
        "here": asdict(done.here),
        "instead": done.instead,
        "splits": [asdict(one) for one in done.splits],
    }
