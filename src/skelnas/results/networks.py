"""The networks file: what chosen networks, trained once more, predict for every sample of validation and test.

Layout of format 1 (N networks, V and T samples of valid and test, K classes): cell (N,) uint16; seed (N,) int64; counts
(N, 3) int32, correct predictions per split after the last epoch, of this training; table (N, 3) int32, what the
benchmark has, -1 where it has nothing; valid (N, V), test (N, T) uint16, the predicted class, K where an output was no
number; valid_label (V,), test_label (T,) uint16; test_name (T,) fixed-length bytes (UTF-8); test_image (T, H, W, 3)
uint8. Attributes: format, dataset, recipe_name, fingerprint (of the image set), benchmark (its identity), engine, roles
and classes (JSON lists), `arrays` and `seal` of `skelnas.hdf5`. More arrays may be added beside these.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from skelnas import hdf5, kinds
from skelnas.errors import InputError

FORMAT = "skelnas networks 1"


@dataclass(frozen=True, eq=False)
class Networks:
    """The content of a networks file; arrays as described above, `test_name` as text."""

    cell: np.ndarray
    seed: np.ndarray
    counts: np.ndarray
    table: np.ndarray
    valid: np.ndarray
    test: np.ndarray
    valid_label: np.ndarray
    test_label: np.ndarray
    test_name: tuple[str, ...]
    test_image: np.ndarray
    roles: tuple[str, ...]
    classes: tuple[str, ...]
    dataset: str
    recipe_name: str
    fingerprint: str
    benchmark: str
    engine: str

    @property
    def names(self) -> list[str]:
        """How each network is called: "best (201)", "cell 9"."""
        return [
            f"{role} {cell}" if role == "cell" else f"{role} ({cell})"
            for role, cell in zip(self.roles, self.cell, strict=True)
        ]

    @property
    def as_in_table(self) -> np.ndarray:
        """Which networks have the counts that the benchmark has, wherever it has any: bool (N,)."""
        return ((self.counts == self.table) | (self.table < 0)).all(axis=1)


TYPES = {
    "cell": np.uint16, "seed": np.int64, "counts": np.int32, "table": np.int32, "valid": np.uint16, "test": np.uint16,
    "valid_label": np.uint16, "test_label": np.uint16, "test_image": np.uint8,
}  # fmt: skip
TEXTS = ("dataset", "recipe_name", "fingerprint", "benchmark", "engine")


def networks_path(benchmark: Path | str) -> Path:
    """Where the networks of a benchmark lie: results/networks/... for results/benchmark/..."""
    path = Path(benchmark).absolute()
    benchmarks = path.parent.parent.parent  # a file elsewhere may lie near the root, whose parent is itself
    return benchmarks.parent / "networks" / path.relative_to(benchmarks)


def write_networks(path: Path | str, networks: Networks) -> None:
    """Write the file, whole or not at all; equal networks give equal bytes."""
    arrays = {name: hdf5.Stored(getattr(networks, name).astype(kind)) for name, kind in TYPES.items()}
    arrays["test_name"] = hdf5.Stored(np.array([name.encode() for name in networks.test_name], dtype="S"))
    attributes: dict[str, str | int] = {"format": FORMAT, **{name: getattr(networks, name) for name in TEXTS}}
    attributes |= {name: json.dumps(getattr(networks, name), ensure_ascii=False) for name in ("roles", "classes")}
    hdf5.write(path, arrays, attributes)


def read_networks(path: Path | str) -> Networks:
    """Read a networks file.

    Raises:
        InputError: there is none, or it is damaged.
    """
    if not Path(path).is_file():
        raise InputError(f"{path}: there are no such networks; name some by `predictions` of the study")
    try:
        with hdf5.opened(path) as (file, attributes):
            kinds.check_format(path, file, attributes, (FORMAT,), "networks of a study")
            hdf5.check_seal(attributes)
            arrays: dict[str, Any] = {name: file[name][()] for name in (*TYPES, "test_name")}
            hdf5.check_arrays(attributes, arrays)
        arrays["test_name"] = tuple(name.decode() for name in arrays["test_name"])
        texts: dict[str, Any] = {name: str(attributes[name]) for name in TEXTS}
        texts |= {name: tuple(json.loads(str(attributes[name]))) for name in ("roles", "classes")}
        return Networks(**arrays, **texts)
    except hdf5.READ_ERRORS as error:
        raise hdf5.unreadable(path, error, "cannot be read as networks", kinds.again(path)) from error
