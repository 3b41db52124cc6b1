"""The recordings of one part of an image set, the training pool or the test split, gathered as they are converted."""

import dataclasses

import numpy as np

from skelnas.images.conversion import Converted
from skelnas.images.resize import resize


class Part:
    """At most `most` recordings and their images, which all get one size.

    Where `width` is given (not 0), every image is as large as the first and goes straight to its place: a list of them
    beside the array would double the memory. Otherwise images keep their own widths until they are stacked.
    """

    def __init__(self, most: int, width: int) -> None:
        self.recordings: list[Converted] = []
        self._most, self._width = most, width
        self._images = np.empty((0, 0, 0, 3), dtype=np.uint8)

    def add(self, converted: Converted) -> None:
        """Take one usable recording; where the width is given, it is kept without its image."""
        if self._width:
            if not self.recordings:
                self._images = np.empty((self._most, *converted.image.shape), dtype=np.uint8)
            _, height, width, _ = self._images.shape
            self._images[len(self.recordings)] = resize(converted.image, height, width)
            converted = dataclasses.replace(converted, image=None)
        self.recordings.append(converted)

    def rows(self) -> int:
        """Rows of the first image."""
        return self._images.shape[1] if self._width else len(self.recordings[0].image)

    def stacked(self, height: int, width: int) -> np.ndarray:
        """All images, uint8, recordings x height x width x 3; height and width are those given before, if they were."""
        if self._width:
            return self._images[: len(self.recordings)]
        images = np.empty((len(self.recordings), height, width, 3), dtype=np.uint8)
        for place, recording in enumerate(self.recordings):
            images[place] = resize(recording.image, height, width)
        return images
