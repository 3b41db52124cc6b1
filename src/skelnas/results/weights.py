"""The weights file: one trained network with all that is needed to use it, as safetensors.

Layout of format 1: the tensors of `skelnas.network.Network` by their names in its state, but for BatchNorm's counts of
batches, which nothing reads; float32, or float64 of a recipe in fp64. One entry of metadata, `skelnas`, is JSON with
the fields of `Facts`, the `format`, and the `checksum`: SHA-256 over facts and tensors. The same network gives the same
bytes.
The container is described at https://github.com/huggingface/safetensors.
"""

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from skelnas import kinds
from skelnas.cells import space
from skelnas.cells.outline import IMAGE_CHANNELS, STAGES, body
from skelnas.errors import InputError
from skelnas.files import check_readable, whole_file
from skelnas.recipe import SPLITS, Recipe
from skelnas.text import named, size
from skelnas.untrusted import parse_json

KIND, VERSION = "skelnas weights", 1
ENTRY = "skelnas"  # one entry alone: the library writes several in an order of its own each time
HEADER_BYTES = 100_000_000  # the most that the container allows
LARGEST_SIDE = 4096  # pixels


@dataclass(frozen=True)
class Facts:
    """What a weights file says of its network.

    cell, seed, recipe, engine: what was trained and how; role: what the cell was chosen as. options: the data set's
    block of config.yaml, less sources and split: which reader reads its recordings, and how gaps are treated. encoding,
    height, width: how a recording becomes an image; mean, std: of its channels, on the 0..255 scale. classes: their
    names, in the order of the outputs. joints, parents: the skeleton, a root's parent is -1; no parents where the tree
    is not known. right, samples: correct predictions after the last epoch, and how many samples there are, by split.
    fingerprint: of the image set. benchmark: its identity. licence: of the weights, an SPDX identifier.
    """

    cell: int
    architecture: str
    seed: int
    role: str
    recipe_name: str
    recipe: dict[str, Any]
    engine: str
    dataset: str
    options: dict[str, Any]
    encoding: str
    height: int
    width: int
    mean: list[float]
    std: list[float]
    classes: list[str]
    joints: list[str]
    parents: list[int]
    right: dict[str, int]
    samples: dict[str, int]
    fingerprint: str
    benchmark: str
    licence: str

    @property
    def dtype(self) -> str:
        """The tensors' type as safetensors calls it."""
        return "F64" if self.recipe["precision"] == "fp64" else "F32"


@dataclass(frozen=True, eq=False)
class Weights:
    """A trained network: what is known of it, and its tensors by name."""

    facts: Facts
    tensors: dict[str, np.ndarray]


def shapes(cell: space.Cell, classes: int) -> dict[str, tuple[int, ...]]:
    """The tensors of a cell's network by name, as they are in a weights file."""
    found: dict[str, tuple[int, ...]] = {}

    def norm(name: str, channels: int) -> None:
        found.update({f"{name}.{part}": (channels,) for part in ("weight", "bias", "running_mean", "running_var")})

    def unit(name: str, channels: int, out: int, kernel: int) -> None:
        found[f"{name}.conv.weight"] = (out, channels, kernel, kernel)
        norm(f"{name}.norm", out)

    unit("stem", IMAGE_CHANNELS, STAGES[0], 3)
    for module in body():
        name, width = f"cells.{module.position}", STAGES[module.stage]
        if module.is_reduction:
            unit(f"{name}.first", width // 2, width, 3)
            unit(f"{name}.second", width, width, 3)
            found[f"{name}.shortcut.conv.weight"] = (width, width // 2, 1, 1)
            continue
        for edge, digit in enumerate(cell):
            if digit in space.CONVOLUTIONS:
                unit(f"{name}.edges.{edge}", width, width, 1 if digit == space.CONV1 else 3)
    norm("norm", STAGES[-1])
    return {**found, "classifier.weight": (classes, STAGES[-1]), "classifier.bias": (classes,)}


def write_weights(path: Path | str, weights: Weights) -> None:
    """Write a weights file, whole or not at all; equal networks give equal bytes.

    Raises:
        InputError: the disk refuses.
    """
    from safetensors.numpy import save  # only who keeps weights needs it

    text = json.dumps(
        {**_described(weights.facts), "checksum": _checksum(weights.facts, weights.tensors)},
        sort_keys=True,
        ensure_ascii=True,
    )
    arrays = {name: np.ascontiguousarray(array) for name, array in weights.tensors.items()}
    with whole_file(path) as temporary:
        temporary.write_bytes(save(arrays, {ENTRY: text}))  # save_file lets nobody else read what it writes


def read_weights(path: Path | str) -> Weights:
    """Read a weights file; names and shapes of tensors are checked before any is read, then its checksum.

    Raises:
        InputError: there is none; it is damaged, of another version, or of another program.
    """
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    if not path.is_file():
        raise kinds.missing(path, "file of weights")
    check_readable(path)
    if fault := _fault(path):
        raise InputError(f"{path} {fault}; {kinds.again(path)}")
    try:
        with safe_open(path, framework="numpy") as file:
            facts, checksum = _facts(path, (file.metadata() or {}).get(ENTRY, ""))
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
            found = {name: (one.get_dtype(), tuple(one.get_shape())) for name, one in slices.items()}
            _check_tensors(path, facts, found)
            tensors = {name: file.get_tensor(name) for name in sorted(found)}
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path} is no whole safetensors file ({error}); {kinds.again(path)}") from error
    if checksum != _checksum(facts, tensors):
        raise InputError(f"{path} was changed after it was written; {kinds.again(path)}")
    return Weights(facts, tensors)


def _fault(path: Path) -> str:
    """What is wrong with the container itself, as far as its length and first bytes tell; mostly nothing."""
    with path.open("rb") as stream:
        start = stream.read(9)
    there, header = path.stat().st_size, int.from_bytes(start[:8], "little")
    if header > HEADER_BYTES:
        return f"is no safetensors file: its header would have {size(header)}"
    if start[8:] != b"{":
        return "is no safetensors file: it begins like something else"
    return f"is cut off: it has {size(there)}, and its header alone would have {size(header)}" * (there < 8 + header)


def _facts(path: Path, text: str) -> tuple[Facts, str]:
    """The facts, with the checksum over them and the tensors."""
    if not text:
        raise InputError(
            f"{path} holds weights of another program: it does not say what they are of; {kinds.aside(path)}"
        )
    try:
        values = parse_json(text.encode())
        version = values.pop("format")
        if version != f"{KIND} {VERSION}":
            raise InputError(
                f"{path} is of the format {version!r}, this skelnas reads {KIND} {VERSION}: take the one that wrote "
                "it, or make it again with this one"
            )
        checksum = values.pop("checksum")
        facts = Facts(**values)
        _check_facts(facts)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(f"{path} does not say what its weights are of ({error}); {kinds.again(path)}") from error
    return facts, str(checksum)


def _check_facts(facts: Facts) -> None:
    """Refuse what nothing could be computed with.

    Raises:
        ValueError, TypeError: what it is.
    """
    for field in dataclasses.fields(Facts):
        value = getattr(facts, field.name)
        kind: Any = getattr(field.type, "__origin__", field.type)
        if not isinstance(value, kind):
            raise TypeError(f"{field.name} is {str(value)[:40]!r}")
    if not 0 <= facts.cell < space.CELLS:
        raise ValueError(f"there is no cell {facts.cell}")
    if facts.architecture != space.text(space.cell(facts.cell)):
        raise ValueError(f"cell {facts.cell} is not {facts.architecture}")
    if any(side % 4 or not 0 < side <= LARGEST_SIDE for side in (facts.height, facts.width)):
        raise ValueError(f"images of {facts.height}x{facts.width}")
    scales = [float(value) for value in (*facts.mean, *facts.std)]
    if len(scales) != 6 or len(facts.std) != 3 or not all(map(math.isfinite, scales)) or min(scales[3:]) <= 0:
        raise ValueError(f"the normalisation is {facts.mean}, {facts.std}")
    if {type(name) for name in (*facts.classes, *facts.joints)} != {str} or not facts.classes or not facts.joints:
        raise ValueError("classes and joints are no names")
    if facts.parents and len(facts.parents) != len(facts.joints):
        raise ValueError(f"{len(facts.parents)} parents of {len(facts.joints)} joints")
    if facts.right.keys() != set(SPLITS) or facts.samples.keys() != set(SPLITS):
        raise ValueError(f"accuracies of {named(list(facts.right))}")
    Recipe(**facts.recipe)


def _check_tensors(path: Path, facts: Facts, found: Mapping[str, tuple[str, tuple[int, ...]]]) -> None:
    expected = shapes(space.cell(facts.cell), len(facts.classes))
    if missing := [name for name in expected if name not in found]:
        raise InputError(f"{path} lacks the tensor {named(missing)} of cell {facts.cell}; {kinds.again(path)}")
    if more := sorted(found.keys() - expected.keys()):
        raise InputError(f"{path} has the tensor {named(more)}, which cell {facts.cell} has not; {kinds.again(path)}")
    for name, shape in expected.items():
        if found[name] != (facts.dtype, shape):
            told = f"{found[name][0]} {found[name][1]}, and cell {facts.cell} needs {facts.dtype} {shape}"
            raise InputError(f"{path}: the tensor {name} is {told}; {kinds.again(path)}")


def _described(facts: Facts) -> dict[str, Any]:
    return {"format": f"{KIND} {VERSION}", **dataclasses.asdict(facts)}


def _checksum(facts: Facts, tensors: Mapping[str, np.ndarray]) -> str:
    digest = hashlib.sha256(json.dumps(_described(facts), sort_keys=True).encode())
    for name in sorted(tensors):
        array = np.ascontiguousarray(tensors[name], dtype=tensors[name].dtype.newbyteorder("<"))
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(array.data)
    return digest.hexdigest()
