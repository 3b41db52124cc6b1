"""One zip per study: results, figures and configuration with a checksum for each, described as an RO-Crate.

`manifest-sha256.txt` lists every other member in the form of `sha256sum`, so an unpacked archive can also be checked
with `sha256sum -c manifest-sha256.txt`. `ro-crate-metadata.json` is a Workflow Run RO-Crate (`crate`), whose workflow
is the member `Snakefile`. The same files and metadata give the same bytes: members are sorted and carry fixed dates and
permissions. For that reason measured times (`*.timing.json`, `*.timing.parquet`) are left out; which processor trained
which cell is `trained-on.json` (`results.trained_on`).

    skelnas verify results/archive/demo.zip
"""

import hashlib
import json
import multiprocessing
import re
import shutil
import stat
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from skelnas import contents
from skelnas.crate import CRATE, MANIFEST, WORKFLOW, Metadata, crate
from skelnas.environment import versions
from skelnas.errors import InputError, harmless
from skelnas.files import READ_BYTES, whole_file
from skelnas.processes import run_in_processes
from skelnas.untrusted import DAMAGE, Limits, block_bytes, parse_json, read_member

ENVIRONMENT, TRAINED_ON = "environment.json", "trained-on.json"
TEXTS = (".json", ".csv", ".yaml", ".txt", ".html", ".md")
MEASURED = (".timing.json", ".timing.parquet")
PACKED_ALREADY = {".h5", ".parquet", ".png", ".zip", ".gz"}
LISTS = Limits(member_bytes=1 << 26)  # the manifest and the crate
FIRST_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest date a zip can hold


def write_archive(study: str, files: Mapping[str, Path], metadata: Metadata, path: Path | str) -> None:
    """Pack `files` (name in the archive -> file) into the zip `path`, verified before it gets its name.

    What is packed is opened first and held against the other files (`contents.problems`). Large files are streamed.
    Measured times are left out (see above); package versions go into `environment.json`.

    Raises:
        InputError: a file is missing, damaged, contradicts another one or names a folder of this machine; a name is not
            a plain relative path, the date is none, or the disk refuses.
    """
    files = {name: Path(files[name]) for name in sorted(files) if not name.endswith(MEASURED)}
    for name, file in files.items():
        if not _is_plain(name) or name in (MANIFEST, CRATE, ENVIRONMENT):
            raise InputError(f"{name!r} cannot be a name in an archive; give a relative path without '..'")
        if not file.is_file():
            raise InputError(f"{file} is missing, so {path} cannot be packed; `snakemake --cores all {file}` makes it")
    if WORKFLOW not in files:
        raise InputError(f"{path} cannot be packed without {WORKFLOW}, the workflow that made the study; add it")
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", metadata.date):
        raise InputError(f"the date {metadata.date!r} of the archive is not of the form 2026-11-22")
    if faults := [*_machine_named(files), *_looked_into(files)]:
        more = f" (and {len(faults) - 1} more)" if faults[1:] else ""
        raise InputError(f"{path} is not packed: {faults[0]}{more}")
    with whole_file(path, verify=_refuse_problems) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        written = {name: _write_file(archive, name, file) for name, file in files.items()}
        written[ENVIRONMENT] = _write_text(archive, ENVIRONMENT, _as_json(versions()))
        sizes = {name: size for name, (_, size) in written.items()}
        written[CRATE] = _write_text(archive, CRATE, _as_json(crate(study, sizes, metadata)))
        _write_text(archive, MANIFEST, "".join(f"{written[name][0]}  {name}\n" for name in sorted(written)))


def _machine_named(files: Mapping[str, Path]) -> Iterator[str]:
    """A sentence for each text that names the working folder or the home of who packs."""
    folders = {str(folder) for folder in (Path.cwd(), Path.home()) if len(folder.parts) > 1}
    for name, file in files.items():
        if PurePosixPath(name).suffix in TEXTS:
            text = file.read_text(encoding="utf-8", errors="replace")
            if found := next((folder for folder in sorted(folders) if f"{folder}/" in text), ""):
                yield f"{name} names the folder {found} of this machine; make it again with this version"


def verify_archive(path: Path | str, look_into: bool = True) -> list[str]:
    """Check an archive against its manifest and its crate; one sentence per problem, none if it is whole.

    With `look_into` what the archive holds is opened as well and held against each other (`contents.problems`).

    Raises:
        InputError: there is no such file, it cannot be read or it is no zip archive.
    """
    if not Path(path).is_file():
        raise InputError(f"{path}: there is no such archive")
    try:
        with zipfile.ZipFile(path) as archive:
            problems = list(_problems(archive))
            if not problems and look_into:
                problems = _opened(archive)
    except PermissionError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); correct its permissions") from error
    except DAMAGE as error:
        raise InputError(f"{path} is not a whole zip archive ({error}); get it again") from error
    return [harmless(problem) for problem in problems]


def _opened(archive: zipfile.ZipFile) -> list[str]:
    """What is wrong with the files inside, which are unpacked into a temporary folder for it."""
    with tempfile.TemporaryDirectory() as folder:
        files = {name: Path(folder, name) for name in archive.namelist()}  # plain paths, as was checked
        for name, file in files.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(name) as member, file.open("wb") as target:
                shutil.copyfileobj(member, target, READ_BYTES)
        return [problem.replace(f"{folder}/", "") for problem in _looked_into(files)]


def _looked_into(files: Mapping[str, Path]) -> list[str]:
    """`contents.problems`, found by a process of its own: a file that ends it is the problem."""
    if multiprocessing.current_process().daemon:  # such a process may have none
        return list(contents.problems(files))
    looked = run_in_processes([0], lambda _: list(contents.problems(files)), 1)
    (_, outcome), *_ = looked
    return [f"its contents cannot be opened: {outcome}"] if isinstance(outcome, Exception) else outcome


def _problems(archive: zipfile.ZipFile) -> Iterator[str]:
    names = archive.namelist()
    yield from (
        f"{entry.filename} is a link or something else than a file"
        for entry in archive.infolist()
        if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG)
    )
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
        graph = parse_json(_text(archive, CRATE).encode())["@graph"]
        described = {unquote(str(entity["@id"])) for entity in graph if _is_file(entity["@type"])}
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
            while block := member.read(block_bytes(archive.getinfo(name))):
                digest.update(block)
    except DAMAGE:
        return None
    return digest.hexdigest()


def _text(archive: zipfile.ZipFile, name: str) -> str:
    try:
        return read_member(archive, name, LISTS).decode("utf-8", errors="replace")
    except DAMAGE:
        return ""


def _is_plain(name: str) -> bool:
    """Whether a member's name is a relative path that stays inside the folder it is unpacked to."""
    parts = name.split("/")
    return not re.search(r"[\x00-\x1f\\:]", name) and all(part not in ("", ".", "..") for part in parts)


def _is_file(kind: str | list[str]) -> bool:
    """Whether an entity of the crate is a file, maybe among other things."""
    return "File" in ([kind] if isinstance(kind, str) else kind)


def _as_json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _refuse_problems(path: Path) -> None:
    if problems := verify_archive(path, look_into=False):
        raise InputError(f"the archive just written does not verify: {problems[0]}; run again")
