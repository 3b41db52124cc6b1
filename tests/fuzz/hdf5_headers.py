"""Every bit of the headers of our HDF5 files, flipped one at a time, and the file read whole.

    python tests/fuzz/hdf5_headers.py [--processes P] [--seconds S --seed N]

Headers are all bytes but the packed values of arrays. Each flip is read in a child process with a time limit and ends
as one of: a sentence (`InputError`), the right result (the bit does not matter), another name, a traceback, a crash, a
hang, a silent change. Another name is allowed to files of format 1 alone, whose names of data set and recipe nothing
covers; their numbers must be right. Without `--seconds` every bit is flipped; with it as many, drawn by the seed, as
fit.
"""

import argparse
import functools
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic

import h5py
import numpy as np

from skelnas.errors import InputError
from skelnas.images.image_set import ImageSet, fingerprint_of, read_image_set, sealed, write_image_set
from skelnas.recipe import SPLITS, Recipe
from skelnas.results.benchmark import Table, write_benchmark
from skelnas.results.counts import stored_counts
from skelnas.results.query import Benchmark
from skelnas.results.shard import Shard, identity, read_shard, write_shard

FORMAT_1 = Path(__file__).resolve().parents[1] / "results/format_1"
LIMIT = 10  # seconds for one reading, thousands of times what it takes
FAULTS = ("traceback", "crash", "hang", "silent change")
OUTCOMES = ("sentence", "right", "other name", *FAULTS)
CHUNK = 4_000  # flips to a child
Read = tuple[str, tuple[str, ...]]  # a digest of all numbers, and the names


def _digest(*parts: object) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.tobytes() if isinstance(part, np.ndarray) else repr(part).encode())
    return digest.hexdigest()


def _of_image_set(path: Path) -> Read:
    images = read_image_set(path)
    return _digest(fingerprint_of(images), images.fingerprint), (images.name,)


def _of_shard(path: Path) -> Read:
    shard = read_shard(path)
    attributes = {name: value for name, value in shard.attributes().items() if name != "dataset"}
    return _digest(*shard.arrays().values(), attributes), (shard.dataset,)


def _of_benchmark(path: Path, metrics: Sequence[str] = ("top1", "top5", "loss"), last: bool = True) -> Read:
    """`last`: read the tables of last epochs as well, which files of format 1 do not have."""
    with Benchmark(path) as benchmark:
        asked = [(split, metric) for split in SPLITS for metric in metrics]
        curves = [benchmark.curves(*one) for one in asked]
        values = [benchmark.values(*one) for one in asked] if last else []
        plain = {name: value for name, value in vars(benchmark).items() if isinstance(value, str | int | tuple | dict)}
        names = tuple(str(plain.pop(name)) for name in ("dataset", "recipe_name"))
        tables = (benchmark.cells, benchmark.parameters, benchmark.macs, benchmark.learning_rate)
        digest = _digest(*curves, *values, *tables, {name: plain[name] for name in sorted(plain) if name[0] != "_"})
        return digest, names


# Losses are in the other file, so each flip is read in the one that it is in.
READERS: dict[str, Callable[[Path], Read]] = {
    "image-set.h5": _of_image_set,
    "shard.h5": _of_shard,
    "benchmark.h5": lambda path: _of_benchmark(path, ("top1", "top5")),
    "benchmark.loss.h5": lambda path: _of_benchmark(path.with_name("benchmark.h5"), ("loss",)),
    "shard-1.h5": _of_shard,
    "benchmark-1.h5": lambda path: _of_benchmark(path, last=False),
}
FIRST_FORMAT = ("shard-1.h5", "benchmark-1.h5")


def make_files(folder: Path) -> None:
    """One small file of each kind, under the names of `READERS`."""
    numbers = np.random.default_rng(2)
    recipe, cells = Recipe(epochs=3, batch_size=4), [3, 123]
    rates = np.array([recipe.rate(epoch) for epoch in range(3)])
    counts, loss = numbers.integers(0, 8, (2, 2, 3, 3)), numbers.random((2, 2, 3, 3), dtype=np.float32)
    own = identity("ab" * 32, recipe, cells, 777)
    shard = {"learning_rate": rates, "samples": np.array([24, 8, 16]), "dataset": "tiny", "fingerprint": "ab" * 32}
    curves = {"loss": loss[0], "top1": counts[0], "top5": counts[1]}
    write_shard(
        folder / "shard.h5",
        Shard(np.array(cells), **curves, **shard, recipe=recipe.as_dict(), seed=777, identity=own),
    )
    stored = [stored_counts(array, shard["samples"]) for array in (counts, counts)]
    outline = {"recipe_name": "short", "recipe": recipe.as_dict(), "classes": 5, "height": 8, "width": 12}
    write_benchmark(folder / "benchmark.h5", Table(np.array(cells), (777, 888), *stored, loss, **shard, **outline))
    images, labels = numbers.integers(0, 256, (4, 4, 8, 3), dtype=np.uint8), np.arange(4, dtype=np.int64)
    names = tuple("abcd")
    fields = {
        **{
            f"{part}_{name}": value
            for part in ("pool", "test")
            for name, value in (("images", images), ("names", names))
        },
        **{f"{part}_{name}": labels for part in ("pool", "test") for name in ("labels", "subjects")},
        **{"train_index": labels[:2], "valid_index": labels[2:], "class_names": names, "mean": np.ones(3)},
        **{"std": np.ones(3), "encoding": "swap-axes", "fingerprint": "", "name": "tiny"},
    }
    write_image_set(folder / "image-set.h5", sealed(ImageSet(**fields)))
    for name in ("shard", "benchmark"):
        (folder / f"{name}-1.h5").write_bytes((FORMAT_1 / f"{name}.h5").read_bytes())


def header_bits(path: Path) -> list[int]:
    """Positions of the bits that are not packed values of an array."""
    inside = np.zeros(path.stat().st_size, dtype=bool)
    with h5py.File(path) as file:
        for dataset in (file[name] for name in file):
            if dataset.chunks:
                for number in range(dataset.id.get_num_chunks()):
                    chunk = dataset.id.get_chunk_info(number)
                    inside[chunk.byte_offset : chunk.byte_offset + chunk.size] = True
    return [8 * int(place) + bit for place in np.flatnonzero(~inside) for bit in range(8)]


def read_flipped(path: Path, bits: list[int], seconds: float) -> None:
    """In the child: print each bit before it is flipped and read, and then how that ended."""
    reader, content, right = READERS[path.name], path.read_bytes(), READERS[path.name](path)
    ends = monotonic() + seconds
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # ends the process even where HDF5 does not come back
    for bit in bits:
        if monotonic() > ends:
            return
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        print(bit, end=" ", flush=True)
        signal.alarm(LIMIT)
        try:
            digest, names = reader(path)
            other = "other name" if digest == right[0] and path.name in FIRST_FORMAT else "silent change"
            outcome = "right" if (digest, names) == right else other
        except InputError:
            outcome = "sentence"
        except Exception as error:
            outcome = f"traceback {type(error).__name__}"
        signal.alarm(0)
        print(outcome, flush=True)
    path.write_bytes(content)


def outcomes(folder: Path, name: str, bits: list[int], seconds: float = 1e9) -> Iterator[tuple[int, str]]:
    """How reading the file ends for each flipped bit; a child that dies is followed by another one."""
    content, ends = (folder / name).read_bytes(), monotonic() + seconds
    while bits and monotonic() < ends:
        (folder / name).write_bytes(content)
        part = bits[:CHUNK]
        command = [sys.executable, __file__, "--child", str(folder / name), "--seconds", str(ends - monotonic())]
        child = subprocess.run(command, input=json.dumps(part), capture_output=True, text=True, env=os.environ)
        lines = [line.split(" ", 1) for line in child.stdout.splitlines()]
        for bit, said in lines:
            if said:
                yield int(bit), said.split()[0] if said.startswith("traceback") else said
            else:
                yield int(bit), "hang" if child.returncode == -signal.SIGALRM else "crash"
        if child.returncode > 0:
            raise RuntimeError(child.stderr)
        bits = bits[len(lines) :]
        if not lines:
            return
    (folder / name).write_bytes(content)


def count(seconds: float = 1e9, seed: int = 1, processes: int = 1) -> Iterator[tuple[str, Counter]]:
    """Name and outcomes of each file: of every bit, or of as many, drawn by the seed, as fit into `seconds`."""
    for name in READERS:
        with tempfile.TemporaryDirectory() as place:
            folders = [Path(place, str(number)) for number in range(processes)]
            for folder in folders:
                folder.mkdir()
                make_files(folder)
            bits = header_bits(folders[0] / name)
            random.Random(seed).shuffle(bits)
            parts = [bits[number::processes] for number in range(processes)]
            with ThreadPoolExecutor(processes) as pool:
                read = functools.partial(_counted, name, seconds / len(READERS))
                found = sum(pool.map(read, folders, parts), Counter(bits=len(bits)))
            yield name, found


def _counted(name: str, seconds: float, folder: Path, bits: list[int]) -> Counter:
    return Counter(outcome for _, outcome in outcomes(folder, name, bits, seconds))


def faults(found: dict[str, Counter]) -> list[str]:
    """What must not happen, in words."""
    return [f"{name}: {counts[fault]} x {fault}" for name, counts in found.items() for fault in FAULTS if counts[fault]]


def main() -> None:
    """Count, print a table, and end with status 1 where something happened that must not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1e9, help="for all files together (every bit)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        read_flipped(given.child, json.loads(sys.stdin.read()), given.seconds)
        return
    found = {}
    for name, counts in count(given.seconds, given.seed, given.processes):
        found[name] = counts
        flipped = sum(counts[outcome] for outcome in OUTCOMES)
        words = ", ".join(f"{counts[outcome]:,} {outcome}" for outcome in OUTCOMES)
        print(f"{name}: {flipped:,} of {counts['bits']:,} bits of headers flipped: {words}", flush=True)
    sys.exit("\n".join(faults(found)) or 0)


if __name__ == "__main__":
    main()
