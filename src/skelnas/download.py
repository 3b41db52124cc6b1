"""Downloads that resume, replace an old file only when the new one is whole and checked, and say what to do if not."""

import contextlib
import hashlib
import http.client
import json
import time
import urllib.request
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from skelnas import __version__
from skelnas.addresses import is_web, local_path, shown, web_address
from skelnas.answers import Broken, Trickle, answer, blocks, extent
from skelnas.errors import InputError, harmless
from skelnas.files import READ_BYTES, flush_to_disk, sha256_of_file, whole_file, write_json
from skelnas.progress import Progress
from skelnas.text import size

LONGEST_WAIT = 60.0  # seconds between two attempts
LARGEST_GB = 64.0
ZIPS = (".zip", ".npz")
PAGES = (".html", ".htm", ".xml", ".svg")  # files that may begin like a web page


@dataclass(frozen=True)
class _Version:
    """Which version of a remote file a partial download belongs to (RFC 9110: ETag, or else Last-Modified).

    `url` is the SHA-256 of the address, which may hold a secret.
    """

    url: str
    validator: str

    @classmethod
    def of(cls, url: str, response: http.client.HTTPResponse) -> "_Version":
        tag = response.headers.get("ETag", "")
        if tag.startswith("W/"):  # a weak tag does not promise equal bytes
            tag = ""
        return cls(_digest(url), tag or response.headers.get("Last-Modified", ""))


def fetch(
    source: dict,
    destination: Path | str,
    retries: int = 5,
    wait: float = 1.0,
    ready: Callable[[Path], object] = lambda path: None,
) -> None:
    """Bring one file of a data set to `destination`, whole and checked, or leave there what was there before.

    `source` is an entry of the configuration's `sources`: `url` (http, https, file, or a path on this machine, which is
    copied), `sha256` (64 hexadecimal digits), `largest-gb` (GB that a download may have) and, for files that are given
    out only to registered people, `register` (the page that gives them out) instead of `url`; each may be missing or
    empty.

    A broken HTTP download leaves `<destination>.part`; this call and later ones ask only for the missing bytes, as long
    as the server's file is still the same. After `retries` attempts in a row that bring nothing new it gives up; waits
    between them double from `wait` seconds. `ready` is called with the whole, checked file before it gets its name.

    Raises:
        InputError: no address, unreachable, refused, no file but a page, larger than allowed, wrong checksum, or the
            disk refuses the file. No sentence holds names, passwords or tokens of the address.
    """
    destination = Path(destination)
    url = source.get("url", "")
    if not url:
        register = source.get("register", "")
        why = f"cannot be downloaded without a registration: get it from {register} and" if register else "has no url:"
        raise InputError(f"{destination} is missing and {why} put it there")
    if is_web(url):
        _download(url, destination, source, retries, wait, ready)
    else:
        _copy(local_path(url), destination, source.get("sha256", ""), ready)


def _copy(path: Path, destination: Path, expected: str, ready: Callable[[Path], object]) -> None:
    if not path.is_file():  # devices and pipes have no end
        raise InputError(f"{path} is not a file; correct `url` of {destination.name} in the configuration")
    progress = Progress(f"copying {path.name}", path.stat().st_size / 1e6, "MB")
    with whole_file(destination, verify=ready) as temporary:
        with path.open("rb") as stream, temporary.open("wb") as copy:
            while block := stream.read(READ_BYTES):
                copy.write(block)
                progress.advance(len(block) / 1e6)
        if expected:
            _check(temporary, expected, f"replace {path} or correct `sha256` in the configuration")


def _download(
    url: str, destination: Path, source: dict, retries: int, wait: float, ready: Callable[[Path], object]
) -> None:
    part = destination.with_name(destination.name + ".part")
    web_address(url)
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        most = _size(part)
        failures = 0
        while True:
            try:
                _continue(url, part, 1e9 * (source.get("largest-gb") or LARGEST_GB))
                break
            except Broken as reason:
                # Only bytes beyond any earlier attempt count as success: a server that ignores ranges starts over.
                failures = 0 if _size(part) > most and not isinstance(reason, Trickle) else failures + 1
                most = max(most, _size(part))
                if failures > retries:
                    raise InputError(
                        f"{shown(url)} could not be downloaded ({harmless(str(reason))}); run again later, or put the "
                        f"file at {destination}"
                    ) from reason
                time.sleep(min(wait * 2**failures, LONGEST_WAIT))
        try:
            _check_whole(part, url, destination, source.get("sha256", ""))
        except InputError:
            _forget(part)
            raise
        flush_to_disk(part)
        ready(part)
        part.replace(destination)
        _note(part).unlink(missing_ok=True)
        flush_to_disk(destination.parent)
    except OSError as error:
        if _known_version(part) is None:
            with contextlib.suppress(OSError):
                _forget(part)  # nothing could go on from it, and room is what is missing
        raise InputError(
            f"{destination} cannot be written ({error.strerror or error}); make room or choose another folder, "
            "then run again"
        ) from error


def _check_whole(part: Path, url: str, destination: Path, expected: str) -> None:
    by_hand = f"correct `url`, or put the file at {destination}"
    if not _size(part):
        raise InputError(f"{shown(url)} answered with an empty file; {by_hand}")
    with part.open("rb") as stream:
        head = stream.read(1024).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if destination.suffix.lower() not in PAGES and head.startswith((b"<!doctype html", b"<html", b"<head", b"<script")):
        raise InputError(
            f"{shown(url)} answered with a web page, as sites do that ask for a login or have moved the file; {by_hand}"
        )
    if expected:
        _check(part, expected, f"what {shown(url)} sent was not kept; run again, or correct `url` or `sha256`")
    if destination.suffix.lower() in ZIPS and not zipfile.is_zipfile(part):
        raise InputError(f"{shown(url)} sent {size(_size(part))} that are no whole zip archive; {by_hand}")


def _continue(url: str, part: Path, largest: float) -> None:
    """Append to `part` what it lacks, or write it anew where the server's file changed or comes only as a whole."""
    have, known, address = _size(part), _known_version(part), web_address(url)
    request = urllib.request.Request(
        address.url, headers={"User-Agent": f"skelnas/{__version__}", "Accept-Encoding": "identity"}
    )
    if address.authorization:
        request.add_unredirected_header("Authorization", address.authorization)  # for this host alone
    asked = bool(have and known is not None and known.url == _digest(url) and known.validator)
    if asked and known is not None:
        request.add_header("Range", f"bytes={have}-")
        request.add_header("If-Range", known.validator)
    with answer(request, url, part) as response:
        version = _Version.of(url, response)
        start, total = extent(response, url, part, asked)
        if start not in (0, have) or (start and version != known):
            part.unlink()
            raise Broken("the server sent another part of the file, or of another file, than was asked for")
        if (total or 0) > largest:
            raise InputError(_too_large(url, total or 0, largest))
        if not start:
            part.unlink(missing_ok=True)  # before the note: bytes of one version never stand beside the note of another
        write_json(_note(part), {"url": version.url, "validator": version.validator})
        progress = Progress(f"downloading {part.stem}", (total or 0) / 1e6, "MB", done=start / 1e6)
        arrived = start
        with part.open("ab") as stream:
            for block in blocks(response):
                stream.write(block)
                arrived += len(block)
                if arrived > largest:
                    break
                if total:
                    progress.advance(len(block) / 1e6)
    if arrived > largest:
        _forget(part)
        raise InputError(_too_large(url, arrived, largest))
    if total is not None and _size(part) != total:
        raise Broken(f"{_size(part):,} of {total:,} bytes arrived")


def _too_large(url: str, number: int, largest: float) -> str:
    return (
        f"{shown(url)} sends {size(number)} or more and a download may have {size(largest)}; correct `url`, or raise "
        "`largest-gb` of this source"
    )


def _check(path: Path, expected: str, remedy: str) -> None:
    actual = sha256_of_file(path)
    if actual != expected.lower():
        raise InputError(f"{path} has the SHA-256 {actual}, expected {expected}; {remedy}")


def _note(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _known_version(part: Path) -> _Version | None:
    try:
        return _Version(**json.loads(_note(part).read_text()))
    except (OSError, ValueError, TypeError):
        return None  # no note, or one cut short: the download starts over


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _digest(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    _note(part).unlink(missing_ok=True)
