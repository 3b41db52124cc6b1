"""Generate the recordings of the synthetic data set."""

from skelnas.program import run
from skelnas.skeletons.synthetic import write_archive

if __name__ == "__main__":
    run(write_archive, snakemake.log[0], path=snakemake.output.archive)
