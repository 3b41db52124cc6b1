"""What a server answers when a file is asked for: the file, a part of it, or a reason why there is none."""

import http.client
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from skelnas.addresses import is_web, shown
from skelnas.errors import InputError, harmless
from skelnas.files import READ_BYTES

TIMEOUT = 60  # seconds without a byte after which a connection counts as broken
LEAST_BYTES = 16_384  # in TIMEOUT seconds; a connection that brings less counts as broken, too
TRY_AGAIN = (408, 425, 429, 500, 502, 503, 504)  # HTTP statuses that may pass

Answer = TypeVar("Answer")


class Broken(Exception):
    """The connection failed or ended early; what has arrived is kept and the rest is asked for again."""


class Trickle(Broken):
    """The connection brings next to nothing; what it brought is no reason to try for ever."""


def answer(request: urllib.request.Request, url: str, part: Path) -> http.client.HTTPResponse:
    """The answer to a request, whose headers are there; `part` is what has arrived of the file at `url` before.

    Raises:
        InputError: no such file, or no such address.
        Broken: no answer, or one that may be another in a while.
    """
    return _within(2 * TIMEOUT, lambda: _open(request, url, part))


def _within(seconds: float, ask: Callable[[], Answer]) -> Answer:
    """What `ask` returns or raises; broken where it has not answered in time (headers may trickle, too)."""
    answers: list[Answer] = []
    errors: list[Exception] = []

    def work() -> None:
        try:
            answers.append(ask())
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not answers:
        raise Trickle(f"no answer within {seconds:g} s")
    return answers[0]


class _Redirections(urllib.request.HTTPRedirectHandler):
    """Follows redirections to http and https alone."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):  # type: ignore[no-untyped-def]
        if not is_web(newurl):
            raise urllib.error.HTTPError(req.full_url, code, msg, headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _open(request: urllib.request.Request, url: str, part: Path) -> http.client.HTTPResponse:
    try:
        return urllib.request.build_opener(_Redirections).open(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416:  # the file is shorter now than what we have of it
            part.unlink(missing_ok=True)
            raise Broken("the file on the server changed") from error
        if error.code in TRY_AGAIN:
            raise Broken(f"the server answered {error.code}") from error
        # The words beside the number are the server's own; of a redirection they hold an address.
        said = f"{error.code} {http.client.responses.get(error.code, '')}".strip()
        raise InputError(
            f"{shown(url)} answered {said}; correct `url`, or put the file at {part.with_suffix('')}"
        ) from error
    except (http.client.InvalidURL, ValueError) as error:
        raise InputError(f"{shown(url)} leads to no valid address; correct `url`") from error
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, ssl.SSLCertVerificationError):
            raise InputError(
                f"{shown(url)} has no valid certificate ({reason.verify_message}); correct `url`"
            ) from error
        raise Broken(f"{reason}") from error


def extent(response: http.client.HTTPResponse, url: str, part: Path, asked: bool) -> tuple[int, int | None]:
    """First byte of the answer's body, and the file's length where the server tells; `asked`: for a part of the file.

    Raises:
        InputError: the body is not the file as it is.
        Broken: another part than was asked for, or none that is named.
    """
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if response.status not in (200, 206) or encoding not in ("identity", ""):
        what = f"{response.status} {http.client.responses.get(response.status, '')}".strip()
        if response.status in (200, 206):
            what = f"a file that is packed on the way (Content-Encoding: {harmless(encoding)})"
        raise InputError(
            f"{shown(url)} answered {what}, not the file; correct `url`, or put the file at {part.with_suffix('')}"
        )
    if response.status == 206:
        extent, _, total = response.headers.get("Content-Range", "").removeprefix("bytes ").partition("/")
        start = extent.partition("-")[0]
        if not start.isdigit() or not total.isdigit():
            raise Broken("the server did not say which part of the file it sent")
        if not asked and int(start):
            raise Broken("the server sent a part of the file when all of it was asked for")
        return int(start), int(total)
    length = response.headers.get("Content-Length", "")
    return 0, int(length) if length.isdigit() else None


def blocks(response: http.client.HTTPResponse) -> Iterator[bytes]:
    """The body, piece by piece, as it arrives.

    Raises:
        Broken: the connection broke, or brings next to nothing.
    """
    since, arrived = time.monotonic(), 0
    try:
        while block := response.read1(READ_BYTES):
            yield block
            arrived += len(block)
            if time.monotonic() - since > TIMEOUT:
                if arrived < LEAST_BYTES:
                    raise Trickle(f"only {arrived:,} bytes arrived in {TIMEOUT} s")
                since, arrived = time.monotonic(), 0
    except (OSError, http.client.HTTPException) as error:
        raise Broken(f"the connection broke: {error}") from error
