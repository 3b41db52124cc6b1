"""The full-size proof: all 56,880 recordings of NTU RGB+D 60 (made up, a few frames each) become two image sets.

    python -m bench.ntu_full_size --missing NTU_RGBD_samples_with_missing_skeletons.txt

writes an archive with the real names, converts it to the cross-subject set of 28 x 84 and the cross-view set of 28 x 88
pixels, checks their counts, and prints seconds and memory. Without the list, no sample is left out.
"""

import argparse
import json
import os
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from bench import ntu_generate
from skelnas.files import write_json
from skelnas.images.build import build_image_set
from skelnas.images.image_set import write_image_set
from skelnas.images.journal import Journal
from skelnas.progress import Progress
from skelnas.skeletons.ntu import reader as ntu
from skelnas.skeletons.readers import NtuOptions

SETS = {  # name: split rule, width, (pool, test) without and with the list of missing samples
    "ntu60_xsub": ("ntu60-cross-subject", 84, (40_320, 16_560), (40_091, 16_487)),
    "ntu60_xview": ("ntu60-cross-view", 88, (37_920, 18_960), (37_646, 18_932)),
}
GIB = 2**30


def prove(folder: Path, missing: Path | None, workers: int) -> dict[str, Any]:
    """Write the archive into `folder`, convert it twice, and return what was measured; wrong counts end the program."""
    archive = folder / "nturgbd_skeletons_s001_to_s017.zip"
    peak = PeakMemory()
    started = time.perf_counter()
    without_body = ntu.missing_samples(missing) if missing else ()
    ntu_generate.write_archive(archive, ntu_generate.ntu60_names(), without_body)
    figures: dict[str, Any] = {"archive": {"bytes": archive.stat().st_size, "seconds": _since(started)}}
    for name, (rule, width, all_counts, usable_counts) in SETS.items():
        started = time.perf_counter()
        source = ntu.open_source([archive, *([missing] if missing else [])], NtuOptions())
        opened = _since(started)
        options = {"split": {"rule": rule}, "height": 28, "width": width}
        progress = Progress(name, len(source.samples), "recordings")
        journal = Journal(folder / f"{name}.h5", [archive])
        image_set, _ = build_image_set(name, source, options, progress, workers, journal)
        write_image_set(folder / f"{name}.h5", image_set)
        journal.remove()
        counts = len(image_set.pool_labels), len(image_set.test_labels)
        if counts != (usable_counts if missing else all_counts):
            raise SystemExit(f"{name}: pool and test have {counts} images, which is wrong")
        figures[name] = {
            "pool": counts[0],
            "test": counts[1],
            "image": [image_set.height, image_set.width],
            "seconds to open": opened,
            "seconds": _since(started),
        }
        del image_set
    figures["peak memory in GiB"] = round(peak.bytes / GIB, 2)
    return figures


class PeakMemory:
    """The most memory that this process and its workers held at once, sampled ten times a second (Linux).

    Proportional set sizes: what several processes share is counted once.
    """

    def __init__(self) -> None:
        self.bytes = 0
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while True:
            self.bytes = max(self.bytes, sum(map(_memory, [os.getpid(), *_children()])))
            time.sleep(0.1)


def _children() -> list[int]:
    lists = Path("/proc/self/task").glob("*/children")
    return [int(process) for children in lists for process in children.read_text().split()]


def _memory(process: int) -> int:
    """Proportional set size in bytes; 0 for a process that has ended."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def _since(started: float) -> float:
    return round(time.perf_counter() - started, 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--missing", type=Path, help="the official list of samples with missing skeletons")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes that convert")
    parser.add_argument("--folder", type=Path, help="where to write (default: a temporary folder, removed at the end)")
    parser.add_argument("--out", type=Path, help="write the figures to this file as JSON")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        figures = prove(arguments.folder or Path(temporary), arguments.missing, arguments.workers)
    print(json.dumps(figures, indent=2))
    if arguments.out:
        write_json(arguments.out, figures)
    if figures["peak memory in GiB"] > 2:
        raise SystemExit("more than 2 GiB of memory were used")


if __name__ == "__main__":
    main()
