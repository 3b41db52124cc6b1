"""Files of the original's collector: `NNNNNN.pickle.pbz2`, one cell each, and the single file with all of them.

NATS-Bench's layout (Dong et al., "NATS-Bench", TPAMI 2021): {hp: {arch_index, arch_str, all_results: {(data set, seed):
R}}}. Files with weights embed a second pickle and are refused; those without are published beside them.
"""

import bz2
import io
import re
from collections.abc import Iterator
from typing import IO, Any

import numpy as np

from skelnas import unpickling
from skelnas.errors import InputError
from skelnas.importers.published.raw import NUMBERS
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
from skelnas.recipe import SPLITS
from skelnas.untrusted import LimitError, Limits, read_file

NAME = re.compile(r"(?:^|/)(\d{6})\.pickle\.pbz2$")
WHOLE = re.compile(r"(?:^|/)NATS-[\w.-]+\.pickle\.pbz2$")
LIMITS = Limits(member_bytes=256 << 20)


def read(stream: IO[bytes], where: str) -> Iterator[Run | Skipped]:
    """The runs of one cell's file.

    Raises:
        unpickling.ForeignError: it asks for anything else than plain data, such as a nested pickle of weights.
    """
    try:
        with bz2.BZ2File(stream) as unpacked:
            content = read_file(unpacked, LIMITS)
    except (OSError, EOFError, ValueError, LimitError) as error:
        yield Skipped(f"{where} is truncated or damaged ({error}); get it again")
        return
    try:
        yield from _cell(unpickling.read(io.BytesIO(content), NUMBERS, where), where)
    except unpickling.ForeignError:
        raise
    except InputError as error:
        yield Skipped(str(error))


def read_whole(stream: IO[bytes], where: str) -> Iterator[Run | Skipped]:
    """The runs of the single file, which is unpacked while it is read.

    Raises:
        unpickling.ForeignError: it asks for anything else than plain data.
        InputError: it is truncated or damaged.
    """
    try:
        with bz2.BZ2File(stream) as unpacked:
            found = unpickling.read(unpacked, NUMBERS, where)
    except OSError as error:
        raise InputError(f"{where} is truncated or damaged ({error}); get it again") from error
    cells = found.get("arch2infos") if isinstance(found, dict) else None
    if not isinstance(cells, dict):
        raise InputError(f"{where} is no single file of the original's collector")
    for index in sorted(cells):
        yield from _cell(cells[index], f"{where}, cell {index}")


def _cell(found: Any, where: str) -> Iterator[Run | Skipped]:
    if not isinstance(found, dict):
        yield Skipped(f"{where} holds no results")
        return
    for hp in found:
        try:
            results = found[hp]["all_results"].items()
            cell = check_cell(found[hp]["arch_index"], found[hp]["arch_str"], f"{where}, hp {hp}")
        except (KeyError, TypeError, AttributeError) as error:
            yield Skipped(f"{where} lacks {error} of hp {hp}")
            continue
        except Skipped as error:
            yield error
            continue
        for (key, seed), result in sorted(results, key=str):
            place = f"{where}, hp {hp}, seed {seed}"
            try:
                yield _run(result, key, seed, str(hp), cell, place)
            except Skipped as error:
                yield error
            except (KeyError, TypeError, AttributeError, ValueError) as error:
                yield Skipped(f"{place} lacks what a training has ({type(error).__name__}: {error})")


def _run(result: dict[str, Any], key: Any, seed: Any, hp: str, cell: int, where: str) -> Run:
    of, epochs = data_set(key, where), result["epochs"]
    if int(result["seed"]) != seed or check_cell(cell, result["arch_config"]["arch_str"], where) != cell:
        raise Skipped(f"{where} says another seed inside ({result['seed']})")
    check_costs(result["params"], result["flop"], cell, of, where)
    curves: dict[str, list[np.ndarray]] = {"acc1es": [], "acc5es": [], "losses": []}
    seconds = 0.0
    for split, samples in zip(SPLITS, of.samples, strict=True):
        prefix = "train" if split == "train" else "eval"
        keys = list(range(epochs)) if split == "train" else [f"{SPLIT_KEYS[split]}@{one}" for one in range(epochs)]
        for what in ("acc1es", "acc5es"):
            curves[what].append(counts(by_epoch(result[f"{prefix}_{what}"], keys, where), samples, f"{where}, {split}"))
        values = result[f"{prefix}_losses"]
        curves["losses"].append(losses(by_epoch(values, keys, where), [one in values for one in keys]))
        seconds += sum(by_epoch(result[f"{prefix}_times"], keys, where))
    top1, top5, loss = (np.stack(curves[what]) for what in curves)
    return Run(of, cell, seed, hp, epochs, top1, top5, loss, seconds, "", where)
