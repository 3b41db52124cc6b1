"""The image set: everything training needs to know of a data set, in memory and in one HDF5 file.

The file has one dataset per array below (gzip-compressed in fixed chunks, each with its Fletcher-32 checksum) and one
dataset `description` (JSON as bytes: names, classes, encoding, fingerprint). The same image set always gives the same
bytes. The fingerprint is SHA-256 over the whole content: it identifies the data in every result trained on it, and
reading checks it.
"""

import dataclasses
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from skelnas import hdf5, kinds
from skelnas.errors import InputError

FORMAT = "skelnas image set 1"
CHUNK_IMAGES, CHUNK_NUMBERS = 64, 65_536
ARRAYS = {
    "pool_images": np.uint8,
    "pool_labels": np.int64,
    "pool_subjects": np.int64,
    "pool_lengths": np.int64,
    "pool_frames_without_body": np.int64,
    "test_images": np.uint8,
    "test_labels": np.int64,
    "test_subjects": np.int64,
    "test_lengths": np.int64,
    "test_frames_without_body": np.int64,
    "train_index": np.int64,
    "valid_index": np.int64,
    "mean": np.float64,
    "std": np.float64,
}
LATER: frozenset[str] = frozenset()  # arrays that 0.1 did not have: in the fingerprint only where they are not empty
TEXTS = ("name", "encoding", "class_names", "pool_names", "test_names")


def _unknown() -> np.ndarray:
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class ImageSet:
    """The images of one data set with one split, in the order of their recordings' names.

    The training pool holds the splits `train` and `valid`; `train_index` and `valid_index` are positions in it.
    `mean` and `std` (population) are per channel over the whole pool, on the 0..255 scale. Lengths (frames before
    resizing) and frames without a body are one number per image; they are empty where nobody counted them.
    """

    name: str
    pool_images: np.ndarray  # uint8, images x height x width x 3
    pool_labels: np.ndarray  # int64, class of each image, counted from 0
    pool_names: tuple[str, ...]
    pool_subjects: np.ndarray  # int64
    test_images: np.ndarray
    test_labels: np.ndarray
    test_names: tuple[str, ...]
    test_subjects: np.ndarray
    train_index: np.ndarray  # int64, ascending
    valid_index: np.ndarray
    class_names: tuple[str, ...]
    mean: np.ndarray  # float64, 3
    std: np.ndarray
    encoding: str
    fingerprint: str  # 64 hexadecimal digits; `sealed` computes it
    pool_lengths: np.ndarray = field(default_factory=_unknown)
    pool_frames_without_body: np.ndarray = field(default_factory=_unknown)
    test_lengths: np.ndarray = field(default_factory=_unknown)
    test_frames_without_body: np.ndarray = field(default_factory=_unknown)

    @property
    def height(self) -> int:
        """Rows of an image."""
        return self.pool_images.shape[1]

    @property
    def width(self) -> int:
        """Columns of an image."""
        return self.pool_images.shape[2]

    @property
    def classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    @property
    def counts(self) -> dict[str, int]:
        """Number of images per split."""
        return {"train": len(self.train_index), "valid": len(self.valid_index), "test": len(self.test_labels)}


def fingerprint_of(image_set: ImageSet) -> str:
    """SHA-256 (64 hexadecimal digits) over names, types, shapes and bytes of everything but the fingerprint itself.

    An array that nobody filled and that 0.1 did not have leaves no trace: data sets keep the fingerprint they had.
    """
    digest = hashlib.sha256(_texts_as_json(image_set).encode())
    for key, kind in ARRAYS.items():
        array = np.ascontiguousarray(getattr(image_set, key), dtype=np.dtype(kind).newbyteorder("<"))
        if key in LATER and not array.size:
            continue
        digest.update(f"{key} {array.dtype.str} {array.shape}".encode())
        digest.update(array.data if array.size else b"")
    return digest.hexdigest()


def sealed(image_set: ImageSet) -> ImageSet:
    """The same image set with the fingerprint that belongs to its content."""
    return dataclasses.replace(image_set, fingerprint=fingerprint_of(image_set))


def write_image_set(path: Path | str, image_set: ImageSet) -> None:
    """Write a sealed image set to `path` (HDF5), whole or not at all; it is read back before it gets its name.

    Raises:
        InputError: the disk refuses, or the fingerprint is not that of the content.
    """
    if fingerprint_of(image_set) != image_set.fingerprint:
        raise InputError(f"{path}: content and fingerprint of the image set differ; seal it before it is written")
    description = {"format": FORMAT, "fingerprint": image_set.fingerprint, **_texts(image_set)}
    text = json.dumps(description, ensure_ascii=True, sort_keys=True).encode()
    arrays = {key: np.asarray(getattr(image_set, key), dtype=kind) for key, kind in ARRAYS.items()}
    stored = {key: _stored(array) for key, array in arrays.items()}
    hdf5.write(path, {"description": _stored(np.frombuffer(text, dtype=np.uint8)), **stored}, {"format": FORMAT})


def read_image_set(path: Path | str) -> ImageSet:
    """Read an image set and check its fingerprint.

    Raises:
        InputError: there is no such file, it is damaged, or it is not an image set.
    """
    path = Path(path)
    if not path.is_file():
        raise kinds.missing(path, "image set")
    try:
        with hdf5.opened(path) as (file, attributes):
            kinds.check_format(path, file, attributes, (FORMAT,), "an image set")
            description = json.loads(hdf5.dataset(file, "description")[()].tobytes())
            arrays: dict[str, Any] = {key: hdf5.dataset(file, key)[()] for key in ARRAYS}
        del description["format"]
        arrays |= {key: tuple(value) if isinstance(value, list) else value for key, value in description.items()}
        image_set = ImageSet(**arrays)
        whole = fingerprint_of(image_set) == image_set.fingerprint
    except hdf5.READ_ERRORS as error:
        raise hdf5.unreadable(path, error, "cannot be read as an image set", kinds.again(path)) from error
    if not whole:
        raise InputError(f"{path}: content and fingerprint of the image set differ; {kinds.again(path)}")
    return image_set


def _texts(image_set: ImageSet) -> dict[str, object]:
    values = {key: getattr(image_set, key) for key in TEXTS}
    return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}


def _texts_as_json(image_set: ImageSet) -> str:
    return json.dumps(_texts(image_set), ensure_ascii=True, sort_keys=True, separators=(",", ":"))


def _stored(array: np.ndarray) -> hdf5.Stored:
    rows = min(len(array), CHUNK_IMAGES if array.ndim == 4 else CHUNK_NUMBERS)
    return hdf5.Stored(array, (rows, *array.shape[1:]))
