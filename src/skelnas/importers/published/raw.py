"""A file of one training as the original's program saved it: `raw-data-{hp}/arch-{index}-seed-{seed}.pth`.

It is PyTorch's zip of a pickle and weights; the weights are not read, and PyTorch is not needed. Cell and seed stand
only in the file's name, `hp` only in that of its folder.
"""

import io
import re
import struct
import zipfile
from typing import Any

import numpy as np

from skelnas import unpickling
from skelnas.importers.published.runs import (
    SPLIT_KEYS,
    Run,
    Skipped,
    by_epoch,
    check_cell,
    check_costs,
    counts,
    data_set,
    losses,
)
from skelnas.recipe import SPLITS, Recipe
from skelnas.untrusted import DAMAGE, Limits, read_member

NAME = re.compile(r"(?:^|/)raw-data-(\d+)/arch-(\d{6})-seed-(\d{4})\.pth$")
LIMITS = Limits(member_bytes=64 << 20)
RATES_DIFFER = 1e-9


class _Dtype(unpickling.State):
    """numpy.dtype, of which only a little-endian float64 is allowed."""

    def check(self) -> None:
        if self.arguments != ("f8", False, True) or not isinstance(self.state, tuple) or self.state[1:2] != ("<",):
            raise ValueError("a number of another type than float64")


def _scalar(dtype: Any, content: Any) -> float:
    if not isinstance(dtype, _Dtype) or not isinstance(content, bytes) or len(content) != 8:
        raise ValueError("a number of another type than float64")
    dtype.check()
    return struct.unpack("<d", content)[0]


def _encode(text: Any, code: Any) -> bytes:
    if not isinstance(text, str) or code != "latin1" or len(text) > 8:
        raise ValueError("an encoding that no number needs")
    return text.encode("latin1")


class _Ordered(dict):
    """collections.OrderedDict, whose attributes are left out."""

    def __setstate__(self, state: Any) -> None:
        """PyTorch keeps `_metadata` there."""


class _Structure(unpickling.State):
    """The original's genotype: {node_num, nodes: three tuples of (operation, source), node_N}."""

    def text(self) -> str:
        nodes = self.state["nodes"]
        return "+".join("|" + "|".join(f"{operation}~{source}" for operation, source in node) + "|" for node in nodes)


class _Storage(unpickling.State):
    """A type of weights, which are not read."""


def _no_tensor(*arguments: Any) -> None:
    """In place of weights."""


NUMBERS: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): _Ordered,
    ("numpy.core.multiarray", "scalar"): _scalar,
    ("numpy._core.multiarray", "scalar"): _scalar,
    ("numpy", "dtype"): _Dtype,
}
NAMES = {
    **NUMBERS,
    ("_codecs", "encode"): _encode,
    ("xautodl.models.cell_searchs.genotypes", "Structure"): _Structure,
    ("torch._utils", "_rebuild_tensor_v2"): _no_tensor,
    ("torch", "FloatStorage"): _Storage,
    ("torch", "LongStorage"): _Storage,
}


def read(content: bytes, name: str, where: str) -> Run:
    """The run of one file by its bytes; `name` ends as above.

    Raises:
        Skipped: it is truncated, or what it says does not fit together.
        unpickling.ForeignError: it asks for anything else than the data of a run.
    """
    match = NAME.search(name)
    if match is None:
        raise Skipped(f"{where} is not called raw-data-12/arch-000123-seed-0777.pth, so nobody knows what it is")
    hp, index, seed = match[1], int(match[2]), int(match[3])
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            pickles = [one for one in archive.namelist() if one.endswith("/data.pkl")]
            if len(pickles) != 1:
                raise Skipped(f"{where} is no file of PyTorch's: it has {len(pickles)} data.pkl")
            data = read_member(archive, pickles[0], LIMITS)
    except DAMAGE as error:
        raise Skipped(f"{where} is truncated or damaged ({error}); the training was most likely interrupted") from error
    found = unpickling.read(io.BytesIO(data), NAMES, where, persistent=_no_tensor)
    try:
        return _run(found, hp, index, seed, where)
    except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
        raise Skipped(f"{where} lacks what a training has ({type(error).__name__}: {error})") from error


def _run(found: dict[str, Any], hp: str, index: int, seed: int, where: str) -> Run:
    (key,) = found["all_dataset_keys"]
    of, kept = data_set(key, where), found[key]
    cell = check_cell(index, kept["arch_config"]["genotype"].text(), where)
    check_costs(kept["param"], kept["flop"], cell, of, where)
    epochs = kept["total_epoch"]
    _check_recipe(kept, of.batch_size, epochs, where)
    curves: dict[str, list[np.ndarray]] = {"acc1es": [], "acc5es": [], "losses": []}
    seconds = 0.0
    for split, samples in zip(SPLITS, of.samples, strict=True):
        prefix = "train" if split == "train" else "valid"
        keys = list(range(epochs)) if split == "train" else [f"{SPLIT_KEYS[split]}@{one}" for one in range(epochs)]
        for what in ("acc1es", "acc5es"):
            curves[what].append(counts(by_epoch(kept[f"{prefix}_{what}"], keys, where), samples, f"{where}, {split}"))
        values = kept[f"{prefix}_losses"]
        curves["losses"].append(losses(by_epoch(values, keys, where), [one in values for one in keys]))
        seconds += sum(by_epoch(kept[f"{prefix}_times"], keys, where))
    said = re.search(r"PyTorch\s+Version\s*:\s*(\S+)", found.get("info") or "")
    top1, top5, loss = (np.stack(curves[what]) for what in curves)
    return Run(of, cell, seed, hp, epochs, top1, top5, loss, seconds, said[1] if said else "", where)


def _check_recipe(kept: dict[str, Any], batch_size: int, epochs: int, where: str) -> None:
    """Refuse a run of another recipe than the original's with so many epochs."""
    options = kept["opt_config"]
    usual = {"LR": 0.1, "decay": 5e-4, "momentum": 0.9, "nesterov": True, "batch_size": batch_size, "epochs": epochs}
    if other := [f"{name} {options.get(name)}, not {value}" for name, value in usual.items() if options[name] != value]:
        raise Skipped(f"{where} was trained with another recipe: {', '.join(other)}")
    recipe = Recipe(epochs, batch_size)
    rates = by_epoch(kept["learning_rates"], list(range(epochs)), where)
    if any(abs(rate - recipe.rate(epoch)) > RATES_DIFFER for epoch, rate in enumerate(rates)):
        raise Skipped(f"{where} was trained with another learning rate than a cosine over {epochs} epochs")
