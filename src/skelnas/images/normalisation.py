"""The constants by which images are normalised."""

import math

import numpy as np

LEVELS = np.arange(256, dtype=object)  # Python integers: sums stay exact, so their order does not matter
CHUNK = 1024


def constants(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and population standard deviation per channel of uint8 images x height x width x 3, on the 0..255 scale.

    Two float64 arrays of 3. A channel of one value everywhere gets the deviation 1, so that it becomes 0 and not NaN.
    """
    histogram = np.zeros((3, 256), dtype=np.int64)
    for start in range(0, len(images), CHUNK):
        for channel in range(3):
            histogram[channel] += np.bincount(images[start : start + CHUNK, ..., channel].ravel(), minlength=256)
    mean, std = np.empty(3), np.empty(3)
    for channel, counts in enumerate(histogram.astype(object)):
        number, total, squares = counts.sum(), (counts * LEVELS).sum(), (counts * LEVELS**2).sum()
        mean[channel] = total / number
        std[channel] = math.sqrt((number * squares - total**2) / number**2) or 1.0
    return mean, std
