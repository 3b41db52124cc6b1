"""Recordings that are there twice: as equal images, or nearly so.

A copy that was rounded when it was saved again, trimmed, or begins somewhat later, shows the same poses in the same
order. So the columns of each image are compared as poses: less the mean of each channel and divided by its deviation,
which takes away how the encoding scaled the recording. Two recordings are near copies where, at one shift in time,
`MATCHING` of the columns of the shorter one lie within `NEAR` of the other's, over at least `OVERLAP` of it. Repeated
performances do not: nobody moves twice with the same timing. Copies that run faster or slower, are mirrored, or are
rotated are not found, nor are copies of recordings in which hardly anybody moves: these have no timing to go by.

Pairs that cannot match are left out beforehand: each of three columns of a recording must have one of the other's
within `REACH`, in the first principal components of all columns, whose distances are never larger than the whole ones.
"""

import functools

import numpy as np
from scipy.spatial import KDTree

from skelnas.images.image_set import ImageSet

NEAR = 0.08  # root mean square over a column, whose channels have deviation 1
MATCHING = 0.8
STILL = 2 * NEAR  # root mean square over all columns, less their mean
OVERLAP = 0.6
REACH = 0.08
PROBES = (0.25, 0.5, 0.75)  # places in a recording
COMPONENTS = 8
SAMPLED = 20_000  # columns that the components are computed from
MOST = 3_000  # recordings; of larger sets near copies are not looked for, which would take an hour


@functools.lru_cache(maxsize=1)  # card and table ask one after the other
def near_copies(image_set: ImageSet) -> list[tuple[int, int]]:
    """Pairs of recordings that are near copies, by their positions in pool and test, one behind the other.

    Equal images are left to `numbers.duplicates`. Empty where they are not looked for (`looked_for`).
    """
    if not looked_for(image_set):
        return []
    lengths = np.concatenate([image_set.pool_lengths, image_set.test_lengths])
    images = np.concatenate([image_set.pool_images, image_set.test_images])
    columns = poses(images)
    found = []
    for pair in sorted({(min(pair), max(pair)) for pair in _candidates(columns)}):
        shorter, longer = sorted(pair, key=lambda place: lengths[place])
        distance = apart((lengths[shorter], columns[shorter]), (lengths[longer], columns[longer]))
        if distance <= NEAR and not np.array_equal(images[shorter], images[longer]):
            found.append(pair)
    return found


def looked_for(image_set: ImageSet) -> bool:
    """Whether near copies are looked for: the lengths of recordings are known, and there are at most `MOST`."""
    lengths = len(image_set.pool_lengths) + len(image_set.test_lengths)
    return 1 < lengths <= MOST and lengths == len(image_set.pool_images) + len(image_set.test_images)


def poses(images: np.ndarray) -> np.ndarray:
    """Columns of uint8 images x height x width x 3 as poses: float32, images x width x (3 * height).

    The distance of two of them is the root mean square of their differences.
    """
    columns = images.astype(np.float32).transpose(0, 2, 1, 3)
    columns -= columns.mean(axis=2, keepdims=True)
    columns /= np.maximum(columns.std(axis=2, keepdims=True), 1)  # of less than a grey level there is only noise
    return columns.reshape(*columns.shape[:2], -1) / np.sqrt(columns.shape[2] * 3)


def apart(shorter: tuple[int, np.ndarray], longer: tuple[int, np.ndarray]) -> float:
    """How far two recordings, each its frames and its poses (width x values), are apart at the best shift in time.

    The distance within which `MATCHING` of the shorter one's columns lie; infinite where no shift overlaps enough.
    """
    (frames, columns), (others, other_columns) = shorter, longer
    width, shown = len(columns), _shown(columns)
    between = np.sqrt(np.maximum(2 * (1 - columns @ other_columns.T) + _excess(columns, other_columns), 0))
    shifts = np.arange(-int((1 - OVERLAP) * frames), others - int(OVERLAP * frames) + 1)
    times = (np.arange(width) + 0.5) * frames / width
    places = (times + shifts[:, None]) * width / others - 0.5  # shifts x columns, in columns of the other
    inside = (places > -1) & (places < width) & shown
    before = np.clip(np.floor(places).astype(int), 0, width - 1)
    after = np.minimum(before + 1, width - 1)
    rows = np.arange(width)
    nearest = np.where(inside, np.minimum(between[rows, before], between[rows, after]), np.inf)
    enough = inside.sum(axis=1) >= max(OVERLAP * shown.sum(), 1)
    if not enough.any():
        return float("inf")
    wanted = np.ceil(MATCHING * inside.sum(axis=1)).astype(int) - 1
    return float(np.sort(nearest, axis=1)[np.arange(len(shifts)), wanted][enough].min())


def _shown(columns: np.ndarray) -> np.ndarray:
    """Which columns (... x values) show a body: in padding and empty frames no channel varies."""
    return np.asarray((columns**2).sum(axis=-1) > 0.5)


def _excess(columns: np.ndarray, others: np.ndarray) -> np.ndarray:
    """What squared lengths miss to one each: channels of a single value have length 0."""
    return np.asarray((columns**2).sum(axis=1)[:, None] + (others**2).sum(axis=1) - 2)


def _candidates(columns: np.ndarray) -> list[tuple[int, int]]:
    shown = _shown(columns)
    moving = [
        recording
        for recording in range(len(columns))
        if shown[recording].any() and np.sqrt(columns[recording, shown[recording]].var(axis=0).sum()) > STILL
    ]
    if len(moving) < 2:
        return []
    owners = np.repeat(moving, shown[moving].sum(axis=1))
    every = np.concatenate([columns[recording, shown[recording]] for recording in moving])
    centred = every - every.mean(axis=0)
    _, axes = np.linalg.eigh(np.cov(centred[:: -(-len(centred) // SAMPLED)].T))
    low = centred @ axes[:, -COMPONENTS:]
    tree = KDTree(low)
    first, counts = np.searchsorted(owners, moving), shown[moving].sum(axis=1)
    found: list[set[tuple[int, int]]] = []
    for place in PROBES:
        near = tree.query_ball_point(low[first + (place * counts).astype(int)], REACH)
        found.append(
            {(one, int(owner)) for one, others in zip(moving, near, strict=True) for owner in set(owners[others])}
        )
    return [(one, other) for one, other in set.intersection(*found) if one != other]
