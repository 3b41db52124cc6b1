from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skelnas.addresses import local_path, shown, web_address
from skelnas.errors import InputError


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("https://example.org/a/b.zip", "https://example.org/a/b.zip"),
        ("https://example.org/@latest/b.zip", "https://example.org/@latest/b.zip"),
        ("https://me:12/ss@example.org/b.zip", "https://***@example.org/b.zip"),
        ("https://me:pass@example.org/b.zip", "https://***@example.org/b.zip"),
        ("https://token@example.org/b.zip", "https://***@example.org/b.zip"),
        ("https://me:p@ss@example.org:80/b.zip", "https://***@example.org:80/b.zip"),
        ("https://me:pa/ss@example.org/b.zip", "https://***@example.org/b.zip"),
        ("https://example.org/b.zip?token=t&x=/a@b", "https://example.org/b.zip?***"),
        ("https://example.org?token=t", "https://example.org?***"),
        ("https://example.org/b.zip#token", "https://example.org/b.zip#***"),
        ("/home/me/b.zip", "/home/me/b.zip"),
    ],
)
def test_secrets_are_not_shown(url, what):
    assert shown(url) == what


ODD = st.text(alphabet=":/@?#%[]", max_size=3)


@given(ODD, ODD)
def test_no_password_is_shown_however_odd(before, after):
    password = f"{before}sEcRet{after}"
    for url in (f"https://me:{password}@example.org/b.zip", f"https://example.org/b.zip?key={password}"):
        assert "sEcRet" not in shown(url)
        with pytest.raises(InputError) as caught:
            web_address(f"{url} ")
        assert "sEcRet" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://[::1", "https:///b.zip", "http://h:port/b", "http://h:99999/b", "http://h/a b"]
)
def test_what_is_no_address(url):
    with pytest.raises(InputError, match=r"is no valid address .*; correct `url`$"):
        web_address(url)


def test_an_address_is_taken_apart():
    address = web_address("https://me:hunter2@[::1]:80/a?b=c#d")
    assert (address.url, address.authorization) == ("https://[::1]:80/a?b=c", "Basic bWU6aHVudGVyMg==")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("file://remote/a.zip", "names a file of the machine 'remote'"),
        ("file://remote:80/a.zip", "names a file of the machine 'remote:80'"),
        ("~nosuch/a.zip", "there is no such home folder"),
        ("ftp://me:hunter2@host/a.zip", r"ftp://\*\*\*@host/a.zip: addresses begin with http:, https: or file:"),
        ("file://[::1/a.zip", "is no valid address"),
    ],
)
def test_what_is_no_file_of_this_machine(url, words):
    with pytest.raises(InputError, match=words) as caught:
        local_path(url)
    assert "hunter2" not in str(caught.value)


def test_files_of_this_machine():
    assert local_path("file:///a%20b.zip") == local_path("file://localhost/a%20b.zip") == Path("/a b.zip")
    assert local_path("~/a.zip") == Path.home() / "a.zip"
    assert local_path("a:b.zip") == Path("a:b.zip")
