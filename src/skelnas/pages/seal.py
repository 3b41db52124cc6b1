"""The last line of every page: the SHA-256 of what stands above it, which tells a damaged page from a whole one."""

import hashlib
import re

END = re.compile(rb"<!-- sha256 of what is above: ([0-9a-f]{64}) -->\n\Z")


def sealed(content: bytes) -> bytes:
    """A page with its last line."""
    return content + f"<!-- sha256 of what is above: {hashlib.sha256(content).hexdigest()} -->\n".encode()


def is_whole(page: bytes) -> bool:
    """Whether a page is what was written."""
    end = END.search(page)
    return end is not None and hashlib.sha256(page[: end.start()]).hexdigest().encode() == end[1]
