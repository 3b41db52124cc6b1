import errno
import hashlib
import http.server
import threading
import time
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

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/Skeleton.zip"


class Answer(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        server = self.server
        wanted = self.headers.get("Range")
        server.asked.append(wanted)
        status = server.statuses.pop(0) if server.statuses else 200
        if status != 200:
            self.send_error(status)
            return
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and server.ranges else 0
        if server.checks_if_range and self.headers.get("If-Range") != server.tag:
            start = 0
        if start and start >= len(server.content):
            self.send_error(416)
            return
        body = server.content[start:]
        self.send_response(206 if start else 200)
        if server.length:
            self.send_header("Content-Length", str(len(body)))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(server.content) - 1}/{len(server.content)}")
        if server.tag:
            self.send_header("ETag", server.tag)
        self.end_headers()
        if server.break_after:
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
    return tmp_path / "raw/utd/Skeleton.zip"


def left_beside(destination):
    return sorted(path.name for path in destination.parent.iterdir()) if destination.parent.exists() else []


def fetch_quickly(url, destination, **source):
    fetch({"url": url, **source}, destination, retries=3, wait=0.001)


def test_download(server, destination, capsys):
    fetch_quickly(server.url, destination, sha256=sha256(CONTENT).upper())
    assert destination.read_bytes() == CONTENT
    assert left_beside(destination) == ["Skeleton.zip"]
    assert "downloading Skeleton.zip: 3/3 MB (100%)" in capsys.readouterr().err


def test_a_broken_connection_is_resumed(server, destination):
    server.break_after = [1_000_000, 500_000, 1]
    fetch_quickly(server.url, destination, sha256=sha256(CONTENT))
    assert destination.read_bytes() == CONTENT
    assert server.asked == [None, "bytes=1000000-", "bytes=1500000-", "bytes=1500001-"]


def test_a_silent_connection_is_resumed(server, destination, monkeypatch):
    monkeypatch.setattr("skelnas.download.TIMEOUT", 0.1)
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
    assert left_beside(destination) == ["Skeleton.zip.part", "Skeleton.zip.part.json"]
    fetch_quickly(server.url, destination)
    assert server.asked == [None, "bytes=1234567-", "bytes=1234567-"]
    assert destination.read_bytes() == CONTENT
    assert left_beside(destination) == ["Skeleton.zip"]


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
    with pytest.raises(InputError, match=r"Skeleton\.zip cannot be written \(No space left on device\)"):
        fetch_quickly(server.url, destination)
    assert not destination.exists()


def test_a_folder_that_cannot_be_made(server, tmp_path):
    (tmp_path / "raw").write_text("a file, not a folder")
    with pytest.raises(InputError, match=r"raw/Skeleton\.zip cannot be written"):
        fetch_quickly(server.url, tmp_path / "raw/Skeleton.zip")


@pytest.mark.parametrize("form", ["{}", "file://{}"])
def test_a_file_on_this_machine_is_copied(tmp_path, destination, form):
    original = tmp_path / "my Skeleton.zip"
    original.write_bytes(CONTENT)
    url = form.format(original).replace(" ", "%20" if "://" in form else " ")
    fetch_quickly(url, destination, sha256=sha256(CONTENT))
    original.unlink()
    assert destination.read_bytes() == CONTENT
    assert left_beside(destination) == ["Skeleton.zip"]


def test_a_file_on_this_machine_with_a_wrong_checksum(tmp_path, destination):
    original = tmp_path / "Skeleton.zip"
    original.write_bytes(OTHER)
    with pytest.raises(InputError, match=rf"{original} or correct `sha256`"):
        fetch_quickly(str(original), destination, sha256=sha256(CONTENT))
    assert original.exists()
    assert left_beside(destination) == []


def test_what_is_no_source(tmp_path, destination):
    with pytest.raises(InputError, match=r"missing\.zip is not a file"):
        fetch_quickly(str(tmp_path / "missing.zip"), destination)
    with pytest.raises(InputError, match="addresses begin with http:, https: or file:"):
        fetch_quickly("ftp://example.org/Skeleton.zip", destination)


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
    destination.parent.mkdir(parents=True)
    destination.write_bytes(CONTENT)
    fetch(source, destination)
    assert destination.read_bytes() == CONTENT


def test_a_file_that_is_there_is_checked_and_kept(server, destination):
    destination.parent.mkdir(parents=True)
    destination.write_bytes(OTHER)
    fetch_quickly(server.url, destination)
    assert server.asked == []
    with pytest.raises(InputError, match=f"delete {destination} and run again"):
        fetch_quickly(server.url, destination, sha256=sha256(CONTENT))
    assert destination.read_bytes() == OTHER
