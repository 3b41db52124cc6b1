"""The JSON that the original's `preprocess_trained_data.py` made of the collected files.

A list of cells, [{data set: {hp: {seed: six lists of percent, additional_information: {...}}}}]. Lists are as long as
`hp` says and are filled with 0.0 where there was no epoch: such zeros are taken for missing. Losses and times are those
of one seed, which `additional_information` names; of the other seeds nobody has them.
"""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from skelnas.errors import InputError
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
from skelnas.untrusted import LimitError, Limits, parse_json

LIMITS = Limits(member_bytes=8 << 30)
INFORMATION = "additional_information"
PREFIX = dict(zip(SPLITS, ("train", "val", "test"), strict=True))


def read(content: bytes, where: str) -> Iterator[Run | Skipped]:
    """The runs of the file.

    Raises:
        InputError: it is no such JSON.
    """
    try:
        cells = parse_json(content, LIMITS)
    except (LimitError, ValueError) as error:
        raise InputError(f"{where} is no JSON ({error}); get it again") from error
    if not isinstance(cells, list):
        raise InputError(f"{where} is no list of cells")
    for position, cell in enumerate(cells):
        place = f"{where}, element {position}"
        try:
            for key, of in cell.items():
                for hp, seeds in of.items():
                    yield from _seeds(seeds, key, hp, f"{place}, {key}, hp {hp}")
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            yield Skipped(f"{place} lacks what a cell has ({type(error).__name__}: {error})")


def _seeds(seeds: dict[str, Any], key: str, hp: str, where: str) -> Iterator[Run | Skipped]:
    told = seeds[INFORMATION]
    of = data_set(key, where)
    try:
        cell = check_cell(told["arch_index"], told["arch_str"], where)
        check_costs(told["params"], told["flop"], cell, of, where)
    except Skipped as error:
        yield error
        return
    for seed in (one for one in seeds if one != INFORMATION):
        place = f"{where}, seed {seed}"
        try:
            lists = {
                (split, top): _list(seeds[seed][f"{PREFIX[split]}_acc{top}es"], int(hp), place)
                for split in SPLITS
                for top in (1, 5)
            }
            own = int(told["seed"]) == int(seed)
            epochs = int(told["epochs"]) if own else _epochs(lists)
            if epochs < 1:
                raise Skipped(f"{place} has no epoch")
            percents = {name: values[:epochs] for name, values in lists.items()}
            if own and any(any(values[epochs:]) for values in lists.values()):
                raise Skipped(f"{place} has accuracies after its last epoch, {epochs}")
            top1, top5 = (
                np.stack(
                    [
                        counts(percents[split, top], samples, f"{place}, {split}")
                        for split, samples in zip(SPLITS, of.samples, strict=True)
                    ]
                )
                for top in (1, 5)
            )
            loss, seconds = _once(told, epochs, place) if own else _nobody(epochs)
            yield Run(of, cell, int(seed), hp, epochs, top1, top5, loss, seconds, "", place)
        except Skipped as error:
            yield error


def _list(values: Any, length: int, where: str) -> list[float]:
    if not isinstance(values, list) or len(values) != length:
        found = f"{len(values)} values" if isinstance(values, list) else "no list"
        raise Skipped(f"{where} has {found} of accuracies, expected {length}")
    if any(isinstance(value, bool) or not isinstance(value, int | float) for value in values):
        raise Skipped(f"{where} has an accuracy that is no number")
    return [float(value) for value in values]


def _epochs(lists: dict[tuple[str, int], list[float]]) -> int:
    """The epochs before the zeros at the end: no network is wrong about every sample of every split, even of five."""
    length = len(next(iter(lists.values())))
    return max((epoch + 1 for epoch in range(length) if any(values[epoch] for values in lists.values())), default=0)


def _once(told: dict[str, Any], epochs: int, where: str) -> tuple[np.ndarray, float]:
    """Losses (3, epochs) and seconds of the one seed that has them."""
    found, seconds = [], 0.0
    for split in SPLITS:
        prefix = "train" if split == "train" else "eval"
        keys = [str(one) if split == "train" else f"{SPLIT_KEYS[split]}@{one}" for one in range(epochs)]
        values = told[f"{prefix}_losses"]
        found.append(losses(by_epoch(values, keys, where), [one in values for one in keys]))
        seconds += sum(by_epoch(told[f"{prefix}_times"], keys, where))
    return np.stack(found), seconds


def _nobody(epochs: int) -> tuple[np.ndarray, float]:
    return np.stack([losses([math.nan] * epochs, [False] * epochs)] * len(SPLITS)), math.nan
