import multiprocessing
import pickle
import stat
import unicodedata
import zipfile

import pytest

from skelnas.errors import InputError
from skelnas.skeletons.archive_members import Members
from skelnas.skeletons.recording import natural_key
from skelnas.untrusted import Limits

CONTENTS = {"data/a10.txt": b"ten" * 50, "data/a2.txt": b"two" * 50, "readme.txt": b"read me" * 20}


@pytest.fixture
def archive(tmp_path):
    return zipped(tmp_path / "data.zip", CONTENTS)


def zipped(path, contents, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, content in contents.items():
            file.writestr(name, content)
    return path


def folder(path, contents):
    for name, content in contents.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


def refused(path, *words):
    """The sentence with which Members refuses `path` or the reading of its members."""
    with pytest.raises(InputError) as refusal:
        members = Members(path)
        for name in members.names:
            members.read(name)
    sentence = str(refusal.value)
    assert str(path) in sentence
    assert "\n" not in sentence
    for word in words:
        assert word in sentence
    return sentence


def test_zip_and_folder_give_the_same_members_in_natural_order(archive, tmp_path):
    for path in (archive, folder(tmp_path / "unpacked", CONTENTS)):
        members = Members(path)
        assert members.names == ("data/a2.txt", "data/a10.txt", "readme.txt")
        assert {name: members.read(name) for name in members.names} == CONTENTS


def test_fingerprint_depends_on_contents_only(archive, tmp_path):
    fingerprint = Members(archive).content_fingerprint()
    flat = {name.split("/")[-1]: content for name, content in reversed(CONTENTS.items())}
    litter = {**flat, ".DS_Store": b"x", "__MACOSX/._a2.txt": b"y", "Thumbs.db": b"z"}
    for number, contents in enumerate((flat, litter, {f"deep/er/{name}": content for name, content in flat.items()})):
        assert Members(zipped(tmp_path / f"{number}.zip", contents, 0)).content_fingerprint() == fingerprint
        assert Members(folder(tmp_path / f"{number}", contents)).content_fingerprint() == fingerprint
    renamed = {**flat, "a3.txt": flat["a2.txt"]}
    del renamed["a2.txt"]
    for number, contents in enumerate((renamed, {**flat, "a2.txt": b"other"}, {**flat, "more.txt": b""})):
        assert Members(folder(tmp_path / f"other{number}", contents)).content_fingerprint() != fingerprint


def test_directory_entries_are_no_members(tmp_path):
    path = zipped(tmp_path / "data.zip", {"data/": b"", **CONTENTS})
    assert Members(path).names == ("data/a2.txt", "data/a10.txt", "readme.txt")


def test_size(archive, tmp_path):
    assert Members(archive).size() == archive.stat().st_size
    assert Members(folder(tmp_path / "unpacked", CONTENTS)).size() == 150 + 150 + 140


def test_worker_processes_read_at_once(archive):
    members = Members(archive)
    members.read("readme.txt")  # the parent's archive is open when the workers start
    with multiprocessing.get_context("fork").Pool(4) as pool:
        assert pool.map(members.read, list(CONTENTS) * 50) == list(CONTENTS.values()) * 50


def test_pickled_members_read_again(archive):
    members = Members(archive)
    members.read("readme.txt")
    again = pickle.loads(pickle.dumps(members))
    assert again.names == members.names
    assert again.read("readme.txt") == CONTENTS["readme.txt"]


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("../outside.txt", "climbs out"),
        ("data/../../outside.txt", "climbs out"),
        ("data\\..\\outside.txt", "climbs out"),
        ("/etc/passwd", "absolute"),
        ("C:\\windows.txt", "absolute"),
        ("\\share\\file", "absolute"),
    ],
)
def test_unsafe_names(tmp_path, name, word):
    refused(zipped(tmp_path / "data.zip", {**CONTENTS, name: b""}), name, word)


def test_duplicate_member(tmp_path):
    path = zipped(tmp_path / "data.zip", CONTENTS)
    with zipfile.ZipFile(path, "a") as file, pytest.warns(UserWarning, match="Duplicate"):
        file.writestr("readme.txt", b"another")
    refused(path, "readme.txt", "2 times")


def test_link_in_archive(tmp_path):
    path = zipped(tmp_path / "data.zip", CONTENTS)
    link = zipfile.ZipInfo("data/link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as file:
        file.writestr(link, "/etc/passwd")
    refused(path, "data/link", "is a link")


def test_encrypted_member(archive):
    content = bytearray(archive.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1  # the flag in the first central entry
    archive.write_bytes(content)
    refused(archive, "data/a10.txt", "is encrypted")


def test_every_truncation_is_refused(archive):
    content = archive.read_bytes()
    for length in range(0, len(content) - 1, 7):
        archive.write_bytes(content[:length])
        refused(archive, "put a whole one in its place")


def test_changed_byte_in_a_member(tmp_path):
    path = zipped(tmp_path / "data.zip", CONTENTS, zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"twotwo", b"twotow", 1))
    refused(path, "member data/a2.txt", "CRC", "again")


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_any_changed_byte_is_refused_or_harmless(tmp_path, compression):
    """Whatever byte of an archive is damaged: one sentence refuses, or every member that is listed reads as it was."""
    path = zipped(tmp_path / "data.zip", CONTENTS, compression)
    content = path.read_bytes()
    refusals = []
    for place in range(len(content)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :])
        try:
            members = Members(path)
            read = [members.read(name) for name in members.names]
        except InputError as error:
            refusals.append(str(error))
        else:
            assert all(member in CONTENTS.values() for member in read)
    assert len(refusals) > len(content) / 2
    assert all(str(path) in sentence for sentence in refusals)


def test_what_is_not_there(archive, tmp_path):
    refused(tmp_path / "missing.zip", "does not exist")
    with pytest.raises(InputError, match=r"no member a3\.txt"):
        Members(archive).read("a3.txt")
    not_a_zip = tmp_path / "page.zip"
    not_a_zip.write_text("<html>Please sign in</html>")
    refused(not_a_zip, "no zip archive")


def test_links_in_a_folder(tmp_path):
    target = folder(tmp_path / "store", CONTENTS)
    linked = tmp_path / "linked"
    linked.mkdir()
    (linked / "a2.txt").symlink_to(target / "data/a2.txt")
    assert Members(linked).read("a2.txt") == CONTENTS["data/a2.txt"]
    (linked / "more").symlink_to(target / "data")
    refused(linked, "more", "link")
    (linked / "more").unlink()
    (linked / "gone.txt").symlink_to(target / "gone.txt")
    refused(linked, "gone.txt", "link")


def test_a_file_that_vanished_from_a_folder(tmp_path):
    path = folder(tmp_path / "unpacked", CONTENTS)
    members = Members(path)
    (path / "readme.txt").unlink()
    with pytest.raises(InputError, match=r"readme\.txt cannot be read"):
        members.read("readme.txt")


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("kind", ["folder", "zip", "zip without flag"])
def test_names_are_compared_in_one_form_of_unicode(tmp_path, form, kind):
    name = unicodedata.normalize(form, "Bewegungen/Gr\u00fc\u00dfe \u52d5\u4f5c.txt")
    if kind == "folder":
        path = folder(tmp_path / "data", {name: b"one"})
    else:
        path = zipped(tmp_path / "data.zip", {name: b"one"})
        if kind != "zip":
            path.write_bytes(without_utf8_flag(path.read_bytes()))
    members = Members(path)
    assert members.names == ("Bewegungen/Gr\u00fc\u00dfe \u52d5\u4f5c.txt",)
    assert members.read(members.names[0]) == b"one"
    assert members.size() > 0


def without_utf8_flag(content):
    """The archive as a program writes it that puts UTF-8 into names and does not say so."""
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.index(signature) + place
        content = content[:at] + bytes([content[at], content[at + 1] & ~8]) + content[at + 2 :]
    return content


def test_names_of_an_old_code_page_stay_readable(tmp_path):
    path = zipped(tmp_path / "data.zip", {"gru\u00dfe.txt": b"one"})
    content = without_utf8_flag(path.read_bytes()).replace("\u00df".encode(), b"\xe1\x61")  # code page 437
    path.write_bytes(content)
    assert Members(path).names == ("gru\u00dfae.txt",)


def test_a_member_without_a_name_is_refused(tmp_path):
    path = zipped(tmp_path / "data.zip", {"~a.txt": b"one"})
    path.write_bytes(path.read_bytes().replace(b"~a.txt", b"\x00a.txt"))  # zipfile cuts a name at its first zero
    refused(path, "has no name")


def test_two_forms_of_one_name_are_refused(tmp_path):
    contents = {unicodedata.normalize(form, "\u00fc.txt"): b"x" for form in ("NFC", "NFD")}
    refused(zipped(tmp_path / "data.zip", contents), "two members are called \u00fc.txt")
    refused(folder(tmp_path / "data", contents), "two members are called \u00fc.txt")


def test_names_that_are_no_text(tmp_path):
    path = folder(tmp_path / "data", {"a\udcff.txt": b"one", "\x1b[31m.txt": b"two", "b.txt": b"three"})
    members = Members(path)
    assert members.names == ("\x1b[31m.txt", "a?.txt", "b.txt")
    assert [members.read(name) for name in members.names] == [b"two", b"one", b"three"]


def test_names_with_thousands_of_digits_are_ordered(tmp_path):
    names = ["9" * 5000, "1" + "0" * 5000, "0" * 6000 + "7"]
    ordered = sorted(names, key=natural_key)
    assert ordered == [names[2], names[0], names[1]]
    refused(zipped(tmp_path / "data.zip", {"9" * 5000: b"x"}), "the name has 5,000 bytes", "`limits: name-bytes`")
    assert Members(zipped(tmp_path / "data.zip", {"9" * 5000: b"x"}), Limits(name_bytes=5000)).names == ("9" * 5000,)


def test_large_members_are_refused_with_the_key(tmp_path):
    for path in (zipped(tmp_path / "data.zip", {"a": bytes(2000)}), folder(tmp_path / "data", {"a": bytes(2000)})):
        with pytest.raises(InputError, match=r"member a: it is larger than the 1.0 kB that `limits: member-bytes`"):
            Members(path, Limits(member_bytes=1000)).read("a")
        assert Members(path, Limits(member_bytes=2000)).read("a") == bytes(2000)


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, zipfile.ZIP_DEFLATED])
def test_a_bomb_is_refused(tmp_path, compression):
    path = zipped(tmp_path / "data.zip", {"a": bytes(64 << 20)}, compression)
    assert path.stat().st_size < 100_000
    refused(path, "member a: ", "`limits: member-ratio`")
