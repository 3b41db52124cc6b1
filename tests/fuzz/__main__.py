"""`make fuzz`: damage every format that is read, and count what comes of it; status 1 where anything is a fault.

python -m tests.fuzz --seconds 180 --seed 1
"""

import argparse
import sys
import tempfile
from pathlib import Path

from skelnas.skeletons.archive_members import Members
from skelnas.text import text_table

from .fuzzing import FAULTS, OUTCOMES, fuzz
from .targets import targets, utd_mhad_archive


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=180, help="for all formats together (180)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed damages in the same way (1)")
    parser.add_argument("--only", default="", help="formats whose name holds this text")
    given = parser.parse_args()
    rows, examples = [], []
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "first").mkdir()
        chosen = [target for target in targets(fingerprint(Path(folder) / "first")) if given.only in target.name]
        for name, report in fuzz(chosen, Path(folder), given.seed, given.seconds):
            rows.append((name, *(f"{report.counts[outcome]:,}" for outcome in OUTCOMES)))
            examples += [f"{name}, {outcome}, {example}" for outcome, example in report.faults.items()]
            print(f"{name}: {sum(report.counts.values()):,} files", file=sys.stderr)
            total = [sum(int(row[column].replace(",", "")) for row in rows) for column in range(1, len(OUTCOMES) + 1)]
    rows.append(("all", *(f"{number:,}" for number in total)))
    print(text_table(("format", *OUTCOMES), rows))
    print("\n".join(["", *examples]) if examples else f"\nNo {', '.join(FAULTS)}.")
    return int(bool(examples))


def fingerprint(folder: Path) -> str:
    """The content fingerprint of the archive in UTD-MHAD's form."""
    return Members(utd_mhad_archive(folder)).content_fingerprint()


if __name__ == "__main__":
    sys.exit(main())
