"""Answer a call that names a raw file: have it there, and say what its receipt says."""

import sys
from pathlib import Path

from skelnas.receipts import held_against_receipt
from skelnas.script import run
from skelnas.skeletons.synthetic.reader import write_archive
from skelnas.study import paths
from skelnas.study import runs as study


def answer(config: dict, file: str, receipt: str) -> None:
    """Hold data/raw/`file` against its `receipt`, have it again where it went away, and say so."""
    path = Path(paths.raw_file(file))
    known = held_against_receipt(
        study.raw_source(config, file), path, receipt, write_archive if file == "synthetic/Skeleton.zip" else None
    )
    sys.stderr.write(f"{path}: {known['size']:,} bytes, SHA-256 {known['sha256']}, {known['whence']} ({receipt})\n")


if __name__ == "__main__":
    run(
        answer,
        snakemake.log[0],
        config=snakemake.config,
        file=snakemake.params.file,
        receipt=snakemake.input.receipt,
    )
