"""One zip per study: results, figures and configuration with a checksum for each, described as an RO-Crate.

`manifest-sha256.txt` lists every other member in the form of `sha256sum`, so an unpacked archive can also be checked
with `sha256sum -c manifest-sha256.txt`. `ro-crate-metadata.json` follows RO-Crate 1.1
(https://www.researchobject.org/ro-crate/specification/1.1/). The same files and metadata give the same bytes: members
are sorted and carry fixed dates and permissions. For that reason measured times (`*.timing.json`, `*.timing.parquet`)
are left out.

    skelnas verify results/archive/demo.zip
"""

import hashlib
import json
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from skelnas.crate import CRATE, MANIFEST, Metadata, crate
from skelnas.environment import versions
from skelnas.errors import InputError
from skelnas.files import READ_BYTES, whole_file

ENVIRONMENT = "environment.json"
PACKAGES = ("h5py", "matplotlib", "numba", "numpy", "pandas", "pillow", "pyarrow", "scipy", "snakemake", "torch")
MEASURED = (".timing.json", ".timing.parquet")
PACKED_ALREADY = {".h5", ".parquet", ".png", ".zip", ".gz"}
FIRST_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest date a zip can hold


def write_archive(study: str, files: Mapping[str, Path], metadata: Metadata, path: Path | str) -> None:
    """Pack `files` (name in the archive -> file) into the zip `path`, verified before it gets its name.

    Large files are streamed. Measured times are left out (see above); package versions go into `environment.json`.

    Raises:
        InputError: a file is missing, a name is not a plain relative path, the date is none, or the disk refuses.
    """
    files = {name: Path(files[name]) for name in sorted(files) if not name.endswith(MEASURED)}
    for name, file in files.items():
        if not _is_plain(name) or name in (MANIFEST, CRATE, ENVIRONMENT):
            raise InputError(f"{name!r} cannot be a name in an archive; give a relative path without '..'")
        if not file.is_file():
            raise InputError(f"{file} is missing, so {path} cannot be packed; `snakemake --cores all {file}` makes it")
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", metadata.date):
        raise InputError(f"the date {metadata.date!r} of the archive is not of the form 2026-11-22")
    with whole_file(path, verify=_refuse_problems) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        written = {name: _write_file(archive, name, file) for name, file in files.items()}
        written[ENVIRONMENT] = _write_text(archive, ENVIRONMENT, _as_json(versions(PACKAGES)))
        sizes = {name: size for name, (_, size) in written.items()}
        written[CRATE] = _write_text(archive, CRATE, _as_json(crate(study, sizes, metadata)))
        _write_text(archive, MANIFEST, "".join(f"{written[name][0]}  {name}\n" for name in sorted(written)))


def verify_archive(path: Path | str) -> list[str]:
    """Check an archive against its manifest and its crate; one sentence per problem, none if it is whole.

    Raises:
        InputError: there is no such file or it is no zip archive.
    """
    if not Path(path).is_file():
        raise InputError(f"{path}: there is no such archive")
    try:
        with zipfile.ZipFile(path) as archive:
            return list(_problems(archive))
    except (zipfile.BadZipFile, OSError, NotImplementedError) as error:
        raise InputError(f"{path} is not a whole zip archive ({error}); get it again") from error


def _problems(archive: zipfile.ZipFile) -> Iterator[str]:
    names = archive.namelist()
    yield from (f"{name} is in the archive more than once" for name, times in Counter(names).items() if times > 1)
    yield from (f"{name!r} is not a plain relative path" for name in names if not _is_plain(name))
    if MANIFEST not in names:
        yield f"{MANIFEST} is missing, so nothing can be checked"
        return
    expected = {}
    for number, line in enumerate(_text(archive, MANIFEST).splitlines(), start=1):
        if match := re.fullmatch(r"([0-9a-f]{64})  (.+)", line):
            expected[match[2]] = match[1]
        else:
            yield f"{MANIFEST}, line {number}, is not a checksum and a name"
    yield from (f"{name} is in {MANIFEST} but not in the archive" for name in sorted(expected.keys() - set(names)))
    yield from (
        f"{name} is in the archive but not in {MANIFEST}" for name in sorted(set(names) - expected.keys() - {MANIFEST})
    )
    for name in sorted(expected.keys() & set(names)):
        found = _checksum(archive, name)
        if found != expected[name]:
            yield f"{name} is damaged: its SHA-256 is {found or 'unreadable'}, expected {expected[name]}"
    yield from _crate_problems(archive, set(names))


def _crate_problems(archive: zipfile.ZipFile, names: set[str]) -> Iterator[str]:
    if CRATE not in names:
        yield f"{CRATE} is missing"
        return
    try:
        graph = json.loads(_text(archive, CRATE))["@graph"]
        described = {unquote(entity["@id"]) for entity in graph if entity["@type"] == "File"}
    except (ValueError, KeyError, TypeError):
        yield f"{CRATE} is not an RO-Crate"
        return
    yield from (f"{name} is described in {CRATE} but not in the archive" for name in sorted(described - names))
    undescribed = names - described - {CRATE, MANIFEST}
    yield from (f"{name} is in the archive but not described in {CRATE}" for name in sorted(undescribed))


def _write_file(archive: zipfile.ZipFile, name: str, file: Path) -> tuple[str, int]:
    """Stream one file into the archive; its SHA-256 and size in bytes."""
    digest, size = hashlib.sha256(), 0
    with file.open("rb") as source, archive.open(_member(name), "w", force_zip64=True) as target:
        while block := source.read(READ_BYTES):
            digest.update(block)
            size += len(block)
            target.write(block)
    return digest.hexdigest(), size


def _write_text(archive: zipfile.ZipFile, name: str, text: str) -> tuple[str, int]:
    content = text.encode()
    archive.writestr(_member(name), content)
    return hashlib.sha256(content).hexdigest(), len(content)


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, FIRST_DATE)
    member.external_attr = 0o100644 << 16
    member.create_system = 3  # Unix, wherever it is packed
    member.compress_type = zipfile.ZIP_STORED if PurePosixPath(name).suffix in PACKED_ALREADY else zipfile.ZIP_DEFLATED
    return member


def _checksum(archive: zipfile.ZipFile, name: str) -> str | None:
    """SHA-256 of a member, or None where it cannot be unpacked."""
    digest = hashlib.sha256()
    try:
        with archive.open(name) as member:
            while block := member.read(READ_BYTES):
                digest.update(block)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
        return None
    return digest.hexdigest()


def _text(archive: zipfile.ZipFile, name: str) -> str:
    try:
        return archive.read(name).decode("utf-8", errors="replace")
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
        return ""


def _is_plain(name: str) -> bool:
    """Whether a member's name is a relative path that stays inside the folder it is unpacked to."""
    parts = name.split("/")
    return not re.search(r"[\x00-\x1f\\:]", name) and all(part not in ("", ".", "..") for part in parts)


def _as_json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _refuse_problems(path: Path) -> None:
    if problems := verify_archive(path):
        raise InputError(f"the archive just written does not verify: {problems[0]}; run again")
