"""Files that appear under their final name whole or not at all.

A record, the form of checkpoints and journals, is the SHA-256 of what follows (32 bytes) and then NumPy's npz archive,
which is read without pickle.
"""

import contextlib
import errno
import functools
import glob
import hashlib
import io
import json
import os
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np

from skelnas.errors import InputError

READ_BYTES = 1 << 20
DIGEST_BYTES = 32
ATTEMPTS = 5
REFUSALS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EPERM, errno.EROFS)
NOT_ALLOWED = tuple(os.strerror(number) for number in (errno.EACCES, errno.EPERM, errno.EROFS))
ABANDONED = 7 * 24 * 3600  # seconds without a byte after which a temporary file of another machine is nobody's


@contextlib.contextmanager
def whole_file(path: Path | str, verify: Callable[[Path], object] | None = None) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on a clean exit verify it, flush it to disk and rename it to `path`.

    The temporary name holds machine and process, so two jobs that make the same file never share one. On any error the
    temporary file is removed and `path` is left as it was; what a killed process of this machine left behind is removed
    by the next one that makes the file, what one of another machine left after a week. `verify` raises to refuse the
    file.

    Raises:
        InputError: the disk is full, the folder cannot be written, or another file that is needed cannot be read.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{_machine()}.{os.getpid()}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(path)
        yield temporary
        if verify is not None:
            verify(temporary)
        flush_to_disk(temporary)
        temporary.replace(path)
        flush_to_disk(path.parent)
    except (OSError, RuntimeError) as error:
        if (reason := refusal(error)) is None:
            raise
        named = getattr(error, "filename", None)
        if named is not None and Path(os.fsdecode(named)) not in (temporary, path, *path.parents):
            check_readable(os.fsdecode(named))  # an input, and not what is being written
            raise
        remedy = "give yourself the right to write there" if reason in NOT_ALLOWED else "make room"
        raise InputError(
            f"{path} cannot be written: {reason}; {remedy} or choose another folder, then run again"
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def check_readable(path: Path | str) -> None:
    """Tell a file that may not be read, or whose disk is at fault, from one that is damaged; a missing one passes.

    Whoever reads a file asks this before saying that it is damaged: only what was proved damaged may be deleted.

    Raises:
        InputError: the operating system refuses to read the file.
    """
    try:
        if not Path(path).is_dir():
            with Path(path).open("rb") as stream:
                stream.read(1)
    except FileNotFoundError:
        return
    except OSError as error:
        remedy = (
            "give yourself the right to read it" if error.errno in (errno.EACCES, errno.EPERM) else "see to the disk"
        )
        raise InputError(
            f"{path} cannot be read ({error.strerror or error}); {remedy}: it need not be damaged"
        ) from error


@functools.cache
def _machine() -> str:
    """This boot of this machine and this space of process numbers: containers may share a host name, not these."""
    known = [socket.gethostname()]
    with contextlib.suppress(OSError):
        known.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii"))
        known.append(str(Path("/proc/self/ns/pid").readlink()))
    return hashlib.sha256("\n".join(known).encode()).hexdigest()[:12]


def _remove_abandoned(path: Path) -> None:
    """Remove the temporary files of `path` whose processes are gone: known of this machine, of others by age."""
    for temporary in path.parent.glob(f".{glob.escape(path.name)}.*.*.*.tmp"):
        machine, process = temporary.name.split(".")[-4:-2]
        try:
            if machine != _machine():
                if time.time() - temporary.stat().st_mtime > ABANDONED:
                    temporary.unlink()
                continue
            os.kill(int(process), 0)
        except ProcessLookupError:
            temporary.unlink(missing_ok=True)
        except (OSError, ValueError):
            continue


def flush_to_disk(path: Path) -> None:
    """Ask the operating system to put a file's or folder's contents on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_text(path: Path | str, text: str) -> None:
    """Write UTF-8 `text` to `path`, whole or not at all."""
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_bytes(path: Path | str, data: bytes) -> None:
    """Write `data` to `path`, whole or not at all."""
    with whole_file(path) as temporary:
        temporary.write_bytes(data)


def write_json(path: Path | str, value: Any) -> None:
    """Write `value` as JSON (two blanks of indent, keys in the order given), whole or not at all."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def sha256_of_file(path: Path | str) -> str:
    """SHA-256 of a file's bytes, as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as stream:
        while block := stream.read(READ_BYTES):
            digest.update(block)
    return digest.hexdigest()


def sha256_of_json(value: Any) -> str:
    """SHA-256 of a value's canonical JSON (sorted keys, no blanks): the same for equal values on any machine."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def refusal(error: OSError | RuntimeError) -> str | None:
    """Why the disk refused a write, or None where the error is of another kind (libraries put the number into text)."""
    refusals = {number: os.strerror(number) for number in REFUSALS}
    return refusals.get(getattr(error, "errno", None) or 0) or next(
        (
            text
            for number, text in refusals.items()
            if f"errno = {number}," in str(error) or f"[errno {number}]" in str(error)
        ),
        None,
    )


def write_record(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write `arrays` to `path`, whole or not at all; the folder is made where it is missing.

    Raises:
        InputError: the disk is full or the folder cannot be written.
    """
    content = io.BytesIO()
    np.savez(content, **cast(Any, arrays))
    data = content.getvalue()
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with whole_file(path) as temporary:
                temporary.write_bytes(hashlib.sha256(data).digest() + data)
            return
        except FileNotFoundError:
            # Another process that finished the same work removed the folder under our hands: make it again.
            if attempt == ATTEMPTS:
                raise


def read_record(path: Path) -> dict[str, np.ndarray] | None:
    """The arrays at `path`; None where there is no such file or its bytes are not what was written."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError:
        check_readable(path)
        raise
    digest, content = data[:DIGEST_BYTES], data[DIGEST_BYTES:]
    if hashlib.sha256(content).digest() != digest:
        return None
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return dict(arrays)
