"""A parcel: finished shards with their sidecars in one file, to be carried to where the study lives.

A zip of plain members, `{seed}/{first}-{last}.h5` and `{seed}/{first}-{last}.timing.json`, all trained with the same
images and recipe. Each shard says itself what it was trained with, and carries its checksums.
"""

import re
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from skelnas.errors import InputError
from skelnas.files import check_readable, whole_file
from skelnas.results.shard import Shard, read_shard
from skelnas.results.timing import merge_timings, timing_path
from skelnas.untrusted import DAMAGE

MOST_BYTES = 16_000_000  # of a parcel that may be sent in
MOST_UNPACKED = 256_000_000
MEMBER = re.compile(r"(\d{1,6})/(\d{5}-\d{5})\.(h5|timing\.json)")


@dataclass(frozen=True)
class Parcelled:
    """A shard of a parcel: its name (`{first}-{last}`), content, and the bytes of the file and of its sidecar."""

    name: str
    shard: Shard
    file: bytes
    sidecar: bytes


def pack(shards: Sequence[Path], path: Path) -> int:
    """Write the parcel of finished shards, each checked first; its size in bytes.

    Raises:
        InputError: there are none, one is damaged or lacks its sidecar, or the parcel would be too large.
    """
    if not shards:
        raise InputError(f"{path} is not written: no shard is finished; give more minutes")
    with whole_file(path) as temporary:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as parcel:
            for file in shards:
                seed = read_shard(file).seed
                for one in (file, timing_path(file)):
                    parcel.writestr(zipfile.ZipInfo(f"{seed}/{one.name}"), one.read_bytes(), zipfile.ZIP_DEFLATED)
        if (size := temporary.stat().st_size) > MOST_BYTES:
            raise InputError(f"{path} would have {size:,} bytes, more than {MOST_BYTES:,}; pack fewer shards")
    return size


def unpack(path: Path | str) -> list[Parcelled]:
    """Read a parcel and check all of it: names, checksums, identities, sidecars, one image set and recipe.

    Raises:
        InputError: it is no parcel or holds anything that is not right; nothing is written.
    """
    path = Path(path)
    try:
        with zipfile.ZipFile(path) as parcel:
            found = {member.filename: member.file_size for member in parcel.infolist()}
            odd = [name for name in found if not MEMBER.fullmatch(name)]
            if odd or not found or sum(found.values()) > MOST_UNPACKED:
                raise InputError(f"{path} is no parcel of shards{f': it holds {odd[0]!r}' if odd else ''}")
            content = {name: parcel.read(name) for name in found}
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such parcel of shards; look for its name") from None
    except DAMAGE as error:
        check_readable(path)
        raise InputError(f"{path} cannot be read as a parcel of shards ({error}); fetch it again") from error
    with tempfile.TemporaryDirectory() as folder:
        shards = [_checked(path, name, content, Path(folder)) for name in sorted(content) if name.endswith(".h5")]
    if not shards or len(content) != 2 * len(shards):
        raise InputError(f"{path} holds sidecars without their shards; fetch it again")
    first = shards[0].shard
    for one in shards:
        if (one.shard.fingerprint, one.shard.recipe) != (first.fingerprint, first.recipe):
            raise InputError(f"{path} mixes image sets or recipes; nothing of it is taken")
    return shards


def _checked(path: Path, name: str, content: dict[str, bytes], folder: Path) -> Parcelled:
    sidecar = str(timing_path(name))
    if sidecar not in content:
        raise InputError(f"{path}: {name} has no sidecar; fetch it again")
    file = folder / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(content[name])
    timing_path(file).write_bytes(content[sidecar])
    try:
        shard = read_shard(file)
        timed = merge_timings([file])
    except InputError as error:
        raise InputError(f"{path}: {name} or its sidecar is damaged; fetch it again") from error
    if sorted(timed["index"]) != sorted(shard.cells.tolist()) or set(timed["seed"]) != {shard.seed}:
        raise InputError(f"{path}: the sidecar of {name} is that of other cells; fetch it again")
    first, last = (int(part) for part in file.stem.split("-"))
    if (first, last, name.split("/")[0]) != (shard.cells.min(), shard.cells.max(), str(shard.seed)):
        raise InputError(f"{path}: {name} holds other cells than its name says; fetch it again")
    return Parcelled(file.stem, shard, content[name], content[sidecar])
