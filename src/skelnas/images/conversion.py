"""Recordings become images: read, encode, resize, in the order of the samples, in one process or several."""

import multiprocessing
import os
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np

from skelnas.images.encodings import ENCODINGS
from skelnas.images.resize import default_height, resize
from skelnas.skeletons.recording import BadRecording, Sample, Source, check_coordinates

BLOCK = 32  # recordings a worker converts before it answers


@dataclass(frozen=True)
class Converted:
    """One sample's image, or why there is none."""

    sample: Sample
    image: np.ndarray | None = None  # uint8, height x width x 3 (rows x frames x 3 where the width is not known yet)
    length: int = 0  # frames of the recording
    frames_without_body: int = 0
    reason: str = ""
    recorded: bool = False  # an earlier run converted it


@dataclass(frozen=True)
class Conversion:
    """What is done to every recording of a source; height 0: the default one, width 0: not known, so not resized."""

    source: Source
    encoding: str
    height: int
    width: int

    def one(self, sample: Sample) -> Converted:
        """Read and draw one sample; a recording that cannot be used gives its reason instead of an image."""
        try:
            recording = self.source.read(sample)
        except BadRecording as error:
            return Converted(sample, reason=str(error))
        try:
            joints = len(self.source.joint_names) or None
            coordinates = check_coordinates(recording.coordinates, sample.name, joints)
            image = ENCODINGS[self.encoding](coordinates, self.source.parents)
        except BadRecording as error:
            text = str(error)
            return Converted(sample, reason=text if text.startswith(sample.name) else f"{sample.name}: {text}")
        if self.width:
            image = resize(image, self.height or default_height(len(image)), self.width)
        return Converted(sample, image, coordinates.shape[1], recording.frames_without_body)


def convert(conversion: Conversion, samples: Sequence[Sample], workers: int = 1) -> Iterator[Converted]:
    """Yield every sample's image in the order of `samples`; more than one worker means forked processes.

    At most three blocks per worker are under way, so memory does not grow with the data set.
    """
    if workers == 1:
        yield from map(conversion.one, samples)
        return
    global _inherited
    _inherited = conversion  # forked workers inherit it: a source's `read` need not be picklable
    blocks = [samples[start : start + BLOCK] for start in range(0, len(samples), BLOCK)]
    under_way: deque[Future[list[Converted]]] = deque()
    fork = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(workers, fork, initializer=_end_with, initargs=(os.getpid(),)) as pool:
        try:
            for block in blocks:
                under_way.append(pool.submit(_block, block))
                if len(under_way) == 3 * workers:
                    yield from under_way.popleft().result()
            while under_way:
                yield from under_way.popleft().result()
        finally:
            for future in under_way:
                future.cancel()
            _inherited = None


_inherited: Conversion | None = None


def _block(samples: Sequence[Sample]) -> list[Converted]:
    assert _inherited is not None
    return [_inherited.one(sample) for sample in samples]


def _end_with(parent: int) -> None:
    """End this worker soon after its parent: a killed one cannot tell its workers, and they would wait for ever."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
