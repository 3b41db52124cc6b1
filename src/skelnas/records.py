"""Named arrays in one small file that is whole and undamaged, or counts as absent.

A record is the SHA-256 of what follows (32 bytes) and then NumPy's npz archive, which is read without pickle.
"""

import hashlib
import io
from pathlib import Path

import numpy as np

from skelnas.files import whole_file

DIGEST_BYTES = 32
ATTEMPTS = 5


def write_record(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write `arrays` to `path`, whole or not at all; the folder is made where it is missing.

    Raises:
        InputError: the disk is full or the folder cannot be written.
    """
    content = io.BytesIO()
    np.savez(content, **arrays)
    data = content.getvalue()
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with whole_file(path) as temporary:
                temporary.write_bytes(hashlib.sha256(data).digest() + data)
            return
        except FileNotFoundError:
            # Another process that finished the same work removed the folder under our hands: make it again.
            if attempt == ATTEMPTS:
                raise


def read_record(path: Path) -> dict[str, np.ndarray] | None:
    """The arrays at `path`; None where there is no such file or its bytes are not what was written."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    digest, content = data[:DIGEST_BYTES], data[DIGEST_BYTES:]
    if hashlib.sha256(content).digest() != digest:
        return None
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return dict(arrays)
