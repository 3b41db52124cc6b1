import contextlib
import errno
import hashlib
import http.server
import io
import threading
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from skelnas.download import fetch
from skelnas.errors import InputError

CONTENT = np.random.default_rng(5).bytes(3_000_000)
OTHER = np.random.default_rng(6).bytes(2_500_000)


def sha256(content):
    return hashlib.sha256(content).hexdigest()


class FlakyServer(http.server.ThreadingHTTPServer):
    """A real HTTP server on this machine with one file, and the bad habits a test asks for."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.content = CONTENT
        self.ranges = True  # honours Range
        self.checks_if_range = True  # honours If-Range
        self.tag = '"first"'
        self.length = True  # sends Content-Length
        self.silence = 0.0  # seconds without a byte before an answer breaks off
        self.break_after = []  # bytes of the body after which each next answer breaks off
        self.statuses = []  # statuses of the next answers, 200 afterwards
        self.asked = []  # Range header of each request
        self.authorized = []  # Authorization header of each request
        self.status = 200  # of whole answers
        self.headers = {}  # more headers of each answer
        self.trickle = ""  # `head` or `body` come a byte at a time

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/Skeleton.bin"


class Answer(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def drip(self, content):
        with contextlib.suppress(OSError):  # until the other side has enough of it
            for byte in content:
                self.wfile.write(bytes([byte]))
                time.sleep(0.02)

    def do_GET(self):
        server = self.server
        wanted = self.headers.get("Range")
        server.asked.append(wanted)
        server.authorized.append(self.headers.get("Authorization"))
        status = server.statuses.pop(0) if server.statuses else 200
        if status != 200:
            self.send_response(status)
            for name, value in server.headers.items():
                self.send_header(name, value)
            self.end_headers()
            return
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and server.ranges else 0
        if server.checks_if_range and self.headers.get("If-Range") != server.tag:
            start = 0
        if start and start >= len(server.content):
            self.send_error(416)
            return
        body = server.content[start:]
        if server.trickle == "head":
            self.drip(b"HTTP/1.0 200 OK\r\nX-Long: " + 1000 * b"x")
            return
        self.send_response(206 if start else server.status)
        for name, value in server.headers.items():
            self.send_header(name, value)
        if server.length:
            self.send_header("Content-Length", str(len(body)))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(server.content) - 1}/{len(server.content)}")
        if server.tag:
            self.send_header("ETag", server.tag)
        self.end_headers()
        if server.trickle:
            self.drip(body)
        elif server.break_after:
            self.wfile.write(body[: server.break_after.pop(0)])
            self.wfile.flush()
            time.sleep(server.silence)
            self.close_connection = True
        else:
            self.wfile.write(body)


@pytest.fixture
def server():
    with FlakyServer() as flaky:
        thread = threading.Thread(target=flaky.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield flaky
        flaky.shutdown()
        thread.join()


@pytest.fixture
def destination(tmp_path):
    return tmp_path / "raw/utd/Skeleton.bin"


def left_beside(destination):
    return sorted(path.name for path in destination.parent.iterdir()) if destination.parent.exists() else []


def fetch_quickly(url, destination, **source):
    fetch({"url": url, **source}, destination, retries=3, wait=0.001)


def test_download(server, destination, capsys):
    fetch_quickly(server.url, destination, sha256=sha256(CONTENT).upper())
    assert destination.read_bytes() == CONTENT
    assert left_beside(destination) == ["Skeleton.bin"]
    assert "downloading Skeleton.bin: 3/3 MB (100%)" in capsys.readouterr().err


def test_a_broken_connection_is_resumed(server, destination):
    server.break_after = [1_000_000, 500_000, 1]
    fetch_quickly(server.url, destination, sha256=sha256(CONTENT))
    assert destination.read_bytes() == CONTENT
    assert server.asked == [None, "bytes=1000000-", "bytes=1500000-", "bytes=1500001-"]


def test_a_silent_connection_is_resumed(server, destination, monkeypatch):
    monkeypatch.setattr("skelnas.answers.TIMEOUT", 0.1)
    server.silence, server.break_after = 1.0, [1_000_000]
    start = time.monotonic()
    fetch_quickly(server.url, destination)
    assert time.monotonic() - start < 0.9
    assert server.asked == [None, "bytes=1000000-"]
    assert destination.read_bytes() == CONTENT


def test_a_later_call_resumes(server, destination):
    server.break_after, server.statuses = [1_234_567], [200, 404]
    with pytest.raises(InputError, match="answered 404"):
        fetch_quickly(server.url, destination)
    assert left_beside(destination) == ["Skeleton.bin.part", "Skeleton.bin.part.json"]
    fetch_quickly(server.url, destination)
    assert server.asked == [None, "bytes=1234567-", "bytes=1234567-"]
    assert destination.read_bytes() == CONTENT
    assert left_beside(destination) == ["Skeleton.bin"]


@pytest.mark.parametrize("checks_if_range", [True, False])
@pytest.mark.parametrize("length", [2_500_000, 900_000])
def test_a_file_that_changed_on_the_server_starts_over(server, destination, checks_if_range, length):
    server.break_after, server.statuses = [1_000_000], [200, 404]
    with pytest.raises(InputError, match="answered 404"):
        fetch_quickly(server.url, destination)
    server.content, server.tag, server.checks_if_range = OTHER[:length], '"second"', checks_if_range
    fetch_quickly(server.url, destination)
    assert destination.read_bytes() == OTHER[:length]


def test_a_server_that_ignores_ranges(server, destination):
    server.ranges = False
    server.break_after = [1_000_000, 2_000_000]
    fetch_quickly(server.url, destination)
    assert destination.read_bytes() == CONTENT
    assert server.asked == [None, "bytes=1000000-", "bytes=2000000-"]


def test_a_server_that_ignores_ranges_and_always_breaks_is_given_up(server, destination):
    server.ranges = False
    server.break_after = [1_000_000] * 50
    with pytest.raises(InputError, match=r"1,000,000 of 3,000,000 bytes arrived"):
        fetch_quickly(server.url, destination)
    assert len(server.asked) == 1 + 4


@pytest.mark.parametrize("tag", ["", 'W/"weak"'])
def test_without_a_strong_validator_nothing_is_resumed(server, destination, tag):
    server.tag, server.checks_if_range = tag, False
    server.break_after = [1_000_000]
    fetch_quickly(server.url, destination)
    assert destination.read_bytes() == CONTENT
    assert server.asked == [None, None]


def test_a_damaged_note_starts_over(server, destination):
    destination.parent.mkdir(parents=True)
    Path(f"{destination}.part").write_bytes(b"what is this")
    Path(f"{destination}.part.json").write_text('{"url":')
    fetch_quickly(server.url, destination)
    assert destination.read_bytes() == CONTENT


def test_an_answer_without_length(server, destination):
    server.length = False
    fetch_quickly(server.url, destination, sha256=sha256(CONTENT))
    assert destination.read_bytes() == CONTENT


def test_a_cut_answer_without_length_is_caught_by_the_checksum(server, destination):
    server.length, server.break_after = False, [1_000_000]
    with pytest.raises(InputError, match="SHA-256"):
        fetch_quickly(server.url, destination, sha256=sha256(CONTENT))
    assert left_beside(destination) == []


def test_a_busy_server_is_asked_again(server, destination):
    server.statuses = [503, 500, 429]
    fetch_quickly(server.url, destination)
    assert destination.read_bytes() == CONTENT


def test_a_server_that_stays_busy(server, destination):
    server.statuses = [503] * 50
    with pytest.raises(InputError, match=rf"{server.url} could not be downloaded \(.*503.*{destination}"):
        fetch_quickly(server.url, destination)
    assert len(server.asked) == 4
    assert left_beside(destination) == []


@pytest.mark.parametrize("status", [404, 403, 401])
def test_a_refusal_is_final(server, destination, status):
    server.statuses = [status] * 50
    with pytest.raises(InputError, match=rf"{server.url} answered {status} .*put the file at {destination}$"):
        fetch_quickly(server.url, destination)
    assert len(server.asked) == 1
    assert left_beside(destination) == []


def test_nobody_listens(server, destination):
    url = server.url
    server.server_close()
    with pytest.raises(InputError, match=r"could not be downloaded \(.*refused.*put the file at"):
        fetch_quickly(url, destination)


def test_a_wrong_checksum(server, destination):
    with pytest.raises(InputError, match=f"SHA-256 {sha256(CONTENT)}, expected {sha256(OTHER)}"):
        fetch_quickly(server.url, destination, sha256=sha256(OTHER))
    assert left_beside(destination) == []


def test_a_full_disk(server, destination, monkeypatch):
    """No test can fill a disk safely: the file system's answer is the one thing that is made up here."""

    def full(path):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("skelnas.download.flush_to_disk", full)
    with pytest.raises(InputError, match=r"Skeleton\.bin cannot be written \(No space left on device\)"):
        fetch_quickly(server.url, destination)
    assert not destination.exists()


def test_a_folder_that_cannot_be_made(server, tmp_path):
    (tmp_path / "raw").write_text("a file, not a folder")
    with pytest.raises(InputError, match=r"raw/Skeleton\.bin cannot be written"):
        fetch_quickly(server.url, tmp_path / "raw/Skeleton.bin")


@pytest.mark.parametrize("form", ["{}", "file://{}"])
def test_a_file_on_this_machine_is_copied(tmp_path, destination, form):
    original = tmp_path / "my Skeleton.bin"
    original.write_bytes(CONTENT)
    url = form.format(original).replace(" ", "%20" if "://" in form else " ")
    fetch_quickly(url, destination, sha256=sha256(CONTENT))
    original.unlink()
    assert destination.read_bytes() == CONTENT
    assert left_beside(destination) == ["Skeleton.bin"]


def test_a_file_on_this_machine_with_a_wrong_checksum(tmp_path, destination):
    original = tmp_path / "Skeleton.bin"
    original.write_bytes(OTHER)
    with pytest.raises(InputError, match=rf"{original} or correct `sha256`"):
        fetch_quickly(str(original), destination, sha256=sha256(CONTENT))
    assert original.exists()
    assert left_beside(destination) == []


def test_what_is_no_source(tmp_path, destination):
    with pytest.raises(InputError, match=r"missing\.zip is not a file"):
        fetch_quickly(str(tmp_path / "missing.zip"), destination)
    with pytest.raises(InputError, match="addresses begin with http:, https: or file:"):
        fetch_quickly("ftp://example.org/Skeleton.bin", destination)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:port/a.zip", "http://127.0.0.1/my file.zip", "http://127.0.0.1/ä.zip"]
)
def test_what_is_no_address(destination, url):
    with pytest.raises(InputError, match=r"is no valid address .*correct `url`"):
        fetch({"url": url}, destination)


def test_registered_people_only(destination):
    source = {"register": "https://example.org/register", "sha256": sha256(CONTENT)}
    with pytest.raises(InputError, match=f"{destination} is missing.*https://example.org/register and put it there"):
        fetch(source, destination)


def test_an_old_file_is_replaced_only_by_a_whole_one(server, destination):
    destination.parent.mkdir(parents=True)
    destination.write_bytes(OTHER)
    server.break_after, server.statuses = [1_000_000], [200, 404]
    with pytest.raises(InputError, match="answered 404"):
        fetch_quickly(server.url, destination)
    assert destination.read_bytes() == OTHER
    fetch_quickly(server.url, destination, sha256=sha256(CONTENT))
    assert destination.read_bytes() == CONTENT
    assert left_beside(destination) == ["Skeleton.bin"]


def zipped(content):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.csv", content)
    return stream.getvalue()


PAGE = b"\xef\xbb\xbf\n<!DOCTYPE html>\n<html><body>Please log in</body></html>"
# What a server may send in place of the file: what is changed on the server, the file's name, and what is said.
NO_FILES = {
    "no content": ({"status": 204}, "a.bin", "answered 204 No Content, not the file"),
    "accepted": ({"status": 202}, "a.bin", "answered 202 Accepted, not the file"),
    "nothing": ({"content": b""}, "a.bin", "answered with an empty file"),
    "nothing, without a length": ({"content": b"", "length": False}, "a.csv", "answered with an empty file"),
    "a login page": ({"content": PAGE, "headers": {"Content-Type": "text/html"}}, "a.zip", "with a web page"),
    "a page that says it is a zip": (
        {"content": PAGE, "headers": {"Content-Type": "application/zip"}},
        "a.csv",
        "page",
    ),
    "a page without doctype": ({"content": b"  <HTML><p>moved"}, "a.mat", "with a web page"),
    "an error in JSON": ({"content": b'{"error": "no token"}'}, "a.zip", "21 B that are no whole zip archive"),
    "a cut zip without a length": ({"content": zipped(CONTENT)[:-90], "length": False}, "a.zip", "no whole zip"),
    "packed": ({"headers": {"Content-Encoding": "gzip"}}, "a.csv", r"packed on the way \(Content-Encoding: gzip\)"),
    "packed otherwise": ({"headers": {"Content-Encoding": "\x1b[2Jbr"}}, "a.csv", r"Content-Encoding: \\x1b\[2jbr\)"),
    "a part": ({"status": 206, "headers": {"Content-Range": "bytes 5-9/100"}}, "a.bin", "sent a part of the file"),
    "a part of unknown": ({"status": 206, "headers": {"Content-Range": "bytes 0-9/*"}}, "a.bin", "did not say which"),
    "a first part": (
        {"content": b"12345", "status": 206, "headers": {"Content-Range": "bytes 0-4/100"}},
        "a.bin",
        "5 of 100 bytes arrived",
    ),
    "a part without range": ({"status": 206}, "a.bin", "did not say which part of the file it sent"),
    "too much": ({}, "a.bin", r"sends 3\.0 MB or more and a download may have 2\.0 MB; .*raise `largest-gb`"),
    "too much, without a length": ({"length": False}, "a.bin", r"and a download may have 2\.0 MB"),
    "a redirection to nowhere": (
        {"status": 302, "headers": {"Location": "ftp://me:secret@x/"}},
        "a.bin",
        "answered 302 Found",
    ),
}


@pytest.mark.parametrize("case", NO_FILES)
def test_what_is_not_the_file_is_refused_and_the_old_file_stays(server, tmp_path, case):
    changes, name, said = NO_FILES[case]
    for key, value in changes.items():
        setattr(server, key, value)
    destination = tmp_path / name
    destination.write_bytes(b"old")
    with pytest.raises(InputError, match=said) as caught:
        fetch_quickly(server.url, destination, **({"largest-gb": 0.002} if case.startswith("too much") else {}))
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)
    assert destination.read_bytes() == b"old"


@pytest.mark.parametrize("name", ["page.html", "a.csv"])
def test_what_may_look_like_a_page(server, tmp_path, name):
    server.content = PAGE if name == "page.html" else b"<0.5,1\n"
    server.headers = {"Content-Type": "text/html"}
    fetch_quickly(server.url, tmp_path / name)
    assert (tmp_path / name).read_bytes() == server.content


def test_a_whole_zip_without_a_length(server, tmp_path):
    server.content, server.length = zipped(CONTENT), False
    fetch_quickly(server.url, tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == server.content


@pytest.mark.parametrize("where", ["head", "body"])
def test_a_trickle_is_given_up(server, destination, monkeypatch, where):
    monkeypatch.setattr("skelnas.answers.TIMEOUT", 0.2)
    server.trickle = where
    start = time.monotonic()
    with pytest.raises(InputError, match=r"no answer within 0\.4 s" if where == "head" else r"bytes arrived in 0\.2 s"):
        fetch({"url": server.url}, destination, retries=1, wait=0.001)
    assert time.monotonic() - start < 10
    assert not destination.exists()


SECRETS = ("hunter2", "t0ken")


def test_a_name_and_a_password_in_the_address(server, destination, capsys):
    url = server.url.replace("//", "//me:hunter2%21@") + "?key=t0ken#t0ken"
    server.break_after = [1_000_000]
    server.statuses = [200, 404]
    with pytest.raises(InputError) as caught:
        fetch_quickly(url, destination)
    notes = b"".join(path.read_bytes() for path in destination.parent.glob("*.json"))
    fetch_quickly(url, destination)
    assert destination.read_bytes() == CONTENT
    assert set(server.authorized) == {"Basic bWU6aHVudGVyMiE="}
    assert f"http://***@127.0.0.1:{server.server_port}/Skeleton.bin?*** answered 404" in str(caught.value)
    for secret in SECRETS:
        assert secret not in str(caught.value) + capsys.readouterr().err
        assert secret.encode() not in notes


def test_a_password_does_not_follow_a_redirection(server, destination):
    with FlakyServer() as other:
        thread = threading.Thread(target=other.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        other.statuses, other.headers = [302], {"Location": server.url}
        fetch_quickly(other.url.replace("//", "//me:hunter2@"), destination)
        other.shutdown()
        thread.join()
    assert (other.authorized, server.authorized) == (["Basic bWU6aHVudGVyMg=="], [None])
