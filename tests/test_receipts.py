import hashlib
import json
import os
from pathlib import Path

import pytest

from skelnas.errors import InputError
from skelnas.files import whole_file
from skelnas.receipts import held_against_receipt, read_receipt, receive, standing


def sha256(content):
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def place(tmp_path):
    """Where a file and its receipt lie, and files elsewhere to take it from."""
    (tmp_path / "old.csv").write_bytes(b"old")
    (tmp_path / "new.csv").write_bytes(b"newer")
    return tmp_path


def have(place, generate=None, **source):
    """As the workflow does: what stands before the receipt still does after it, and when the file is away."""
    file, receipt = place / "raw/a.csv", place / "sources/a.csv.json"
    before = standing(file, receipt)
    receive(source, file, receipt, generate)
    assert standing(file, receipt) == standing(file, receipt, look=False) == before
    content = file.read_bytes()
    assert read_receipt(receipt)["sha256"] == sha256(content)
    file.rename(place / "away")
    assert standing(file, receipt) == before
    (place / "away").rename(file)
    return content, read_receipt(receipt)["whence"]


def put(place, content=b"mine"):
    (place / "raw").mkdir(exist_ok=True)
    (place / "raw/a.csv").write_bytes(content)


def later(place):
    state = (place / "sources/a.csv.json").stat()
    os.utime(place / "raw/a.csv", ns=(state.st_atime_ns, state.st_mtime_ns + 10**9))


def test_what_is_missing_is_fetched_and_then_asks_for_nothing(place):
    url = str(place / "old.csv")
    assert have(place, url=url) == (b"old", url)
    assert have(place, url=url) == (b"old", url)
    receipt = json.loads((place / "sources/a.csv.json").read_text())
    assert receipt == {
        "file": str(place / "raw/a.csv"),
        "size": 3,
        "sha256": sha256(b"old"),
        "whence": url,
    }


@pytest.mark.parametrize("url", ["", "new.csv", "missing.csv"])
def test_what_was_put_there_is_checked_and_kept(place, url):
    put(place)
    source = {"url": url and str(place / url)}
    for _ in range(2):
        assert have(place, **source) == (b"mine", "was there")
    assert have(place, **source, sha256=sha256(b"mine").upper()) == (b"mine", "was there")
    with pytest.raises(InputError, match=rf"a\.csv has the SHA-256 {sha256(b'mine')}, expected 0{{64}}; put the right"):
        have(place, **source, sha256="0" * 64)
    assert (place / "raw/a.csv").read_bytes() == b"mine"


def test_a_changed_address_replaces_what_was_fetched(place):
    have(place, url=str(place / "old.csv"))
    assert have(place, url=str(place / "new.csv")) == (b"newer", str(place / "new.csv"))


@pytest.mark.parametrize(
    "source", [{"url": "missing.csv"}, {"url": "new.csv", "sha256": "0" * 64}, {"sha256": "0" * 64}]
)
def test_what_was_fetched_stays_when_nothing_better_comes(place, source):
    url = str(place / "old.csv")
    have(place, url=url)
    with pytest.raises(InputError):
        have(place, **{"url": url, **source, **({"url": str(place / source["url"])} if "url" in source else {})})
    assert (place / "raw/a.csv").read_bytes() == b"old"
    assert have(place, url=url) == (b"old", url)


def test_an_added_checksum_is_checked(place):
    url = str(place / "old.csv")
    have(place, url=url)
    assert have(place, url=url, sha256=sha256(b"old")) == (b"old", url)
    (place / "old.csv").write_bytes(b"newer")
    assert have(place, url=url, sha256=sha256(b"newer")) == (b"newer", url)


def test_what_replaced_a_fetched_file_by_hand_is_kept(place):
    have(place, url=str(place / "old.csv"))
    put(place)
    assert have(place, url=str(place / "new.csv")) == (b"mine", "was there")


@pytest.mark.parametrize("given", [True, False])
def test_a_touched_file_changes_nothing_and_another_one_does(place, given):
    file, receipt, url = place / "raw/a.csv", place / "sources/a.csv.json", str(place / "old.csv")
    if given:
        put(place)
    have(place, url=url)
    before = standing(file, receipt)
    assert before == (sha256(b"mine") if given else "")
    later(place)
    assert standing(file, receipt) == before
    put(place, b"lean")
    later(place)
    assert standing(file, receipt) == sha256(b"lean")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"size": 3}', b"\xff"])
def test_a_damaged_receipt_is_none(place, content):
    have(place, url=str(place / "old.csv"))
    (place / "sources/a.csv.json").write_bytes(content)
    assert have(place, url=str(place / "new.csv")) == (b"old", "was there")


def generated(path, ready=None):
    with whole_file(path, verify=ready) as temporary:
        temporary.write_bytes(b"made")


def test_generated_files(place):
    assert have(place, generated) == (b"made", "generated")
    put(place)
    assert have(place, generated) == (b"mine", "was there")


def test_no_secret_in_a_receipt(place):
    put(place)
    have(place, url="https://me:hunter2@example.org/a.csv?key=t0ken")
    receipt = (place / "sources/a.csv.json").read_text()
    assert "hunter2" not in receipt
    with pytest.raises(InputError) as caught:
        have(place, url="https://me:hunter2@example.org/a.csv?key=t0ken", sha256="0" * 64)
    assert "hunter2" not in str(caught.value)
    assert "t0ken" not in str(caught.value)


def test_a_job_holds_the_file_against_its_receipt(place):
    url, file, receipt = str(place / "old.csv"), place / "raw/a.csv", place / "sources/a.csv.json"
    with pytest.raises(InputError, match=r"is no receipt of .*; run `snakemake --cores all --force"):
        held_against_receipt({"url": url}, file, receipt)
    have(place, url=url)
    assert held_against_receipt({"url": url}, file, receipt)["size"] == 3
    file.unlink()
    assert held_against_receipt({"url": url}, file, receipt)["size"] == 3
    assert file.read_bytes() == b"old"
    put(place)
    with pytest.raises(InputError, match=rf"SHA-256 {sha256(b'mine')} now and {sha256(b'old')} in .*json; run"):
        held_against_receipt({"url": url}, file, receipt)
    file.unlink()
    (place / "old.csv").write_bytes(b"newer")
    with pytest.raises(InputError, match="SHA-256"):
        held_against_receipt({"url": url}, file, receipt)
    assert not file.exists()


@pytest.mark.parametrize("kind", ["copied", "generated"])
@pytest.mark.parametrize("name", ["a.csv", "a.csv.json"])
def test_a_kill_before_the_file_or_the_receipt_has_its_name(place, monkeypatch, kind, name):
    """The next run says whence the file is; it does not take it for one that somebody put there."""
    url = str(place / "old.csv")
    source = {"url": url} if kind == "copied" else {}
    generate = None if kind == "copied" else generated
    rename = Path.replace

    def killed(path, target):
        if Path(target).name == name:
            raise SystemExit
        return rename(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", killed)
        with pytest.raises(SystemExit):
            receive(source, place / "raw/a.csv", place / "sources/a.csv.json", generate)
    assert not (place / "raw/a.csv").exists()
    assert have(place, generate, **source) == ((b"old", url) if kind == "copied" else (b"made", "generated"))
