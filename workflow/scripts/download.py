"""Fetch one source file."""

from skelnas.download import fetch
from skelnas.script import run

if __name__ == "__main__":
    run(fetch, snakemake.log[0], source=snakemake.params.source, destination=snakemake.output.file)
