import io
import zipfile

import pytest

from skelnas.errors import InputError, harmless
from skelnas.options import stated
from skelnas.skeletons.readers import READERS
from skelnas.untrusted import LimitError, Limits, parse_json, read_file, read_member

SMALL = Limits(member_bytes=100_000_000, member_ratio=50)


def packed(content, compression=zipfile.ZIP_DEFLATED, claimed=None):
    """A zip archive with the member `a`, whose entry claims another size where one is given."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive, archive.open("a", "w") as member:
        for _ in range(max(1, len(content) >> 20)):
            member.write(content[: 1 << 20])
    archive = zipfile.ZipFile(io.BytesIO(stream.getvalue()))
    if claimed is not None:
        archive.getinfo("a").file_size = claimed
    return archive


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_member_within_the_limits_is_read(compression):
    content = bytes(range(256)) * 4096
    assert read_member(packed(content, compression), "a") == content


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_bomb_is_refused_by_its_ratio(compression):
    with pytest.raises(
        LimitError, match=r"unpack to more than .* MB, more than the 50 times that `limits: member-ratio`"
    ):
        read_member(packed(bytes(32 << 20), compression), "a", SMALL)


@pytest.mark.parametrize("claimed", [None, 10_000_000_000])
def test_a_large_member_is_refused_by_its_size(claimed):
    with pytest.raises(LimitError, match=r"it is larger than the 1.0 MB that `limits: member-bytes` allows; raise it"):
        read_member(packed(bytes(2 << 20), claimed=claimed), "a", Limits(member_bytes=1_000_000))


def test_a_member_that_claims_to_be_small_is_not_unpacked_further():
    with pytest.raises(zipfile.BadZipFile):
        read_member(packed(bytes(8 << 20), claimed=1000), "a", Limits(member_bytes=2000))


def test_a_file_is_read_up_to_the_limit():
    assert read_file(io.BytesIO(b"12345"), Limits(member_bytes=5)) == b"12345"
    with pytest.raises(LimitError, match="member-bytes"):
        read_file(io.BytesIO(b"123456"), Limits(member_bytes=5))


@pytest.mark.parametrize(
    "content", [b"[" * 100_000, b'{"a":' * 1000 + b"1" + b"}" * 1000, b'["\\"", ' + b"[" * 65 + b"]" * 65 + b"]"]
)
def test_deep_json_is_refused(content):
    with pytest.raises(LimitError, match="`limits: json-depth` allows"):
        parse_json(content)


def test_brackets_in_strings_do_not_count():
    assert parse_json(b'{"a": "' + b"[" * 1000 + b'\\"", "b": [[1]]}')["b"] == [[1]]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b'"' + b"[" * 100, b"9" * 10_000])
def test_no_json_is_a_value_error(content):
    with pytest.raises(ValueError):  # noqa: PT011 - each of another kind and text
        parse_json(content)


def test_lines_and_names_have_limits():
    limits = Limits(line_bytes=10, name_bytes=5)
    limits.check_lines("0123456789\n0123456789")
    with pytest.raises(LimitError, match="line 2 has 11 characters, more than the 10 that `limits: line-bytes` allows"):
        limits.check_lines("0123456789\n01234567890")
    limits.check_name("abcde")
    with pytest.raises(LimitError, match="the name has 6 bytes, more than the 5 that `limits: name-bytes` allows"):
        limits.check_name("äöü")


def test_limits_are_read_from_a_configuration():
    block = {"limits": {"member-bytes": 7, "name-bytes": 8}}
    for reader in READERS.values():
        assert stated(reader.options, {}).limits == Limits()
        assert stated(reader.options, block).limits == Limits(member_bytes=7, name_bytes=8)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, ünïcödé 動作", "plain, ünïcödé 動作"),
        ("a\x1b[31mred\x07", r"a\x1b[31mred\x07"),
        ("two\nlines\r", r"two\nlines\r"),
        ("turned \u202eround", r"turned \u202eround"),
        ("no text \udcff", r"no text \udcff"),
    ],
)
def test_texts_are_shown_harmlessly(text, shown):
    assert harmless(text) == shown
    assert str(InputError(text)) == shown
