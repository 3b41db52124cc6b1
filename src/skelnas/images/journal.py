"""The journal of a conversion: finished blocks of images, so that a killed conversion goes on where it ended.

It lies in `.journal/` beside the image set, unknown to the workflow, in a folder named after the image set and there in
one named after everything that decides an image (files, reader options, encoding, size, program). A damaged block
counts as absent. Two processes that convert the same data set write the same blocks, each whole.
"""

import contextlib
import dataclasses
import itertools
import json
import shutil
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import PIL

from skelnas.files import read_record, sha256_of_file, sha256_of_json, write_record
from skelnas.images.conversion import Conversion, Converted, convert
from skelnas.skeletons.plausibility import Measures
from skelnas.skeletons.recording import Sample

FORMAT = "skelnas image journal 3"
SUFFIX = ".block"
BLOCK = 512  # recordings in a block: 4 MB of images of 28 x 84 pixels
NUMBERS = ("length", "frames_without_body", "missing_joints", "padding", "unsure_joints", "confidence")
MEASURES = tuple(field.name for field in dataclasses.fields(Measures))
DECIDE_NO_IMAGE = {"split", "on-bad-recording"}  # options; every recording is converted whatever they say


class Journal:
    """The blocks of one image set that is being made of `files`."""

    def __init__(self, image_set: Path, files: Sequence[Path]) -> None:
        self.folder = image_set.parent / ".journal" / image_set.stem
        # Asked before any recording is read: a file that changes meanwhile is another one to the next run.
        self._files = [state for file in files for state in _states(file)]

    def convert(
        self, conversion: Conversion, options: Mapping[str, Any], workers: int = 1
    ) -> Generator[Converted, None, None]:
        """As `conversion.convert` does for all samples of the source, but blocks that are recorded are taken over.

        A block is recorded when all of its images have been taken from here. `options` is the data set's block of
        config.yaml.

        Raises:
            InputError: the disk is full or the folder cannot be written.
        """
        samples, identity = conversion.source.samples, self._identity(conversion, options)
        blocks = [
            Block(self.folder / identity[:16], identity, number, samples[start : start + BLOCK])
            for number, start in enumerate(range(0, len(samples), BLOCK))
        ]
        while blocks:
            recorded = blocks[0].read()
            if recorded is not None:
                yield from recorded
                blocks = blocks[1:]
                continue
            # One conversion for all blocks up to the next that seems to be there: workers are not started for each.
            absent = [blocks[0], *itertools.takewhile(lambda block: not block.path.exists(), blocks[1:])]
            missing = [sample for block in absent for sample in block.samples]
            with contextlib.closing(convert(conversion, missing, workers)) as images:
                for block in absent:
                    converted = []
                    for one in itertools.islice(images, len(block.samples)):
                        converted.append(one)
                        yield one
                    block.write(converted)
            blocks = blocks[len(absent) :]

    def remove(self) -> None:
        """Remove the journal of an image set that is in place, and the folder of journals when it was the last."""
        # Another process may be writing the same blocks right now; what it adds, it removes itself.
        shutil.rmtree(self.folder, ignore_errors=True)
        try:
            self.folder.parent.rmdir()
        except OSError:
            return

    def _identity(self, conversion: Conversion, options: Mapping[str, Any]) -> str:
        """SHA-256 over everything that decides an image."""
        source = conversion.source
        values = {
            "files": self._files,
            "origin": source.origin,
            "samples": [[sample.name, sample.member] for sample in source.samples],
            "joints": source.joint_names,
            "parents": source.parents,
            "options": {key: value for key, value in options.items() if key not in DECIDE_NO_IMAGE},
            "encoding": conversion.encoding,
            "size": [conversion.height, conversion.width],
            "program": _program(),
        }
        return sha256_of_json(values)


@dataclasses.dataclass(frozen=True)
class Block:
    """Some consecutive samples and the file that keeps their images."""

    folder: Path
    identity: str
    number: int
    samples: Sequence[Sample]

    @property
    def path(self) -> Path:
        """Where the block is recorded."""
        return self.folder / f"{self.number:06d}{SUFFIX}"

    def write(self, converted: Sequence[Converted]) -> None:
        """Record the samples' images, and of those without one the reason.

        Raises:
            InputError: the disk is full or the folder cannot be written.
        """
        images = [np.zeros((0, 0, 3), np.uint8) if one.image is None else one.image for one in converted]
        arrays = {
            "sizes": np.array([image.shape[:2] for image in images]),
            "pixels": np.concatenate([image.ravel() for image in images]),
            **{name: np.array([getattr(one, name) for one in converted]) for name in NUMBERS},
            **{name: np.array([getattr(one.measures, name) for one in converted]) for name in MEASURES},
            "description": np.array(json.dumps({**self._key(), "reasons": [one.reason for one in converted]})),
        }
        write_record(self.path, arrays)

    def read(self) -> list[Converted] | None:
        """The samples' images as they were recorded; None where the block is absent, damaged or another one."""
        arrays = read_record(self.path)
        if arrays is None:
            return None
        description = json.loads(str(arrays["description"]))
        reasons = description.pop("reasons", None)
        if description != self._key():
            return None
        ends = (3 * arrays["sizes"].prod(axis=1)).cumsum()
        images = [
            pixels.reshape(*size, 3) if pixels.size else None
            for pixels, size in zip(np.split(arrays["pixels"], ends[:-1]), arrays["sizes"], strict=True)
        ]
        numbers, measures = (_rows(arrays, names) for names in (NUMBERS, MEASURES))
        columns = zip(self.samples, images, reasons, numbers, measures, strict=True)
        return [
            Converted(sample, image, reason=why, recorded=True, measures=Measures(**measure), **row)
            for sample, image, why, row, measure in columns
        ]

    def _key(self) -> dict[str, int | str]:
        return {"format": FORMAT, "identity": self.identity, "block": self.number}


def _rows(arrays: Mapping[str, np.ndarray], names: Sequence[str]) -> list[dict[str, Any]]:
    """What arrays of these names say of each recording."""
    columns = zip(*(arrays[name].tolist() for name in names), strict=True)
    return [dict(zip(names, row, strict=True)) for row in columns]


def _states(path: Path) -> list[list[str | int]]:
    """Path, bytes and time of the last change (ns) of a file, or of every file in a folder."""
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    found = ((file.as_posix(), file.stat()) for file in files)
    return [[name, state.st_size, state.st_mtime_ns] for name, state in found]


def _program() -> list[str]:
    """What converts: the libraries that draw, and every module that reads or draws; a mended one converts anew."""
    package = Path(__file__).parents[1]
    modules = sorted([*(package / "images").rglob("*.py"), *(package / "skeletons").rglob("*.py")])
    return [np.__version__, PIL.__version__, *(sha256_of_file(module) for module in modules)]
