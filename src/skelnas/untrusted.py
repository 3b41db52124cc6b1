"""What comes from elsewhere is read within limits, so that no file can fill the memory.

The limits are generous; who needs more raises one in the block `limits` of the data set.
"""

import json
import lzma
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass
from typing import IO, Any

from skelnas.text import size

SMALL_BYTES = 1 << 24  # below, any ratio will do: a recording of zeros packs well
BLOCK_BYTES = 1 << 20
SLOW_BLOCK_BYTES = 1 << 12  # of packed bytes, for compressions that unpack without a bound of their own
DAMAGE = (  # how zipfile and the decompressors tell wrong checksums, short members, nonsense and unknown compressions
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
    OverflowError,
)
STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"?', re.DOTALL)


class LimitError(ValueError):
    """Something is larger than a limit allows; the text names the limit's key and ends with the remedy."""


@dataclass(frozen=True)
class Limits:
    """How large things may be; the keys in config.yaml are these names with hyphens."""

    member_bytes: int = 1 << 30  # of one file, or of one member of an archive when it is unpacked
    member_ratio: int = 200  # unpacked to packed bytes, of members above 16 MiB
    json_depth: int = 64  # brackets within brackets
    line_bytes: int = 1 << 20  # of a line of text
    name_bytes: int = 1000  # of a file's name with its folders, as UTF-8
    recording_seconds: int = 300  # that one recording may take to be read and drawn

    def check_bytes(self, found: int) -> None:
        """Raise `LimitError` above `member_bytes`."""
        if found > self.member_bytes:
            raise LimitError(_sentence("it is larger", size(self.member_bytes), "member-bytes"))

    def check_lines(self, text: str) -> None:
        """Raise `LimitError` where a line is longer than `line_bytes`."""
        for number, line in enumerate(text.splitlines(), start=1):
            if len(line) > self.line_bytes:
                raise LimitError(
                    _sentence(f"line {number} has {len(line):,} characters, more", f"{self.line_bytes:,}", "line-bytes")
                )

    def check_name(self, name: str) -> None:
        """Raise `LimitError` above `name_bytes`."""
        if (found := len(name.encode(errors="surrogateescape"))) > self.name_bytes:
            raise LimitError(_sentence(f"the name has {found:,} bytes, more", f"{self.name_bytes:,}", "name-bytes"))


DEFAULT = Limits()


def read_member(archive: zipfile.ZipFile, member: str | zipfile.ZipInfo, limits: Limits = DEFAULT) -> bytes:
    """The bytes of a zip member, unpacked no further than the limits allow, whatever its entry says.

    Raises:
        LimitError: the member is larger, or grows more when unpacked.
        KeyError: no such member.
        zipfile.BadZipFile and others: it is damaged.
    """
    entry = archive.getinfo(member) if isinstance(member, str) else member
    blocks: list[bytes] = []
    total = 0
    with archive.open(entry) as stream:
        while block := stream.read(block_bytes(entry)):
            blocks.append(block)
            total += len(block)
            limits.check_bytes(max(total, entry.file_size))
            if total > SMALL_BYTES and total > limits.member_ratio * max(entry.compress_size, 1):
                grown = f"{size(entry.compress_size)} unpack to more than {size(total)}, more"
                raise LimitError(_sentence(grown, f"{limits.member_ratio} times", "member-ratio"))
    return b"".join(blocks)


def block_bytes(entry: zipfile.ZipInfo) -> int:
    """How much of a member to ask for at a time so that memory stays small."""
    return BLOCK_BYTES if entry.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) else SLOW_BLOCK_BYTES


def read_file(stream: IO[bytes], limits: Limits = DEFAULT) -> bytes:
    """The bytes of an opened file.

    Raises:
        LimitError: there are more than the limits allow.
    """
    content = stream.read(limits.member_bytes + 1)
    limits.check_bytes(len(content))
    return content


def parse_json(content: bytes, limits: Limits = DEFAULT) -> Any:
    """The value of a JSON text in UTF-8.

    Raises:
        LimitError: brackets within brackets deeper than the limits allow.
        ValueError: it is no JSON, or no UTF-8.
    """
    depth = deepest = 0
    for bracket in re.findall(rb"[\[{]|[\]}]", STRINGS.sub(b"", content)):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    if deepest > limits.json_depth:
        raise LimitError(_sentence(f"it nests {deepest:,} deep, more", f"{limits.json_depth}", "json-depth"))
    return json.loads(content)


def _sentence(found: str, allowed: str, key: str) -> str:
    return f"{found} than the {allowed} that `limits: {key}` allows; raise it for this data set if that is right"
