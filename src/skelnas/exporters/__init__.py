"""Benchmark files in the forms that other tools read: one module and one row for each.

A module has `write(benchmarks, target, options) -> list[str]`: it makes `target`, a file or a folder, and returns what
its reader must know, such as what was left out. It leaves out what the benchmark does not have: never a mean in place
of a seed, never a zero in place of nothing. The target appears whole or not at all.
"""

import contextlib
import importlib
import shutil
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from skelnas.errors import InputError
from skelnas.files import refusal
from skelnas.results.query import Benchmark


@dataclass(frozen=True)
class Options:
    """What only some exports need.

    alias: a data set's name that the client knows, in place of its own; creator, url: who publishes it and where;
    licence: an SPDX identifier.
    """

    alias: str = ""
    creator: str = ""
    url: str = ""
    licence: str = "MIT"


@dataclass(frozen=True)
class Exporter:
    """One row of the table: its module, what it makes, and whether it may hold several recipes of one data set."""

    module: str
    makes: str
    several: bool = False


EXPORTERS = {
    "nats_bench": Exporter("nats_bench", "a folder for NATS-Bench 1.8 (create(folder, 'tss', fast_mode=True))", True),
    "syne-tune": Exporter("syne_tune", "a folder for syne-tune 0.16's blackbox repository"),
    "optunahub": Exporter("optunahub", "a local registry for OptunaHub, with a problem that reports every epoch"),
    "csv": Exporter("csv", "one csv file, a row for each training after its last epoch"),
    "parquet": Exporter("parquet", "one Parquet file, a row for each training, split and epoch"),
    "huggingface": Exporter("huggingface", "a folder for the Hugging Face Hub, with card and Croissant"),
}


def export(name: str, benchmarks: Sequence[Benchmark], target: Path, options: Options) -> list[str]:
    """Make `target` of opened benchmarks; what its reader must know.

    Raises:
        InputError: there is no such export, the target is there already, or the benchmarks lack what it needs.
    """
    if name not in EXPORTERS:
        raise InputError(f"there is no export {name!r}; there are {', '.join(EXPORTERS)}")
    row = EXPORTERS[name]
    if len(benchmarks) != 1 and not row.several:
        raise InputError(f"{name} takes one benchmark file, not {len(benchmarks)}")
    if target.exists():
        raise InputError(f"{target} is there already; move it away or give another name")
    module = importlib.import_module(f"skelnas.exporters.{row.module}")
    with _whole(target) as temporary:
        return module.write(benchmarks, temporary, options)


@contextlib.contextmanager
def _whole(target: Path) -> Iterator[Path]:
    """A path beside `target`, with its ending, that becomes it on a clean exit and is removed on any other."""
    temporary = target.with_name(f".{uuid.uuid4().hex[:8]}.{target.name}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        temporary.rename(target)
    except OSError as error:
        reason = refusal(error)
        if reason is None:
            raise
        raise InputError(f"{target} cannot be written: {reason}; make room or choose another folder") from error
    finally:
        if temporary.is_dir():
            shutil.rmtree(temporary)
        else:
            temporary.unlink(missing_ok=True)
