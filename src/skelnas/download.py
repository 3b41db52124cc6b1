"""Downloads that resume, are checked before they appear, and tell a person what to do when they cannot succeed."""

import http.client
import json
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from skelnas import __version__
from skelnas.errors import InputError
from skelnas.files import READ_BYTES, flush_to_disk, sha256_of_file, whole_file, write_json
from skelnas.progress import Progress

TIMEOUT = 60  # seconds without a byte after which a connection counts as broken
LONGEST_WAIT = 60.0  # seconds between two attempts
TRY_AGAIN = (408, 425, 429, 500, 502, 503, 504)  # HTTP statuses that may pass


class _Broken(Exception):
    """The connection failed or ended early; what has arrived is kept and the rest is asked for again."""


@dataclass(frozen=True)
class _Version:
    """Which version of a remote file a partial download belongs to (RFC 9110: ETag, or else Last-Modified)."""

    url: str
    validator: str

    @classmethod
    def of(cls, url: str, response: http.client.HTTPResponse) -> "_Version":
        tag = response.headers.get("ETag", "")
        if tag.startswith("W/"):  # a weak tag does not promise equal bytes
            tag = ""
        return cls(url, tag or response.headers.get("Last-Modified", ""))


def fetch(source: dict, destination: Path | str, retries: int = 5, wait: float = 1.0) -> None:
    """Bring one file of a data set to `destination`, whole and checked, or not at all.

    `source` is an entry of the configuration's `sources`: `url` (http, https, file, or a path on this machine, which is
    copied), `sha256` (64 hexadecimal digits) and, for files that are given out only to registered people, `register`
    (the page that gives them out) instead of `url`; each may be missing or empty. A `destination` that exists is
    checked and kept.

    A broken HTTP download leaves `<destination>.part`; this call and later ones ask only for the missing bytes, as long
    as the server's file is still the same. After `retries` attempts in a row that bring nothing new it gives up; waits
    between them double from `wait` seconds.

    Raises:
        InputError: no address, unreachable, refused, wrong checksum, or the disk refuses the file.
    """
    destination = Path(destination)
    expected, url = source.get("sha256", ""), source.get("url", "")
    if destination.exists():
        if expected:
            _check(destination, expected, f"delete {destination} and run again")
    elif not url:
        register = source.get("register", "")
        why = f"cannot be downloaded without a registration: get it from {register} and" if register else "has no url:"
        raise InputError(f"{destination} is missing and {why} put it there")
    elif urllib.parse.urlsplit(url).scheme in ("http", "https"):
        _download(url, destination, expected, retries, wait)
    else:
        _copy(_local_path(url), destination, expected)


def _local_path(url: str) -> Path:
    parts = urllib.parse.urlsplit(url)
    if parts.scheme == "file":
        return Path(urllib.request.url2pathname(parts.path))
    if parts.scheme:
        raise InputError(f"{url}: addresses begin with http:, https: or file:, or are paths on this machine")
    return Path(url).expanduser()


def _copy(path: Path, destination: Path, expected: str) -> None:
    if not path.is_file():
        raise InputError(f"{path} is not a file; correct `url` of {destination.name} in the configuration")
    progress = Progress(f"copying {path.name}", path.stat().st_size / 1e6, "MB")
    with whole_file(destination) as temporary:
        with path.open("rb") as stream, temporary.open("wb") as copy:
            while block := stream.read(READ_BYTES):
                copy.write(block)
                progress.advance(len(block) / 1e6)
        if expected:
            _check(temporary, expected, f"replace {path} or correct `sha256` in the configuration")


def _download(url: str, destination: Path, expected: str, retries: int, wait: float) -> None:
    part = destination.with_name(destination.name + ".part")
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        most = _size(part)
        failures = 0
        while True:
            try:
                _continue(url, part)
                break
            except _Broken as reason:
                # Only bytes beyond any earlier attempt count as success: a server that ignores ranges starts over.
                failures = 0 if _size(part) > most else failures + 1
                most = max(most, _size(part))
                if failures > retries:
                    raise InputError(
                        f"{url} could not be downloaded ({reason}); run again later, or put the file at {destination}"
                    ) from reason
                time.sleep(min(wait * 2**failures, LONGEST_WAIT))
        if expected:
            try:
                _check(part, expected, f"the copy of {url} was deleted; run again, or correct `sha256`")
            except InputError:
                part.unlink()
                _note(part).unlink(missing_ok=True)
                raise
        flush_to_disk(part)
        part.replace(destination)
        _note(part).unlink(missing_ok=True)
        flush_to_disk(destination.parent)
    except OSError as error:
        raise InputError(
            f"{destination} cannot be written ({error.strerror or error}); make room or choose another folder, "
            "then run again"
        ) from error


def _continue(url: str, part: Path) -> None:
    """Append to `part` what it lacks, or write it anew where the server's file changed or comes only as a whole."""
    have, known = _size(part), _known_version(part)
    request = urllib.request.Request(
        url, headers={"User-Agent": f"skelnas/{__version__}", "Accept-Encoding": "identity"}
    )
    if have and known is not None and known.url == url and known.validator:
        request.add_header("Range", f"bytes={have}-")
        request.add_header("If-Range", known.validator)
    with _open(request, part) as response:
        version = _Version.of(url, response)
        start, total = _extent(response)
        if start not in (0, have) or (start and version != known):
            part.unlink()
            raise _Broken("the server sent another part of the file, or of another file, than was asked for")
        if not start:
            part.unlink(missing_ok=True)  # before the note: bytes of one version never stand beside the note of another
        write_json(_note(part), {"url": version.url, "validator": version.validator})
        progress = Progress(f"downloading {part.stem}", (total or 0) / 1e6, "MB", done=start / 1e6)
        with part.open("ab") as stream:
            for block in _blocks(response):
                stream.write(block)
                if total:
                    progress.advance(len(block) / 1e6)
    if total is not None and _size(part) != total:
        raise _Broken(f"{_size(part):,} of {total:,} bytes arrived")


def _open(request: urllib.request.Request, part: Path) -> http.client.HTTPResponse:
    url = request.full_url
    try:
        return urllib.request.urlopen(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416:  # the file is shorter now than what we have of it
            part.unlink(missing_ok=True)
            raise _Broken("the file on the server changed") from error
        if error.code in TRY_AGAIN:
            raise _Broken(f"the server answered {error.code} {error.reason}") from error
        raise InputError(
            f"{url} answered {error.code} {error.reason}; correct `url`, or put the file at {part.with_suffix('')}"
        ) from error
    except (http.client.InvalidURL, ValueError) as error:  # blanks, a port that is no number, letters beyond ASCII
        raise InputError(f"{url!r} is no valid address ({error}); correct `url`") from error
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, ssl.SSLCertVerificationError):
            raise InputError(f"{url} has no valid certificate ({reason.verify_message}); correct `url`") from error
        raise _Broken(f"{reason}") from error


def _extent(response: http.client.HTTPResponse) -> tuple[int, int | None]:
    """First byte of the answer's body, and the file's length where the server tells."""
    if response.status == 206:
        extent, _, total = response.headers.get("Content-Range", "").removeprefix("bytes ").partition("/")
        start = extent.partition("-")[0]
        if not start.isdigit():
            raise _Broken("the server did not say which part of the file it sent")
        return int(start), int(total) if total.isdigit() else None
    length = response.headers.get("Content-Length", "")
    return 0, int(length) if length.isdigit() else None


def _blocks(response: http.client.HTTPResponse) -> Iterator[bytes]:
    try:
        while block := response.read1(READ_BYTES):
            yield block
    except (OSError, http.client.HTTPException) as error:
        raise _Broken(f"the connection broke: {error}") from error


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
