"""Members of a zip archive or files of a folder, read in place: nothing is ever unpacked to the disk."""

import contextlib
import hashlib
import os
import re
import stat
import unicodedata
import zipfile
from collections import Counter
from pathlib import Path

from skelnas.errors import InputError
from skelnas.files import check_readable, sha256_of_json
from skelnas.skeletons.recording import natural_key
from skelnas.untrusted import DAMAGE, DEFAULT, LimitError, Limits, read_file, read_member

SEPARATOR = re.compile(r"[/\\]")  # some Windows programs write backslashes into zip archives
UTF8_FLAG = 0x800  # of a zip entry; without it names are in whatever code the packing program had
LITTER = {"__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini"}  # left by file browsers; never data


class Members:
    """The files inside a zip archive or a folder.

    `names` lists them in natural order, with their folders; folders themselves and the litter of file browsers are not
    listed. Names are in `one_form`, however the archive or the file system writes them. An instance may be pickled and
    may cross a fork: every process opens the archive for itself.

    In a folder, links to files are read; links to folders are refused, for their files would be missed silently.

    Raises:
        InputError: `path` is missing, truncated or no zip archive; a member is encrypted, a link, listed twice, or its
            name is absolute, climbs out of the archive with `..`, or is longer than the limits allow.
    """

    def __init__(self, path: Path | str, limits: Limits = DEFAULT) -> None:
        self.path, self.limits = Path(path), limits
        self._zip: zipfile.ZipFile | None = None
        self._process = 0
        if self.path.is_dir():
            names = self._folder_names()
        elif self.path.exists():
            names = self._zip_names()
        else:
            raise InputError(f"{self.path} does not exist; download it, or correct the path in the configuration")
        self._stored: dict[str, str] = {}
        for stored, said in names.items():
            name = one_form(said)
            if name in self._stored:
                raise InputError(f"{self.path}: two members are called {name}, in two forms of Unicode; rename one")
            self._stored[name] = stored
        self.names = tuple(sorted((name for name in self._stored if not is_litter(name)), key=natural_key))
        try:
            for name in self.names:
                limits.check_name(name)
        except LimitError as error:
            raise InputError(f"{self.path}: {name[:40]}...: {error}") from error

    def __getstate__(self) -> dict:
        return {**self.__dict__, "_zip": None, "_process": 0}

    def size(self) -> int:
        """Bytes of the archive file, or of all listed files of the folder."""
        if self.path.is_dir():
            return sum((self.path / self._stored[name]).stat().st_size for name in self.names)
        return self.path.stat().st_size

    def read(self, name: str) -> bytes:
        """The bytes of one member.

        Raises:
            InputError: no such member, or it cannot be read: wrong checksum, truncated, unknown compression, larger
                than the limits allow.
        """
        try:
            if self.path.is_dir():
                with (self.path / self._stored[name]).open("rb") as stream:
                    return read_file(stream, self.limits)
            return read_member(self._archive(), self._stored[name], self.limits)
        except LimitError as error:
            raise InputError(f"{self.path}: member {name}: {error}") from error
        except KeyError:
            raise InputError(f"{self.path} has no member {name}; download the archive again") from None
        except DAMAGE as error:
            check_readable(self.path / self._stored[name] if self.path.is_dir() else self.path)
            raise InputError(
                f"{self.path}: member {name} cannot be read ({error}); download or pack the archive again"
            ) from error

    def content_fingerprint(self) -> str:
        """SHA-256 over every member's base name and bytes: the same however the members are packed and foldered."""
        return sha256_of_json(
            sorted((base_name(name), hashlib.sha256(self.read(name)).hexdigest()) for name in self.names)
        )

    def check_content(self, expected: str) -> str:
        """The content fingerprint, which must be `expected` unless that is empty.

        Raises:
            InputError: the members are other ones, or a member cannot be read.
        """
        fingerprint = self.content_fingerprint()
        if expected.lower() not in ("", fingerprint):
            raise InputError(
                f"{self.path} has the content fingerprint {fingerprint}, the configuration expects {expected}; "
                "download the archive again, or correct `content`"
            )
        return fingerprint

    def _archive(self) -> zipfile.ZipFile:
        """This process's own open archive: a file position shared with a parent process would move under our feet."""
        if self._zip is None or self._process != os.getpid():
            try:
                if self._zip is None:
                    self._zip = zipfile.ZipFile(self.path)
                else:  # forked: the list of members is inherited; read again it would cost seconds and memory
                    self._zip.fp = self.path.open("rb")
                self._process = os.getpid()
            except DAMAGE as error:
                check_readable(self.path)
                raise InputError(
                    f"{self.path} is truncated or no zip archive ({error}); put a whole one in its place"
                ) from error
        return self._zip

    def _zip_names(self) -> dict[str, str]:
        """Every member as the archive has it, and what that means."""
        entries = [entry for entry in self._archive().infolist() if not entry.filename.endswith("/")]
        for entry in entries:
            if reason := _unsafe(entry):
                raise InputError(f"{self.path}: member {entry.filename} {reason}; pack the archive again without it")
        name, times = Counter(entry.filename for entry in entries).most_common(1)[0] if entries else ("", 1)
        if times > 1:
            raise InputError(f"{self.path}: member {name} is listed {times} times; pack the archive again, once each")
        return {entry.filename: _said(entry) for entry in entries}

    def _folder_names(self) -> dict[str, str]:
        names = {}
        for path in self.path.rglob("*"):
            name = path.relative_to(self.path).as_posix()
            if path.is_symlink() and not path.is_file():
                raise InputError(
                    f"{self.path}: {name} is a link to a folder or to nothing; put the files themselves there"
                )
            if path.is_file():
                names[name] = name
        return names


def one_form(name: str) -> str:
    """A name in the one form of Unicode (NFC, composed) in which names are compared; macOS lists files decomposed.

    A byte that is no text (in a file's name of another code) becomes a question mark.
    """
    return name if name.isascii() else unicodedata.normalize("NFC", name.encode(errors="replace").decode())


def _said(entry: zipfile.ZipInfo) -> str:
    """A member's name: some programs write UTF-8 and do not say so, and `zipfile` takes it for code page 437."""
    if not entry.flag_bits & UTF8_FLAG:
        with contextlib.suppress(UnicodeError):
            return entry.filename.encode("cp437").decode("utf-8")
    return entry.filename


def base_name(name: str) -> str:
    """A member's name without its folders."""
    return SEPARATOR.split(name)[-1]


def is_litter(name: str) -> bool:
    """Whether a file browser left this member behind (`.DS_Store`, `__MACOSX/...`, `._name`, `Thumbs.db`)."""
    parts = SEPARATOR.split(name)
    return not LITTER.isdisjoint(parts) or parts[-1].startswith("._")


def _unsafe(entry: zipfile.ZipInfo) -> str:
    """Why this member must not be trusted, or an empty text."""
    parts = SEPARATOR.split(entry.filename)
    if not entry.filename:
        return "has no name"
    if parts[0] == "" or re.match(r"[A-Za-z]:", parts[0]):
        return "has an absolute path"
    if ".." in parts:
        return "climbs out of the archive"
    if stat.S_ISLNK(entry.external_attr >> 16):
        return "is a link"
    if entry.flag_bits & 0x1:
        return "is encrypted"
    return ""
