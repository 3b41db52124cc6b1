"""Generate the recordings of the synthetic data set, and write their receipt."""

from skelnas.receipts import receive
from skelnas.script import run
from skelnas.skeletons.synthetic.reader import write_archive


def synthesise(receipt: str) -> None:
    """Generate the recordings where they are missing, and write their `receipt`."""
    receive({}, "data/raw/synthetic/Skeleton.zip", receipt, generate=write_archive)


if __name__ == "__main__":
    run(synthesise, snakemake.log[0], receipt=snakemake.output.receipt)
