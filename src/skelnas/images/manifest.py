"""The manifest of an image set: what the workflow knows of it without opening it, as JSON that carries its checksum."""

from pathlib import Path
from typing import Any

from skelnas import kinds
from skelnas.errors import InputError
from skelnas.files import check_readable, sha256_of_json, write_json
from skelnas.images.image_set import ImageSet
from skelnas.untrusted import parse_json

CHECKSUM = "checksum"
NEEDED = ("fingerprint", "classes", "height", "width", "images")


def described(image_set: ImageSet) -> dict[str, Any]:
    """What a manifest repeats of its image set, as plain values for JSON."""
    return {
        "fingerprint": image_set.fingerprint,
        "name": image_set.name,
        "encoding": image_set.encoding,
        "height": image_set.height,
        "width": image_set.width,
        "images": image_set.counts,
        "classes": list(image_set.class_names),
        "mean": image_set.mean.tolist(),
        "std": image_set.std.tolist(),
    }


def write_manifest(path: Path | str, values: dict[str, Any]) -> None:
    """Write a manifest with the SHA-256 of its other values, whole or not at all.

    Raises:
        InputError: the disk is full or the folder cannot be written.
    """
    write_json(path, {**values, CHECKSUM: sha256_of_json(values)})


def read_manifest(path: Path | str) -> dict[str, Any]:
    """The values of a manifest, less its checksum.

    Raises:
        InputError: it is missing, cannot be read, is no manifest, or was changed after it was written.
    """
    path = Path(path)
    try:
        values = parse_json(path.read_bytes())
    except (FileNotFoundError, IsADirectoryError):
        raise kinds.missing(path, "manifest of an image set") from None
    except (OSError, ValueError) as error:
        check_readable(path)
        raise InputError(f"{path} is no manifest of an image set ({error}); {kinds.again(path)}") from error
    if not isinstance(values, dict) or any(key not in values for key in (CHECKSUM, *NEEDED)):
        raise InputError(f"{path} is no manifest of an image set of this version; {kinds.again(path)}")
    if values.pop(CHECKSUM) != sha256_of_json(values):
        raise InputError(f"{path} was changed after it was written; {kinds.again(path)}")
    return values
