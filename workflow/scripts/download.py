"""Have one source file, and write its receipt."""

from skelnas.receipts import receive
from skelnas.script import run
from skelnas.study import paths
from skelnas.study import runs as study


def download(config: dict, file: str, receipt: str) -> None:
    """Check or fetch data/raw/`file` and write its `receipt`."""
    receive(study.raw_source(config, file), paths.raw_file(file), receipt)


if __name__ == "__main__":
    run(
        download,
        snakemake.log[0],
        config=snakemake.config,
        file=snakemake.wildcards.file,
        receipt=snakemake.output.receipt,
    )
