"""Counts of correct predictions and losses as files hold them, and how a number that nobody has is told from one.

A count is stored in the smallest unsigned type whose largest value is above every number of samples; that largest value
means missing (HDF5 knows it as the array's fill value). In memory counts are int32 and missing is -1. A missing loss is
a NaN with a bit pattern of its own, so that the NaN of a diverged training stays one; as R tells NA from NaN.
"""

from collections.abc import Sequence

import numpy as np

MISSING = -1
MISSING_LOSS = np.array(0x7FC007A2, dtype=np.uint32).view(np.float32)[()]
TYPES = (np.uint8, np.uint16, np.uint32)


def count_type(samples: Sequence[int] | np.ndarray) -> np.dtype:
    """The smallest type for counts of at most that many samples per split."""
    return np.dtype(next(kind for kind in TYPES if max(map(int, samples)) < np.iinfo(kind).max))


def missing_count(kind: np.dtype) -> int:
    """The stored value that means missing."""
    return int(np.iinfo(kind).max)


def stored_counts(counts: np.ndarray, samples: Sequence[int] | np.ndarray) -> np.ndarray:
    """Counts (any integer type, -1 is missing) in the type of the file."""
    kind = count_type(samples)
    return np.where(counts == MISSING, missing_count(kind), counts).astype(kind)


def counts_of(stored: np.ndarray) -> np.ndarray:
    """Stored counts as int32, -1 where missing; those of format 1 are int32 and none is missing."""
    if stored.dtype.kind != "u":
        return stored
    counts = stored.astype(np.int32)
    counts[stored == missing_count(stored.dtype)] = MISSING
    return counts


def is_missing(values: np.ndarray) -> np.ndarray:
    """Which numbers of an array of a file, counts or losses, are missing: bool, the same shape."""
    if values.dtype == np.float32:
        return np.ascontiguousarray(values).view(np.uint32) == MISSING_LOSS.view(np.uint32)
    return values == missing_count(values.dtype) if values.dtype.kind == "u" else np.zeros(values.shape, dtype=bool)
