"""Generate the recordings of the synthetic data set."""

from skelnas.script import run
from skelnas.skeletons.synthetic.reader import write_archive

if __name__ == "__main__":
    run(write_archive, snakemake.log[0], path=snakemake.output.archive)
