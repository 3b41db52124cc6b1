"""Addresses of sources: what they may be, and how they are shown without the secrets that may stand in them."""

import base64
import re
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from skelnas.errors import InputError

WEB = ("http", "https")
HIDDEN = "***"


@dataclass(frozen=True)
class WebAddress:
    """An address to ask for, without name and password; these as the value of an Authorization header, or empty."""

    url: str
    authorization: str


def shown(url: str) -> str:
    """The address for logs, messages and receipts: names, passwords, query and fragment replaced by ***."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return url
    authority = rest.partition("/")[0]
    # Where something follows a colon, it may be a password that holds a slash: hide up to the last @.
    end = rest.rfind("@", 0, None if ":" in authority else len(authority))
    rest = rest if end < 0 else f"{HIDDEN}{rest[end:]}"
    rest = re.sub(r"\?.*", f"?{HIDDEN}", rest, flags=re.DOTALL)
    return f"{scheme}://{re.sub(r'#.*', f'#{HIDDEN}', rest, flags=re.DOTALL)}"


def is_web(url: str) -> bool:
    """Whether this is an address to download from; everything else is on this machine."""
    return url.partition("://")[0].lower() in WEB and "://" in url


def web_address(url: str) -> WebAddress:
    """Take an http or https address apart.

    Raises:
        InputError: it is none; the sentence shows no secret.
    """
    try:
        parts = urllib.parse.urlsplit(url)
        named, port = bool(parts.hostname), parts.port
    except ValueError:
        named, port, parts = False, None, None
    if not named or parts is None:
        raise InputError(f"{shown(url)} is no valid address (host or port); correct `url`")
    if not re.fullmatch(r"[!-~]+", url):
        raise InputError(f"{shown(url)} is no valid address (a blank, or a letter beyond ASCII, %XX); correct `url`")
    authorization = ""
    if parts.username is not None:
        login = f"{urllib.parse.unquote(parts.username)}:{urllib.parse.unquote(parts.password or '')}"
        authorization = f"Basic {base64.b64encode(login.encode()).decode()}"
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    netloc = f"{host}:{port}" if port is not None else f"{host}"
    return WebAddress(urllib.parse.urlunsplit(parts._replace(netloc=netloc, fragment="")), authorization)


def local_path(url: str) -> Path:
    """The file on this machine that a `file:` address or a path names.

    Raises:
        InputError: another kind of address, one of another machine, or the home of somebody unknown.
    """
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", url) or url.startswith("file:"):
        try:
            parts = urllib.parse.urlsplit(url)
        except ValueError as error:
            raise InputError(f"{shown(url)} is no valid address; correct `url`") from error
        if parts.scheme != "file":
            raise InputError(f"{shown(url)}: addresses begin with http:, https: or file:, or are paths on this machine")
        if parts.netloc not in ("", "localhost"):
            raise InputError(
                f"{shown(url)} names a file of the machine {parts.netloc!r}; give a path on this machine (file:///...)"
            )
        return Path(urllib.request.url2pathname(parts.path))
    try:
        return Path(url).expanduser()
    except RuntimeError as error:  # ~nosuch
        raise InputError(f"{url}: there is no such home folder ({error}); correct `url`") from error
